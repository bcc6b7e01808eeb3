"""Metrics: a view of the committed state, and counters of what happened since the start.

A scrape reads memory alone: it waits neither for a target nor for the store. Gauges are made anew from the
view every time, so that a series goes with its subject. Labels hold names and words of the contract only,
never row values, SQL or the text of an error.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    Counter,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from pgvigil import __version__
from pgvigil.check import Outcome, Severity
from pgvigil.clock import Clock, SystemClock
from pgvigil.health import Duty, Health
from pgvigil.run import Run
from pgvigil.standing import Standing, standing
from pgvigil.store import CheckStatus, CoverageState, LiveIncident, SubjectStatus, TargetStatus, View

CONTENT_TYPE: str = CONTENT_TYPE_PLAIN_0_0_4
"""The content type of an exposition."""

MISSED = ("overrun", "late", "crashed")
"""Why a tick did not happen: the one before it still ran, pgvigil was too busy or asleep, or it crashed."""

STANDINGS = tuple(one.value for one in Standing if one is not Standing.RESOLVED)
"""The `state` of `pgvigil_incidents`: each live incident counts in one of them."""

# From a lookup in a small table to a scan at the end of its patience.
_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_DRIFT_CHECK = "table_drift"
_DRIFT_KINDS = ("left_only", "right_only", "changed")
_CHECK = ("target", "check")
_SUBJECT = ("target", "check", "subject")

CheckKey = tuple[str, str]


class Counters:
    """Counts what happened since the start; safe for several threads.

    Every counter of a check begins at zero as soon as the check is known, so that `rate()` sees the first
    event too.
    """

    def __init__(self) -> None:
        # No registry of the process: two daemons in one process (a test, say) share nothing.
        self._runs = Counter("pgvigil_runs", "Runs by outcome.", (*_CHECK, "outcome"), registry=None)
        self._seconds = Histogram(
            "pgvigil_run_duration_seconds", "How long runs took.", _CHECK, buckets=_SECONDS, registry=None
        )
        self._rows = Counter("pgvigil_rows_examined", "Rows that runs have judged.", _CHECK, registry=None)
        self._missed = Counter(
            "pgvigil_ticks_missed", "Ticks that did not happen when due.", (*_CHECK, "reason"), registry=None
        )
        self._store_errors = Counter(
            "pgvigil_store_errors", "Times that the state store could not be read or written.", registry=None
        )
        self.health = Health()
        self._conflicts: dict[str, int] = {}
        self._checks: set[CheckKey] = set()

    def observe(self, run: Run) -> None:
        """Count a run that ended, however it ended."""
        key = run.target, run.check
        self.expect([key])
        self._runs.labels(*key, run.outcome.value).inc()
        self._seconds.labels(*key).observe(run.duration_seconds)
        self._rows.labels(*key).inc(run.rows_examined)

    def tick_missed(self, target: str, check: str, reason: str) -> None:
        """Count a tick that did not happen; `reason` is one of MISSED."""
        self.expect([(target, check)])
        self._missed.labels(target, check, reason).inc()

    def store_failed(self, duty: Duty, at: datetime, reason: str) -> bool:
        """Count a failure of the state store, and what it keeps from being done; tells whether it is news."""
        self._store_errors.inc()
        return self.health.failed(duty, at, reason)

    def recovery_conflicts(self, target: str, total: int) -> None:
        """Note how many queries a standby has broken off since the start."""
        self._conflicts[target] = total

    def expect(self, checks: Iterable[CheckKey]) -> None:
        """Let the counters of these checks begin at zero, unless they have begun."""
        for key in checks:
            if key in self._checks:
                continue
            for outcome in Outcome:
                self._runs.labels(*key, outcome.value)
            for reason in MISSED:
                self._missed.labels(*key, reason)
            self._seconds.labels(*key)
            self._rows.labels(*key)
            self._conflicts.setdefault(key[0], 0)
            self._checks.add(key)

    def collect(self) -> Iterator[Metric]:
        """Yield all counters."""
        for counter in (self._runs, self._seconds, self._rows, self._missed, self._store_errors):
            yield from counter.collect()
        conflicts = CounterMetricFamily(
            "pgvigil_recovery_conflicts",
            "Queries that a standby broke off to go on replaying.",
            None,
            ["target"],
        )
        for target, total in list(self._conflicts.items()):
            conflicts.add_metric([target], total)
        yield conflicts


def exposition(view: View, counters: Counters, clock: Clock | None = None) -> bytes:
    """Return all metrics in Prometheus' text format; `clock` tells whether a mute still holds."""
    # When a counter began is known from its zero; the switch is the whole process's.
    disable_created_metrics()  # type: ignore[no-untyped-call] # the library leaves it without types
    counters.expect(view.checks)
    now = (clock or SystemClock()).now()
    return generate_latest(
        _Collected(
            chain(_state(view, now), [_store_up(counters.health)], counters.collect(), [_build_info()])
        )
    )


class _Collected(Collector):
    """Metrics that have been collected, as what prometheus_client writes out."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Yield them, with labels that the format can carry."""
        for metric in self._metrics:
            metric.samples = [sample._replace(labels=_printable(sample.labels)) for sample in metric.samples]
            yield metric


def _printable(labels: Mapping[str, str]) -> dict[str, str]:
    """Replace what no scrape can carry (NUL, lone surrogates): one odd name must not cost all the others."""
    return {
        name: value.replace("\0", "\ufffd").encode(errors="replace").decode()
        for name, value in labels.items()
    }


def _state(view: View, now: datetime) -> Iterator[Metric]:
    subjects = view.subjects.values()
    yield _target_up(view.targets.values())
    yield _interval(view.checks.values())
    yield _coverage(view.checks, subjects)
    yield _incidents(view.checks, view.incidents.values(), now)
    yield _run_success(subjects)
    yield _last_completed(subjects)
    yield _violations(subjects)
    yield _drift(subjects)


def _store_up(health: Health) -> Metric:
    metric = GaugeMetricFamily("pgvigil_store_up", "1 while the state store does its work.")
    metric.add_metric([], not health.trouble)
    return metric


def _target_up(targets: Iterable[TargetStatus]) -> Metric:
    metric = GaugeMetricFamily(
        "pgvigil_target_up", "1 when the target answered last time.", labels=["target"]
    )
    for target in targets:
        metric.add_metric([target.name], target.up)
    return metric


def _interval(checks: Iterable[CheckStatus]) -> Metric:
    metric = GaugeMetricFamily(
        "pgvigil_interval_seconds", "The longest time between two ticks.", labels=_CHECK
    )
    for check in checks:
        if check.interval_seconds is not None:
            metric.add_metric([check.target, check.name], check.interval_seconds)
    return metric


def _coverage(checks: Iterable[CheckKey], subjects: Iterable[SubjectStatus]) -> Metric:
    counts = {(*key, state): 0 for key in checks for state in CoverageState}
    for subject in subjects:
        key = subject.target, subject.check, subject.state
        counts[key] = counts.get(key, 0) + 1
    metric = GaugeMetricFamily(
        "pgvigil_subjects", "Known subjects by what may be said about them.", labels=(*_CHECK, "state")
    )
    for labels, count in counts.items():
        metric.add_metric(labels, count)
    return metric


def _incidents(checks: Iterable[CheckKey], incidents: Iterable[LiveIncident], now: datetime) -> Metric:
    counts = {
        (*key, severity.value, state): 0 for key in checks for severity in Severity for state in STANDINGS
    }
    for one in incidents:
        key = one.target, one.check, one.severity.value, standing(one, now)
        counts[key] = counts.get(key, 0) + 1
    metric = GaugeMetricFamily(
        "pgvigil_incidents",
        "Live incidents, each in one state; open ones are neither acknowledged nor muted.",
        labels=(*_CHECK, "severity", "state"),
    )
    for labels, count in counts.items():
        metric.add_metric(labels, count)
    return metric


def _run_success(subjects: Iterable[SubjectStatus]) -> Metric:
    metric = GaugeMetricFamily(
        "pgvigil_run_success", "1 when the last run completed, 0 also before the first.", labels=_SUBJECT
    )
    for one in subjects:
        completed = one.outcome is not None and one.outcome.completed
        metric.add_metric([one.target, one.check, one.name], completed)
    return metric


def _last_completed(subjects: Iterable[SubjectStatus]) -> Metric:
    metric = GaugeMetricFamily(
        "pgvigil_last_completed_timestamp_seconds", "When the last completed run ended.", labels=_SUBJECT
    )
    for one in subjects:
        if one.completed_at is not None:
            metric.add_metric([one.target, one.check, one.name], one.completed_at.timestamp())
    return metric


def _violations(subjects: Iterable[SubjectStatus]) -> Metric:
    metric = GaugeMetricFamily(
        "pgvigil_violations",
        "Rows or objects at fault in the last completed run.",
        labels=(*_SUBJECT, "severity"),
    )
    for one in subjects:
        for severity, count in one.violations.items():
            metric.add_metric([one.target, one.check, one.name, severity.value], count)
    return metric


def _drift(subjects: Iterable[SubjectStatus]) -> Metric:
    metric = GaugeMetricFamily(
        "pgvigil_drift_rows",
        "Rows in which the two tables of an entity pair differ, in the last completed run.",
        labels=("target", "subject", "kind"),
    )
    for one in subjects:
        if one.check == _DRIFT_CHECK:
            for kind in _DRIFT_KINDS:
                if kind in one.measures:
                    metric.add_metric([one.target, one.name, kind], one.measures[kind])
    return metric


def _build_info() -> Metric:
    metric = GaugeMetricFamily(
        "pgvigil_build_info", "The version of pgvigil that runs, always 1.", labels=["version", "python"]
    )
    metric.add_metric([__version__, platform.python_version()], 1)
    return metric
