"""What a fault is, and how the faults write rows and take them away again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from pgvigil.sample.dice import Dice
from pgvigil.sample.planted import Kind, Planted
from pgvigil.sample.zones import TABLES

# Rows that a fault adds carry numbers from here on, so that healing finds them without a memory.
ADDED_FROM = 9_000_000_000_000_000

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Fault(ABC):
    """Something that goes wrong in real databases, and can be undone.

    `plant` expects that it is not there yet; `heal` may be called at any time. Both work in the transaction
    of the caller, which has to be a superuser's.
    """

    name: str
    kind: Kind
    description: str

    @property
    def gradual(self) -> bool:
        """Whether it comes in degrees: more or fewer rows at fault."""
        return True

    @abstractmethod
    def plant(self, connection: psycopg.Connection, dice: Dice, share: float = 1.0) -> Planted:
        """Make it so, and write down what was done.

        The dice decide on how many rows; `share` takes so much of them, from nearly 0 (one row) to 1 (all).
        """

    @abstractmethod
    def heal(self, connection: psycopg.Connection) -> None:
        """Leave the database as it was before the fault was planted."""


def portion(share: float, count: int) -> int:
    """Take a share of some rows, one at least."""
    return max(1, round(share * count))


def identifier(table: str) -> sql.Identifier:
    """Compose a table of the data model; only the first dot separates schema and name."""
    return sql.Identifier(*table.split(".", 1))


def borrow(
    connection: psycopg.Connection, table: str, count: int, *, order_by: str, where: sql.Composable
) -> list[dict[str, Any]]:
    """Read the first rows of a table as text: new rows made of them are realistic in every column."""
    query = sql.SQL("SELECT {} FROM {} AS t WHERE {} ORDER BY t.{} LIMIT {}").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in _columns(table)),
        identifier(table),
        where,
        sql.Identifier(order_by),
        sql.Literal(count),
    )
    return [dict(zip(_columns(table), row, strict=True)) for row in connection.execute(query)]


def add(connection: psycopg.Connection, table: str, rows: Iterable[Values]) -> None:
    """Load rows into a table."""
    columns = _columns(table)
    copy_rows = sql.SQL("COPY {} ({}) FROM STDIN").format(
        identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor().copy(copy_rows) as copy:
        for row in rows:
            copy.write_row([row[name] for name in columns])


def remove(connection: psycopg.Connection, table: str, key: str, low: object, high: object) -> None:
    """Delete the rows with a key from `low` to `high`."""
    delete = sql.SQL("DELETE FROM {} WHERE {} BETWEEN {} AND {}")
    connection.execute(
        delete.format(identifier(table), sql.Identifier(key), sql.Literal(low), sql.Literal(high))
    )


def _columns(table: str) -> list[str]:
    return next(known for known in TABLES if known.name == table).columns.split(", ")
