"""Compares schemas between two moments; what was renamed is followed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pgvigil.catalog.model import TableKind
from pgvigil.catalog.names import TableName, quote
from pgvigil.catalog.schema_changes import Change, ChangeKind, Part
from pgvigil.catalog.schema_renames import Renames, parents_of
from pgvigil.catalog.schema_state import ColumnState, ConstraintState, Expression, SchemaState, TableState
from pgvigil.catalog.schema_versions import as_far_as_known

T = TypeVar("T")


def compare_schemas(before: SchemaState, after: SchemaState) -> tuple[Change, ...]:
    """Return what changed, in the order of the tables as they are now; what is gone comes last.

    Tables and constraints are the same when their oids are, columns when their numbers are; only in another
    database, as after a restore, it is the names that count. What was dropped and made anew with the same
    definition has not changed, but for a column: what it held is gone. What a state of an older version could
    not tell has not changed either. So two states mean the same when this returns nothing.
    """
    before, after = as_far_as_known(before, after), as_far_as_known(after, before)
    by_oid = _same_database(before, after)
    # Each major version writes expressions down in its own way.
    expressions = by_oid and before.server == after.server
    tables = _match(before.tables, after.tables, *_when(by_oid, _oid), lambda one: one.table_name)
    columns = {was.table_name: _columns(was, now, numbered=by_oid) for was, now in tables.pairs}
    renames = Renames(
        {was.table_name: now.table_name for was, now in tables.pairs},
        {name: {was.name: now.name for was, now in each.pairs} for name, each in columns.items()},
        parents_of(after) if by_oid else {},
    )
    changes = list(_owner_changes(dict(before.owners), dict(after.owners)))
    for was, now in sorted(tables.pairs, key=lambda pair: str(pair[1])):
        told = _Expressions(was, now, comparable=expressions and was.oid == now.oid)
        changes += _table_changes(was, now)
        changes += _column_changes(now, columns[was.table_name], told, same=by_oid and was.oid == now.oid)
        changes += _constraint_changes(was, now, renames, told, by_oid=by_oid)
    changes += [Change(ChangeKind.ADDED, Part.TABLE, one.table_name, after=one.kind) for one in tables.added]
    changes += [_gone(one, after, by_oid=by_oid) for one in tables.removed]
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
class _Expressions:
    """Tells of a table before and after which expressions say something else.

    Nothing is told where they cannot be compared: in a table that was made anew, or where a function, a type
    or a column that they need was. Their digests differ then, whatever they say.
    """

    was: TableState
    now: TableState
    comparable: bool

    def differ(self, old: Expression | None, new: Expression | None) -> bool:
        """Tell whether an expression surely says something else."""
        if not self.comparable or old is None or new is None or old.uses != new.uses:
            return False
        return old.digest != new.digest and all(map(self._is_as_before, new.reads))

    def _is_as_before(self, number: int) -> bool:
        before, after = _numbered(self.was, number), _numbered(self.now, number)
        return (
            before is not None
            and after is not None
            and (before.type, before.collation) == (after.type, after.collation)
        )


def _numbered(table: TableState, number: int) -> ColumnState | None:
    return next((column for column in table.columns if column.number == number), None)


def _same_database(before: SchemaState, after: SchemaState) -> bool:
    """Whether oids mean the same in both: more of the tables with one name have one oid than have two."""
    now = {one.table_name: one.oid for one in after.tables}
    shared = [one.oid == now[one.table_name] for one in before.tables if one.table_name in now]
    return 2 * sum(shared) >= len(shared)


def _oid(one: TableState) -> int:
    return one.oid


def _constraint_oid(one: ConstraintState) -> tuple[bool, int]:
    # Indexes and constraints are numbered apart from each other.
    return one.is_index, one.oid


def _number(one: ColumnState) -> int:
    return one.number


def _name(one: ColumnState) -> str:
    return one.name


def _constraint_name(one: ConstraintState) -> tuple[bool, str]:
    # A CHECK and an index may have the same name.
    return one.has_index, one.name


def _meaning(one: ConstraintState) -> tuple[str, str]:
    return one.definition, one.expression.digest if one.expression else ""


def _when(holds: bool, key: Callable[[T], Hashable]) -> tuple[Callable[[T], Hashable], ...]:
    return (key,) if holds else ()


def _columns(was: TableState, now: TableState, *, numbered: bool) -> _Matched[ColumnState]:
    same = numbered and was.oid == now.oid
    return _match(was.columns, now.columns, *_when(same, _number), _name)


def _owner_changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for schema, owner in before.items():
        if after.get(schema, owner) != owner:
            name = TableName(schema, "")
            yield Change(
                ChangeKind.CHANGED, Part.OWNER, name, before=quote(owner), after=quote(after[schema])
            )


def _gone(was: TableState, after: SchemaState, *, by_oid: bool) -> Change:
    partitions = after.partitions
    if by_oid:
        found = partitions.get(was.oid)
    else:
        found = next((one for one in partitions.values() if one[0] == was.table_name), None)
    if found is not None:
        name, parent = found
        return Change(ChangeKind.ATTACHED, Part.TABLE, name, after=f"a partition of {parent}")
    loses = was.kind in _HOLDING_ROWS
    return Change(ChangeKind.REMOVED, Part.TABLE, was.table_name, before=was.kind, loses=loses)


def _table_changes(was: TableState, now: TableState) -> Iterator[Change]:
    name = now.table_name
    if was.table_name != name:
        yield Change(ChangeKind.RENAMED, Part.TABLE, name, before=str(was), after=str(now))
    after = _words(now)
    for part, word in _words(was).items():
        if word != after[part]:
            yield Change(ChangeKind.CHANGED, part, name, before=word, after=after[part])


def _words(table: TableState) -> dict[Part, str]:
    """Return what there is to tell of a table itself."""
    return {
        Part.KIND: str(table.kind),
        Part.OWNER: quote(table.owner),
        Part.ROW_SECURITY: table.row_security or "off",
        Part.PERSISTENCE: "logged" if table.logged else "unlogged",
    }


def _column_changes(
    now: TableState, columns: _Matched[ColumnState], expressions: _Expressions, *, same: bool
) -> Iterator[Change]:
    """Yield what became of the columns; `same` tells whether it is the same table, not one made anew."""
    name = now.table_name
    for was, column in columns.pairs:
        if same and was.number != column.number and now.kind in _HOLDING_ROWS:
            yield from _recreated(name, was, column)
        if expressions.differ(was.expression, column.expression):
            words = ("by one expression", "by another one")
            yield Change(ChangeKind.CHANGED, Part.GENERATED, name, column.name, *words)
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


def _recreated(table: TableName, was: ColumnState, now: ColumnState) -> Iterator[Change]:
    # What is generated is computed anew.
    if not (was.generated and now.generated):
        said = f"{now.type}, its values are gone unless they were copied"
        yield Change(ChangeKind.RECREATED, Part.COLUMN, table, now.name, after=said)


def _within_column(table: TableName, was: ColumnState, now: ColumnState) -> Iterator[Change]:
    if was.type != now.type:
        yield Change(ChangeKind.CHANGED, Part.TYPE, table, now.name, was.type, now.type)
    elif was.collation != now.collation:
        yield Change(ChangeKind.CHANGED, Part.COLLATION, table, now.name, was.collation, now.collation)
    if was.generated != now.generated:
        kind = ChangeKind.ADDED if now.generated else ChangeKind.REMOVED
        yield Change(kind, Part.GENERATED, table, now.name)
    if was.identity != now.identity:
        both = ChangeKind.CHANGED if was.identity else ChangeKind.ADDED
        kind = both if now.identity else ChangeKind.REMOVED
        yield Change(kind, Part.IDENTITY, table, now.name, was.identity, now.identity)
    if was.not_null != now.not_null:
        kind = ChangeKind.ADDED if now.not_null else ChangeKind.REMOVED
        yield Change(kind, Part.NOT_NULL, table, now.name, loses=was.not_null)


def _constraint_changes(
    was: TableState, now: TableState, renames: Renames, expressions: _Expressions, *, by_oid: bool
) -> Iterator[Change]:
    before = [renames.followed(was.table_name, one) for one in was.constraints]
    keys = (*_when(by_oid, _constraint_oid), _constraint_name, _meaning)
    matched = _match(before, now.constraints, *keys)
    name = now.table_name
    for old, new in matched.pairs:
        if old.name != new.name:
            yield Change(
                ChangeKind.RENAMED, Part.CONSTRAINT, name, new.name, quote(old.name), quote(new.name)
            )
        if old.definition != new.definition:
            yield Change(ChangeKind.CHANGED, Part.CONSTRAINT, name, new.name, old.definition, new.definition)
        elif expressions.differ(old.expression, new.expression):
            other = f"{new.definition} with another expression"
            yield Change(ChangeKind.CHANGED, Part.CONSTRAINT, name, new.name, old.definition, other)
    for new in matched.added:
        yield Change(ChangeKind.ADDED, Part.CONSTRAINT, name, new.name, after=new.definition)
    for old in matched.removed:
        yield Change(ChangeKind.REMOVED, Part.CONSTRAINT, name, old.name, old.definition, loses=True)
