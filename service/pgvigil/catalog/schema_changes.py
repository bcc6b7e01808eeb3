"""What became of schemas between two moments; what was renamed is followed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

from pgvigil.catalog.model import TableKind
from pgvigil.catalog.names import TableName, quote
from pgvigil.catalog.schema_state import ColumnState, ConstraintState, SchemaState, TableState

T = TypeVar("T")


class ChangeKind(StrEnum):
    """What happened to a part."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"


class Part(StrEnum):
    """What it happened to. A column's type, NOT NULL, collation and expression are parts of their own."""

    TABLE = "table"
    KIND = "kind"
    OWNER = "owner"
    COLUMN = "column"
    TYPE = "type"
    COLLATION = "collation"
    GENERATED = "generated"
    NOT_NULL = "not null"
    CONSTRAINT = "constraint"


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    `table` is named as it is now, or as it was when it is gone; so is `name`, a column's or constraint's,
    empty for the table itself. `before` and `after` say what was and is there, in SQL's words;
    empty where nothing was or is.

    `loses` tells whether rows, or a protection of rows, are gone with it.
    """

    kind: ChangeKind
    part: Part
    table: TableName
    name: str = ""
    before: str = ""
    after: str = ""
    loses: bool = False

    @property
    def what(self) -> str:
        """What changed, by its name: `column curated.games.title`."""
        mark = "/" if self.part is Part.CONSTRAINT else "."
        name = f"{self.table}{mark}{quote(self.name)}" if self.name else str(self.table)
        parts = (Part.TABLE, Part.COLUMN, Part.CONSTRAINT)
        return f"{self.part} {name}" if self.part in parts else f"{self.part} of {name}"

    def __str__(self) -> str:
        if self.kind in (ChangeKind.CHANGED, ChangeKind.RENAMED):
            was = f"{self.what} was {self.before}"
            return was if self.kind is ChangeKind.RENAMED else f"{was}, is {self.after}"
        said = self.after or self.before
        return f"{self.what} {self.kind}: {said}" if said else f"{self.what} {self.kind}"


def compare_schemas(before: SchemaState, after: SchemaState) -> tuple[Change, ...]:
    """Return what changed, in the order of the tables as they are now; what is gone comes last.

    Tables and constraints are the same when their oids are, columns when their numbers are; only in another
    database, as after a restore, it is the names that count. What was dropped and made anew with the same
    definition has not changed.
    """
    by_oid = _same_database(before, after)
    # Each major version writes expressions down in its own way.
    expressions = before.server == after.server
    tables = _match(before.tables, after.tables, *_when(by_oid, _oid), lambda one: one.table_name)
    columns = {was.table_name: _columns(was, now, numbered=by_oid) for was, now in tables.pairs}
    renames = _Renames(
        {was.table_name: now.table_name for was, now in tables.pairs},
        {name: {was.name: now.name for was, now in each.pairs} for name, each in columns.items()},
    )
    changes: list[Change] = []
    for was, now in sorted(tables.pairs, key=lambda pair: str(pair[1])):
        changes += _table_changes(was, now)
        changes += _column_changes(now, columns[was.table_name])
        changes += _constraint_changes(was, now, renames, by_oid=by_oid, expressions=expressions)
    changes += [Change(ChangeKind.ADDED, Part.TABLE, one.table_name, after=one.kind) for one in tables.added]
    changes += [
        Change(
            ChangeKind.REMOVED, Part.TABLE, one.table_name, before=one.kind, loses=one.kind in _HOLDING_ROWS
        )
        for one in tables.removed
    ]
    return tuple(changes)


_HOLDING_ROWS = (TableKind.TABLE, TableKind.PARTITIONED)


@dataclass(frozen=True, slots=True)
class _Matched(Generic[T]):
    """What is the same before and after, and what is there only before, or only after."""

    pairs: Sequence[tuple[T, T]]
    removed: Sequence[T]
    added: Sequence[T]


def _match(before: Iterable[T], after: Iterable[T], *keys: Callable[[T], Hashable]) -> _Matched[T]:
    """Pair what has the same first key, of the rest what has the same second one, and so on."""
    old, new = list(before), list(after)
    pairs: list[tuple[T, T]] = []
    for key in keys:
        there = {key(one): one for one in new}
        found = [(one, there[key(one)]) for one in old if key(one) in there]
        # What two have in common is taken by the first.
        once = {id(now): (was, now) for was, now in reversed(found)}
        taken = {id(one) for pair in once.values() for one in pair}
        pairs += once.values()
        old = [one for one in old if id(one) not in taken]
        new = [one for one in new if id(one) not in taken]
    return _Matched(pairs, old, new)


@dataclass(frozen=True, slots=True)
class _Renames:
    """What tables and columns, by the table's old name, are called now."""

    tables: Mapping[TableName, TableName]
    columns: Mapping[TableName, Mapping[str, str]]

    def followed(self, table: TableName, one: ConstraintState) -> ConstraintState:
        """Return a constraint as it would be written now if nothing but names had changed."""
        columns = tuple(self._column(table, name) for name in one.columns)
        if one.parent is None:
            return replace(one, columns=columns)
        return replace(
            one,
            columns=columns,
            parent=self.tables.get(one.parent, one.parent),
            parent_columns=tuple(self._column(one.parent, name) for name in one.parent_columns),
        )

    def _column(self, table: TableName, name: str) -> str:
        return self.columns.get(table, {}).get(name, name)


def _same_database(before: SchemaState, after: SchemaState) -> bool:
    """Whether oids mean the same in both: more of the tables with one name have one oid than have two."""
    now = {one.table_name: one.oid for one in after.tables}
    shared = [one.oid == now[one.table_name] for one in before.tables if one.table_name in now]
    return 2 * sum(shared) >= len(shared)


def _oid(one: TableState | ConstraintState) -> int:
    return one.oid


def _number(one: ColumnState) -> int:
    return one.number


def _name(one: ColumnState | ConstraintState) -> str:
    return one.name


def _meaning(one: ConstraintState) -> tuple[str, str]:
    return one.definition, one.expression


def _when(holds: bool, key: Callable[[T], Hashable]) -> tuple[Callable[[T], Hashable], ...]:
    return (key,) if holds else ()


def _columns(was: TableState, now: TableState, *, numbered: bool) -> _Matched[ColumnState]:
    same = numbered and was.oid == now.oid
    return _match(was.columns, now.columns, *_when(same, _number), _name)


def _table_changes(was: TableState, now: TableState) -> Iterator[Change]:
    name = now.table_name
    if was.table_name != name:
        yield Change(ChangeKind.RENAMED, Part.TABLE, name, before=str(was), after=str(now))
    for part, before, after in ((Part.KIND, was.kind, now.kind), (Part.OWNER, was.owner, now.owner)):
        if before != after:
            yield Change(ChangeKind.CHANGED, part, name, before=_word(part, before), after=_word(part, after))


def _word(part: Part, word: str) -> str:
    """Write a role as SQL does; all else as it is."""
    return quote(word) if part is Part.OWNER else str(word)


def _column_changes(now: TableState, columns: _Matched[ColumnState]) -> Iterator[Change]:
    name = now.table_name
    for was, column in columns.pairs:
        if was.name != column.name:
            yield Change(
                ChangeKind.RENAMED, Part.COLUMN, name, column.name, quote(was.name), quote(column.name)
            )
        yield from _within_column(name, was, column)
    for column in columns.added:
        yield Change(ChangeKind.ADDED, Part.COLUMN, name, column.name, after=column.type)
    for column in columns.removed:
        loses = now.kind in _HOLDING_ROWS
        yield Change(ChangeKind.REMOVED, Part.COLUMN, name, column.name, column.type, loses=loses)


def _within_column(table: TableName, was: ColumnState, now: ColumnState) -> Iterator[Change]:
    if was.type != now.type:
        yield Change(ChangeKind.CHANGED, Part.TYPE, table, now.name, was.type, now.type)
    elif was.collation != now.collation:
        yield Change(ChangeKind.CHANGED, Part.COLLATION, table, now.name, was.collation, now.collation)
    if was.generated != now.generated:
        kind = ChangeKind.ADDED if now.generated else ChangeKind.REMOVED
        yield Change(kind, Part.GENERATED, table, now.name)
    if was.not_null != now.not_null:
        kind = ChangeKind.ADDED if now.not_null else ChangeKind.REMOVED
        yield Change(kind, Part.NOT_NULL, table, now.name, loses=was.not_null)


def _constraint_changes(
    was: TableState, now: TableState, renames: _Renames, *, by_oid: bool, expressions: bool
) -> Iterator[Change]:
    before = [renames.followed(was.table_name, one) for one in was.constraints]
    matched = _match(before, now.constraints, *_when(by_oid, _oid), _name, _meaning)
    name = now.table_name
    for old, new in matched.pairs:
        if old.name != new.name:
            yield Change(
                ChangeKind.RENAMED, Part.CONSTRAINT, name, new.name, quote(old.name), quote(new.name)
            )
        if old.definition != new.definition:
            yield Change(ChangeKind.CHANGED, Part.CONSTRAINT, name, new.name, old.definition, new.definition)
        elif old.expression != new.expression and expressions:
            other = f"{new.definition} with another expression"
            yield Change(ChangeKind.CHANGED, Part.CONSTRAINT, name, new.name, old.definition, other)
    for new in matched.added:
        yield Change(ChangeKind.ADDED, Part.CONSTRAINT, name, new.name, after=new.definition)
    for old in matched.removed:
        yield Change(ChangeKind.REMOVED, Part.CONSTRAINT, name, old.name, old.definition, loses=True)
