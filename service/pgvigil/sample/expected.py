"""What a monitor that keeps the public contract reports of planted faults.

The one place that knows the names of checks. It is written by the contract, not by what any check does, so
that a report that differs is a question and not an echo.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pgvigil.sample.planted import Kind, Planted, drift_of

Reported = tuple[str, str, str, int]
"""A finding: check, subject, severity, count."""

# How bad it is that a key is broken, apart from the rows that came in through it. A key that was only
# violated protects again: its rows are all there is to report.
_SEVERITY_OF_KEY = {
    Kind.NOT_VALID: "critical",
    Kind.TRIGGERS_DISABLED: "critical",
    Kind.INVALID_INDEX: "critical",
    Kind.WRONG_PARENT: "warning",
    Kind.MISSING_KEY: "warning",
}


@dataclass(frozen=True, order=True)
class Expected:
    """One finding that has to be reported; `fault` says in words what was done to the database."""

    check: str
    subject: str
    severity: str
    count: int
    fault: str

    @property
    def reported(self) -> Reported:
        """The finding as a report has it, but for the words."""
        return self.check, self.subject, self.severity, self.count


@dataclass(frozen=True)
class Comparison:
    """A report held against the answer key: what it missed, and what it reported that nobody planted.

    A wrong count or severity is both.
    """

    missed: tuple[Expected, ...]
    unplanted: tuple[Reported, ...]

    def __bool__(self) -> bool:
        """Whether report and answer key agree."""
        return not self.missed and not self.unplanted


def expectations(faults: Iterable[Planted]) -> tuple[Expected, ...]:
    """List what has to be reported, in the order of checks and subjects."""
    faults = tuple(faults)
    return tuple(sorted((*_of_keys(faults), *_of_rows(faults), *_of_the_pair(faults))))


def compare(expected: Iterable[Expected], reported: Iterable[Reported]) -> Comparison:
    """Hold findings of severity warning or above against what has to be reported. Notes are left out."""
    left_over = Counter(one for one in reported if one[2] != "info")
    missed = []
    for one in expected:
        if left_over[one.reported]:
            left_over[one.reported] -= 1
        else:
            missed.append(one)
    return Comparison(tuple(missed), tuple(sorted(left_over.elements())))


def _of_keys(faults: Iterable[Planted]) -> Iterator[Expected]:
    for fault in faults:
        if fault.relation and fault.kind in _SEVERITY_OF_KEY:
            severity = _SEVERITY_OF_KEY[fault.kind]
            yield Expected("foreign_keys", fault.relation, severity, 1, fault.description)


def _of_rows(faults: Iterable[Planted]) -> Iterator[Expected]:
    for fault in faults:
        if fault.relation:
            for count, which in (
                (fault.rows - fault.partially_null, ""),
                (fault.partially_null, ", NULL in part"),
            ):
                if count:
                    words = fault.description + which
                    yield Expected("orphan_rows", fault.relation, "critical", count, words)


def _of_the_pair(faults: Iterable[Planted]) -> Iterator[Expected]:
    """All faults of the pair show in at most three findings."""
    of_pair = [fault for fault in faults if fault.pair]
    drift = drift_of(of_pair)
    for count, kinds in (
        (
            drift.left_only + drift.right_only + drift.changed,
            (Kind.LEFT_ONLY, Kind.RIGHT_ONLY, Kind.CHANGED),
        ),
        (drift.left_duplicates, (Kind.LEFT_DUPLICATE,)),
        (drift.left_null_keys + drift.right_null_keys, (Kind.LEFT_NULL_KEY, Kind.RIGHT_NULL_KEY)),
    ):
        if count:
            causes = [fault for fault in of_pair if fault.kind in kinds]
            words = "; ".join(fault.description for fault in causes)
            yield Expected("table_drift", str(causes[0].pair), "warning", count, words)
