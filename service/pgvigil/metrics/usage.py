"""What is taken from targets: budgets, pauses, standbys, what goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

from pgvigil.pressure import Pauses
from pgvigil.underway import Underway
from pgvigil.usage import StandbyUsage, Usage

# A series for every run, however short, would be noise.
_LONG_RUN_SECONDS = 10.0


def usage_metrics(usages: Mapping[str, Usage]) -> Iterator[Metric]:
    """Yield the metrics of what is taken from each target."""
    yield from _usage(usages)
    yield from _pauses({target: usage.pauses for target, usage in usages.items()})
    yield from _standbys({target: usage.standby for target, usage in usages.items() if usage.standby})
    yield _progress(one for usage in usages.values() for one in usage.underway)


def _usage(usages: Mapping[str, Usage]) -> Iterator[Metric]:
    conflicts = CounterMetricFamily(
        "pgvigil_recovery_conflicts",
        "Queries that a standby broke off to go on replaying.",
        labels=["target"],
    )
    busy = CounterMetricFamily(
        "pgvigil_target_busy_seconds", "Seconds for which sessions kept the target busy.", labels=["target"]
    )
    connections = GaugeMetricFamily(
        "pgvigil_budget_connections", "Sessions that may be open at a time.", labels=["target"]
    )
    duty_cycle = GaugeMetricFamily(
        "pgvigil_budget_duty_cycle",
        "Share of the time in which each session may keep the target busy.",
        labels=["target"],
    )
    slots = CounterMetricFamily(
        "pgvigil_slots_dropped",
        "Times that the target's replication slot was dropped for keeping too much, or was lost.",
        labels=["target"],
    )
    for target, usage in usages.items():
        slots.add_metric([target], usage.slots_dropped)
        conflicts.add_metric([target], usage.recovery_conflicts)
        busy.add_metric([target], usage.busy_seconds)
        connections.add_metric([target], usage.connections)
        duty_cycle.add_metric([target], usage.duty_cycle)
    yield from (conflicts, busy, connections, duty_cycle, slots)


def _pauses(targets: Mapping[str, Pauses]) -> Iterator[Metric]:
    by_reason = ("target", "reason")
    paused = GaugeMetricFamily(
        "pgvigil_target_paused",
        "1 while pgvigil makes way for others, by what is too much.",
        labels=by_reason,
    )
    seconds = CounterMetricFamily(
        "pgvigil_target_paused_seconds", "Seconds for which pgvigil made way for others.", labels=by_reason
    )
    visible = GaugeMetricFamily(
        "pgvigil_target_pause_visible",
        "1 where the role can see what a limit of budget.pause is about.",
        labels=by_reason,
    )
    overruled = CounterMetricFamily(
        "pgvigil_target_pauses_overruled",
        "Pauses that were ended for being too long, although the reason for them went on.",
        labels=["target"],
    )
    for target, pauses in targets.items():
        for reason in pauses.paused:
            paused.add_metric([target, reason], pauses.paused[reason])
            seconds.add_metric([target, reason], pauses.seconds[reason])
            visible.add_metric([target, reason], pauses.visible[reason])
        overruled.add_metric([target], pauses.overruled)
    yield from (paused, seconds, visible, overruled)


def _standbys(targets: Mapping[str, StandbyUsage]) -> Iterator[Metric]:
    usable = GaugeMetricFamily(
        "pgvigil_target_standby_usable",
        "1 when the target's standby could be read last time.",
        labels=["target"],
    )
    lag = GaugeMetricFamily(
        "pgvigil_target_standby_lag_seconds",
        "How long the standby took, at the last tick, to replay what the primary had written by then.",
        labels=["target"],
    )
    unread = GaugeMetricFamily(
        "pgvigil_target_standby_unread_seconds",
        "For how long no row could be read on the standby, at the last try to; 0 when one was.",
        labels=["target"],
    )
    reads = CounterMetricFamily(
        "pgvigil_target_reads",
        "Runs of a target that has a standby, by the server that was read.",
        labels=("target", "server"),
    )
    for target, standby in targets.items():
        if standby.usable is not None:
            usable.add_metric([target], standby.usable)
        # What it was when it could be read last says nothing of now.
        if standby.usable and standby.lag_seconds is not None:
            lag.add_metric([target], standby.lag_seconds)
        if standby.unread_seconds is not None:
            unread.add_metric([target], standby.unread_seconds)
        for server, count in standby.reads.items():
            reads.add_metric([target, server], count)
    yield from (usable, lag, unread, reads)


def _progress(underway: Iterable[Underway]) -> Metric:
    metric = GaugeMetricFamily(
        "pgvigil_run_progress_ratio",
        "Share of a long run that is behind, while it goes on and where that is known.",
        labels=("target", "check", "subject"),
    )
    for one in underway:
        if one.done is not None and one.seconds >= _LONG_RUN_SECONDS:
            metric.add_metric([one.target, one.check, one.subject], one.done)
    return metric
