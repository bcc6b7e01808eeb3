"""Composes what is asked of each side of a pair.

The parts of a key are k1, k2, … in the order in which they are walked along, each as its canonical text,
which serves as a literal where the part can be looked up by an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from psycopg import sql

from pgvigil.catalog import Column
from pgvigil.check import load_sql
from pgvigil_checks.across.canonical import epoch, text
from pgvigil_checks.across.keys import Key, Part, Scope
from pgvigil_checks.table_drift_model import ColumnPair, EntityPair
from pgvigil_checks.table_drift_query import SHOWN, is_unique
from pgvigil_checks.table_drift_types import INTEGERS, trusted

Composed: TypeAlias = "sql.SQL | sql.Composed"

# Texts of these are never longer than a checksum by much.
_SHORT = INTEGERS | {"boolean", "uuid", "date", "numeric", "real", "double precision", "interval"}
_SHORT |= {"timestamp without time zone", "timestamp with time zone"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Composes the queries of one side, `left` or `right`; `parts` are in the order of the walk."""

    pair: EntityPair
    side: str
    parts: tuple[Part, ...]
    unique: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "unique", is_unique(self.pair, self.side))

    def order(self, key: Key) -> tuple[object, ...]:
        """Return what sorts keys: integers by their value, texts by their characters."""
        return tuple(
            int(text) if part.native in INTEGERS else text for part, text in zip(self.parts, key, strict=True)
        )

    def sums(self, scope: Scope) -> Composed:
        """Compose the checksums of a scope by bucket, see sums.sql."""
        return _template("sums").format(rows=self._source(scope))

    def rows(self, scope: Scope) -> Composed:
        """Compose the keys of a scope with their checksums, see rows.sql."""
        return _template("rows").format(keys=_names(self.parts, "s"), rows=self._source(scope))

    def look(self, keys: Sequence[Key]) -> Composed:
        """Compose what these keys hold, see look.sql; items are c1, c2, … and newer."""
        items = [
            sql.SQL(", {} AS {}").format(self._item(column), sql.Identifier(f"c{n}"))
            for n, column in enumerate(self.pair.columns, 1)
        ]
        if self.pair.newer is not None:
            items.append(sql.SQL(", {} AS newer").format(self._epoch(self.pair.newer)))
        return _template("look").format(
            names=_names(self.parts),
            keys=self._keys(),
            row=self._row(),
            items=sql.SQL("").join(items),
            table=self._table,
            wanted=self._among(keys),
        )

    def shown(self, keys: Sequence[Key], columns: Sequence[ColumnPair]) -> Composed:
        """Compose the values of these keys in some columns, see shown.sql."""
        values = (
            sql.SQL("pg_catalog.left(({})::text, {})").format(
                column.equality.value(self._value(column), self._column(column)), sql.Literal(SHOWN)
            )
            for column in columns
        )
        return _template("shown").format(
            keys=self._keys(), values=_array(values), table=self._table, wanted=self._among(keys)
        )

    def bound(self, low: Key | None, high: Key | None, rows: int) -> Composed:
        """Compose the key that stands so many rows after `low` and below `high`, see bound.sql."""
        within = [] if low is None else [self._compared(">", low)]
        if high is not None:
            within.append(self._compared("<", high))
        return _template("bound").format(
            keys=self._keys(),
            table=self._table,
            wanted=_all([*self._not_null(), *within]),
            order=sql.SQL(", ").join(self._native(part) for part in self.parts),
            rows=sql.Literal(rows),
        )

    def null_keys(self) -> Composed | None:
        """Compose how many rows have no key; None when there can be none."""
        nullable = [part.part.value(self.side) for part in self.parts if self._nullable(part)]
        if not nullable:
            return None
        wanted = sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(value) for value in nullable)
        return _template("null_keys").format(table=self._table, wanted=wanted)

    def evidence(self, keys: Sequence[Key], columns: Sequence[ColumnPair]) -> str:
        """Write what shows some rows in psql, or a checksum of each row where there are no keys."""
        key = [
            sql.SQL("{} AS {}").format(part.part.value(self.side), sql.Identifier(part.part.label))
            for part in self.parts
        ]
        if keys:
            shown = [sql.Identifier("t", self._column(column).name) for column in columns]
            wanted: sql.Composable = sql.SQL(" WHERE {}").format(self._among(keys))
        else:
            shown, wanted = [], sql.SQL("")
            key.append(sql.SQL("pg_catalog.md5({}::text) AS checksum").format(self._row()))
        order = sql.SQL(", ").join(sql.Literal(n) for n in range(1, len(self.parts) + 1))
        query = _template("evidence").format(
            columns=sql.SQL(", ").join([*key, *shown]),
            table=self._table,
            wanted=wanted,
            order=trusted(order.as_string(None)),
        )
        return f"{query.as_string(None)};"

    @property
    def _table(self) -> sql.Identifier:
        table = self.pair.table(self.side)
        return sql.Identifier(table.schema, table.name)

    def _source(self, scope: Scope) -> Composed:
        conditions = [*self._not_null(), *self._within(scope)]
        rows = _template("source").format(
            keys=self._keys(),
            bucket=self._bucket(scope.bits),
            row=self._row(),
            table=self._table,
            wanted=_all(conditions),
        )
        if self.unique:
            return rows
        names = _names(self.parts, "g")
        return _template("source_by_key").format(
            names=names, key=_array(_name(n, "g") for n, _ in enumerate(self.parts, 1)), rows=rows
        )

    def _keys(self) -> sql.Composed:
        return sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(self._text(part), _name(n)) for n, part in enumerate(self.parts, 1)
        )

    def _text(self, part: Part) -> sql.Composable:
        """Compose the canonical text of a part of the key."""
        equality = part.part.equality
        stands = part.part.of(self.side)
        value = sql.Identifier("t", stands.name) if isinstance(stands, Column) else _computed(stands.name)
        return text(equality, part.columns, value, part.columns[self._position])

    def _native(self, part: Part) -> sql.Composable:
        return sql.Identifier("t", part.part.of(self.side).name)

    def _row(self) -> sql.Composable:
        """Compose all of a row that is compared, as an array, in which nothing is mistaken for NULL."""
        texts = (self._canonical(column) for column in self.pair.columns)
        return _array([*(self._text(part) for part in self.parts), *texts])

    def _canonical(self, pair: ColumnPair) -> sql.Composable:
        sides = pair.left, pair.right
        return text(pair.equality, sides, self._value(pair), self._column(pair), pair.tolerance)

    def _item(self, pair: ColumnPair) -> sql.Composable:
        """Compose a compared value so that it can be told from another, and measured where that matters."""
        if isinstance(pair.tolerance, timedelta):
            return self._epoch(pair)
        shown = self._canonical(pair)
        if {pair.left.base_type, pair.right.base_type} <= _SHORT:
            return shown
        return sql.SQL("pg_catalog.md5({})").format(shown)

    def _epoch(self, pair: ColumnPair) -> sql.Composable:
        return epoch(pair.equality, (pair.left, pair.right), self._value(pair), self._column(pair))

    def _value(self, pair: ColumnPair) -> sql.Composable:
        return sql.Identifier("t", self._column(pair).name)

    def _column(self, pair: ColumnPair) -> Column:
        return pair.left if self.side == "left" else pair.right

    @property
    def _position(self) -> int:
        return 0 if self.side == "left" else 1

    def _nullable(self, part: Part) -> bool:
        stands = part.part.of(self.side)
        # NOT NULL need not hold in the tables that inherit.
        inherited = self.pair.table(self.side).has_children
        return inherited or not (isinstance(stands, Column) and stands.not_null)

    def _not_null(self) -> list[sql.Composable]:
        nullable = (part.part.value(self.side) for part in self.parts if self._nullable(part))
        return [sql.SQL("{} IS NOT NULL").format(value) for value in nullable]

    def _bucket(self, bits: int) -> sql.Composable:
        if bits == 0:
            return sql.SQL("0::bigint")
        return sql.SQL("({} & {}::bigint)").format(self._number, sql.Literal((1 << bits) - 1))

    @property
    def _number(self) -> sql.Composable:
        """Compose a number that stands for a key, the same on both sides."""
        if len(self.parts) == 1 and self.parts[0].native in INTEGERS:
            return sql.SQL("{}::bigint").format(self._native(self.parts[0]))
        key = _array(self._text(part) for part in self.parts)
        return sql.SQL("('x' || pg_catalog.left(pg_catalog.md5({}::text), 16))::bit(64)::bigint").format(key)

    def _within(self, scope: Scope) -> Iterable[sql.Composable]:
        if scope.low is not None:
            yield self._compared(">=", scope.low)
        if scope.high is not None:
            yield self._compared("<", scope.high)
        if scope.buckets is not None:
            yield sql.SQL("{} = ANY ({}::bigint[])").format(
                self._bucket(scope.bits), sql.Literal(list(scope.buckets))
            )

    def _compared(self, operator: str, key: Key) -> sql.Composable:
        """Compose a comparison with a key in the order of the walk, as an index answers it."""
        columns = sql.SQL(", ").join(self._native(part) for part in self.parts)
        values = sql.SQL(", ").join(
            sql.SQL("{}::{}").format(sql.Literal(value), trusted(part.native or "text"))
            for part, value in zip(self.parts, key, strict=True)
        )
        return sql.SQL("({}) {} ({})").format(columns, trusted(operator), values)

    def _among(self, keys: Sequence[Key]) -> sql.Composable:
        """Compose whether a row's key is one of these."""
        by_index = all(part.native for part in self.parts)
        stands = [self._native(part) if by_index else self._text(part) for part in self.parts]
        types = [trusted(part.native or "text") if by_index else trusted("text") for part in self.parts]
        lists = [sql.Literal([key[n] for key in keys]) for n in range(len(self.parts))]
        if len(stands) == 1:
            return sql.SQL("{} = ANY ({}::{}[])").format(stands[0], lists[0], types[0])
        names = [sql.Identifier(f"u{n}") for n in range(1, len(stands) + 1)]
        return sql.SQL("({}) IN (SELECT {} FROM ROWS FROM ({}) AS u ({}))").format(
            sql.SQL(", ").join(stands),
            sql.SQL(", ").join(sql.SQL("u.{}").format(name) for name in names),
            sql.SQL(", ").join(
                sql.SQL("pg_catalog.unnest({}::{}[])").format(one, type_)
                for one, type_ in zip(lists, types, strict=True)
            ),
            sql.SQL(", ").join(names),
        )


def _computed(expression: str) -> sql.Composable:
    return sql.SQL("({})").format(trusted(expression))


def _all(conditions: Iterable[sql.Composable]) -> sql.Composable:
    return sql.SQL(" AND ").join([*conditions] or [sql.SQL("true")])


def _array(elements: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL("ARRAY[{}]::text[]").format(sql.SQL(", ").join(elements))


def _name(n: int, row: str | None = None) -> sql.Identifier:
    return sql.Identifier(row, f"k{n}") if row else sql.Identifier(f"k{n}")


def _names(parts: Sequence[Part], row: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(_name(n, row) for n, _ in enumerate(parts, 1))


def _template(name: str) -> sql.SQL:
    return load_sql("pgvigil_checks.across", f"{name}.sql")
