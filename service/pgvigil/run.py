"""A run: what one execution of a check on one subject did and saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pgvigil.check import Finding, JsonValue, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of a check on a subject, over and done.

    The timestamps are the wall clock's and may jump; `duration_seconds` is measured on the monotonic clock.
    `error` says in one line why a run did not complete. `confirm` is how many sightings in a row open an
    incident. The findings of a run that did not complete carry no weight. `measures` are figures that metrics
    show whether or not there is a finding. `explain` says why the strategy was chosen, `memory` is what the
    next run of the subject is to know, `seen` what may be accepted as right of it, `gone` the subjects that
    whoever accepts it takes out. `position` is that of the target before the run's first snapshot: for as
    long as the target stays there the verdict stands; empty when that is not known. `servers` tells since
    when the servers run that it was read from: empty where nothing was, or where these have proven what they
    see.
    """

    target: str
    check: str
    subject: str
    outcome: Outcome
    started_at: datetime
    finished_at: datetime
    duration_seconds: float = 0.0
    rows_examined: int = 0
    strategy: str = ""
    error: str | None = None
    findings: tuple[Finding, ...] = ()
    confirm: int = 1
    measures: Mapping[str, int] = field(default_factory=dict)
    explain: str = ""
    memory: Mapping[str, JsonValue] = field(default_factory=dict)
    seen: Mapping[str, JsonValue] | None = None
    gone: tuple[str, ...] = ()
    position: str = ""
    servers: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.started_at.tzinfo is None or self.finished_at.tzinfo is None:
            raise ValueError("the timestamps of a run carry a time zone")
