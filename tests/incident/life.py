"""Runs for tests, and the book that a patient observer would keep of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from pgvigil.check import Finding, Outcome, Severity
from pgvigil.incident import Event, Incident, Transition, step
from pgvigil.run import Run

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def finding(code: str = "orphans", rows: int = 1, severity: Severity = Severity.CRITICAL) -> Finding:
    return Finding(code=code, severity=severity, title=f"Rows with {code}", count=rows, remedy="mend them")


def run(
    *findings: Finding,
    outcome: Outcome | None = None,
    minutes: float = 0,
    confirm: int = 1,
    error: str | None = None,
    subject: str = "public.child(id) -> public.parent(id)",
) -> Run:
    """Return a run that ended `minutes` after the start; it fails when it has a finding."""
    return Run(
        target="games",
        check="orphan_rows",
        subject=subject,
        outcome=outcome or (Outcome.FAIL if findings else Outcome.PASS),
        started_at=at(minutes - 1),
        finished_at=at(minutes),
        duration_seconds=60.0,
        findings=findings,
        confirm=confirm,
        error=error,
    )


@dataclass
class Book:
    """All incidents of one subject, and all that happened to them, over the runs that it is told of."""

    incidents: dict[str, Incident] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    _ids: count[int] = field(default_factory=lambda: count(1))

    def see(self, one: Run) -> Transition:
        return self.note(step(self.incidents.values(), one, lambda: f"incident-{next(self._ids)}"))

    def note(self, transition: Transition) -> Transition:
        self.incidents |= {one.id: one for one in transition.incidents}
        self.events += transition.events
        return transition

    @property
    def live(self) -> list[Incident]:
        return [one for one in self.incidents.values() if one.live]

    def only(self) -> Incident:
        (one,) = self.incidents.values()
        return one

    def kinds(self, incident: str | None = None) -> list[str]:
        return [event.kind.value for event in self.events if incident in (None, event.incident)]
