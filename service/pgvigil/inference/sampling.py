"""Looks values of a child up among the keys of its possible parents: a bounded number of them, never all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, LiteralString

from psycopg import sql

from pgvigil.catalog import Column, Table, TableKind
from pgvigil.errors import QueryFailedError
from pgvigil.inference.comparable import of_the_server

Fetch = Callable[[sql.Composed], list[dict[str, Any]]]
"""Runs one query in a safe session and returns its rows; raises TargetError.

One that fails must leave the next one unharmed: each in a snapshot of its own, then.
"""

_VALUES = 1_000
_ROWS = 20_000
_PAGES = 400
# Of each partition, where nobody knows how much there is in them.
_PAGES_OF_EACH = 20
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of a look: `found` of `values` distinct ones have a parent, `rows_found` of `rows`."""

    values: int
    found: int
    rows: int
    rows_found: int

    @property
    def share(self) -> float:
        """The share of the rows that have a parent."""
        return self.rows_found / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class Parent:
    """A table, and the key among whose values others are looked up."""

    table: Table
    key: tuple[str, ...]


class Sampler:
    """Reads of a child at most some hundred pages, and asks each parent for at most a thousand keys.

    What may not be read, takes longer than the session allows, or is of a type whose operators are not the
    server's own, is None: unknown, and no evidence. After `seconds` altogether, all else is.
    """

    def __init__(
        self, fetch: Fetch, *, seconds: float = _SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._until = clock() + seconds

    def look(
        self,
        child: Table,
        columns: tuple[str, ...],
        parents: Sequence[Parent],
        condition: tuple[str, str] | None = None,
    ) -> list[Looked | None]:
        """Look up values of a child's columns among the keys of each parent, in this order.

        With a `condition` only rows count whose column of that name has that value.
        """
        if not parents or self._clock() >= self._until or not _can_be_read(child, columns):
            return [None] * len(parents)
        asked = [parent for parent in parents if _can_be_read(parent.table, parent.key)]
        answers = iter(self._answers(child, columns, asked, condition))
        return [next(answers) if _can_be_read(parent.table, parent.key) else None for parent in parents]

    def _answers(
        self,
        child: Table,
        columns: tuple[str, ...],
        parents: Sequence[Parent],
        condition: tuple[str, str] | None,
    ) -> list[Looked | None]:
        if not parents:
            return []
        try:
            (row,) = self._fetch(_query(child, columns, parents, condition))
        except QueryFailedError:
            if len(parents) == 1:
                return [None]
            # One that may not be read must not keep the others from being asked.
            return [
                answer for parent in parents for answer in self._answers(child, columns, [parent], condition)
            ]
        return [
            Looked(row["values"], found, row["rows"], rows_found)
            for found, rows_found in zip(row["found"], row["rows_found"], strict=True)
        ]


def _can_be_read(table: Table, columns: tuple[str, ...]) -> bool:
    found = [table.column(name) for name in columns]
    return table.kind in (TableKind.TABLE, TableKind.PARTITIONED) and all(
        column is not None and of_the_server(column) for column in found
    )


def _query(
    child: Table, columns: tuple[str, ...], parents: Sequence[Parent], condition: tuple[str, str] | None
) -> sql.Composed:
    numbers = range(len(parents))
    names = [sql.Identifier(f"c{number}") for number in range(len(columns))]
    present = [sql.SQL("{} IS NOT NULL").format(sql.Identifier("r", column)) for column in columns]
    if child.pages <= _PAGES:
        present.append(first_pages("r", _pages_of(child)))
    if condition is not None:
        present.append(
            sql.SQL("{}::text = {}").format(sql.Identifier("r", condition[0]), sql.Literal(condition[1]))
        )
    return _template("looked_up.sql").format(
        columns=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(sql.Identifier("r", column), name)
            for column, name in zip(columns, names, strict=True)
        ),
        child=_rows_of(child),
        sample=_sample(child),
        present=sql.SQL(" AND ").join(present),
        rows=sql.Literal(_ROWS),
        names=sql.SQL(", ").join(names),
        most=sql.Literal(_VALUES),
        exists=sql.SQL(", ").join(_exists(child, columns, parent) for parent in parents),
        found=_counts("count(*) FILTER (WHERE hits[{}])", numbers),
        rows_found=_counts("coalesce(sum(rows) FILTER (WHERE hits[{}]), 0)", numbers),
    )


def _template(name: str) -> sql.SQL:
    return sql.SQL(_trusted(resources.files("pgvigil.inference").joinpath(name).read_text(encoding="utf-8")))


def _trusted(text: str) -> LiteralString:
    """Return the text of a file of ours as what it is."""
    return text


def _counts(template: LiteralString, numbers: range) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL(template).format(sql.Literal(number + 1)) for number in numbers)


def _rows_of(table: Table) -> sql.Composed:
    """Name the rows that a foreign key of the table would look at: those of heirs are not its own."""
    only = sql.SQL("" if table.kind is TableKind.PARTITIONED else "ONLY ")
    return sql.SQL("{}{}").format(only, sql.Identifier(table.schema, table.name))


def first_pages(alias: str, pages: int) -> sql.Composed:
    """Compose what keeps to the first pages of a table: more may be there than it had when it was analysed.

    The pages behind them are not even read, as they would be by a sample of so many percent.
    """
    end = sql.Literal(f"({pages},0)")
    return sql.SQL("{} OPERATOR(pg_catalog.<) {}::tid").format(sql.Identifier(alias, "ctid"), end)


def _pages_of(table: Table) -> int:
    unknown = table.kind is TableKind.PARTITIONED and table.rows_estimate is None
    return _PAGES_OF_EACH if unknown else _PAGES


def _sample(table: Table) -> sql.Composed | sql.SQL:
    """Take some of a large table's pages, the same ones every time."""
    if table.pages <= _PAGES:
        return sql.SQL("")
    percent = sql.Literal(round(100 * _PAGES / table.pages, 6))
    return sql.SQL("TABLESAMPLE SYSTEM ({}) REPEATABLE (1)").format(percent)


def _exists(child: Table, columns: tuple[str, ...], parent: Parent) -> sql.Composed:
    """Compose whether a row's parent is there; without LIMIT, the server may choose to hash all parents."""
    equal = [
        sql.SQL("{} = {}").format(
            sql.Identifier("p", key), _operand(child, column, number, parent.table, key)
        )
        for number, (column, key) in enumerate(zip(columns, parent.key, strict=True))
    ]
    return sql.SQL("(SELECT true FROM {} AS p WHERE {} LIMIT 1) IS NOT NULL").format(
        _rows_of(parent.table), sql.SQL(" AND ").join(equal)
    )


def _operand(child: Table, column: str, number: int, parent: Table, key: str) -> sql.Composed | sql.SQL:
    value = sql.Identifier("c", f"c{number}")
    # Compared as a text, a key of a padded type could not be looked up by its index.
    padded = _type(parent.column(key)) == "character" != _type(child.column(column))
    return sql.SQL("{}::bpchar").format(value) if padded else sql.SQL("{}").format(value)


def _type(column: Column | None) -> str:
    return column.base_type if column else ""
