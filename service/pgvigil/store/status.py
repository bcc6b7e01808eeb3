"""What is known about targets, checks and subjects right now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pgvigil.check import Outcome, Severity
from pgvigil.run import Run


class CoverageState(StrEnum):
    """What may be said about a subject. Unknown is never shown as green.

    `passed`: the very last run completed and passed. `failed`: the last completed run failed; it stays so
    while later runs do not complete, as what was red must not fade because nobody could look. `unknown`:
    all else: never examined, or not examined to the end since it passed.
    """

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"

    def after(self, outcome: Outcome) -> CoverageState:
        """Return the state after one more run."""
        if outcome is Outcome.PASS:
            return CoverageState.PASSED
        if outcome is Outcome.FAIL or self is CoverageState.FAILED:
            return CoverageState.FAILED
        return CoverageState.UNKNOWN


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """Whether a target answered when it was last asked; `error` is why it did not."""

    name: str
    up: bool
    observed_at: datetime
    last_seen_at: datetime | None = None
    server_version: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """A version that was deployed to a target at a moment, as `marked_by` said."""

    target: str
    version: str
    at: datetime
    marked_by: str = ""


@dataclass(frozen=True, slots=True)
class CheckStatus:
    """A check of a target. `interval_seconds` is None until its subjects were first discovered.

    `swept_at` is when the last sweep began that came to its end.
    """

    target: str
    name: str
    interval_seconds: float | None = None
    discovered_at: datetime | None = None
    swept_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectStatus:
    """One subject of a check: its state, its last run and its last completed run.

    `violations` counts the rows or objects at fault in the last completed run by severity; it holds
    `critical` once a run has completed, and every severity the subject has ever shown, at 0 when healed.
    `measures` are those of the last completed run. `incomplete` counts the runs in a row that did not
    complete.
    """

    target: str
    check: str
    name: str
    state: CoverageState = CoverageState.UNKNOWN
    outcome: Outcome | None = None
    error: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    completed_at: datetime | None = None
    completed_outcome: Outcome | None = None
    violations: Mapping[Severity, int] = field(default_factory=dict)
    measures: Mapping[str, int] = field(default_factory=dict)
    incomplete: int = 0

    def after(self, run: Run) -> SubjectStatus:
        """Return the status after one more run."""
        completed = run.outcome.completed
        # Every field by itself: `replace` takes three times as long, and this is done for every run.
        return SubjectStatus(
            target=self.target,
            check=self.check,
            name=self.name,
            state=self.state.after(run.outcome),
            outcome=run.outcome,
            error=run.error,
            started_at=run.started_at,
            finished_at=run.finished_at,
            completed_at=run.finished_at if completed else self.completed_at,
            completed_outcome=run.outcome if completed else self.completed_outcome,
            violations=_violations(self.violations, run) if completed else self.violations,
            measures=run.measures if completed else self.measures,
            incomplete=0 if completed else self.incomplete + 1,
        )


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many subjects of a check are known, and what may be said about them."""

    target: str
    check: str
    known: int
    passed: int
    failed: int
    unknown: int


def _violations(before: Mapping[Severity, int], run: Run) -> dict[Severity, int]:
    counts = dict.fromkeys((Severity.CRITICAL, *before), 0)
    for finding in run.findings:
        counts[finding.severity] = counts.get(finding.severity, 0) + finding.count
    return counts
