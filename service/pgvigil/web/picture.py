"""What the console says, worked out from the committed state. Pure: no clock, no I/O.

Green is only what was examined to its end, recently, and passed; for anything less the picture has a word.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pgvigil.check import Severity
from pgvigil.standing import Standing, standing
from pgvigil.store import CheckStatus, CoverageState, LiveIncident, SubjectStatus, TargetStatus, View
from pgvigil.store.view import CheckKey
from pgvigil.watch import WHOLE_CHECK
from pgvigil.window import Window

STALE_AFTER = 3
"""A result is stale when it is older than this many intervals of its check: something holds the ticks up."""


_NO_WINDOWS: Mapping[str, Window] = {}


class Level(StrEnum):
    """How much the whole wants to be looked at, the most urgent first."""

    CRITICAL = "critical"
    WARNING = "warning"
    UNKNOWN = "unknown"
    ATTENDED = "attended"
    CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Part:
    """One figure of the headline; `kind` is stable, `word` is what people read."""

    kind: str
    count: int
    word: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The state of everything in one line: the `parts`, or `text` when there are none; `asides` can wait."""

    level: Level
    text: str
    parts: tuple[Part, ...]
    asides: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """What may be said about one check of a target.

    `stale` counts the passed subjects whose result is stale. `oldest` is the oldest completed result, None
    when there is none. `discovered` is false until the check's subjects were looked for; `unfound` is why
    they could not be found, None when they could.
    """

    target: str
    check: str
    discovered: bool
    unfound: str | None
    examined: bool
    passed: int
    failed: int
    unknown: int
    stale: int
    interval_seconds: float | None
    oldest: datetime | None
    due: datetime | None

    @property
    def known(self) -> int:
        """How many subjects the check has."""
        return self.passed + self.failed + self.unknown


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A target and its coverage; `status` is None until it was first asked.

    `window` is in which hours it is examined, None where that is at any time. `rests_until` is when the next
    one begins, None within one.
    """

    name: str
    status: TargetStatus | None
    known: int
    passed: int
    failed: int
    unknown: int
    window: Window | None = None
    rests_until: datetime | None = None

    @property
    def answers(self) -> bool:
        """Whether the target could be asked, and said nothing that kept a check from its work."""
        return self.status is not None and self.status.up and self.status.error is None


@dataclass(frozen=True, slots=True)
class Console:
    """The whole of the console's first page, at the moment `at`."""

    at: datetime
    headline: Headline
    incidents: tuple[LiveIncident, ...]
    coverage: tuple[CoverageRow, ...]
    targets: tuple[TargetRow, ...]


def console(
    view: View,
    next_due: Mapping[str, datetime],
    now: datetime,
    *,
    windows: Mapping[str, Window] = _NO_WINDOWS,
    not_ready: str = "",
) -> Console:
    """Work the picture out; `next_due` holds the next tick by `target/check`, for all that is configured.

    `windows` are those of the targets that have one. While pgvigil is not ready, for the reason given, the
    view may be of the past, and nothing is clean.
    """
    coverage = _coverage(view, next_due, now)
    targets = _targets(view, coverage, windows, now)
    incidents = tuple(sorted(view.incidents.values(), key=lambda incident: urgency(incident, now)))
    headline = _headline(coverage, targets, incidents, now)
    if not_ready and headline.level in {Level.CLEAN, Level.ATTENDED}:
        headline = replace(headline, level=Level.UNKNOWN, text="pgvigil is not ready")
    return Console(now, headline, incidents, coverage, targets)


def urgency(incident: LiveIncident, now: datetime) -> tuple[int, int, int, str, str, str]:
    """Order incidents: what nobody takes care of first, then by severity, by count, and by name."""
    order = list(Standing).index(standing(incident, now))
    return order, -incident.severity.rank, -incident.count, incident.subject, incident.title, incident.id


def _coverage(view: View, next_due: Mapping[str, datetime], now: datetime) -> tuple[CoverageRow, ...]:
    subjects: defaultdict[CheckKey, list[SubjectStatus]] = defaultdict(list)
    for (target, check, _), subject in view.subjects.items():
        subjects[target, check].append(subject)
    due = {_check_key(job): moment for job, moment in next_due.items()}
    return tuple(
        _coverage_row(key, view.checks.get(key, CheckStatus(*key)), subjects[key], due.get(key), now)
        for key in sorted(view.checks.keys() | subjects.keys() | due.keys())
    )


def _check_key(job: str) -> CheckKey:
    target, _, check = job.rpartition("/")
    return target, check


def _coverage_row(
    key: CheckKey, check: CheckStatus, subjects: list[SubjectStatus], due: datetime | None, now: datetime
) -> CoverageRow:
    states = Counter(subject.state for subject in subjects)
    return CoverageRow(
        *key,
        discovered=bool(subjects) or check.discovered_at is not None,
        unfound=next((subject.error for subject in subjects if subject.name == WHOLE_CHECK), None),
        examined=any(subject.outcome is not None for subject in subjects),
        passed=states[CoverageState.PASSED],
        failed=states[CoverageState.FAILED],
        unknown=states[CoverageState.UNKNOWN],
        stale=sum(is_stale(subject, check.interval_seconds, now) for subject in subjects),
        interval_seconds=check.interval_seconds,
        oldest=min((subject.completed_at for subject in subjects if subject.completed_at), default=None),
        due=due,
    )


def is_stale(subject: SubjectStatus, interval_seconds: float | None, now: datetime) -> bool:
    """Tell whether a subject passed too long ago to be called clean."""
    if subject.state is not CoverageState.PASSED or subject.completed_at is None or not interval_seconds:
        return False
    return now - subject.completed_at > timedelta(seconds=STALE_AFTER * interval_seconds)


def _targets(
    view: View, coverage: Iterable[CoverageRow], windows: Mapping[str, Window], now: datetime
) -> tuple[TargetRow, ...]:
    rows: defaultdict[str, list[CoverageRow]] = defaultdict(list)
    for row in coverage:
        rows[row.target].append(row)
    return tuple(
        TargetRow(
            name,
            view.targets.get(name),
            known=sum(row.known for row in rows[name]),
            passed=sum(row.passed for row in rows[name]),
            failed=sum(row.failed for row in rows[name]),
            unknown=sum(row.unknown for row in rows[name]),
            window=windows.get(name),
            rests_until=_rests_until(windows.get(name), now),
        )
        for name in sorted(view.targets.keys() | rows.keys())
    )


def _rests_until(window: Window | None, now: datetime) -> datetime | None:
    return None if window is None or window.holds(now) else window.next_start(now)


def _headline(
    coverage: tuple[CoverageRow, ...],
    targets: tuple[TargetRow, ...],
    incidents: tuple[LiveIncident, ...],
    now: datetime,
) -> Headline:
    standings = Counter(standing(incident, now) for incident in incidents)
    open_ones = Counter(
        incident.severity for incident in incidents if standing(incident, now) is Standing.OPEN
    )
    down = sum(target.status is not None and not target.status.up for target in targets)
    waiting = sum(not row.discovered for row in coverage)
    resting = sum(target.rests_until is not None for target in targets)
    parts = _present(
        Part("down", down, "target down" if down == 1 else "targets down"),
        Part("critical", open_ones[Severity.CRITICAL], "critical"),
        Part("warning", open_ones[Severity.WARNING], "warning"),
        Part("unknown", sum(row.unknown for row in coverage), "unknown"),
        Part("stale", sum(row.stale for row in coverage), "stale"),
    )
    asides = _present(
        Part("suspect", standings[Standing.SUSPECT], "suspect"),
        Part("acknowledged", standings[Standing.ACKNOWLEDGED], "acknowledged"),
        Part("muted", standings[Standing.MUTED], "muted"),
        Part("info", open_ones[Severity.INFO], "info"),
        Part("waiting", waiting, "check not examined yet" if waiting == 1 else "checks not examined yet"),
        Part("resting", resting, "target rests" if resting == 1 else "targets rest"),
    )
    level = _level(open_ones, parts, coverage, targets)
    return Headline(level, _text(level, coverage), parts, asides)


def _present(*parts: Part) -> tuple[Part, ...]:
    return tuple(part for part in parts if part.count)


def _level(
    open_ones: Counter[Severity],
    parts: tuple[Part, ...],
    coverage: tuple[CoverageRow, ...],
    targets: tuple[TargetRow, ...],
) -> Level:
    if open_ones[Severity.CRITICAL]:
        return Level.CRITICAL
    if open_ones[Severity.WARNING]:
        return Level.WARNING
    if parts or not _all_examined(coverage, targets):
        return Level.UNKNOWN
    return Level.ATTENDED if any(row.failed for row in coverage) else Level.CLEAN


def _text(level: Level, coverage: tuple[CoverageRow, ...]) -> str:
    if level is Level.CLEAN:
        return "All clean"
    if level is not Level.UNKNOWN:
        return "Nothing urgent"
    if not any(row.examined for row in coverage):
        nothing_there = coverage and all(row.discovered and not row.known for row in coverage)
        return "Nothing to examine" if nothing_there else "Not examined yet"
    return "Not everything could be examined"


def _all_examined(coverage: tuple[CoverageRow, ...], targets: tuple[TargetRow, ...]) -> bool:
    """Tell whether there is something to examine, and all of it could be."""
    return (
        any(row.known for row in coverage)
        and all(row.discovered for row in coverage)
        and all(target.answers for target in targets)
    )
