"""Rows as samples: which columns name a row."""

from __future__ import annotations

from pgvigil.catalog import Table


def key_columns(table: Table) -> tuple[str, ...]:
    """Return the columns that name a row: the primary key's, else those of a unique key without NULLs."""
    not_null = {column.name for column in table.columns if column.not_null}
    keys = sorted(table.keys, key=lambda key: not key.primary)
    return next((key.columns for key in keys if not_null.issuperset(key.columns)), ())
