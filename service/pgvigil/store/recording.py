"""What writes results: runs with all that follows from it, a target's state, a person's word."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from pgvigil.errors import UsageError
from pgvigil.incident import Event, Incident, State, Transition, step
from pgvigil.run import Run
from pgvigil.store import accepting, noting
from pgvigil.store.bulk import insert_rows, one_of, update_rows
from pgvigil.store.codec import (
    BEFORE_COLUMNS,
    check_of_row,
    digest,
    incident_of_row,
    row_of_change,
    row_of_incident,
    row_of_run,
    row_of_status,
    rows_of_events,
    status_before,
    target_of_row,
)
from pgvigil.store.database import BATCH, insert_missing
from pgvigil.store.schema import checks, deployments, equals, events, incidents, subjects, targets
from pgvigil.store.schema import runs as runs_table
from pgvigil.store.status import CheckStatus, Deployment, SubjectStatus, TargetStatus
from pgvigil.store.view import CheckKey, Delta, SubjectKey

_BEFORE = [subjects.c[name] for name in BEFORE_COLUMNS]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a run: its number, the subject's new status, the incidents it changed, and why."""

    run_id: int
    status: SubjectStatus
    incidents: tuple[Incident, ...]
    events: tuple[Event, ...]


def record(connection: Connection, runs: Sequence[Run]) -> tuple[list[Recorded], Delta]:
    """Insert runs, step their subjects' incidents and update their subjects' statuses, in the given order."""
    recorded: list[Recorded] = []
    new_checks: list[CheckStatus] = []
    for together in _once_each(runs):
        known = _subjects(connection, together, new_checks)
        recorded += _record(connection, [_Known(*known[key], run) for key, run in together.items()])
    return recorded, Delta(
        subjects=[one.status for one in recorded],
        incidents=[incident for one in recorded for incident in one.incidents],
        checks=new_checks,
    )


class _Known(NamedTuple):
    """A run whose subject is known by its number, and the status that it had before."""

    number: int
    before: SubjectStatus
    run: Run


def _once_each(runs: Sequence[Run]) -> Iterator[dict[SubjectKey, Run]]:
    """Yield the runs in pieces in which no subject is twice: its second run needs what the first one left."""
    piece: dict[SubjectKey, Run] = {}
    for run in runs:
        key = _key(run)
        if key in piece or len(piece) == BATCH:
            yield piece
            piece = {}
        piece[key] = run
    if piece:
        yield piece


def _key(run: Run) -> SubjectKey:
    return run.target, run.check, run.subject


def _record(connection: Connection, together: Sequence[_Known]) -> list[Recorded]:
    """Record runs of different subjects."""
    rows = [row_of_run(run, number) for number, _, run in together]
    inserted = insert_rows(connection, runs_table, rows, ("subject_id", "id"))
    run_ids: dict[int, int] = dict(map(tuple, inserted))
    statuses = [before.after(run) for _, before, run in together]
    changed = [
        {"id": one.number, "last_run": run_ids[one.number], **row_of_change(status)}
        for one, status in zip(together, statuses, strict=True)
    ]
    update_rows(connection, subjects, changed)
    runs = [one.run for one in together]
    live = _live_by_subject(connection, runs)
    transitions = [step(live.get(_key(run), ()) if live else (), run, new_incident_id) for run in runs]
    everything = Transition(
        tuple(incident for one in transitions for incident in one.incidents),
        tuple(event for one in transitions for event in one.events),
    )
    save(connection, everything, [incident for some in live.values() for incident in some])
    noting.keep(connection, [(one.number, one.run) for one in together])
    accepting.keep(connection, runs)
    return [
        Recorded(run_ids[one.number], status, transition.incidents, transition.events)
        for one, status, transition in zip(together, statuses, transitions, strict=True)
    ]


def _by_check(runs: Iterable[Run]) -> dict[CheckKey, list[str]]:
    """Return the subjects of the runs."""
    by_check: dict[CheckKey, list[str]] = {}
    for run in runs:
        by_check.setdefault((run.target, run.check), []).append(run.subject)
    return by_check


def _live_by_subject(connection: Connection, runs: Iterable[Run]) -> dict[SubjectKey, list[Incident]]:
    """Return the live incidents of the runs' subjects, locked against other writers."""
    live: dict[SubjectKey, list[Incident]] = {}
    for check, names in _by_check(runs).items():
        for one in live_incidents(connection, *check, names):
            live.setdefault((*check, one.subject), []).append(one)
    return live


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
        .where(one_of(connection, incidents.c.digest, map(digest, names)))
        .where(incidents.c.state != State.RESOLVED.value)
        .order_by(incidents.c.first_seen, incidents.c.id)
        .with_for_update()
    )
    return [incident_of_row(row) for row in connection.execute(query).mappings()]


def _subjects(
    connection: Connection, together: Mapping[SubjectKey, Run], new_checks: list[CheckStatus]
) -> dict[SubjectKey, tuple[int, SubjectStatus]]:
    """Lock the runs' subjects, and return the numbers and statuses that they have.

    Those that no discovery has told of are added, with their checks.
    """
    known: dict[SubjectKey, tuple[int, SubjectStatus]] = {}
    for (target, check), names in _by_check(together.values()).items():
        known |= _locked(connection, (target, check), names)
        missing = [name for name in names if (target, check, name) not in known]
        if missing:
            rows = [row_of_status(SubjectStatus(target=target, check=check, name=name)) for name in missing]
            connection.execute(insert_missing(connection, subjects, ["target", "check", "digest"]), rows)
            new_checks.append(add_check(connection, target, check))
            known |= _locked(connection, (target, check), missing)
    return known


def _locked(
    connection: Connection, check: CheckKey, names: Iterable[str]
) -> dict[SubjectKey, tuple[int, SubjectStatus]]:
    query = (
        select(subjects.c.id, subjects.c.name, *_BEFORE)
        .where(subjects.c.target == check[0], subjects.c.check == check[1])
        .where(one_of(connection, subjects.c.digest, map(digest, names)))
        .order_by(subjects.c.id)
        .with_for_update()
    )
    rows = connection.execute(query)
    return {(*check, name): (number, status_before(*check, name, *of)) for number, name, *of in rows}


def add_check(connection: Connection, target: str, name: str) -> CheckStatus:
    """Lock and return a check of a target, added when it is new."""
    connection.execute(
        insert_missing(connection, checks, ["target", "name"]).values(target=target, name=name)
    )
    query = select(checks).filter_by(target=target, name=name).with_for_update()
    return check_of_row(connection.execute(query).mappings().one())
