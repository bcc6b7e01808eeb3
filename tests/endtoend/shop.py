"""Databases to break: parents, and any number of tables with children of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

PARENTS = 20


def relation(number: int = 1) -> str:
    """Return the subject of one of the relations."""
    return f"shop.child_{number}(parent_id) -> shop.parents(id)"


def building(relations: int) -> Callable[[str], None]:
    """Return what fills an empty database with parents and so many tables of children, one child a parent."""

    def build(dsn: str) -> None:
        with psycopg.connect(dsn) as conn:
            conn.execute("CREATE SCHEMA shop")
            conn.execute("CREATE TABLE shop.parents (id int PRIMARY KEY)")
            conn.execute("INSERT INTO shop.parents SELECT generate_series(1, %s)", [PARENTS])
            for number in range(1, relations + 1):
                child = f"shop.child_{number}"
                conn.execute(
                    f"CREATE TABLE {child} (id int PRIMARY KEY, parent_id int REFERENCES shop.parents);"
                    f"CREATE INDEX ON {child} (parent_id);"
                    f"INSERT INTO {child} SELECT id, id FROM shop.parents".encode()
                )

    return build


def lose_parents(dsn: str, *parents: int) -> None:
    """Delete parents as a load without triggers does: their children stay, behind keys that are valid."""
    with psycopg.connect(dsn) as conn:
        conn.execute("SET LOCAL session_replication_role = replica")
        conn.execute("DELETE FROM shop.parents WHERE id = ANY(%s)", [list(parents)])


def restore(dsn: str) -> None:
    """Bring all parents back."""
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "INSERT INTO shop.parents SELECT generate_series(1, %s) ON CONFLICT DO NOTHING", [PARENTS]
        )
