"""A scrape: the metrics of twenty thousand subjects, from a plain registry and from the committed state."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from bench.measure import Measured, measure
from pgvigil.check import Outcome, Severity
from pgvigil.metrics import Counters, Exposition
from pgvigil.store import CheckStatus, CoverageState, SubjectStatus, View

_SUBJECTS = 20_000
_GAUGES = ("pgvigil_violations", "pgvigil_run_success", "pgvigil_last_completed_timestamp_seconds")


def run() -> Measured:
    """Compare one exposition with that of a plain registry that holds as many series."""
    view, exposition, registry = _view(), Exposition(Counters()), _registry()
    return measure(
        f"a scrape of {_SUBJECTS:,} subjects; as a ratio to a plain registry of gauges",
        {
            "prometheus_client registry": lambda: generate_latest(registry),
            "pgvigil": lambda: exposition.text(view),
        },
    )


def _name(number: int) -> str:
    return f"analytics.child_{number}(parent_id) -> curated.parent_{number}(id)"


def _view() -> View:
    now = datetime.now(UTC)
    subjects = {
        ("games", "orphan_rows", _name(number)): SubjectStatus(
            target="games",
            check="orphan_rows",
            name=_name(number),
            state=CoverageState.PASSED,
            outcome=Outcome.PASS,
            completed_at=now,
            completed_outcome=Outcome.PASS,
            violations={Severity.CRITICAL: 0},
        )
        for number in range(_SUBJECTS)
    }
    checks = {("games", "orphan_rows"): CheckStatus("games", "orphan_rows", 300.0, now)}
    return View(*(MappingProxyType(part) for part in ({}, checks, subjects, {})))


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    for gauge in _GAUGES:
        series = Gauge(gauge, gauge, ("target", "check", "subject"), registry=registry)
        for number in range(_SUBJECTS):
            series.labels("games", "orphan_rows", _name(number)).set(number)
    return registry
