"""The few gauges that sum up a view: targets, checks, coverage, incidents, deployments."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily

from pgvigil import __version__
from pgvigil.check import Severity
from pgvigil.health import Health
from pgvigil.metrics.lines import Coverage, Kind, Written
from pgvigil.standing import Standing, standing
from pgvigil.store import (
    CheckStatus,
    CoverageState,
    Deployment,
    TargetStatus,
    View,
)

STANDINGS = tuple(one.value for one in Standing if one is not Standing.RESOLVED)
"""The `state` of `pgvigil_incidents`: each live incident counts in one of them."""

_CHECK = ("target", "check")

CheckKey = tuple[str, str]


def gauges(view: View, written: Written, now: datetime, health: Health) -> Iterator[Metric]:
    """Yield the gauges of a view whose series were written; `now` tells whether a mute still holds."""
    yield _target_up(view.targets.values())
    yield _interval(view.checks.values())
    yield _swept(view.checks.values())
    yield _coverage(view.checks, written.subjects)
    yield _incidents(view.checks, written.incidents)
    yield _deployments(view.deployments)
    yield _new_incidents(view, now)
    yield _store_up(health)
    yield _build_info()


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


def _swept(checks: Iterable[CheckStatus]) -> Metric:
    metric = GaugeMetricFamily(
        "pgvigil_last_sweep_timestamp_seconds",
        "When the last sweep began that came to its end, over all subjects of the check.",
        labels=_CHECK,
    )
    for check in checks:
        if check.swept_at is not None:
            metric.add_metric([check.target, check.name], check.swept_at.timestamp())
    return metric


def _coverage(checks: Iterable[CheckKey], subjects: Mapping[Coverage, int]) -> Metric:
    none = {(*key, state): 0 for key in checks for state in CoverageState}
    metric = GaugeMetricFamily(
        "pgvigil_subjects", "Known subjects by what may be said about them.", labels=(*_CHECK, "state")
    )
    for labels, count in {**none, **subjects}.items():
        metric.add_metric(labels, count)
    return metric


def _incidents(checks: Iterable[CheckKey], incidents: Mapping[Kind, int]) -> Metric:
    none = {
        (*key, severity.value, state): 0 for key in checks for severity in Severity for state in STANDINGS
    }
    metric = GaugeMetricFamily(
        "pgvigil_incidents",
        "Live incidents, each in one state; open ones are neither acknowledged nor muted.",
        labels=(*_CHECK, "severity", "state"),
    )
    for labels, count in {**none, **incidents}.items():
        metric.add_metric(labels, count)
    return metric


def _deployments(deployments: Mapping[str, tuple[Deployment, ...]]) -> Metric:
    metric = GaugeMetricFamily(
        "pgvigil_deployment_timestamp_seconds",
        "When a version was deployed to a target; the last ones.",
        labels=["target", "version"],
    )
    # A version that was deployed again was deployed when it last was.
    last = {(one.target, one.version): one.at for each in deployments.values() for one in reversed(each)}
    for labels, at in last.items():
        metric.add_metric(labels, at.timestamp())
    return metric


def _new_incidents(view: View, now: datetime) -> Metric:
    """Count what was first seen since the last deployment of its target; suspects and mutes alert nobody."""
    since = {target: each[0].at for target, each in view.deployments.items() if each}
    counts = {(*key, severity.value): 0 for key in view.checks if key[0] in since for severity in Severity}
    for one in view.incidents.values():
        new = one.target in since and one.first_seen >= since[one.target]
        if new and standing(one, now) in (Standing.OPEN, Standing.ACKNOWLEDGED):
            key = one.target, one.check, one.severity.value
            counts[key] = counts.get(key, 0) + 1
    metric = GaugeMetricFamily(
        "pgvigil_new_incidents",
        "Incidents, open or acknowledged, that were first seen since the target's last deployment.",
        labels=(*_CHECK, "severity"),
    )
    for labels, count in counts.items():
        metric.add_metric(labels, count)
    return metric


def _build_info() -> Metric:
    metric = GaugeMetricFamily(
        "pgvigil_build_info", "The version of pgvigil that runs, always 1.", labels=["version", "python"]
    )
    metric.add_metric([__version__, platform.python_version()], 1)
    return metric
