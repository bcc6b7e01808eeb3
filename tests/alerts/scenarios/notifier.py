"""The direct notifier that cannot tell one Alertmanager, or none."""

from __future__ import annotations

from tests.alerts.scenario import Proof, Scenario, Series, series
from tests.alerts.scenarios.itself import JOB, told


def notifier(alertmanager: str, pending: str, accepted: str, failed: str) -> Series:
    return {
        **series("pgvigil_notifications_pending", pending, alertmanager=alertmanager),
        **series("pgvigil_notifications_total", accepted, alertmanager=alertmanager),
        **series("pgvigil_notifications_failed_total", failed, alertmanager=alertmanager),
    }


WORKS = notifier("am-1:9093", "0x90", "0+1x90", "0x90")
SCENARIOS = [
    Scenario(
        "PgvigilNotificationsFailing",
        [Proof.FIRES, Proof.RESOLVES],
        "one of two that takes nothing is a matter for the morning",
        [WORKS, notifier("am-0:9093", "0x9 3x29 0x50", "0+1x9 9x29 10+1x50", "0x9 0+1x29 29x50")],
        {10: 0, 18: 1, 38: 1, 50: 0, 80: 0},
        JOB | {"alertmanager": "am-0:9093", "severity": "warning"},
        told(
            "PgvigilNotificationsFailing",
            "pgvigil cannot tell one of its Alertmanagers",
            "am-0:9093 has taken no alerts of job pgvigil for five minutes. The others still do; see whether "
            "it runs "
            "and can be reached.",
        ),
    ),
    Scenario(
        "PgvigilNotificationsFailing",
        [Proof.FIRES],
        "none that takes anything pages, beside the two that are told of one by one",
        [
            notifier("am-0:9093", "2x30", "0x30", "0x30"),
            notifier("am-1:9093", "2x30", "0x30", "0+1x30"),
        ],
        {1: 0, 5: 3, 30: 3},
    ),
    Scenario(
        "PgvigilNotificationsFailing",
        [Proof.SILENT],
        "a request that succeeds when it is tried again is nothing, nor is having nothing to tell",
        [
            notifier("am-0:9093", "0x9 1 0x30", "0x10 1x30", "0x9 1x30"),
            notifier("am-1:9093", "0x40", "0x40", "0x40"),
        ],
        dict.fromkeys(range(40), 0),
    ),
    Scenario(
        "PgvigilNotificationsFailing",
        [Proof.SURVIVES],
        "minutes without scrapes do not resolve it",
        [
            WORKS,
            notifier("am-0:9093", "3x19 stale _x2 3x20", "0x19 stale _x2 0x20", "0+1x19 stale _x2 0+1x20"),
        ],
        {15: 1, 20: 1, 22: 1, 23: 1, 40: 1},
        JOB | {"alertmanager": "am-0:9093", "severity": "warning"},
    ),
]
