"""Rows as samples: which columns name a row, and how its values are written."""

from __future__ import annotations

import math
from typing import Any

from pgvigil.catalog import Table
from pgvigil.check import JsonValue, Row


def key_columns(table: Table) -> tuple[str, ...]:
    """Return the columns that name a row of the table: its primary key, else a unique key without NULLs."""
    not_null = {column.name for column in table.columns if column.not_null}
    keys = sorted(table.keys, key=lambda key: not key.primary)
    return next((key.columns for key in keys if not_null.issuperset(key.columns)), ())


def sample_row(row: Row) -> dict[str, JsonValue]:
    """Return a fetched row as plain JSON, which has no NaN and no infinity."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> JsonValue:
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    plain: JsonValue = value
    return plain
