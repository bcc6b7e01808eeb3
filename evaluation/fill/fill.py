"""Fills a schema's tables, parents first, and tells which stayed empty.

The server itself judges every row by all declared constraints; what it refuses is left out. The rules by
which rows are drawn are in docs/explanation/inference-evaluation.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Identifier, Literal

from evaluation.fill.order import parents_first
from evaluation.fill.references import References, is_unique
from evaluation.fill.shape import Field, Shape, read_shapes
from evaluation.fill.values import Recipe, is_integer, key_recipe, recipe
from pgvigil.catalog import ForeignKey, read_catalog

_BATCH = 100
_HOPELESS = 200
"""So many rows in a row that the server refuses, and it is tried otherwise."""

# What is tried one after the other until the server takes rows. `plain`: nothing is set that need not be.
# `rooted`: what refers to its own table refers to the rows that are there already.
_WAYS = ((False, False), (True, False), (False, True), (True, True))

Row = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Filled:
    """What came of it: how many tables there are, their rows, and the names of those that stayed empty."""

    tables: int
    rows: int
    empty: tuple[str, ...]


def fill(dsn: str, seed: str) -> Filled:
    """Fill all tables, then ANALYZE. The same seed on the same tables gives the same rows."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
        with connection.cursor(row_factory=dict_row) as cursor:
            catalog = read_catalog(lambda query: cursor.execute(query).fetchall())
        shapes = read_shapes(connection, catalog)
        _triggers(connection, shapes, "DISABLE")
        later: list[tuple[Shape, ForeignKey]] = []
        for shape, waiting in parents_first(shapes):
            _Filler(connection, shape, waiting, Random(f"{seed} {shape.table}")).fill()
            later += ((shape, key) for key in waiting if shape.optional(key))
        for shape, key in later:
            _set(connection, shape, key, Random(f"{seed} {key.subject}"))
        _triggers(connection, shapes, "ENABLE")
        connection.execute("ANALYZE")
        counts = {str(shape.table): _count(connection, shape) for shape in shapes}
    return Filled(len(counts), sum(counts.values()), tuple(sorted(one for one in counts if not counts[one])))


class _Filler:
    """Fills one table up to a size that is drawn for it; rows that are there already stay."""

    def __init__(
        self, connection: psycopg.Connection[Any], shape: Shape, waiting: Sequence[ForeignKey], random: Random
    ) -> None:
        self._connection = connection
        self._shape = shape
        self._waiting = waiting
        self._random = random
        self._rows = int(20 * 200 ** random.random())

    def fill(self) -> None:
        present = _count(self._connection, self._shape)
        for plain, rooted in _WAYS:
            if present >= self._rows or self._insert(present, plain=plain, rooted=rooted):
                return

    def _insert(self, present: int, *, plain: bool, rooted: bool) -> bool:
        """Insert what is missing; return whether the server took any."""
        drawn = self._draw(plain=plain, rooted=rooted)
        if drawn is None:
            return False
        taken = refused = 0
        for start in range(present, self._rows, _BATCH):
            batch = [
                row for number in range(start, min(start + _BATCH, self._rows)) if (row := drawn(number))
            ]
            if not batch:
                continue
            try:
                taken += self._take(batch)
            except psycopg.Error:
                for row in batch:
                    try:
                        taken += self._take([row])
                    except psycopg.Error:
                        refused += 1
                    if not taken and refused >= _HOPELESS:
                        return False
        return taken > 0

    def _take(self, rows: Sequence[Row]) -> int:
        names = list(rows[0])
        values = [SQL("({})").format(SQL(", ").join(Literal(row[name]) for name in names)) for row in rows]
        query = SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES {} ON CONFLICT DO NOTHING").format(
            _name(self._shape), SQL(", ").join(map(Identifier, names)), SQL(", ").join(values)
        )
        return self._connection.execute(query).rowcount

    def _draw(self, *, plain: bool, rooted: bool) -> Callable[[int], Row | None] | None:
        """Return what makes rows; None when a column that must be set cannot be."""
        referring = {name for key in self._shape.foreign_keys for name in key.child_columns}
        itself = [key for key in self._now() if key.parent.oid == self._shape.table.oid]
        roots = [key for key in self._waiting if rooted and key.parent.oid == self._shape.table.oid]
        recipes: dict[str, tuple[Recipe, float]] = {}
        for field in self._shape.fields:
            if field.generated or (field.name in referring and not self._is_key(field, itself)):
                continue
            if not self._is_key(field, itself) and self._left_out(field, plain=plain):
                continue
            made = self._recipe(field, plain=plain)
            if made is not None:
                absent = 0.0 if field.not_null else self._random.choice([0.0, 0.05, 0.3, 0.7])
                recipes[field.name] = made, absent
            elif field.not_null and not field.has_default:
                return None
        references = [
            References(
                self._connection,
                key,
                self._random,
                optional=self._shape.optional(key) and key not in roots,
                unique=is_unique(key, key.child_columns),
            )
            for key in sorted([*self._now(), *roots], key=lambda one: len(one.child_columns))
            if key not in itself
        ]
        return lambda number: self._row(number + 1, recipes, references, itself)

    def _now(self) -> list[ForeignKey]:
        return [key for key in self._shape.foreign_keys if key not in self._waiting]

    def _is_key(self, field: Field, itself: Iterable[ForeignKey]) -> bool:
        """Tell whether other rows may be found by this column, so that it needs values of its own."""
        targets = {name for key in itself for name in key.parent_columns}
        referring = {name for key in self._shape.foreign_keys for name in key.child_columns}
        return (field.primary or field.serial or field.name in targets) and field.name not in referring

    def _left_out(self, field: Field, *, plain: bool) -> bool:
        if plain:
            return field.has_default or not field.not_null
        return field.has_default and not field.unique and self._random.random() < 0.3

    def _recipe(self, field: Field, *, plain: bool) -> Recipe | None:
        if plain and field.type in {"json", "jsonb"}:
            return lambda _: "null"
        if field.primary or field.serial or (field.unique and not is_integer(field)):
            return key_recipe(field, _next(self._connection, self._shape, field), self._random)
        return recipe(field, self._random)

    def _row(
        self,
        number: int,
        recipes: Mapping[str, tuple[Recipe, float]],
        references: Sequence[References],
        itself: Sequence[ForeignKey],
    ) -> Row | None:
        row: Row = {}
        for reference in references:
            drawn = reference.draw(row)
            if drawn is None:
                drawn = {name: None for name in reference.key.child_columns if name not in row}
                required = [name for name in drawn if self._shape.field(name).not_null]
                if required or not self._shape.optional(reference.key):
                    return None
            row |= {name: value for name, value in drawn.items() if row.get(name) is None}
        for name, (made, absent) in recipes.items():
            row[name] = None if absent and self._random.random() < absent else made(number)
        for key in itself:
            row |= {
                child: row.get(parent)
                for child, parent in zip(key.child_columns, key.parent_columns, strict=True)
            }
        return row


def _set(connection: psycopg.Connection[Any], shape: Shape, key: ForeignKey, random: Random) -> None:
    """Set a key that had to wait, row by row, as far as the server allows it."""
    unique = is_unique(key, key.child_columns)
    references = References(connection, key, random, optional=True, unique=unique)
    free = [name for name in key.child_columns if not shape.field(name).not_null]
    query = SQL("SELECT {} FROM {} WHERE {} ORDER BY ctid").format(
        SQL(", ").join([SQL("ctid::text"), *(_text(name) for name in key.child_columns)]),
        _name(shape),
        SQL(" AND ").join(SQL("{} IS NULL").format(Identifier(name)) for name in free),
    )
    changes: list[Composed] = []
    for place, *present in connection.execute(query).fetchall():
        settled = {
            name: value for name, value in zip(key.child_columns, present, strict=True) if value is not None
        }
        drawn = references.draw(settled)
        if drawn is None or any(drawn[name] is None for name in free):
            continue
        values = SQL(", ").join(
            SQL("{} = {}").format(Identifier(name), Literal(drawn[name])) for name in free
        )
        changes.append(SQL("UPDATE {} SET {} WHERE ctid = {}").format(_name(shape), values, Literal(place)))
    try:
        with connection.transaction():
            for change in changes:
                connection.execute(change)
    except psycopg.Error:
        for change in changes:
            try:
                connection.execute(change)
            except psycopg.Error:
                continue


def _next(connection: psycopg.Connection[Any], shape: Shape, field: Field) -> int:
    if not is_integer(field):
        return 1
    row = connection.execute(
        SQL("SELECT max({}) FROM {}").format(Identifier(field.name), _name(shape))
    ).fetchone()
    return int(row[0] or 0) + 1 if row else 1


def _triggers(connection: psycopg.Connection[Any], shapes: Iterable[Shape], verb: str) -> None:
    """Let the application's own triggers rest: only constraints judge rows."""
    for shape in shapes:
        connection.execute(SQL("ALTER TABLE {} {} TRIGGER USER").format(_name(shape), SQL(verb)))


def _count(connection: psycopg.Connection[Any], shape: Shape) -> int:
    row = connection.execute(SQL("SELECT count(*) FROM {}").format(_name(shape))).fetchone()
    return int(row[0]) if row else 0


def _name(shape: Shape) -> Composed | Identifier:
    return Identifier(shape.table.schema, shape.table.name)


def _text(name: str) -> Composed | Identifier:
    return SQL("{}::text").format(Identifier(name))
