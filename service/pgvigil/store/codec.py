"""Records to rows and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from sqlalchemy import RowMapping

from pgvigil.check import Finding, Outcome, Severity
from pgvigil.incident import Event, EventKind, Incident, Mark, Resolution, State
from pgvigil.run import Run
from pgvigil.store.schema import Row
from pgvigil.store.status import CheckStatus, CoverageState, Deployment, SubjectStatus, TargetStatus
from pgvigil.store.view import LiveIncident

# Looked up for every row: a call of the class takes ten times as long.
_SEVERITIES = {one.value: one for one in Severity}
_STATES = {one.value: one for one in CoverageState}
_OUTCOMES = {one.value: one for one in Outcome}


@lru_cache(maxsize=65_536)
def digest(name: str) -> str:
    """Return what stands for a subject's name, however long, in an index."""
    return sha256(name.encode()).hexdigest()[:32]


def row_of_status(status: SubjectStatus) -> Row:
    """Return what a subject's row holds of its status."""
    return {
        "target": status.target,
        "check": status.check,
        "name": status.name,
        "digest": digest(status.name),
        **row_of_change(status),
    }


def row_of_change(status: SubjectStatus) -> Row:
    """Return what a run changes in a subject's row."""
    return {
        "state": str(status.state),
        "outcome": status.outcome,
        "error": status.error,
        "started_at": status.started_at,
        "finished_at": status.finished_at,
        "completed_at": status.completed_at,
        "completed_outcome": status.completed_outcome,
        "violations": dict(status.violations),
        "measures": dict(status.measures),
        "incomplete": status.incomplete,
    }


def status_of_row(row: RowMapping) -> SubjectStatus:
    """Return the status that a subject's row holds."""
    return SubjectStatus(
        target=row["target"],
        check=row["check"],
        name=row["name"],
        state=_STATES[row["state"]],
        outcome=_outcome(row["outcome"]),
        error=row["error"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        completed_at=row["completed_at"],
        completed_outcome=_outcome(row["completed_outcome"]),
        violations=_violations(row["violations"]),
        measures=row["measures"],
        incomplete=row["incomplete"],
    )


BEFORE_COLUMNS = ("state", "completed_at", "completed_outcome", "violations", "measures", "incomplete")
"""What the status after one more run depends on, as `status_before` takes it."""


def status_before(target: str, check: str, name: str, state: str, *of_completed: Any) -> SubjectStatus:
    """Return the status that one more run follows; what that run replaces anyway is left out.

    It is read for every run, and columns by their places in half of the time.
    """
    completed_at, completed_outcome, violations, measures, incomplete = of_completed
    return SubjectStatus(
        target=target,
        check=check,
        name=name,
        state=_STATES[state],
        completed_at=completed_at,
        completed_outcome=_outcome(completed_outcome),
        violations=_violations(violations),
        measures=measures,
        incomplete=incomplete,
    )


def _violations(counts: Mapping[str, int]) -> dict[Severity, int]:
    return {_SEVERITIES[one]: count for one, count in counts.items()}


def row_of_run(run: Run, subject_id: int) -> Row:
    """Return a run's row."""
    return {
        "subject_id": subject_id,
        "outcome": str(run.outcome),
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration_seconds": run.duration_seconds,
        "rows_examined": run.rows_examined,
        "strategy": run.strategy,
        "error": run.error,
        "confirm": run.confirm,
        "findings": [_json_of_finding(finding) for finding in run.findings],
        "measures": dict(run.measures),
        "explain": run.explain,
    }


def run_of_row(row: RowMapping) -> Run:
    """Return the run of a row that is joined with its subject's names; its memory is in the note."""
    return Run(
        target=row["target"],
        check=row["check"],
        subject=row["name"],
        outcome=Outcome(row["outcome"]),
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        duration_seconds=row["duration_seconds"],
        rows_examined=row["rows_examined"],
        strategy=row["strategy"],
        error=row["error"],
        confirm=row["confirm"],
        findings=tuple(_finding_of_json(finding) for finding in row["findings"]),
        measures=row["measures"],
        explain=row["explain"],
    )


def row_of_incident(incident: Incident) -> Row:
    """Return an incident's row."""
    return {
        "id": incident.id,
        "target": incident.target,
        "check": incident.check,
        "subject": incident.subject,
        "digest": digest(incident.subject),
        "fingerprint": incident.fingerprint,
        "severity": incident.severity.value,
        "state": incident.state.value,
        "resolution": incident.resolution,
        "first_seen": incident.first_seen,
        "last_seen": incident.last_seen,
        "opened_at": incident.opened_at,
        "resolved_at": incident.resolved_at,
        "worst_count": incident.worst_count,
        "sightings": incident.sightings,
        "consecutive": incident.consecutive,
        "unexamined_since": incident.unexamined_since,
        "unexamined_reason": incident.unexamined_reason,
        **_row_of_mark("acknowledged", incident.acknowledged),
        **_row_of_mark("muted", incident.muted),
        "finding": _json_of_finding(incident.finding),
    }


def incident_of_row(row: RowMapping) -> Incident:
    """Return the incident of a row."""
    return Incident(
        id=row["id"],
        target=row["target"],
        check=row["check"],
        subject=row["subject"],
        finding=_finding_of_json(row["finding"]),
        state=State(row["state"]),
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        worst_count=row["worst_count"],
        sightings=row["sightings"],
        consecutive=row["consecutive"],
        opened_at=row["opened_at"],
        resolved_at=row["resolved_at"],
        resolution=None if row["resolution"] is None else Resolution(row["resolution"]),
        unexamined_since=row["unexamined_since"],
        unexamined_reason=row["unexamined_reason"],
        acknowledged=_mark_of_row("acknowledged", row),
        muted=_mark_of_row("muted", row),
    )


def live_incident_of_row(row: RowMapping) -> LiveIncident:
    """Return what the view holds of an incident's row."""
    return LiveIncident(
        id=row["id"],
        target=row["target"],
        check=row["check"],
        subject=row["subject"],
        code=row["finding"]["code"],
        title=row["finding"]["title"],
        count=row["finding"]["count"],
        severity=Severity(row["severity"]),
        state=State(row["state"]),
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        opened_at=row["opened_at"],
        unexamined_since=row["unexamined_since"],
        acknowledged=_mark_of_row("acknowledged", row),
        muted=_mark_of_row("muted", row),
    )


def rows_of_events(events: Iterable[Event]) -> list[Row]:
    """Return the rows of the events that are kept.

    A mere reconfirmation is not: a fault that stays would write its history full. The incident counts them.
    """
    return [
        {"incident": e.incident, "kind": e.kind.value, "at": e.at, "text": e.text, "who": e.who}
        for e in events
        if e.kind is not EventKind.RECONFIRMED
    ]


def event_of_row(row: RowMapping) -> Event:
    """Return the event of a row."""
    return Event(row["incident"], EventKind(row["kind"]), row["at"], row["text"], row["who"])


def target_of_row(row: RowMapping) -> TargetStatus:
    """Return a target's status."""
    return TargetStatus(**row)


def check_of_row(row: RowMapping) -> CheckStatus:
    """Return a check's status."""
    return CheckStatus(**row)


def deployment_of_row(row: RowMapping) -> Deployment:
    """Return a deployment."""
    return Deployment(row["target"], row["version"], row["at"], row["marked_by"])


def _outcome(value: str | None) -> Outcome | None:
    return None if value is None else _OUTCOMES[value]


def _json_of_finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "title": finding.title,
        "count": finding.count,
        "remedy": finding.remedy,
        "evidence_sql": finding.evidence_sql,
        "sample": [dict(row) for row in finding.sample],
        "details": dict(finding.details),
    }


def _finding_of_json(value: Mapping[str, Any]) -> Finding:
    return Finding(
        code=value["code"],
        severity=Severity(value["severity"]),
        title=value["title"],
        count=value["count"],
        remedy=value["remedy"],
        evidence_sql=value["evidence_sql"],
        sample=tuple(value["sample"]),
        details=value["details"],
    )


def _row_of_mark(name: str, mark: Mark | None) -> Row:
    return {
        f"{name}_by": mark.who if mark else None,
        f"{name}_at": mark.at if mark else None,
        f"{name}_until": mark.until if mark else None,
        f"{name}_why": mark.why if mark else None,
    }


def _mark_of_row(name: str, row: RowMapping) -> Mark | None:
    at: datetime | None = row[f"{name}_at"]
    if at is None:
        return None
    return Mark(row[f"{name}_by"], at, row[f"{name}_until"], row[f"{name}_why"])
