"""Reads the statistics through four queries, whatever the number of tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import resources
from typing import Any, LiteralString, TypeVar

from psycopg import sql

from pgvigil.catalog.model import Catalog, TableKind
from pgvigil.catalog.statistics import ColumnStatistics, IndexStatistics, Statistics, TableStatistics

Rows = list[dict[str, Any]]
FetchComposed = Callable[[LiteralString | sql.Composed], Rows]
"""Runs one query inside one snapshot whose search path is pg_catalog, and returns all rows."""

_Known = TypeVar("_Known", TableStatistics, IndexStatistics)


def read_statistics(
    fetch: FetchComposed, catalog: Catalog, columns: Collection[tuple[int, int]] | None = None
) -> Statistics:
    """Read what the server knows of the contents of a catalog's tables; raises what `fetch` raises.

    `columns`, as (table's oid, column's number), are those whose values are described; all when None, which
    takes some kilobytes each.
    """
    wanted = Wanted.of(catalog, columns)
    return made_statistics(catalog, wanted, [fetch(one) for one in statistics_queries()], fetch(wanted.query))


def statistics_queries() -> list[LiteralString]:
    """Return the queries of what is known of whole tables and indexes, for `made_statistics`."""
    return [_sql(name) for name in ("tables", "comments", "indexes")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns whose values are to be described, and those that stand in for some of them."""

    columns: frozenset[tuple[int, int]]
    stand_ins: Mapping[tuple[int, int], tuple[int, int]]

    @classmethod
    def of(cls, catalog: Catalog, columns: Collection[tuple[int, int]] | None = None) -> Wanted:
        """Choose by (table's oid, column's number); all when None."""
        asked = frozenset(_all_columns(catalog) if columns is None else columns)
        return cls(asked, dict(_stand_ins(catalog, asked)))

    @property
    def query(self) -> sql.Composed:
        """What asks for them."""
        both = sorted(self.columns.union(self.stand_ins.values()))
        tables, numbers = [table for table, _ in both], [number for _, number in both]
        return sql.SQL(_sql("columns")).format(tables=_array(tables), numbers=_array(numbers))


def _array(numbers: Iterable[int]) -> sql.Literal:
    # psycopg would look at the type of each of a hundred thousand.
    return sql.Literal(f"{{{','.join(map(str, numbers))}}}")


def made_statistics(catalog: Catalog, wanted: Wanted, answers: Sequence[Rows], described: Rows) -> Statistics:
    """Make them of the answers to `statistics_queries`, and to the query of what is wanted."""
    tables, comments, indexes = answers
    return Statistics(
        tables=_tables(tables, comments, catalog),
        columns=_columns(catalog, wanted, described),
        indexes=_indexes(indexes),
        since=_moment(tables[0]["since"]) if tables else None,
    )


def _sql(name: str) -> LiteralString:
    file = resources.files("pgvigil.catalog").joinpath("sql", f"statistics_{name}.sql")
    return file.read_text(encoding="utf-8")


def _tables(rows: Rows, comments: Rows, catalog: Catalog) -> dict[int, TableStatistics]:
    of_table, of_columns = _comments(comments)
    tables = {
        row["oid"]: TableStatistics(
            bytes=row["bytes"],
            live_rows=row["live_rows"],
            writes=row["writes"],
            readable=row["readable"],
            last_analyzed=_moment(row["last_analyzed"]),
            last_vacuumed=_moment(row["last_vacuumed"]),
            comment=of_table.get(row["oid"], ""),
            column_comments=of_columns.get(row["oid"], {}),
            columns_unreadable=tuple(row["columns_unreadable"] or ()),
        )
        for row in rows
    }
    parents = {table.oid: table.partition_of for table in catalog.tables}
    leaves = [table.oid for table in catalog.tables if table.kind is not TableKind.PARTITIONED]
    _add_up(tables, leaves, parents, _with_partition)
    return tables


def _comments(rows: Rows) -> tuple[dict[int, str], dict[int, dict[str, str]]]:
    of_table: dict[int, str] = {}
    of_columns: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for row in rows:
        if row["column"] is None:
            of_table[row["table"]] = row["comment"]
        else:
            of_columns[row["table"]][row["column"]] = row["comment"]
    return of_table, of_columns


def _add_up(
    known: dict[int, _Known],
    leaves: Iterable[int],
    parents: Mapping[int, int | None],
    add: Callable[[_Known, _Known], _Known],
) -> None:
    """Add what is known of each leaf to all that it is a partition of."""
    for leaf in leaves:
        above = parents.get(leaf)
        while above is not None and above in known and leaf in known:
            known[above] = add(known[above], known[leaf])
            above = parents.get(above)


def _with_partition(table: TableStatistics, partition: TableStatistics) -> TableStatistics:
    return replace(
        table,
        bytes=table.bytes + partition.bytes,
        live_rows=table.live_rows + partition.live_rows,
        writes=table.writes + partition.writes,
        last_analyzed=_later(table.last_analyzed, partition.last_analyzed),
        last_vacuumed=_later(table.last_vacuumed, partition.last_vacuumed),
    )


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


def _indexes(rows: Rows) -> dict[int, IndexStatistics]:
    indexes = {
        row["oid"]: IndexStatistics(
            scans=row["scans"],
            bytes=row["bytes"],
            part_of=row["part_of"],
            parts=tuple(row["parts"] or ()),
            condition=row["condition"],
            needed=row["needed"],
        )
        for row in rows
    }
    parents = {oid: index.part_of for oid, index in indexes.items()}
    inner = set(parents.values())
    leaves = [oid for oid in indexes if oid not in inner]
    _add_up(indexes, leaves, parents, _with_index_partition)
    return indexes


def _with_index_partition(index: IndexStatistics, partition: IndexStatistics) -> IndexStatistics:
    return replace(index, scans=index.scans + partition.scans, bytes=index.bytes + partition.bytes)


def _columns(catalog: Catalog, wanted: Wanted, described: Rows) -> dict[tuple[int, int], ColumnStatistics]:
    rows = {(row["table"], row["number"]): row for row in described}
    found = {
        key: _column(row, _rows_of(catalog, key[0])) for key, row in rows.items() if key in wanted.columns
    }
    for key, stand_in in wanted.stand_ins.items():
        if key not in found and stand_in in rows:
            one = _column(rows[stand_in], _rows_of(catalog, key[0]))
            # Which values lie in one partition says nothing of where those of the others end.
            found[key] = replace(one, bounds=(), least=None, greatest=None)
    return found


def _stand_ins(
    catalog: Catalog, asked: Iterable[tuple[int, int]]
) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield, for the columns of partitioned tables, those of their largest partition.

    Autovacuum analyses partitions, and never the table that they belong to.
    """
    by_table: defaultdict[int, list[int]] = defaultdict(list)
    for oid, number in asked:
        by_table[oid].append(number)
    for oid, numbers in by_table.items():
        table = catalog.by_oid(oid)
        if table is None or table.kind is not TableKind.PARTITIONED:
            continue
        leaves = (one for one in catalog.with_all_below(table) if one.kind is TableKind.TABLE)
        largest = max(leaves, key=lambda one: one.pages, default=None)
        names = {column.name: column.number for column in largest.columns} if largest else {}
        for column in table.columns:
            if largest and column.number in numbers and column.name in names:
                yield (oid, column.number), (largest.oid, names[column.name])


def _all_columns(catalog: Catalog) -> Iterator[tuple[int, int]]:
    for table in catalog.tables:
        if table.kind is not TableKind.VIEW:
            yield from ((table.oid, column.number) for column in table.columns)


def _column(row: dict[str, Any], rows: float) -> ColumnStatistics:
    # A negative number is a share of the rows, so that it need not be found out again as they grow.
    distinct = row["distinct_values"]
    return ColumnStatistics(
        null_fraction=row["null_fraction"],
        distinct=distinct if distinct >= 0 else -distinct * rows,
        width=row["width"],
        common=tuple(zip(row["common"], row["shares"], strict=True)),
        bounds=tuple(row["bounds"]),
        least=row["least"],
        greatest=row["greatest"],
    )


def _rows_of(catalog: Catalog, oid: int) -> float:
    table = catalog.by_oid(oid)
    return (table.rows_estimate if table else None) or 0.0


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
