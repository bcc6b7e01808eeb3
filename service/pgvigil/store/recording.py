"""What writes results: a run with all that follows from it, a target's state, a person's word."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from pgvigil.errors import UsageError
from pgvigil.incident import Event, Incident, State, Transition, step
from pgvigil.run import Run
from pgvigil.store.codec import (
    check_of_row,
    digest,
    incident_of_row,
    row_of_incident,
    row_of_run,
    row_of_status,
    rows_of_events,
    status_of_row,
    target_of_row,
)
from pgvigil.store.database import insert_missing
from pgvigil.store.schema import checks, deployments, equals, events, incidents, runs, subjects, targets
from pgvigil.store.status import CheckStatus, Deployment, SubjectStatus, TargetStatus
from pgvigil.store.view import Delta


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a run: its number, the subject's new status, the incidents it changed, and why."""

    run_id: int
    status: SubjectStatus
    incidents: tuple[Incident, ...]
    events: tuple[Event, ...]


def record(connection: Connection, run: Run) -> tuple[Recorded, Delta]:
    """Insert a run, step its subject's incidents and update the subject's status."""
    subject_id, before, new_checks = _subject(connection, run)
    run_id = connection.execute(
        insert(runs).values(row_of_run(run, subject_id)).returning(runs.c.id)
    ).scalar_one()
    status = before.after(run)
    row = row_of_status(status) | {"last_run": run_id}
    connection.execute(update(subjects).where(subjects.c.id == subject_id).values(row))
    known = live_incidents(connection, run.target, run.check, [run.subject])
    transition = step(known, run, new_incident_id)
    save(connection, transition, known)
    delta = Delta(subjects=[status], incidents=transition.incidents, checks=new_checks)
    return Recorded(run_id, status, transition.incidents, transition.events), delta


def record_target(connection: Connection, seen: TargetStatus) -> Delta:
    """Update what is known of a target; what it said when it was last up is kept while it is down."""
    connection.execute(
        insert_missing(connection, targets, ["name"]).values(
            name=seen.name, up=seen.up, observed_at=seen.observed_at
        )
    )
    values = {
        name: value
        for name in ("up", "observed_at", "last_seen_at", "server_version", "error")
        if (value := getattr(seen, name)) is not None or name == "error"
    }
    changed = update(targets).where(targets.c.name == seen.name).values(values).returning(targets)
    return Delta(targets=[target_of_row(connection.execute(changed).mappings().one())])


def record_deployments(connection: Connection, marked: Iterable[Deployment]) -> Delta:
    """Insert deployments; one that is already there is left alone."""
    marked = list(marked)
    for one in marked:
        row = {"target": one.target, "version": one.version, "at": one.at, "marked_by": one.marked_by}
        connection.execute(insert_missing(connection, deployments, ["target", "at", "version"]).values(row))
    return Delta(deployments=marked)


def mark(
    connection: Connection, incident_id: str, apply: Callable[[Incident], Transition]
) -> tuple[Incident, Delta]:
    """Apply a person's word to a live incident."""
    query = select(incidents).where(equals(incidents.c.id, incident_id)).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UsageError(f"there is no incident {incident_id!r}")
    incident = incident_of_row(row)
    if not incident.live:
        raise UsageError(f"incident {incident_id} is resolved: there is nothing left to acknowledge or mute")
    transition = apply(incident)
    save(connection, transition, [incident])
    return transition.incidents[0], Delta(incidents=transition.incidents)


def new_incident_id() -> str:
    """Return 64 random bits, short enough to be read out and typed."""
    return secrets.token_hex(8)


def save(connection: Connection, transition: Transition, known: Iterable[Incident]) -> None:
    """Write what a step changed; `known` are the incidents that it was given."""
    old = {incident.id for incident in known}
    new_rows = [row_of_incident(one) for one in transition.incidents if one.id not in old]
    changed_rows = [row_of_incident(one) | {"key": one.id} for one in transition.incidents if one.id in old]
    if changed_rows:
        connection.execute(update(incidents).where(incidents.c.id == bindparam("key")), changed_rows)
    if new_rows:
        connection.execute(insert(incidents), new_rows)
    if event_rows := rows_of_events(transition.events):
        connection.execute(insert(events), event_rows)


def live_incidents(connection: Connection, target: str, check: str, names: Iterable[str]) -> list[Incident]:
    """Return the live incidents of some subjects of a check, locked against other writers."""
    query = (
        select(incidents)
        .where(incidents.c.target == target, incidents.c.check == check)
        .where(incidents.c.digest.in_([digest(name) for name in names]))
        .where(incidents.c.state != State.RESOLVED.value)
        .order_by(incidents.c.first_seen, incidents.c.id)
        .with_for_update()
    )
    return [incident_of_row(row) for row in connection.execute(query).mappings()]


def _subject(connection: Connection, run: Run) -> tuple[int, SubjectStatus, list[CheckStatus]]:
    """Lock and return the run's subject; one that no discovery has told of is added, with its check."""
    key = {"target": run.target, "check": run.check, "digest": digest(run.subject)}
    query = select(subjects).filter_by(**key).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is not None:
        return row["id"], status_of_row(row), []
    blank = row_of_status(SubjectStatus(target=run.target, check=run.check, name=run.subject))
    connection.execute(insert_missing(connection, subjects, list(key)).values(blank))
    row = connection.execute(query).mappings().one()
    return row["id"], status_of_row(row), [add_check(connection, run.target, run.check)]


def add_check(connection: Connection, target: str, name: str) -> CheckStatus:
    """Lock and return a check of a target, added when it is new."""
    connection.execute(
        insert_missing(connection, checks, ["target", "name"]).values(target=target, name=name)
    )
    query = select(checks).filter_by(target=target, name=name).with_for_update()
    return check_of_row(connection.execute(query).mappings().one())
