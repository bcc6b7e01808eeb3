"""What the rows of a table must be like: its columns beyond what the catalog tells, and its declared keys."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from pgvigil.catalog import Catalog, ForeignKey, Table, TableKind

_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_NUMBERS = re.compile(r"ARRAY\[([-0-9, ]+)\]")
_BOUND = re.compile(r"(>=|<=|>|<) '?\(?(-?\d+)")


@dataclass(frozen=True, slots=True)
class Field:
    """A column: `modifier` is the raw type modifier, `labels` an enum's, `literals`, `bounds` of checks."""

    name: str
    type: str
    not_null: bool
    generated: bool
    serial: bool
    has_default: bool
    modifier: int
    unique: bool
    primary: bool
    labels: tuple[str, ...]
    literals: tuple[str, ...]
    bounds: tuple[int | None, int | None]

    @property
    def length(self) -> int | None:
        """How many characters a text may have, None if any number."""
        if self.type in {"varchar", "bpchar"}:
            return self.modifier - 4 if self.modifier > 4 else 1 if self.type == "bpchar" else None
        return None


@dataclass(frozen=True, slots=True)
class Shape:
    """A table that is to be filled."""

    table: Table
    fields: tuple[Field, ...]
    foreign_keys: tuple[ForeignKey, ...]

    def field(self, name: str) -> Field:
        """Return a column by its name."""
        return next(field for field in self.fields if field.name == name)

    def optional(self, key: ForeignKey) -> bool:
        """Tell whether a row may be without what this key refers to."""
        return any(not self.field(name).not_null for name in key.child_columns)


def read_shapes(connection: psycopg.Connection[Any], catalog: Catalog) -> list[Shape]:
    """Return what each table that holds rows must be like; partitions are filled through their root."""
    columns, checks = _rows(connection, "columns.sql"), _rows(connection, "checks.sql")
    rules: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for row in checks:
        rules[row["table"], row["name"]].append(row["definition"])
    keys: defaultdict[int, list[ForeignKey]] = defaultdict(list)
    for key in catalog.foreign_keys:
        keys[key.child.oid].append(key)
    return [
        Shape(
            table,
            tuple(
                _field(row, table, rules[table.oid, row["name"]])
                for row in columns
                if row["table"] == table.oid
            ),
            tuple(keys[table.oid]),
        )
        for table in catalog.tables
        if table.kind in (TableKind.TABLE, TableKind.PARTITIONED) and not table.is_partition
    ]


def _field(row: Mapping[str, Any], table: Table, checks: list[str]) -> Field:
    alone = [key for key in table.keys if key.columns == (row["name"],)]
    text = " ".join(checks)
    chosen = " = " in text and not re.search(r"<>|length|~", text)
    return Field(
        name=row["name"],
        type=row["type"],
        not_null=row["not_null"],
        generated=row["generated"],
        serial=row["serial"],
        has_default=row["has_default"],
        modifier=row["modifier"],
        unique=bool(alone),
        primary=any(key.primary for key in alone),
        labels=tuple(row["labels"] or ()),
        literals=_literals(text) if chosen else (),
        bounds=_bounds(text),
    )


def _literals(text: str) -> tuple[str, ...]:
    numbers = [number.strip() for found in _NUMBERS.findall(text) for number in found.split(",")]
    return (*_LITERAL.findall(text), *numbers)


def _bounds(text: str) -> tuple[int | None, int | None]:
    least: int | None = None
    greatest: int | None = None
    for sign, number in _BOUND.findall(text):
        value = int(number) + {">": 1, "<": -1}.get(sign, 0)
        if sign[0] == ">":
            least = value
        else:
            greatest = value
    return least, greatest


def _rows(connection: psycopg.Connection[Any], file: LiteralString) -> list[dict[str, Any]]:
    query = resources.files("evaluation.fill").joinpath(file).read_text(encoding="utf-8")
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()
