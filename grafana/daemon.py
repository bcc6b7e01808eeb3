"""What pgvigil says of itself: whether it leads, records and keeps up, and what it costs the targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.models.common import BigValueTextMode

from grafana import guest, words
from grafana.frame import chosen, framed, serialized
from grafana.links import runbook
from grafana.panels import Lines, Look, Spot, big, lines, now, over_time
from grafana.promql import lag, own, rate, state, work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grafana.panels import AnyPanel

_OUTCOMES = {
    "pass": words.PASSED,
    "fail": words.CRITICAL,
    "error": words.UNKNOWN,
    "timeout": words.WARNING,
    "skipped": words.PLAIN,
}
_REASONS = {"overrun": words.WARNING, "late": words.FURTHER, "crashed": words.CRITICAL}
_WORKS = words.said({"1": ("works", words.PASSED), "0": ("in trouble", words.CRITICAL)})


def build() -> str:
    """Return the dashboard's JSON."""
    instances = 'label_values(pgvigil_build_info{job=~"$job"}, instance)'
    frame = framed(
        "pgvigil-self",
        "pgvigil: itself",
        "Whether pgvigil leads, records and keeps up, and how much of its budget it uses.",
        "now-6h",
    ).with_variable(chosen("instance", "Instance", instances))
    return serialized(frame, [*_state(), *_pace(), *_cost(), *guest.panels(28), *_trouble(52)])


def _state() -> Iterator[AnyPanel]:
    yield big(
        Spot(
            at=(0, 0, 5, 4),
            title="Leads",
            description="The process that examines and records; the others stand by.",
            links=[runbook("PgvigilNoLeader")],
        ),
        now(f"{own('pgvigil_leader')} == 1", "{{instance}}"),
        Look(
            missing="nobody leads",
            thresholds=words.thresholds((1, words.PASSED)),
            mappings=(words.said({"1": ("leads", words.PASSED)}),),
        ),
        text=BigValueTextMode.VALUE_AND_NAME,
    )
    yield big(
        Spot(
            at=(5, 0, 4, 4),
            title="Processes",
            description="The processes that answer, by version.",
            links=[runbook("PgvigilDown")],
        ),
        now(f"count by (version) ({own('pgvigil_build_info')})", "{{version}}"),
        Look(missing="nobody answers", thresholds=words.thresholds((1, words.PASSED)), mappings=()),
        text=BigValueTextMode.VALUE_AND_NAME,
    )
    yield big(
        Spot(
            at=(9, 0, 4, 4),
            title="Store",
            description="Whether results can be recorded. In trouble: what is shown may be of the past.",
            links=[runbook("PgvigilStoreTrouble"), runbook("PgvigilResultsLost")],
        ),
        now(f"min({own('pgvigil_store_up')})"),
        Look(mappings=(_WORKS,), thresholds=words.thresholds((0, words.CRITICAL), (1, words.PASSED))),
    )
    yield big(
        Spot(
            at=(13, 0, 4, 4),
            title="Configuration",
            description="Whether the configuration in force is the one that was read last.",
            links=[runbook("PgvigilConfigReloadFailed")],
        ),
        now(f"min({own('pgvigil_config_last_reload_successful')})"),
        Look(
            mappings=(words.said({"1": ("in force", words.PASSED), "0": ("refused", words.WARNING)}),),
            thresholds=words.thresholds((0, words.WARNING), (1, words.PASSED)),
        ),
    )
    yield big(
        Spot(
            at=(17, 0, 4, 4),
            title="Ticks missed in 1 h",
            description="Ticks that did not happen when they were due.",
            links=[runbook("PgvigilTicksMissed")],
        ),
        now(f"ceil(sum(increase({work('pgvigil_ticks_missed_total')}[1h])))"),
        Look(thresholds=words.none_or(words.WARNING)),
    )
    yield big(
        Spot(
            at=(21, 0, 3, 4),
            title="Undelivered",
            description="Incidents whose last change an Alertmanager has not got from the direct notifier.",
            links=[runbook("PgvigilNotificationsFailing")],
        ),
        now(f"max({own('pgvigil_notifications_pending')})"),
        Look(thresholds=words.none_or(words.WARNING), missing="not used"),
    )


def _pace() -> Iterator[AnyPanel]:
    bucket = rate(work("pgvigil_run_duration_seconds_bucket"))
    yield lines(
        Spot(
            at=(0, 4, 12, 8),
            title="Age of the oldest result, in intervals",
            description="How long the subject that waits longest has waited, in intervals of its check. "
            "Above 3 it is overdue.",
            links=[runbook("PgvigilResultStale"), runbook("PgvigilCheckNotCompleting")],
        ),
        [over_time(f"max by (target, check) ({lag()})", "{{target}} {{check}}")],
        Lines(unit="none", steps=False, limit=(3, words.UNKNOWN)),
    )
    yield lines(
        Spot(
            at=(12, 4, 12, 8),
            title="How long runs take",
            description="95 of 100 runs of each check took no longer.",
        ),
        [
            over_time(
                f"histogram_quantile(0.95, sum by (le, target, check) ({bucket}))", "{{target}} {{check}}"
            )
        ],
        Lines(unit="s", steps=False, least_top=0.01),
    )
    yield lines(
        Spot(
            at=(0, 12, 12, 8),
            title="Runs a minute, by outcome",
            description="Errors, timeouts and skipped runs leave their subjects unknown.",
            links=[runbook("PgvigilCheckNotCompleting")],
        ),
        [over_time(f"60 * sum by (outcome) ({rate(work('pgvigil_runs_total'))})", "{{outcome}}")],
        Lines(colors=_OUTCOMES, stacked=True, steps=False),
    )
    yield lines(
        Spot(
            at=(12, 12, 12, 8),
            title="Coverage",
            description="The share of subjects that were examined and passed, by target.",
            links=[runbook("PgvigilCoverageUnknown")],
        ),
        [
            over_time(
                f"sum by (target) ({state('pgvigil_subjects', state='passed')})"
                f" / sum by (target) ({state('pgvigil_subjects')})",
                "{{target}}",
            )
        ],
        Lines(unit="percentunit", top=1),
    )


def _cost() -> Iterator[AnyPanel]:
    busy = f"sum by (job, target) ({rate(work('pgvigil_target_busy_seconds_total'))})"
    allowed = (
        f"(max by (job, target) ({state('pgvigil_budget_connections')})"
        f" * max by (job, target) ({state('pgvigil_budget_duty_cycle')}))"
    )
    yield lines(
        Spot(
            at=(0, 20, 12, 8),
            title="Budget used",
            description="How busy sessions kept each target, of what its budget allows: connections times "
            "duty cycle. At 100 % checks wait for one another.",
        ),
        [over_time(f"{busy} / {allowed}", "{{target}}")],
        Lines(unit="percentunit", steps=False, limit=(1, words.WARNING)),
    )
    yield lines(
        Spot(at=(12, 20, 12, 8), title="Rows examined a second", description="Rows that runs have judged."),
        [
            over_time(
                f"sum by (target, check) ({rate(work('pgvigil_rows_examined_total'))})",
                "{{target}} {{check}}",
            )
        ],
        Lines(steps=False),
    )


def _trouble(y: int) -> Iterator[AnyPanel]:
    yield lines(
        Spot(
            at=(0, y, 8, 8),
            title="Ticks missed",
            description="Ticks that did not happen when due, by reason.",
            links=[runbook("PgvigilTicksMissed")],
        ),
        [over_time(f"sum by (reason) ({_increase(work('pgvigil_ticks_missed_total'))})", "{{reason}}")],
        Lines(bars=True, colors=_REASONS),
    )
    yield lines(
        Spot(
            at=(8, y, 8, 8),
            title="Store errors and recovery conflicts",
            description="Times that the store could not be read or written, and queries that a standby "
            "broke off.",
            links=[runbook("PgvigilResultsLost")],
        ),
        [
            over_time(f"sum({_increase(own('pgvigil_store_errors_total'))})", "store errors"),
            over_time(
                f"sum({_increase(work('pgvigil_recovery_conflicts_total'))})", "recovery conflicts", "B"
            ),
        ],
        Lines(bars=True, colors={"store errors": words.CRITICAL, "recovery conflicts": words.WARNING}),
    )
    yield lines(
        Spot(
            at=(16, y, 8, 8),
            title="Direct notifications a minute",
            description="Alerts that Alertmanagers have accepted from the direct notifier, requests that "
            "failed, and incidents that wait. Empty when the direct notifier is not used.",
            links=[runbook("PgvigilNotificationsFailing")],
        ),
        [
            over_time(f"60 * sum({rate(own('pgvigil_notifications_total'))})", "accepted"),
            over_time(f"60 * sum({rate(own('pgvigil_notifications_failed_total'))})", "failed", "B"),
            over_time(f"max({own('pgvigil_notifications_pending')})", "waiting", "C"),
        ],
        Lines(
            steps=False,
            missing="not used",
            colors={"accepted": words.PASSED, "failed": words.CRITICAL, "waiting": words.WARNING},
        ),
    )


def _increase(counter: str) -> str:
    return f"increase({counter}[$__rate_interval])"
