"""What the server knows of the contents of a target's tables, without reading a row of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """What ANALYZE has found out about a column (pg_stats), values as PostgreSQL writes them.

    `distinct` is the estimated number of distinct values, NULL not counted. `common` are the most common
    values with their share of all rows, `bounds` divide the rest into parts of equal size: both are cut down
    to a few, and lack values of more than 200 characters. `least` and `greatest` are the ends of what was
    sampled, numbers by their value and all else by its bytes; None where nothing is known. Of a partitioned
    table that was not analysed itself, it is what its largest partition has, without bounds and ends.
    """

    null_fraction: float
    distinct: float
    width: int
    common: tuple[tuple[str, float], ...] = ()
    bounds: tuple[str, ...] = ()
    least: str | None = None
    greatest: str | None = None


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """What is known of a table: `bytes` with its indexes and TOAST, `live_rows` as the server counts them.

    The size is that of the last VACUUM, ANALYZE or CREATE INDEX, which is known without a lock on the table.
    `readable` tells whether the session's role may read all of its columns; `columns_unreadable` names those
    that it may not read where it may read some. `writes` counts rows that were inserted, updated and deleted
    since the server's statistics began. `comment` is the table's own, `column_comments` by column. Of a
    partitioned table, figures are sums over its partitions, and times those of the latest.
    """

    bytes: int
    live_rows: int
    writes: int
    readable: bool
    last_analyzed: datetime | None = None
    last_vacuumed: datetime | None = None
    comment: str = ""
    column_comments: Mapping[str, str] = field(default_factory=dict)
    columns_unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexStatistics:
    """How often an index was scanned since the server's statistics began, and its size in bytes.

    Of a partitioned index, both are sums over its partitions; `part_of` is the index that this one is a
    partition of. `parts` are the indexed columns or expressions in order, with operator class, collation and
    direction, and `condition` is the rest of its make, as texts that are equal where the index does the same.
    `needed` tells that a constraint or replication stands on it, whether or not it is scanned.
    """

    scans: int
    bytes: int
    part_of: int | None = None
    parts: tuple[str, ...] = ()
    condition: str = ""
    needed: bool = False


@dataclass(frozen=True)
class Statistics:
    """All of it: tables and indexes by oid, columns by (table's oid, column's number).

    `since` is when the server's counters began; None where it does not say.
    """

    tables: Mapping[int, TableStatistics] = field(default_factory=dict)
    columns: Mapping[tuple[int, int], ColumnStatistics] = field(default_factory=dict)
    indexes: Mapping[int, IndexStatistics] = field(default_factory=dict)
    since: datetime | None = None
