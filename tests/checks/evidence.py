"""Runs a finding's evidence as a person would paste it: no parameters, whatever the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.types.string import TextLoader

if TYPE_CHECKING:
    import psycopg


def shown(conn: psycopg.Connection[Any], evidence: str) -> list[Any]:
    """Return the rows that an evidence shows; before it asks, it may set what its expressions depend on."""
    cursor = conn.cursor()
    for name in ("date", "timestamp", "timestamptz"):
        cursor.adapters.register_loader(name, TextLoader)  # Python's end with the year 9999
    cursor.execute(evidence.encode())
    rows: list[Any] = []
    while True:
        if cursor.description is not None:
            rows += cursor.fetchall()
        if not cursor.nextset():
            return rows
