"""Reads of the tables of a pair what is needed to judge it, and never more than a bounded part of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from itertools import groupby
from typing import Any, LiteralString

from psycopg import sql

from pgvigil.catalog import Column, Table
from pgvigil.errors import QueryFailedError
from pgvigil.inference import sketch
from pgvigil.inference.pairs_values import canonical, key_text, named, same_operator, shortened
from pgvigil.inference.sampling import Fetch, first_pages
from pgvigil.inference.sketch import Sketch

Columns = tuple[Column, ...]
Texts = Sequence[str | None]

_MOST_PAGES = 4096  # 32 MB: a table is read whole up to there
_MOST_ROWS = 200_000
_SAMPLED_ROWS = 400
_SAMPLED_PAGES = 100
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Matched:
    """What a sample of keys of the left table meets on the right.

    `sampled` keys were looked up, `found` of them are there, `ambiguous` of those more than once. `rows`
    holds the texts of the values of both sides, of those found once, in the order of the columns asked for.
    """

    sampled: int
    found: int
    ambiguous: int
    rows: tuple[tuple[Texts, Texts], ...]

    def turned(self) -> Matched:
        """Return the same with the sides of its rows exchanged."""
        return replace(self, rows=tuple((there, here) for here, there in self.rows))


class PairSampler:
    """Sketches keys and matches rows; None is returned for whatever cannot be known.

    That is what the role may not read, what takes longer than the session allows, what cannot be told
    without reading a large table, and, after `seconds` altogether, all else. It is no evidence.
    """

    def __init__(
        self, fetch: Fetch, *, seconds: float = _SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._until = clock() + seconds
        self._sketches: dict[tuple[int, Columns], Sketch | None] = {}
        self._grown: set[int] = set()

    def sketch(self, table: Table, key: Columns) -> Sketch | None:
        """Return the sketch of a key's values; each is read once."""
        if (table.oid, key) not in self._sketches:
            self._sketches[table.oid, key] = self._sketched(table, key)
        return self._sketches[table.oid, key]

    def matched(self, left: Side, right: Side) -> Matched | None:
        """Look up a sample of the left table's keys in the right one, which is indexed by them, or small."""
        right_rows = _right_rows(left, right, small=self._is_small(right.table))
        if right_rows is None:
            return None
        query = _query("pairs_matched.sql").format(
            size=_SAMPLED_ROWS,
            most=_MOST_ROWS,
            most_rows=4 * _SAMPLED_ROWS,
            left=named(left.table),
            sample=self._sample(left.table),
            left_columns=_listed(left),
            left_key=key_text(left.key, "l"),
            operands=sql.SQL(", ").join(
                [
                    sql.SQL("{} AS {}").format(sql.Identifier("l", column.name), _operand(number))
                    for number, column in enumerate(left.key)
                ]
            ),
            right_key=key_text(right.key, "r"),
            left_values=_values(left, "l"),
            right_values=_values(right, "r"),
            right_rows=right_rows,
        )
        rows = self._tried(query)
        # More matches than are wanted: whatever this is, it is no key.
        return None if rows is None or len(rows) == 4 * _SAMPLED_ROWS else _matched(rows)

    def newest(self, table: Table, column: Column) -> str | None:
        """Return the greatest value of a moment, as seconds since 1970; from an index, or a small table."""
        # Nobody knows how long it takes in a table that was never analysed.
        known = self._is_small(table) and table.rows_estimate is not None
        if not (known or _is_indexed(table, (column,))):
            return None
        newest = sql.SQL("SELECT max({}) AS {} FROM {} AS t").format(
            sql.Identifier("t", column.name), sql.Identifier(column.name), named(table)
        )
        query = sql.SQL("SELECT {} AS newest FROM ({}) AS m").format(canonical(column, "m"), newest)
        rows = self._tried(query)
        return rows[0]["newest"] if rows else None

    def _sketched(self, table: Table, key: Columns) -> Sketch | None:
        if not self._is_small(table):
            return None
        query = _query("sketch.sql").format(
            key=key_text(key, "t"),
            table=named(table),
            first=first_pages("t", _MOST_PAGES),
            most=_MOST_ROWS,
            size=sketch.SIZE,
        )
        rows = self._tried(query)
        if not rows:
            return None
        (row,) = rows
        if row["cut_off"]:
            self._grown.add(table.oid)
            return None
        return Sketch(tuple(row["hashes"]), row["distinct"], row["rows"], row["nulls"])

    def _is_small(self, table: Table) -> bool:
        """Tell whether a table may be read whole; it may have grown since it was analysed, if it was ever."""
        small = table.pages <= _MOST_PAGES and (table.rows_estimate or 0) <= _MOST_ROWS
        return small and table.oid not in self._grown

    def _sample(self, table: Table) -> sql.Composable:
        """Compose what reads a few of a large table's pages, always the same ones."""
        if self._is_small(table):
            return sql.SQL("WHERE {}").format(first_pages("t", _MOST_PAGES))
        if table.pages <= _SAMPLED_PAGES:
            return sql.SQL("WHERE {}").format(first_pages("t", _SAMPLED_PAGES))
        percent = 100.0 * _SAMPLED_PAGES / table.pages
        return sql.SQL("TABLESAMPLE SYSTEM ({}) REPEATABLE (1)").format(percent)

    def _tried(self, query: sql.Composed) -> list[dict[str, Any]] | None:
        if self._clock() >= self._until:
            return None
        try:
            return self._fetch(query)
        except QueryFailedError:
            return None


@dataclass(frozen=True, slots=True)
class Side:
    """One table of a pair: the columns of its key, and those whose values are wanted."""

    table: Table
    key: Columns
    columns: Columns

    @property
    def rows(self) -> float:
        """How many rows it has, as far as that is known."""
        return self.table.rows_estimate or 0.0


def _query(name: str) -> sql.SQL:
    text = resources.files("pgvigil.inference").joinpath(name).read_text(encoding="utf-8")
    return sql.SQL(_trusted(text))


def _trusted(text: str) -> LiteralString:
    """Return the text of a file of ours as what it is."""
    return text


def _is_indexed(table: Table, key: Columns) -> bool:
    """Tell whether a usable index begins with the columns of a key, in whatever order."""
    names = {column.name for column in key}
    return any(
        index.valid
        and not index.partial
        and index.method == "btree"
        and set(index.columns[: len(key)]) == names
        for index in table.indexes
    )


def _right_rows(left: Side, right: Side, *, small: bool) -> sql.Composable | None:
    """Compose the right table's rows and how they are found; None when that would read a large table."""
    if _is_indexed(right.table, right.key) and all(map(same_operator, left.key, right.key)):
        matches = [
            sql.SQL("{} OPERATOR(pg_catalog.=) s.{}").format(
                sql.Identifier("t", column.name), _operand(number)
            )
            for number, column in enumerate(right.key)
        ]
        return sql.SQL("LATERAL (SELECT {} FROM {} AS t WHERE {} LIMIT 2) AS r ON true").format(
            _listed(right), named(right.table), sql.SQL(" AND ").join(matches)
        )
    if not small:
        return None
    return sql.SQL("(SELECT {} FROM {} AS t WHERE {} LIMIT {}) AS r ON {} = s.key").format(
        _listed(right),
        named(right.table),
        first_pages("t", _MOST_PAGES),
        _MOST_ROWS,
        key_text(right.key, "r"),
    )


def _operand(number: int) -> sql.Identifier:
    """Compose the name of a part of the left key among what was sampled."""
    return sql.Identifier(f"key_{number}")


def _listed(side: Side) -> sql.Composed:
    wanted = dict.fromkeys((*side.key, *side.columns))
    return sql.SQL(", ").join([sql.Identifier("t", column.name) for column in wanted])


def _values(side: Side, alias: str) -> sql.Composed:
    return sql.SQL(", ").join([shortened(column, alias) for column in side.columns])


def _matched(rows: list[dict[str, Any]]) -> Matched:
    sampled = found = ambiguous = 0
    once = []
    for _, same in groupby(sorted(rows, key=_number), key=_number):
        first, *more = same
        sampled += 1
        found += first["found"]
        ambiguous += bool(more)
        if first["found"] and not more:
            once.append((first["left"], first["right"]))
    return Matched(sampled, found, ambiguous, tuple(once))


def _number(row: dict[str, Any]) -> int:
    number: int = row["number"]
    return number
