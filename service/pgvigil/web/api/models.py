"""What the API says and hears, as JSON."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from pgvigil.check import Outcome, Severity
from pgvigil.incident import EventKind, Resolution, State
from pgvigil.standing import Standing
from pgvigil.store import CoverageState, Filter
from pgvigil.timing import Interval

_MOST_ROWS = 1000
_LONGEST_VERSION = 200
_LONGEST_NOTE = 2000


def _version(text: str) -> str:
    if not text.isprintable() or text.strip() != text or not 0 < len(text) <= _LONGEST_VERSION:
        raise ValueError(f"expected a version on one line, {_LONGEST_VERSION} characters at the most")
    return text


def _moment(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("expected a time between the years 1 and 9999") from None


Moment = Annotated[AwareDatetime, AfterValidator(_moment)]
"""A time with a zone, in UTC from here on."""


class Answer(BaseModel):
    """Base of what is said; made from the records of the store."""

    model_config = ConfigDict(from_attributes=True)


class Question(BaseModel):
    """Base of what is heard: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid")


class Error(Answer):
    """Why a request was not fulfilled, in one line."""

    error: str


class Nothing(Question):
    """No parameters."""


class Narrowing(Question):
    """What a list is narrowed to, and which page of it."""

    target: str | None = Field(default=None, description="Only of this target.")
    check: str | None = Field(default=None, description="Only of this check.")
    subject: str | None = Field(default=None, description="Only of this subject.")
    limit: int = Field(default=100, ge=1, le=_MOST_ROWS, description="Rows at the most.")
    offset: int = Field(default=0, ge=0, le=10**9, description="Rows to pass over.")

    def filter(self, states: Collection[str] | None = None) -> Filter:
        """Return what the store is asked for."""
        return Filter(
            target=self.target,
            check=self.check,
            subject=self.subject,
            states=states,
            limit=self.limit,
            offset=self.offset,
        )


class OneTarget(Question):
    """Narrowed to a target at the most."""

    target: str | None = Field(default=None, description="Only of this target.")


class SubjectNarrowing(Narrowing):
    """Which subjects."""

    state: list[CoverageState] | None = Field(default=None, description="Only in these states.")


class IncidentNarrowing(Narrowing):
    """Which incidents."""

    state: list[State] | None = Field(default=None, description="Only in these states.")
    severity: list[Severity] | None = Field(default=None, description="Only of these severities.")


class RunNarrowing(Narrowing):
    """Which runs."""

    outcome: list[Outcome] | None = Field(default=None, description="Only with these outcomes.")


class TargetAnswer(Answer):
    """A target, and whether it answered when it was last asked."""

    name: str
    up: bool
    observed_at: datetime
    last_seen_at: datetime | None
    server_version: str | None
    error: str | None


class CheckAnswer(Answer):
    """A check of a target, and when it is due next."""

    target: str
    check: str
    interval_seconds: float | None
    discovered_at: datetime | None
    next_due: datetime | None


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
    """The ticks, `target/check`, that begin now."""

    examining: list[str]


class DeploymentQuestion(Question):
    """A deployment to tell of. Without `target` it is one of all targets, without `at` of now."""

    version: Annotated[str, AfterValidator(_version)] = Field(description="What was deployed.")
    target: str | None = Field(default=None, description="Where.")
    at: Moment | None = Field(default=None, description="When, with a time zone.")
    examine: bool = Field(default=True, description="Whether the target is examined at once.")


class RunQuestion(Question):
    """A tick to begin now."""

    target: str
    check: str | None = Field(default=None, description="One check; all of the target when absent.")


class MarkQuestion(Question):
    """A word on an incident. Without `until` and `for` it holds until the incident resolves."""

    who: str | None = Field(
        default=None, max_length=100, description="Who says so, when a program asks for a person."
    )
    until: Moment | None = Field(default=None, description="When it ends, with a time zone.")
    lasting: Interval | None = Field(
        default=None, alias="for", description="How long it lasts, such as `2h`."
    )
    note: str = Field(default="", max_length=_LONGEST_NOTE, description="Why.")

    @model_validator(mode="after")
    def _one_end(self) -> MarkQuestion:
        if self.until is not None and self.lasting is not None:
            raise ValueError("give until or for, not both")
        return self

    def ends(self, now: datetime) -> datetime | None:
        """Return when it ends; raises ValueError when that is over already."""
        until = now + self.lasting if self.lasting is not None else self.until
        if until is not None and until <= now + timedelta(0):
            raise ValueError("until is in the past")
        return until
