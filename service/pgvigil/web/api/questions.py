"""What the API is asked and told: the parameters of a request, and its body as JSON."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from pgvigil.check import Outcome, Severity
from pgvigil.incident import State
from pgvigil.proposal import ProposalState
from pgvigil.store import CoverageState, Filter
from pgvigil.timing import Interval

_MOST_ROWS = 1000
_LONGEST_VERSION = 200
_LONGEST_NOTE = 2000
_MOST_RELATIONS = 100_000


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


class Question(BaseModel):
    """Base of what is asked and told: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid")


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
        if until is not None and until <= now:
            raise ValueError("until is in the past")
        return until


class ProposalNarrowing(Question):
    """Which proposals."""

    target: str | None = Field(default=None, description="Only of this target.")
    state: list[ProposalState] | None = Field(default=None, description="Only in these states.")


class AcceptanceNarrowing(Question):
    """Of what."""

    target: str | None = Field(default=None, description="Only of this target.")
    check: str | None = Field(default=None, description="Only of this check.")


_Who = Annotated[
    str | None, Field(max_length=100, description="Who says so, when a program asks for a person.")
]


class DecisionQuestion(Question):
    """A word on a proposal."""

    who: _Who = None
    note: str = Field(default="", max_length=_LONGEST_NOTE, description="Why.")


class ImportQuestion(Question):
    """Relations that a team has written down elsewhere."""

    target: str | None = Field(default=None, description="Where; the one target when absent.")
    source: str = Field(max_length=_LONGEST_VERSION, description="Where they come from.")
    relations: list[str] = Field(
        max_length=_MOST_RELATIONS, description="Each `schema.child(column, …) -> schema.parent(column, …)`."
    )
    adopt: bool = Field(default=True, description="Whether they are examined from now on.")
    who: _Who = None


class AcceptQuestion(Question):
    """What is right from now on."""

    target: str | None = Field(default=None, description="Where; the one target when absent.")
    check: str = Field(default="schema_drift", description="Of which check.")
    subject: str | None = Field(default=None, description="One subject; all that differ when absent.")
    seen: str | None = Field(
        default=None, description="What was looked at: refused when something else was seen since."
    )
    who: _Who = None
