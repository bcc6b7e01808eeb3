"""Which relations are so small that many of them are examined together, in one short snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from psycopg import sql

from pgvigil.catalog import Table, TableKind
from pgvigil.check import Batch, Subject
from pgvigil_checks.orphans.planner import are_small
from pgvigil_checks.orphans.strategy import query

# About 50 ms of the server's time, most of it for planning the queries.
_MOST_SUBJECTS = 50
_MOST_ROWS = 100_000
_MOST_PAGES = 2_000


def small_together(subjects: Iterable[Subject]) -> Iterator[Sequence[Subject]]:
    """Yield batches of small relations, by the catalog's estimates, and each other one alone."""
    batch: list[Subject] = []
    rows = 0.0
    for subject in subjects:
        child, parent = subject.payload.child, subject.payload.parent
        if not (_is_plain(child) and _is_plain(parent) and are_small(child, parent)):
            yield (subject,)
            continue
        more = child.rows_estimate + parent.rows_estimate
        if batch and (len(batch) == _MOST_SUBJECTS or rows + more > _MOST_ROWS):
            yield batch
            batch, rows = [], 0.0
        batch.append(subject)
        rows += more
    if batch:
        yield batch


def still_small(batch: Batch, subjects: Sequence[Subject]) -> list[Subject]:
    """Return the subjects whose tables have not grown beyond what their estimates say."""
    tables = {table.oid: table for one in subjects for table in (one.payload.child, one.payload.parent)}
    rows = batch.fetch(query("batch_pages.sql").format(oids=sql.Literal(list(tables))))
    small = {row["oid"] for row in rows if row["pages"] is not None and row["pages"] <= _MOST_PAGES}
    return [one for one in subjects if {one.payload.child.oid, one.payload.parent.oid} <= small]


def _is_plain(table: Table) -> bool:
    return table.kind is TableKind.TABLE and not table.has_children
