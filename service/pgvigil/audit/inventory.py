"""What a target holds: its schemas and tables with their figures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from pgvigil.audit.model import SchemaInventory, TableInventory
from pgvigil.catalog import Catalog, Table, TableKind, TableName
from pgvigil.catalog.statistics import Statistics, TableStatistics

_NOTHING_KNOWN = TableStatistics(bytes=0, live_rows=0, writes=0, readable=False)


def inventoried(catalog: Catalog, statistics: Statistics) -> tuple[TableInventory, ...]:
    """Return the watched tables in the order of the catalog; a partition belongs to its root."""
    partitions = _partitions(catalog)
    return tuple(
        TableInventory(
            name=TableName(table.schema, table.name),
            kind=table.kind,
            owner=table.owner,
            rows_estimated=_rows(catalog, table, statistics),
            bytes=None if known is _NOTHING_KNOWN or table.kind is TableKind.FOREIGN else known.bytes,
            partitions=partitions[table.oid],
            columns=table.columns,
            primary_key=next((key.columns for key in table.keys if key.primary), ()),
            last_analyzed=known.last_analyzed,
            last_vacuumed=known.last_vacuumed,
            comment=known.comment,
            zone=table.schema if table.schema in catalog.scope.zones else "",
            readable=known.readable,
            columns_unreadable=known.columns_unreadable,
        )
        for table in catalog.watched_tables()
        for known in (statistics.tables.get(table.oid, _NOTHING_KNOWN),)
    )


def schemas_of(catalog: Catalog, tables: Iterable[TableInventory]) -> tuple[SchemaInventory, ...]:
    """Return the schemas that have tables, with their sums."""
    by_schema: defaultdict[str, list[TableInventory]] = defaultdict(list)
    for table in tables:
        by_schema[table.name.schema].append(table)
    scope = catalog.scope
    return tuple(
        SchemaInventory(
            name=name,
            tables=len(its),
            rows_estimated=sum(table.rows_estimated or 0 for table in its),
            bytes=sum(table.bytes or 0 for table in its),
            zone=name in scope.zones,
            deprecated=scope.is_deprecated(name),
        )
        for name, its in sorted(by_schema.items())
    )


def unreadable(tables: Iterable[TableInventory]) -> Iterator[str]:
    """Yield a line for each table whose rows, or some of whose columns, the role may not read."""
    for table in tables:
        if table.columns_unreadable:
            columns = ", ".join(table.columns_unreadable)
            yield f"{table.name}: the role may not read {columns}"
        elif not table.readable:
            yield f"{table.name}: the role may not read its rows"


def _rows(catalog: Catalog, table: Table, statistics: Statistics) -> int | None:
    """Return the estimated rows of a table, of a partitioned one those of its leaves; None if not known.

    A leaf that nobody has written to, as far as the server counts, adds nothing to those that have rows: it
    is made before its time comes. But where none is known to have any, the table is not called empty.
    """
    if table.kind is not TableKind.PARTITIONED:
        return _rows_of_one(table, statistics)
    leaves = [one for one in catalog.with_all_below(table) if one.kind is not TableKind.PARTITIONED]
    rows = {leaf.oid: _rows_of_one(leaf, statistics) for leaf in leaves}
    total = sum(one or 0 for one in rows.values())
    unknown = [leaf for leaf in leaves if rows[leaf.oid] is None]
    if any(leaf.kind is TableKind.FOREIGN for leaf in unknown) or (unknown and not total):
        return None
    return total


def _rows_of_one(table: Table, statistics: Statistics) -> int | None:
    """Return the planner's estimate, else what the server has counted; None where it has counted nothing.

    An estimate of none is what an analysis of the empty table has left, whatever was written since.
    """
    known = statistics.tables.get(table.oid, _NOTHING_KNOWN)
    if table.rows_estimate:
        return round(table.rows_estimate)
    if table.kind is TableKind.FOREIGN or not known.writes:
        return None if table.rows_estimate is None else 0
    return known.live_rows


def _partitions(catalog: Catalog) -> Counter[int]:
    """Count the leaves below every partitioned table."""
    counted = Counter[int]()
    for leaf in catalog.tables:
        above = None if leaf.kind is TableKind.PARTITIONED else leaf.partition_of
        while above is not None:
            counted[above] += 1
            parent = catalog.by_oid(above)
            above = parent.partition_of if parent else None
    return counted
