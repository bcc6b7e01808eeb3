"""The metrics of single subjects and incidents: lines of text, written once for each committed state.

There are as many as a target has relations. They are written when their subject changes, and a scrape only
puts them together: with twenty thousand subjects that is a matter of milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Generic, TypeVar

from prometheus_client.utils import floatToGoString

from pgvigil.standing import Standing, standing
from pgvigil.store import LiveIncident, SubjectStatus, View

K = TypeVar("K")
T = TypeVar("T")

Lines = tuple[str, ...]
"""What is written of one subject or incident: a piece of text for each metric, in the metrics' order."""

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


class Series:
    """Writes the series of a view; remembers the lines of what has not changed since the view before."""

    def __init__(self) -> None:
        self._subjects: _Written[tuple[str, str, str], SubjectStatus] = _Written()
        self._incidents: _Written[str, tuple[LiveIncident, Standing]] = _Written()

    def text(self, view: View, now: datetime) -> Iterator[str]:
        """Yield the text of all metrics, piece by piece."""
        yield from _families(_OF_SUBJECTS, self._subjects.lines(view.subjects, _of_subject))
        standings = {key: (one, standing(one, now)) for key, one in view.incidents.items()}
        yield from _families(_OF_INCIDENTS, self._incidents.lines(standings, _of_incident))


class _Written(Generic[K, T]):
    """The lines of the last view by key, each with what it was written of."""

    def __init__(self) -> None:
        self._known: dict[K, tuple[T, Lines]] = {}

    def lines(self, of: Mapping[K, T], write: Callable[[T], Lines]) -> list[Lines]:
        """Return the lines of all; what goes out of sight is forgotten."""
        known = self._known
        now: dict[K, tuple[T, Lines]] = {}
        for key, one in of.items():
            before = known.get(key)
            # Records never change, and most are the very ones of the view before.
            if before is None or not (before[0] is one or before[0] == one):
                before = (one, write(one))
            now[key] = before
        self._known = now
        return [lines for _, lines in now.values()]


def _families(of: Iterable[tuple[str, str]], lines: list[Lines]) -> Iterator[str]:
    columns: Iterable[Iterable[str]] = zip(*lines, strict=True) if lines else ((),) * len(tuple(of))
    for (name, meaning), column in zip(of, columns, strict=True):
        yield from chain((f"# HELP {name} {meaning}\n# TYPE {name} gauge\n",), column)


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


def _last_completed(labels: str, at: datetime) -> str:
    return f"pgvigil_last_completed_timestamp_seconds{{{labels}}} {_number(at.timestamp())}\n"


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


def _number(value: float) -> str:
    return str(floatToGoString(value))  # type: ignore[no-untyped-call] # the library leaves it without types
