"""What is in pieces: one entity in several tables, schemas of few tables, references over boundaries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pgvigil.audit.model import (
    Crossing,
    Fragment,
    FragmentKind,
    MapPair,
    MapRelation,
    Origin,
    SchemaInventory,
    TableInventory,
)
from pgvigil.catalog import TableName, quote
from pgvigil.check import Severity
from pgvigil.inference import LIKELY

_NEARLY = 0.8
"""The share of columns, by name and type, that two tables have in common if they are nearly the same."""

_FEW_TABLES = 2
_SEVERAL_SCHEMAS = 4
_TENANTS = 5
"""From so many schemas with the same tables on, each is a tenant's; fewer do if they have little else."""

_ALL_BUT_ALL = 0.8

Tables = Mapping[TableName, TableInventory]


def fragments(
    schemas: Sequence[SchemaInventory],
    tables: Iterable[TableInventory],
    relations: Sequence[MapRelation],
    pairs: Iterable[MapPair],
) -> tuple[Fragment, ...]:
    """Return all that is in pieces, the worst first, and of that what puts most rows at risk."""
    by_name = {table.name: table for table in tables}
    # What is only proposed makes nothing worse.
    known = [one for one in relations if one.origin is not Origin.INFERRED]
    referred = {one.relation.parent for one in known}
    found = [
        *_pairs(pairs, by_name, referred),
        *_twins(by_name.values(), referred),
        *_crossings(known, by_name),
        *_small_schemas(schemas),
    ]
    return tuple(sorted(found, key=lambda one: (-one.impact.rank, -(one.rows_at_risk or 0))))


def _pairs(pairs: Iterable[MapPair], tables: Tables, referred: Collection[TableName]) -> Iterator[Fragment]:
    for pair in pairs:
        both = [tables[name] for name in (pair.left, pair.right) if name in tables]
        if len(both) == 2 and pair.right_target is None and pair.probability >= LIKELY:
            # A proposal is no more than a warning.
            inferred = pair.origin is Origin.INFERRED
            impact = _impact(both, () if inferred else referred)
            title = f"{pair.left} and {pair.right} {'seem to hold' if inferred else 'hold'} the same entity"
            yield Fragment(FragmentKind.PAIR, title, (pair.subject,), impact, _rows_to_move(both))


def _twins(tables: Collection[TableInventory], referred: Collection[TableName]) -> Iterator[Fragment]:
    sizes = Counter(table.name.schema for table in tables)
    by_schemas: defaultdict[tuple[str, ...], list[list[TableInventory]]] = defaultdict(list)
    for twins in _groups(tables):
        by_schemas[tuple(table.name.schema for table in twins)].append(twins)
    for schemas, groups in by_schemas.items():
        largest = max(sizes[schema] for schema in schemas)
        enough = 2 if len(schemas) >= _TENANTS else max(_TENANTS, _ALL_BUT_ALL * largest)
        if len(groups) >= enough and not groups[0][0].zone:
            yield _tenants(schemas, groups)
        else:
            yield from (_twin(twins, referred) for twins in groups)


def _groups(tables: Iterable[TableInventory]) -> Iterator[list[TableInventory]]:
    """Yield the tables of one name in several schemas that have nearly the same columns."""
    by_name: defaultdict[str, list[tuple[TableInventory, frozenset[tuple[str, str]]]]] = defaultdict(list)
    for table in tables:
        columns = frozenset((column.name, column.type) for column in table.columns)
        by_name[table.name.name].append((table, columns))
    for namesakes in by_name.values():
        left = namesakes
        while len(left) > 1:
            (first, columns), *others = left
            alike = [table for table, its in others if _are_alike(columns, its)]
            if alike:
                yield [first, *alike]
            left = [one for one in others if not _are_alike(columns, one[1])]


def _are_alike(left: frozenset[tuple[str, str]], right: frozenset[tuple[str, str]]) -> bool:
    return bool(left) and len(left & right) >= _NEARLY * len(left | right)


def _twin(twins: Sequence[TableInventory], referred: Collection[TableName]) -> Fragment:
    schemas = [quote(table.name.schema) for table in twins]
    return Fragment(
        FragmentKind.TWIN,
        f"{quote(twins[0].name.name)} is in {len(twins)} schemas: {', '.join(schemas)}",
        tuple(str(table.name) for table in twins),
        # Data moves through the zones, and each holds the same tables.
        Severity.INFO if all(table.zone for table in twins) else _impact(twins, referred),
        _rows_to_move(twins),
    )


def _tenants(schemas: Sequence[str], groups: Sequence[Sequence[TableInventory]]) -> Fragment:
    rows = [_rows_to_move(twins) for twins in groups]
    return Fragment(
        FragmentKind.TWIN,
        f"{len(groups)} tables are in {len(schemas)} schemas each, as where every tenant has a schema",
        tuple(map(quote, schemas)),
        Severity.INFO,
        None if None in rows else sum(filter(None, rows)),
    )


def _impact(tables: Sequence[TableInventory], referred: Collection[TableName]) -> Severity:
    """Judge tables for one entity: by whether more than one has rows, and more than one is referred to."""
    filled = [table for table in tables if table.rows_estimated != 0]
    if len(filled) < 2:
        return Severity.INFO
    split = sum(table.name in referred for table in filled) > 1
    return Severity.CRITICAL if split else Severity.WARNING


def _rows_to_move(tables: Iterable[TableInventory]) -> int | None:
    """Return the rows of all but the fullest table."""
    rows = [table.rows_estimated for table in tables]
    return None if None in rows else sum(sorted(filter(None, rows))[:-1])


def _rows(tables: Iterable[TableInventory]) -> int | None:
    rows = [table.rows_estimated for table in tables]
    return None if None in rows else sum(filter(None, rows))


def _crossings(relations: Iterable[MapRelation], tables: Tables) -> Iterator[Fragment]:
    over: defaultdict[tuple[str, str], list[MapRelation]] = defaultdict(list)
    for one in relations:
        if one.crosses is not Crossing.NONE:
            over[one.relation.child.schema, one.relation.parent.schema].append(one)
    for (child, parent), ones in over.items():
        between_zones = ones[0].crosses is Crossing.ZONE
        children = {one.relation.child for one in ones}
        kind = "zone" if between_zones else "schema"
        yield Fragment(
            FragmentKind.CROSS_ZONE if between_zones else FragmentKind.CROSS_SCHEMA,
            f"the {kind} {quote(child)} refers to {quote(parent)} {_times(ones)}",
            tuple(one.subject for one in ones),
            _impact_of_crossing(ones),
            _rows(tables[name] for name in children if name in tables),
        )


def _times(relations: Sequence[MapRelation]) -> str:
    """Say how often, and of what is broken, that it is: nothing else makes it serious."""
    broken = sum(one.broken is not None for one in relations)
    if len(relations) == 1:
        return "once, by a relation that is broken" if broken else "once"
    return f"{len(relations)} times" + (f", {broken} of them broken" if broken else "")


def _impact_of_crossing(relations: Sequence[MapRelation]) -> Severity:
    """Judge references over one boundary: a broken one counts as it does everywhere.

    A foreign key between zones keeps each from being filled anew by itself.
    """
    worst = max((one.impact for one in relations if one.impact), key=lambda one: one.rank, default=None)
    if worst is not None:
        return worst
    tied = any(one.crosses is Crossing.ZONE and one.origin is Origin.DECLARED for one in relations)
    return Severity.WARNING if tied else Severity.INFO


def _small_schemas(schemas: Sequence[SchemaInventory]) -> Iterator[Fragment]:
    small = [schema for schema in schemas if schema.tables <= _FEW_TABLES]
    if small and len(schemas) >= _SEVERAL_SCHEMAS:
        has = "schema has" if len(small) == 1 else "schemas have"
        yield Fragment(
            FragmentKind.SMALL_SCHEMA,
            f"{len(small)} of {len(schemas)} {has} no more than {_FEW_TABLES} tables",
            tuple(quote(schema.name) for schema in small),
            Severity.INFO,
            sum(schema.rows_estimated for schema in small),
        )
