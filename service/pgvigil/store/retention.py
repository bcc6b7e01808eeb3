"""What keeps the store bounded: the runs and incidents that nobody needs any more go.

Every deletion is a short transaction of its own, so that results are recorded in between. Never deleted: a
live incident, and the last run of a subject.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Function, Select, Table, delete, func, select

from pgvigil.incident import EventKind, State
from pgvigil.store.database import Database
from pgvigil.store.schema import deployments, events, incidents, runs, subjects

BATCH = 2000
"""Rows in one deletion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What is kept: runs by age and by number a subject, resolved incidents by age, all by size.

    `max_bytes` bounds the data, whatever the other bounds say: the oldest runs go first, then the incidents
    that were resolved the longest ago. Live incidents and each subject's last run stay even above it.
    """

    run_days: float = 30.0
    runs_per_subject: int = 1000
    incident_days: float = 400.0
    max_bytes: int = 1 << 30


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted."""

    runs: int
    incidents: int
    events: int


Writing = Callable[[], AbstractContextManager[Connection]]


def prune(database: Database, writing: Writing, keep: Retention, now: datetime) -> Pruned:
    """Delete what the retention does not keep, then hand the space back; `writing` opens a transaction."""
    oldest_run = now - timedelta(days=keep.run_days)
    oldest_incident = now - timedelta(days=keep.incident_days)
    pruned = Pruned(
        runs=_delete(database, writing, runs, _old_runs(oldest_run))
        + _delete(database, writing, runs, _surplus_runs(keep.runs_per_subject)),
        incidents=_delete(database, writing, incidents, _old_incidents(oldest_incident)),
        events=_delete(database, writing, events, _old_events(oldest_run)),
    )
    _delete(database, writing, deployments, _old_deployments(oldest_incident))
    oldest_runs, oldest_resolved = (
        _prunable().order_by(runs.c.id),
        _resolved().order_by(incidents.c.resolved_at),
    )
    more_runs = _shrink(database, writing, runs, oldest_runs, keep.max_bytes)
    more_incidents = _shrink(database, writing, incidents, oldest_resolved, keep.max_bytes)
    if database.is_sqlite:  # PostgreSQL's autovacuum makes free space reusable by itself.
        database.hand_back()
    return Pruned(pruned.runs + more_runs, pruned.incidents + more_incidents, pruned.events)


def _prunable() -> Select[Any]:
    last = select(subjects.c.last_run).where(subjects.c.id == runs.c.subject_id).scalar_subquery()
    return select(runs.c.id).where(runs.c.id != last)


def _old_runs(oldest: datetime) -> Select[Any]:
    return _prunable().where(runs.c.finished_at < oldest)


def _surplus_runs(per_subject: int) -> Select[Any]:
    place = func.row_number().over(partition_by=runs.c.subject_id, order_by=runs.c.id.desc())
    placed = select(runs.c.id, place.label("place")).subquery()
    return _prunable().where(runs.c.id.in_(select(placed.c.id).where(placed.c.place > max(per_subject, 1))))


def _old_incidents(oldest: datetime) -> Select[Any]:
    return _resolved().where(incidents.c.resolved_at < oldest)


def _resolved() -> Select[Any]:
    return select(incidents.c.id).where(incidents.c.state == State.RESOLVED.value)


def _old_deployments(oldest: datetime) -> Select[Any]:
    return select(deployments.c.id).where(deployments.c.at < oldest)


def _old_events(oldest: datetime) -> Select[Any]:
    """Choose from the one kind of event that comes again and again in the life of an incident."""
    return select(events.c.id).where(events.c.kind == EventKind.COULD_NOT_EXAMINE.value, events.c.at < oldest)


def _delete(database: Database, writing: Writing, table: Table, wanted: Select[Any]) -> int:
    """Delete the rows whose `id` the query returns: what may be deleted once may be for ever."""
    with database.reading() as connection:
        ids = list(connection.scalars(wanted))
    for start in range(0, len(ids), BATCH):
        with writing() as connection:
            connection.execute(delete(table).where(table.c.id.in_(ids[start : start + BATCH])))
    return len(ids)


def _shrink(database: Database, writing: Writing, table: Table, prunable: Select[Any], max_bytes: int) -> int:
    """Delete prunable rows of a table, the first of the query first, until the data fits; return how many."""
    total = 0
    while surplus := _rows_too_many(database, table, max_bytes):
        deleted = _delete(database, writing, table, prunable.limit(surplus))
        if not deleted:
            break
        total += deleted
    return total


def _rows_too_many(database: Database, table: Table, max_bytes: int) -> int:
    """Estimate how many rows have to go from the table's share in the surplus; 0 when the data fits."""
    with database.reading() as connection:
        used = _used_bytes(database, connection)
        if used <= max_bytes:
            return 0
        count = connection.scalar(select(func.count()).select_from(table)) or 0
    return max(BATCH // 100, count * (used - max_bytes) // used)


def _used_bytes(database: Database, connection: Connection) -> int:
    """Return the size of the data without the space that is free for reuse."""
    if database.is_sqlite:
        pages = database.pragma(connection, "page_count") - database.pragma(connection, "freelist_count")
        return pages * database.pragma(connection, "page_size")
    # Column by column: the size of a whole row would fetch all that is stored out of line.
    sizes = [
        select(func.coalesce(func.sum(sum(_column_bytes(column) for column in table.c)), 0)).scalar_subquery()
        for table in (runs, incidents, events)
    ]
    return int(connection.scalar(select(sum(sizes[1:], sizes[0]))) or 0)


def _column_bytes(column: Column[Any]) -> Function[int]:
    return func.coalesce(func.pg_column_size(column), 0)
