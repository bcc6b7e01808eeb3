"""A scrape: a hundred thousand series, from a plain registry and from the committed state.

Nothing has changed since the scrape before, a thousand runs have been committed since, or all subjects have
been examined again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from bench.measure import Measured, Work, measure
from bench.results import keep
from pgvigil.check import Outcome, Severity
from pgvigil.metrics import Counters, Exposition
from pgvigil.store import CheckStatus, CoverageState, SubjectStatus, View

_GAUGES = ("pgvigil_violations", "pgvigil_run_success", "pgvigil_last_completed_timestamp_seconds")
SERIES = 100_000
_SUBJECTS = SERIES // len(_GAUGES) + 1
_BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
_CHECK = ("games", "orphan_rows")


def run() -> Measured:
    """Compare one exposition with that of a plain registry that holds as many series."""
    registry = _registry()
    measured = measure(
        f"a scrape of {SERIES:,} series; as a ratio to a plain registry of gauges",
        {
            "prometheus_client registry": lambda: generate_latest(registry),
            "pgvigil, nothing changed": _scrapes(0),
            "pgvigil, 1,000 runs since": _scrapes(1_000),
            "pgvigil, all examined since": _scrapes(_SUBJECTS),
        },
    )
    keep("scrape", measured.kept())
    return measured


def _scrapes(runs: int) -> Work:
    """Return what scrapes after so many further runs; what the runs themselves cost is not its matter."""
    exposition, moments = Exposition(Counters()), count()
    views = [_view(runs, next(moments)) for _ in range(8)]
    exposition.text(views[0])
    turns = count(1)
    return lambda: exposition.text(views[next(turns) % len(views)])


def _name(number: int) -> str:
    return f"analytics.child_{number}(parent_id) -> curated.parent_{number}(id)"


_FIRST = {
    (*_CHECK, _name(number)): SubjectStatus(
        target="games",
        check="orphan_rows",
        name=_name(number),
        state=CoverageState.PASSED,
        outcome=Outcome.PASS,
        completed_at=_BEGAN,
        completed_outcome=Outcome.PASS,
        violations={Severity.CRITICAL: 0},
    )
    for number in range(_SUBJECTS)
}


def _view(runs: int, moment: int) -> View:
    """Return a view in which the first `runs` subjects have been examined at another moment."""
    subjects = dict(_FIRST)
    for key in list(subjects)[:runs]:
        subjects[key] = replace(subjects[key], completed_at=_BEGAN + timedelta(minutes=moment))
    checks = {_CHECK: CheckStatus(*_CHECK, 300.0, _BEGAN)}
    return View(*(MappingProxyType(part) for part in ({}, checks, subjects, {})))


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    for gauge in _GAUGES:
        series = Gauge(gauge, gauge, ("target", "check", "subject"), registry=registry)
        for number in range(_SUBJECTS):
            series.labels(*_CHECK, _name(number)).set(number)
    return registry
