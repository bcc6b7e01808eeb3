"""What a subject reads, and so what its verdict may rest on."""

from __future__ import annotations

from collections.abc import Iterable

from pgvigil.catalog import Catalog, Table, TableKind
from pgvigil.check import Subject

# What keeps its rows itself, so that they change by its WAL alone.
_STORED = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.MATERIALIZED_VIEW)


def by_wal_alone(subject: Subject, catalog: Catalog) -> bool:
    """Tell whether nothing that a subject reads can change without a trace in the WAL."""
    return subject.reads is not None and _in_wal(subject, subject.reads, catalog)


def on_standby(subject: Subject, catalog: Catalog) -> bool:
    """Tell whether a standby has all rows that a subject reads; what else decides says there the same."""
    return by_wal_alone(subject, catalog) or (bool(subject.rows) and _in_wal(subject, subject.rows, catalog))


def reads_rows(subject: Subject) -> bool:
    """Tell whether a subject is one of rows, also where more than these decide."""
    return subject.unexaminable is None and (
        subject.reads is not None or bool(subject.rows) or bool(subject.walks)
    )


def _in_wal(subject: Subject, tables: Iterable[Table], catalog: Catalog) -> bool:
    """Tell whether every table, with partitions and what inherits, keeps its rows itself and logs them."""
    return subject.unexaminable is None and all(
        part.logged and part.kind in _STORED for table in tables for part in catalog.with_all_below(table)
    )
