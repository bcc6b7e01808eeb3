"""The metrics of single subjects and incidents: lines of text, written once for each committed state.

There are as many as a target has relations. They are written when their subject changes, and a scrape only
puts blocks of them together: with a hundred thousand series that is a matter of milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import Any

from prometheus_client.utils import floatToGoString

from pgvigil.metrics.blocks import Blocks, Lines
from pgvigil.standing import Standing, standing
from pgvigil.store import CoverageState, LiveIncident, SubjectStatus, View

SubjectKey = tuple[str, str, str]

Coverage = tuple[str, str, CoverageState]
"""Target, check and what may be said about the subject."""

Kind = tuple[str, str, str, str]
"""Target, check, severity and standing of an incident."""

DRIFT_CHECK = "table_drift"
DRIFT_KINDS = ("left_only", "right_only", "changed")
DRIFT_BUDGET = "budget_rows"
"""The measure that holds how many rows of an entity pair may differ."""

_OF_SUBJECTS = (
    ("pgvigil_run_success", "1 when the last run completed, 0 also before the first."),
    ("pgvigil_last_completed_timestamp_seconds", "When the last completed run ended."),
    ("pgvigil_incomplete_runs", "Runs in a row that did not complete; only where the last one did not."),
    ("pgvigil_violations", "Rows or objects at fault in the last completed run."),
    (
        "pgvigil_drift_rows",
        "Rows in which the two tables of an entity pair differ, in the last completed run.",
    ),
    ("pgvigil_drift_budget_rows", "Rows of an entity pair that may differ before it is at fault."),
)
_OF_INCIDENTS = (
    ("pgvigil_incident_violations", "Rows or objects at fault when a live incident was last seen."),
    ("pgvigil_incident_first_seen_timestamp_seconds", "When a live incident was first seen."),
)


@dataclass(frozen=True, slots=True)
class Written:
    """The series of single subjects and incidents, in pieces of text, and how many there are of each kind."""

    pieces: Sequence[bytes]
    subjects: Mapping[Coverage, int]
    incidents: Mapping[Kind, int]


class Series:
    """Writes the series of a view; remembers what it wrote of the view before. Safe for several threads."""

    def __init__(self) -> None:
        self._subjects: Blocks[SubjectKey, SubjectStatus, Coverage] = Blocks(
            _of_subject, _covered, _of_subject_again
        )
        self._incidents: Blocks[str, tuple[LiveIncident, Standing], Kind] = Blocks(_of_incident, _kind)
        self._lock = Lock()

    def written(self, view: View, now: datetime) -> Written:
        """Return the text of all metrics, and what their subjects and incidents come to."""
        standings = {key: (one, standing(one, now)) for key, one in view.incidents.items()}
        with self._lock:
            self._subjects.update(view.subjects)
            self._incidents.update(standings)
            pieces = [*_families(_OF_SUBJECTS, self._subjects), *_families(_OF_INCIDENTS, self._incidents)]
            return Written(pieces, self._subjects.counts(), self._incidents.counts())


def _families(of: Iterable[tuple[str, str]], blocks: Blocks[Any, Any, Any]) -> Iterator[bytes]:
    for number, (name, meaning) in enumerate(of):
        yield f"# HELP {name} {meaning}\n# TYPE {name} gauge\n".encode()
        yield from blocks.texts(number)


def _covered(one: SubjectStatus) -> Coverage:
    return one.target, one.check, one.state


def _kind(of: tuple[LiveIncident, Standing]) -> Kind:
    one, state = of
    return one.target, one.check, one.severity.value, state.value


def _of_subject(one: SubjectStatus) -> Lines:
    target, check, subject = map(escaped, (one.target, one.check, one.name))
    labels = f'target="{target}",check="{check}",subject="{subject}"'
    completed = one.outcome is not None and one.outcome.completed
    violations = "".join(
        f'pgvigil_violations{{{labels},severity="{severity.value}"}} {_number(count)}\n'
        for severity, count in one.violations.items()
    )
    ended = "" if one.completed_at is None else _last_completed(labels, one.completed_at)
    drift = _of_pair(one, f'target="{target}",subject="{subject}"') if one.check == DRIFT_CHECK else ("", "")
    success = f"pgvigil_run_success{{{labels}}} {_number(completed)}\n"
    incomplete = f"pgvigil_incomplete_runs{{{labels}}} {_number(one.incomplete)}\n" if one.incomplete else ""
    return (success, ended, incomplete, violations, *drift)


def _of_subject_again(one: SubjectStatus, before: SubjectStatus, lines: Lines) -> Lines:
    """Write a subject after a run like the one before: all that differs is when it ended."""
    success, ended, *others = lines
    at = one.completed_at
    if at is None or not ended or not _looks_like(one, before):
        return _of_subject(one)
    labelled = ended[: ended.rindex(" ")]
    return (success, f"{labelled} {_moment(at)}\n", *others)


def _looks_like(one: SubjectStatus, before: SubjectStatus) -> bool:
    """Whether the same is shown of a subject as before, but for when it was last examined."""
    return (
        one.outcome == before.outcome
        and one.incomplete == before.incomplete
        and one.violations == before.violations
        and one.measures == before.measures
    )


def _last_completed(labels: str, at: datetime) -> str:
    return f"pgvigil_last_completed_timestamp_seconds{{{labels}}} {_moment(at)}\n"


def _of_pair(one: SubjectStatus, labels: str) -> tuple[str, str]:
    rows = "".join(
        f'pgvigil_drift_rows{{{labels},kind="{kind}"}} {_number(one.measures[kind])}\n'
        for kind in DRIFT_KINDS
        if kind in one.measures
    )
    budget = one.measures.get(DRIFT_BUDGET)
    return rows, "" if budget is None else f"pgvigil_drift_budget_rows{{{labels}}} {_number(budget)}\n"


def _of_incident(of: tuple[LiveIncident, Standing]) -> Lines:
    one, state = of
    values = {
        "target": one.target,
        "check": one.check,
        "subject": one.subject,
        "code": one.code,
        "severity": one.severity.value,
        "state": state.value,
    }
    labels = ",".join(f'{name}="{escaped(value)}"' for name, value in values.items())
    return (
        f"pgvigil_incident_violations{{{labels}}} {_number(one.count)}\n",
        f"pgvigil_incident_first_seen_timestamp_seconds{{{labels}}} {_number(one.first_seen.timestamp())}\n",
    )


def printable(value: str) -> str:
    """Replace what no scrape can carry (NUL, lone surrogates): one odd name must not cost all the others."""
    return value.replace("\0", "\ufffd").encode(errors="replace").decode()


def escaped(value: str) -> str:
    """Write a label's value as the text format wants it between quotes."""
    return printable(value).replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@lru_cache(maxsize=1024)
def _moment(at: datetime) -> str:
    """Write a moment as Unix time; the subjects of a batch have the same one."""
    return _number(at.timestamp())


def _number(value: float) -> str:
    return str(floatToGoString(value))  # type: ignore[no-untyped-call] # the library leaves it without types
