"""What reads the store for people: newest or worst first, a page at a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Label, Select, case, func, select

from pgvigil.check import Severity
from pgvigil.incident import Event, Incident, State
from pgvigil.run import Run
from pgvigil.store.codec import (
    check_of_row,
    deployment_of_row,
    event_of_row,
    incident_of_row,
    live_incident_of_row,
    run_of_row,
    status_of_row,
    target_of_row,
)
from pgvigil.store.schema import (
    among,
    checks,
    deployments,
    equals,
    events,
    incidents,
    runs,
    subjects,
    targets,
)
from pgvigil.store.status import CheckStatus, Coverage, CoverageState, Deployment, SubjectStatus, TargetStatus
from pgvigil.store.view import DEPLOYMENTS_SHOWN, Delta


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run and its number, which grows in the order of recording."""

    id: int
    run: Run


@dataclass(frozen=True, slots=True)
class History:
    """An incident and its events, the oldest first."""

    incident: Incident
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to list; None does not narrow. `limit` and `offset` are a page.

    `states` are those of what is listed: CoverageState, State, or Outcome of runs; `severities` are of
    incidents.
    """

    target: str | None = None
    check: str | None = None
    subject: str | None = None
    states: Collection[str] | None = None
    severities: Collection[str] | None = None
    limit: int = 100
    offset: int = 0


ALL = Filter()
"""The first page of all."""


def everything(connection: Connection) -> Delta:
    """Return what the view is loaded with."""
    live = select(incidents).where(incidents.c.state != State.RESOLVED.value)
    return Delta(
        targets=list_targets(connection),
        checks=list_checks(connection),
        subjects=[status_of_row(row) for row in connection.execute(select(subjects)).mappings()],
        incidents=[live_incident_of_row(row) for row in connection.execute(live).mappings()],
        deployments=_last_deployments(connection),
    )


def list_targets(connection: Connection) -> list[TargetStatus]:
    """Return all targets by name."""
    return [target_of_row(row) for row in connection.execute(select(targets).order_by("name")).mappings()]


def list_checks(connection: Connection) -> list[CheckStatus]:
    """Return all checks by target and name."""
    query = select(checks).order_by("target", "name")
    return [check_of_row(row) for row in connection.execute(query).mappings()]


def last_words(connection: Connection) -> tuple[int, int]:
    """Return the numbers of what people said last: of an incident, and of a deployment."""
    marked = select(func.max(events.c.id)).where(events.c.who.is_not(None))
    deployed = select(func.max(deployments.c.id))
    return connection.scalar(marked) or 0, connection.scalar(deployed) or 0


def list_deployments(connection: Connection, wanted: Filter) -> list[Deployment]:
    """Return deployments, the newest first; only the target narrows."""
    query = select(deployments).order_by(deployments.c.at.desc(), deployments.c.id.desc())
    if wanted.target is not None:
        query = query.where(equals(deployments.c.target, wanted.target))
    return [deployment_of_row(row) for row in connection.execute(_paged(query, wanted)).mappings()]


def _last_deployments(connection: Connection) -> list[Deployment]:
    """Return as many of every target's as are shown."""
    place = func.row_number().over(
        partition_by=deployments.c.target, order_by=(deployments.c.at.desc(), deployments.c.id.desc())
    )
    placed = select(deployments, place.label("place")).subquery()
    query = select(placed).where(placed.c.place <= DEPLOYMENTS_SHOWN)
    return [deployment_of_row(row) for row in connection.execute(query).mappings()]


def coverage(connection: Connection, target: str | None) -> list[Coverage]:
    """Return the coverage of every check, also of one without subjects."""

    def counted(state: CoverageState) -> Label[int]:
        return func.count(case((subjects.c.state == state.value, 1))).label(state.value)

    joined = checks.outerjoin(
        subjects, (subjects.c.target == checks.c.target) & (subjects.c.check == checks.c.name)
    )
    query = (
        select(
            checks.c.target,
            checks.c.name.label("check"),
            func.count(subjects.c.id).label("known"),
            *(counted(state) for state in CoverageState),
        )
        .select_from(joined)
        .group_by(checks.c.target, checks.c.name)
        .order_by(checks.c.target, checks.c.name)
    )
    if target is not None:
        query = query.where(equals(checks.c.target, target))
    return [Coverage(**row) for row in connection.execute(query).mappings()]


_RANKS = {CoverageState.FAILED.value: 0, CoverageState.UNKNOWN.value: 1, CoverageState.PASSED.value: 2}


def list_subjects(
    connection: Connection, wanted: Filter, *, worst_first: bool = False
) -> list[SubjectStatus]:
    """Return subjects by target, check and name, or the worst of each target first."""
    query = _narrowed(select(subjects), wanted, subjects.c.name, subjects.c.state)
    rank = [case(_RANKS, value=subjects.c.state, else_=0)] if worst_first else []
    query = query.order_by(subjects.c.target, *rank, subjects.c.check, subjects.c.name)
    return [status_of_row(row) for row in connection.execute(_paged(query, wanted)).mappings()]


def list_incidents(connection: Connection, wanted: Filter) -> list[Incident]:
    """Return incidents: open ones first, by severity, the newest first; the resolved last, by their end."""
    query = _narrowed(select(incidents), wanted, incidents.c.subject, incidents.c.state)
    if wanted.severities is not None:
        query = query.where(among(incidents.c.severity, wanted.severities))
    ranks = {State.OPEN.value: 0, State.SUSPECT.value: 1}
    worst = {severity.value: -severity.rank for severity in Severity}
    query = query.order_by(
        case(ranks, value=incidents.c.state, else_=2),
        incidents.c.resolved_at.desc(),  # the same, NULL, for all that go on
        case(worst, value=incidents.c.severity, else_=0),
        incidents.c.first_seen.desc(),
        incidents.c.id,
    )
    return [incident_of_row(row) for row in connection.execute(_paged(query, wanted)).mappings()]


def history(connection: Connection, incident_id: str) -> History | None:
    """Return one incident with its events."""
    found = connection.execute(select(incidents).where(equals(incidents.c.id, incident_id)))
    row = found.mappings().one_or_none()
    if row is None:
        return None
    query = select(events).filter_by(incident=incident_id).order_by(events.c.id)
    told = tuple(event_of_row(event) for event in connection.execute(query).mappings())
    return History(incident_of_row(row), told)


def list_runs(connection: Connection, wanted: Filter) -> list[StoredRun]:
    """Return runs, the last recorded first."""
    query = select(runs, subjects.c.target, subjects.c.check, subjects.c.name).join(subjects)
    query = _narrowed(query, wanted, subjects.c.name, runs.c.outcome).order_by(runs.c.id.desc())
    found = connection.execute(_paged(query, wanted)).mappings()
    return [StoredRun(row["id"], run_of_row(row)) for row in found]


def last_swept(connection: Connection, target: str, check: str) -> datetime | None:
    """Return when the last sweep of a check began that came to its end."""
    query = select(checks.c.swept_at).where(equals(checks.c.target, target), equals(checks.c.name, check))
    return connection.execute(query).scalar()


def _narrowed(query: Select[Any], wanted: Filter, subject: Column[str], state: Column[str]) -> Select[Any]:
    """Apply what all lists can be narrowed by; target and check stand in the subject's table."""
    table = subject.table
    narrowing = ((table.c.target, wanted.target), (table.c.check, wanted.check), (subject, wanted.subject))
    for column, value in narrowing:
        if value is not None:
            query = query.where(equals(column, value))
    if wanted.states is not None:
        query = query.where(among(state, wanted.states))
    return query


def _paged(query: Select[Any], wanted: Filter) -> Select[Any]:
    return query.limit(wanted.limit).offset(wanted.offset)
