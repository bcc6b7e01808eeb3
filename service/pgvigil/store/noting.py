"""What the runs of a subject leave for the next one: a memory, a position, how far a broken-off run came."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from pgvigil.check import State as Kept
from pgvigil.incident import State
from pgvigil.run import Run
from pgvigil.store.bulk import upsert_rows
from pgvigil.store.codec import digest, live_incident_of_row, status_of_row
from pgvigil.store.database import batches
from pgvigil.store.schema import incidents, subjects
from pgvigil.store.schema import notes as table
from pgvigil.store.status import SubjectStatus
from pgvigil.store.view import CheckKey, Delta, LiveIncident, SubjectKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is kept of a subject beside its status.

    `memory` is what the last completed run wants the next one to know. `position` is where the target was
    before the last run, empty unless that run completed and knew it; `examined_at` is when the last
    completed run began. `resumed` is the state of a run that was broken off after `done` (0 to 1) of its
    work, as it was at `saved_at`; None when the last run came to its end.
    """

    memory: Kept = field(default_factory=dict)
    position: str = ""
    examined_at: datetime | None = None
    resumed: Kept | None = None
    done: float | None = None
    saved_at: datetime | None = None


def notes(connection: Connection, target: str, check: str) -> dict[str, Note]:
    """Return the notes of a check by subject."""
    kept = (table.c.memory, table.c.position, table.c.examined_at)
    query = (
        select(subjects.c.name, *kept, table.c.resumed, table.c.done, table.c.saved_at)
        .join(table, table.c.subject_id == subjects.c.id)
        .where(subjects.c.target == target, subjects.c.check == check)
    )
    # Read at every tick: by their places, columns take half of the time.
    return {
        name: Note(
            memory=memory,
            position=position or "",
            examined_at=examined_at,
            resumed=resumed,
            done=done,
            saved_at=saved_at,
        )
        for name, memory, position, examined_at, resumed, done, saved_at in connection.execute(query)
    }


def keep(connection: Connection, runs: Collection[tuple[int, Run]]) -> None:
    """Keep what runs leave, each with the number of its subject.

    Of one that did not complete only that nothing stands any more.
    """
    incomplete = [number for number, run in runs if not run.outcome.completed]
    for batch in batches(incomplete):
        connection.execute(update(table).where(table.c.subject_id.in_(batch)).values(position=None))
    rows = [
        {
            "subject_id": number,
            "memory": dict(run.memory),
            "position": run.position or None,
            "examined_at": run.started_at,
            "resumed": None,
            "done": None,
            "saved_at": None,
        }
        for number, run in runs
        if run.outcome.completed
    ]
    if rows:
        upsert_rows(connection, table, rows)


def save(
    connection: Connection, key: SubjectKey, state: Mapping[str, object], done: float, at: datetime
) -> Delta:
    """Keep how far a run has come; of a subject that is gone, nothing."""
    target, check, name = key
    known = select(subjects.c.id).filter_by(target=target, check=check, digest=digest(name)).with_for_update()
    subject_id = connection.scalar(known)
    if subject_id is not None:
        progress = {"resumed": dict(state), "done": done, "saved_at": at}
        before = update(table).where(table.c.subject_id == subject_id).values(progress)
        if not connection.execute(before).rowcount:
            connection.execute(table.insert().values(subject_id=subject_id, memory={}, **progress))
    return Delta()


def confirm(connection: Connection, check: CheckKey, names: Collection[str], at: datetime) -> Delta:
    """Note that the verdicts of some subjects still stood at that moment, without a run."""
    statuses: list[SubjectStatus] = []
    seen: list[LiveIncident] = []
    for batch in batches(names):
        digests = [digest(name) for name in batch]
        ours = {"target": check[0], "check": check[1]}
        stood = update(subjects).filter_by(**ours).where(subjects.c.digest.in_(digests))
        moments = stood.values(started_at=at, finished_at=at, completed_at=at).returning(subjects)
        statuses += [status_of_row(row) for row in connection.execute(moments).mappings()]
        live = (
            update(incidents)
            .filter_by(**ours)
            .where(incidents.c.digest.in_(digests), incidents.c.state != State.RESOLVED.value)
            .where(incidents.c.last_seen < at)
        )
        again = connection.execute(live.values(last_seen=at).returning(incidents)).mappings()
        seen += [live_incident_of_row(row) for row in again]
    return Delta(subjects=statuses, incidents=seen)


def forget(connection: Connection, target: str) -> None:
    """Forget all notes of a target: it may be another database by now."""
    known = select(subjects.c.id).where(subjects.c.target == target)
    connection.execute(delete(table).where(table.c.subject_id.in_(known)))
