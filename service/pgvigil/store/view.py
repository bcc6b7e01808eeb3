"""The committed state in memory, for those who must never wait: a scrape, a health probe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from types import MappingProxyType

from pgvigil.check import Severity
from pgvigil.incident import Incident, Mark, State
from pgvigil.store.status import CheckStatus, Deployment, SubjectStatus, TargetStatus

CheckKey = tuple[str, str]
SubjectKey = tuple[str, str, str]

DEPLOYMENTS_SHOWN = 10
"""How many deployments of a target are at hand."""


@dataclass(frozen=True, slots=True)
class LiveIncident:
    """What has to be at hand of an incident that goes on; the rest is read from the store.

    `title`, `count` and `severity` are those of its last sighting, `code` is the kind of its fault.
    """

    id: str
    target: str
    check: str
    subject: str
    code: str
    title: str
    count: int
    severity: Severity
    state: State
    first_seen: datetime
    last_seen: datetime
    opened_at: datetime | None
    unexamined_since: datetime | None
    acknowledged: Mark | None
    muted: Mark | None


@dataclass(frozen=True, slots=True)
class View:
    """An immutable picture of what is committed.

    Checks are keyed by (target, check), subjects by (target, check, subject), live incidents by id, the last
    deployments, the newest first, by target.
    """

    targets: Mapping[str, TargetStatus]
    checks: Mapping[CheckKey, CheckStatus]
    subjects: Mapping[SubjectKey, SubjectStatus]
    incidents: Mapping[str, LiveIncident]
    deployments: Mapping[str, tuple[Deployment, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delta:
    """What one commit changed: records that are new or different, and keys that are gone."""

    targets: Iterable[TargetStatus] = ()
    checks: Iterable[CheckStatus] = ()
    subjects: Iterable[SubjectStatus] = ()
    incidents: Iterable[Incident | LiveIncident] = ()
    deployments: Iterable[Deployment] = ()
    gone_targets: Iterable[str] = ()
    gone_checks: Iterable[CheckKey] = ()
    gone_subjects: Iterable[SubjectKey] = ()


class Picture:
    """Keeps the view in step with the store: loaded once, then told of every commit.

    `listener` is called after every change; it must not wait.
    """

    def __init__(self) -> None:
        self.listener: Callable[[], None] = lambda: None
        self._lock = Lock()
        self._targets: dict[str, TargetStatus] = {}
        self._checks: dict[CheckKey, CheckStatus] = {}
        self._subjects: dict[SubjectKey, SubjectStatus] = {}
        self._incidents: dict[str, LiveIncident] = {}
        self._deployments: dict[str, tuple[Deployment, ...]] = {}

    def view(self) -> View:
        """Return the picture of this moment; costs one shallow copy."""
        with self._lock:
            return View(
                MappingProxyType(self._targets.copy()),
                MappingProxyType(self._checks.copy()),
                MappingProxyType(self._subjects.copy()),
                MappingProxyType(self._incidents.copy()),
                MappingProxyType(self._deployments.copy()),
            )

    def load(self, everything: Delta) -> None:
        """Replace the picture, after a start or when another process has written."""
        with self._lock:
            self._targets, self._checks, self._subjects, self._incidents = {}, {}, {}, {}
            self._deployments = {}
            self._apply(everything)
        self.listener()

    def apply(self, delta: Delta) -> None:
        """Follow one commit."""
        with self._lock:
            self._apply(delta)
        self.listener()

    def _apply(self, delta: Delta) -> None:
        for target in delta.gone_targets:
            self._targets.pop(target, None)
            self._deployments.pop(target, None)
        for check in delta.gone_checks:
            self._checks.pop(check, None)
        for subject in delta.gone_subjects:
            self._subjects.pop(subject, None)
        self._targets.update((target.name, target) for target in delta.targets)
        self._checks.update(((check.target, check.name), check) for check in delta.checks)
        self._subjects.update(((one.target, one.check, one.name), one) for one in delta.subjects)
        for deployment in delta.deployments:
            self._deployments[deployment.target] = _newest(
                (deployment, *self._deployments.get(deployment.target, ()))
            )
        for incident in delta.incidents:
            if incident.state is State.RESOLVED:
                self._incidents.pop(incident.id, None)
            else:
                self._incidents[incident.id] = _brief(incident)


def _newest(deployments: Iterable[Deployment]) -> tuple[Deployment, ...]:
    """Return the last ones, the newest first; what was told twice is one."""
    once = {(one.at, one.version): one for one in deployments}
    ordered = sorted(once.values(), key=lambda one: one.at, reverse=True)
    return tuple(ordered[:DEPLOYMENTS_SHOWN])


def _brief(incident: Incident | LiveIncident) -> LiveIncident:
    if isinstance(incident, LiveIncident):
        return incident
    return LiveIncident(
        id=incident.id,
        target=incident.target,
        check=incident.check,
        subject=incident.subject,
        code=incident.finding.code,
        title=incident.finding.title,
        count=incident.count,
        severity=incident.severity,
        state=incident.state,
        first_seen=incident.first_seen,
        last_seen=incident.last_seen,
        opened_at=incident.opened_at,
        unexamined_since=incident.unexamined_since,
        acknowledged=incident.acknowledged,
        muted=incident.muted,
    )
