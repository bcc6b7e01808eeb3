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
    to a few. `least` and `greatest` are the ends of what was sampled; None where nothing is known.
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

    `readable` tells whether the session's role may read all of its columns; `columns_unreadable` names those
    that it may not read where it may read some. `writes` counts rows that were inserted, updated and deleted
    since the server's statistics began. `comment` is the table's own, `column_comments` by column.
    """

    bytes: int
    live_rows: int
    writes: int
    readable: bool
    last_analyzed: datetime | None = None
    last_vacuumed: datetime | None = None
    comment: str = ""
    column_comments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IndexStatistics:
    """How often an index was scanned since the server's statistics began, and its size in bytes."""

    scans: int
    bytes: int


@dataclass(frozen=True)
class Statistics:
    """All of it: tables and indexes by oid, columns by (table's oid, column's number).

    `since` is when the server's counters began; None where it does not say.
    """

    tables: Mapping[int, TableStatistics] = field(default_factory=dict)
    columns: Mapping[tuple[int, int], ColumnStatistics] = field(default_factory=dict)
    indexes: Mapping[int, IndexStatistics] = field(default_factory=dict)
    since: datetime | None = None
