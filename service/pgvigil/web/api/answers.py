"""What the API answers, as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from pgvigil.check import Outcome, Severity
from pgvigil.incident import EventKind, Resolution, State
from pgvigil.proposal import Kind, ProposalState
from pgvigil.standing import Standing
from pgvigil.store import CoverageState


class Answer(BaseModel):
    """Base of what is answered; made from the records of the store."""

    model_config = ConfigDict(from_attributes=True)


class Error(Answer):
    """Why a request was not fulfilled, in one line."""

    error: str


class StandbyAnswer(Answer):
    """The standby of which a target's rows are read, as this daemon found it last.

    `lag_seconds` was waited for it, `reads` counts runs by server, `why` is why it could not be read; then
    the primary is read with `fallback`, else nothing. It was tried in vain for `unread_seconds`.
    """

    usable: bool | None
    lag_seconds: float | None
    reads: dict[str, int]
    why: str
    fallback: bool
    unread_seconds: float | None


class TargetAnswer(Answer):
    """A target, and whether it answered when it was last asked.

    `proposals_error` is why the last look for proposals failed, null where it did not.
    """

    name: str
    up: bool
    observed_at: datetime
    last_seen_at: datetime | None
    server_version: str | None
    error: str | None
    standby: StandbyAnswer | None = None
    proposals_error: str | None = None


class CheckAnswer(Answer):
    """A check of a target, when it is due next, and when the last sweep began that came to its end."""

    target: str
    check: str
    interval_seconds: float | None
    discovered_at: datetime | None
    swept_at: datetime | None
    next_due: datetime | None


class UnderwayAnswer(Answer):
    """A run that goes on; `done` is the share that is behind, null where nobody knows.

    Of a batch the first subject is named; `subjects` counts them.
    """

    target: str
    check: str
    subject: str
    started_at: datetime
    seconds: float
    done: float | None
    subjects: int


class CoverageAnswer(Answer):
    """Subjects of a check: known, and what may be said about them."""

    target: str
    check: str
    known: int
    passed: int
    failed: int
    unknown: int


class SubjectAnswer(Answer):
    """One subject: its state, its last run and its last completed run."""

    target: str
    check: str
    name: str
    state: CoverageState
    outcome: Outcome | None
    error: str | None
    started_at: datetime | None
    finished_at: datetime | None
    completed_at: datetime | None
    violations: dict[Severity, int]
    measures: dict[str, int]


class MarkAnswer(Answer):
    """A person's word on an incident; without `until` it holds until the incident resolves."""

    who: str
    at: datetime
    until: datetime | None
    why: str


class IncidentAnswer(Answer):
    """An incident. `standing` is where it stands with people: its state, or acknowledged, or muted."""

    id: str
    target: str
    check: str
    subject: str
    code: str
    fingerprint: str
    severity: Severity
    title: str
    count: int
    worst_count: int
    sightings: int
    state: State
    standing: Standing
    first_seen: datetime
    last_seen: datetime
    opened_at: datetime | None
    resolved_at: datetime | None
    resolution: Resolution | None
    unexamined_since: datetime | None
    unexamined_reason: str | None
    acknowledged: MarkAnswer | None
    muted: MarkAnswer | None


class EventAnswer(Answer):
    """One line of an incident's history."""

    kind: EventKind
    at: datetime
    text: str
    who: str | None


class HistoryAnswer(IncidentAnswer):
    """An incident with its evidence and its history. `sample` holds row values."""

    remedy: str
    evidence_sql: str
    sample: list[dict[str, Any]]
    details: dict[str, Any]
    events: list[EventAnswer]


class RunAnswer(Answer):
    """A run that was recorded; ids grow in the order of recording."""

    id: int
    target: str
    check: str
    subject: str
    outcome: Outcome
    started_at: datetime
    finished_at: datetime
    duration_seconds: float
    rows_examined: int
    strategy: str
    explain: str
    error: str | None


class DeploymentAnswer(Answer):
    """A version that was deployed to a target."""

    target: str
    version: str
    at: datetime
    marked_by: str


class Deployed(Answer):
    """What came of telling a deployment: its markers, and the ticks, `target/check`, that begin for it."""

    deployments: list[DeploymentAnswer]
    examining: list[str]


class Examining(Answer):
    """The ticks, `target/check`, that begin now, and when they were asked for by the daemon's clock."""

    examining: list[str]
    at: datetime


class ProposalAnswer(Answer):
    """What is proposed, on which evidence, and what was decided; `settings` are a configuration's words."""

    id: str
    target: str
    kind: Kind
    subject: str
    state: ProposalState
    source: str
    probability: float
    evidence: list[str]
    settings: Any
    proposed_at: datetime
    decision: ProposalState | None
    decided_by: str | None
    decided_at: datetime | None
    why: str | None


class Imported(Answer):
    """What came of relations that were brought.

    Of those `offered`, each once, `left_out` says which do not fit the target, and why. Of the others `added`
    are new, `adopted` are examined from now on; `adopted_before` and `rejected` were decided on already.
    """

    target: str
    offered: int
    added: int
    adopted: int
    adopted_before: int
    rejected: int
    left_out: list[str]


class AcceptanceAnswer(Answer):
    """What is accepted of a subject, by whom (null: the first look), and whether what was seen last differs.

    `seen` stands for that, so that nobody accepts something else than what they looked at. What is `gone` is
    taken out when the subject is accepted that tells of it.
    """

    target: str
    check: str
    subject: str
    accepted_at: datetime
    accepted_by: str | None
    seen: str
    seen_at: datetime
    differs: bool
    gone: bool


class Accepted(Answer):
    """What was accepted, and the ticks, `target/check`, that begin for it."""

    accepted: list[AcceptanceAnswer]
    examining: list[str]
