"""What a subject reads, and so what its verdict may rest on."""

from __future__ import annotations

from pgvigil.catalog import Catalog
from pgvigil.check import Subject


def by_wal_alone(subject: Subject, catalog: Catalog) -> bool:
    """Tell whether nothing that a subject reads can change without a trace in the WAL."""
    return subject.unexaminable is None and subject.reads is not None and catalog.in_wal(*subject.reads)


def on_standby(subject: Subject, catalog: Catalog) -> bool:
    """Tell whether a standby has all rows that a subject reads; what else decides says there the same."""
    if by_wal_alone(subject, catalog):
        return True
    return subject.unexaminable is None and bool(subject.rows) and catalog.in_wal(*subject.rows)


def reads_rows(subject: Subject) -> bool:
    """Tell whether a subject is one of rows, also where more than these decide."""
    return subject.unexaminable is None and (
        subject.reads is not None or bool(subject.rows) or bool(subject.walks)
    )
