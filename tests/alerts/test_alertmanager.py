"""What people are told, by a real Alertmanager with the shipped configuration."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.alertmanager import alert
from tests.alerts.conftest import Notified
from tests.webhook import Notification, Webhook

Run = Callable[..., Notified]

HEALTH = {"job": "pgvigil", "namespace": "watch"}
TARGET = HEALTH | {"target": "games"}
CHECK = TARGET | {"check": "orphan_rows"}
RELATION = "analytics.{}(game_id) -> curated.games_complete(id)"
BURNING = [
    ("PgvigilIntegrityBudgetBurningFast", TARGET | {"severity": "warning"}),
    ("PgvigilIntegrityBudgetBurningSlow", TARGET | {"severity": "warning"}),
]
FOLLOWS_FROM_SILENCE = [
    ("PgvigilCheckNotCompleting", CHECK | {"severity": "warning"}),
    ("PgvigilCoverageUnknown", CHECK | {"severity": "warning"}),
    ("PgvigilResultStale", CHECK | {"severity": "critical"}),
    *BURNING,
]

Named = tuple[str, dict[str, str]]


def orphans(child: str = "player_sessions", severity: str = "critical", **others: str) -> dict[str, str]:
    """Return the labels of an incident's alert, as the direct notifier has them."""
    return {
        "alertname": "PgvigilOrphanRows",
        "severity": severity,
        "target": "games",
        "check": "orphan_rows",
        "subject": RELATION.format(child),
        "code": "orphans",
    } | others


def said(rows: int = 42) -> dict[str, str]:
    return {
        "summary": "Child rows refer to parents that do not exist",
        "description": f"games: {rows} rows without a parent.\nFirst seen 2025-01-01 00:00:00 UTC.",
        "runbook_url": "https://pgvigil.example.org/runbooks/PgvigilOrphanRows",
        "incident_url": "https://pgvigil.example.org/incidents/17",
        "evidence_sql": "SELECT c.id\nFROM analytics.player_sessions AS c\nWHERE c.id < 3;",
        "sample": '{"id": 1}\n{"id": "<b>"}',
        "remedy": "Restore the missing rows.",
    }


def _of(group: dict[str, str]) -> Callable[[Notification], bool]:
    return lambda one: bool(one.body["groupLabels"] == group)


def _tells_of(name: str) -> Callable[[Notification], bool]:
    return lambda one: name in one.names()


def suppressed(running: Notified) -> list[str]:
    found = running.alertmanager.alerts()
    return sorted(one["labels"]["alertname"] for one in found if one["status"]["state"] == "suppressed")


def test_a_parent_that_was_deleted_is_one_page(notified: Run) -> None:
    running = notified()
    running.alertmanager.post_all([alert(orphans(f"t{number}")) for number in range(12)])
    page = running.webhook.wait_for(lambda one: len(one.alerts) == 12)
    assert page.receiver == "pgvigil-pager"
    assert page.body["groupLabels"] == {"target": "games"}
    assert len(running.webhook.notifications) == 1


def test_two_databases_are_two_pages_and_so_are_two_clusters(notified: Run) -> None:
    running = notified()
    running.alertmanager.post_all(
        [alert(orphans()), alert(orphans(target="shop")), alert(orphans(cluster="elsewhere"))]
    )
    for wanted in ({"target": "games"}, {"target": "shop"}, {"target": "games", "cluster": "elsewhere"}):
        running.webhook.wait_for(_of(wanted))
    assert len(running.webhook.to("pager")) == 3


def test_a_page_ends_with_its_fault(notified: Run) -> None:
    running = notified()
    running.alertmanager.post(orphans())
    running.webhook.wait_for(lambda one: one.status == "firing")
    running.alertmanager.post(orphans(), ends_at=datetime.now(UTC))
    over = running.webhook.wait_for(lambda one: one.status == "resolved")
    assert over.names("resolved") == ["PgvigilOrphanRows"]


@pytest.mark.parametrize(
    ("source", "silenced"),
    [
        pytest.param(
            ("PgvigilTargetDown", TARGET | {"severity": "critical"}),
            [
                *FOLLOWS_FROM_SILENCE,
                ("PgvigilNothingExamined", TARGET | {"severity": "warning"}),
                ("PgvigilTicksMissed", CHECK | {"severity": "warning"}),
            ],
            id="a target that is down",
        ),
        pytest.param(
            ("PgvigilDown", HEALTH | {"severity": "critical"}),
            [
                *FOLLOWS_FROM_SILENCE,
                ("PgvigilNoLeader", HEALTH | {"severity": "critical"}),
                ("PgvigilNotificationsFailing", HEALTH | {"severity": "critical"}),
                ("PgvigilTicksMissed", CHECK | {"severity": "warning"}),
            ],
            id="pgvigil that is gone",
        ),
        pytest.param(
            ("PgvigilStoreTrouble", HEALTH | {"severity": "critical"}),
            [
                *FOLLOWS_FROM_SILENCE,
                ("PgvigilNoLeader", HEALTH | {"severity": "critical"}),
                ("PgvigilResultsLost", HEALTH | {"severity": "warning"}),
            ],
            id="a store that does not work",
        ),
        pytest.param(
            ("PgvigilNoLeader", HEALTH | {"severity": "critical"}),
            [*FOLLOWS_FROM_SILENCE, ("PgvigilDown", TARGET | {"severity": "critical"})],
            id="nobody who leads",
        ),
        pytest.param(
            ("PgvigilDown", TARGET | {"severity": "critical"}),
            FOLLOWS_FROM_SILENCE,
            id="pgvigil that is gone, of a target",
        ),
        pytest.param(
            ("PgvigilNoLeader", TARGET | {"severity": "critical"}),
            FOLLOWS_FROM_SILENCE,
            id="nobody who leads, of a target",
        ),
        pytest.param(
            ("PgvigilCheckNotCompleting", CHECK | {"severity": "critical"}),
            [("PgvigilCoverageUnknown", CHECK | {"severity": "warning"}), *BURNING],
            id="a check that does not complete",
        ),
        pytest.param(
            ("PgvigilResultStale", CHECK | {"severity": "critical"}),
            [("PgvigilTicksMissed", CHECK | {"severity": "warning"}), *BURNING],
            id="results that are stale",
        ),
        pytest.param(("PgvigilOrphanRows", orphans()), BURNING, id="a fault, of the budget"),
        pytest.param(
            ("PgvigilDriftAboveBudget", {"severity": "warning", "target": "games", "subject": "a <> b"}),
            [("PgvigilDriftGrowing", TARGET | {"severity": "warning", "subject": "a <> b"}), *BURNING],
            id="drift above its budget",
        ),
        pytest.param(
            ("PgvigilNotificationsFailing", HEALTH | {"severity": "critical"}),
            [("PgvigilNotificationsFailing", HEALTH | {"severity": "warning", "alertmanager": "am-0:9093"})],
            id="the worse of two severities",
        ),
        pytest.param(BURNING[0], BURNING[1:], id="a budget that burns fast"),
    ],
)
def test_one_fault_is_told_once(notified: Run, source: Named, silenced: list[Named]) -> None:
    running = notified()
    name, labels = source
    running.alertmanager.post(labels | {"alertname": name})
    running.webhook.wait_for(lambda one: one.names() == [name])
    running.alertmanager.post_all([alert(labels | {"alertname": name}) for name, labels in silenced])
    # Others' alerts are told: whatever was to be told of the first one has been by then.
    for severity, target in (("critical", "shop"), ("warning", "store")):
        running.alertmanager.post(orphans(severity=severity, target=target))
        running.webhook.wait_for(_of({"target": target}))
    assert suppressed(running) == sorted(name for name, _ in silenced)
    told = {each for one in running.webhook.notifications for each in one.names()}
    assert told == {name, "PgvigilOrphanRows"}


STALE_ELSEWHERE = [
    ("PgvigilResultStale", CHECK | {"target": "shop", "severity": "critical"}),
    ("PgvigilCheckNotCompleting", CHECK | {"target": "shop", "severity": "warning"}),
    ("PgvigilNotificationsFailing", HEALTH | {"severity": "critical"}),
]


@pytest.mark.parametrize(
    ("source", "others"),
    [
        pytest.param(
            ("PgvigilDown", TARGET | {"severity": "critical"}),
            STALE_ELSEWHERE,
            id="pgvigil that is gone, of a target that another one watches",
        ),
        pytest.param(
            ("PgvigilNoLeader", TARGET | {"severity": "critical"}),
            STALE_ELSEWHERE,
            id="nobody who leads, of a target that another one watches",
        ),
        pytest.param(
            ("PgvigilStoreTrouble", HEALTH | {"severity": "warning"}),
            [
                ("PgvigilResultStale", CHECK | {"severity": "critical"}),
                ("PgvigilCheckNotCompleting", CHECK | {"severity": "warning"}),
                ("PgvigilResultsLost", HEALTH | {"severity": "warning"}),
            ],
            id="a replica that stands by, of what the leader finds",
        ),
        pytest.param(
            ("PgvigilCheckNotCompleting", CHECK | {"severity": "warning"}),
            [("PgvigilCoverageUnknown", CHECK | {"severity": "warning"})],
            id="some subjects, of all that are unknown",
        ),
    ],
)
def test_nothing_is_silenced_by_an_alert_of_something_else(
    notified: Run, source: Named, others: list[Named]
) -> None:
    running = notified()
    every = [source, *others]
    running.alertmanager.post_all([alert(labels | {"alertname": name}) for name, labels in every])
    for name, _ in every:
        running.webhook.wait_for(_tells_of(name))
    assert suppressed(running) == []


def test_faults_are_told_of_whatever_the_state_of_pgvigil(notified: Run) -> None:
    running = notified()
    for name in ("PgvigilDown", "PgvigilStoreTrouble", "PgvigilNoLeader"):
        running.alertmanager.post(HEALTH | {"alertname": name, "severity": "critical"})
    running.alertmanager.post(TARGET | {"alertname": "PgvigilTargetDown", "severity": "critical"})
    running.alertmanager.post(orphans())
    running.webhook.wait_for(lambda one: "PgvigilOrphanRows" in one.names())
    running.webhook.wait_for(lambda one: "PgvigilTargetDown" in one.names())


def test_a_severity_that_eases_ends_the_page_and_makes_a_ticket(notified: Run) -> None:
    running = notified()
    running.alertmanager.post(orphans())
    running.webhook.wait_for(lambda one: one.receiver == "pgvigil-pager")
    running.alertmanager.post_all(
        [alert(orphans(), ends_at=datetime.now(UTC)), alert(orphans(severity="warning"))]
    )
    running.webhook.wait_for(lambda one: one.receiver == "pgvigil-pager" and one.status == "resolved")
    running.webhook.wait_for(lambda one: one.receiver == "pgvigil-tickets" and one.status == "firing")


def test_the_watchdog_is_heard_again_and_again(notified: Run) -> None:
    running = notified()
    running.alertmanager.post({"alertname": "PgvigilWatchdog", "severity": "none"})
    first = running.webhook.wait_for(lambda one: one.receiver == "pgvigil-deadman")
    assert first.names() == ["PgvigilWatchdog"]
    running.webhook.wait_for(lambda one: one.at > first.at)


def slack(webhook: Webhook) -> dict[str, Any]:
    """Return a receiver that shows what the templates make of a notification."""
    return {
        "slack_configs": [
            {
                "api_url": webhook.url("slack"),
                "channel": "#x",
                "title": '{{ template "pgvigil.title" . }}',
                "title_link": '{{ template "pgvigil.link" . }}',
                "text": '{{ template "pgvigil.slack" . }}',
                "fallback": '{{ template "pgvigil.text" . }}',
                "color": '{{ template "pgvigil.color" . }}',
                "footer": '{{ template "pgvigil.severity" . }}',
                "send_resolved": True,
            }
        ],
        "webhook_configs": [],
    }


def texts(notification: Notification) -> dict[str, str]:
    (attachment,) = notification.body["attachments"]
    return dict(attachment)


def is_slack(notification: Notification) -> bool:
    return notification.path == "/slack"


def test_a_single_fault_is_told_with_its_evidence(notified: Run) -> None:
    running = notified(slack)
    started = datetime(2025, 1, 1, 0, 0, 5, tzinfo=UTC)
    running.alertmanager.post(orphans(), said(), starts_at=started)
    told = texts(running.webhook.wait_for(is_slack))
    assert told["title"] == (
        "CRITICAL games: Child rows refer to parents that do not exist: "
        "analytics.player_sessions(game_id) -> curated.games_complete(id)"
    )
    assert (told["title_link"], told["color"], told["footer"]) == (
        "https://pgvigil.example.org/incidents/17",
        "danger",
        "critical",
    )
    assert told["fallback"].splitlines() == [
        "* games: 42 rows without a parent.",
        "  First seen 2025-01-01 00:00:00 UTC.",
        "  Alert since 2025-01-01 00:00:05 UTC",
        "  Rows, for example:",
        '  {"id": 1}',
        '  {"id": "<b>"}',
        "  To see them in psql:",
        "  SELECT c.id",
        "  FROM analytics.player_sessions AS c",
        "  WHERE c.id < 3;",
        "  Remedy: Restore the missing rows.",
        "  Incident: https://pgvigil.example.org/incidents/17",
        "  What to do: https://pgvigil.example.org/runbooks/PgvigilOrphanRows",
    ]
    assert '```{"id": 1}\n{"id": "&lt;b&gt;"}```' in told["text"]
    assert "<https://pgvigil.example.org/runbooks/PgvigilOrphanRows|what to do>" in told["text"]


def test_the_alerts_of_the_rules_have_no_evidence_and_read_well(notified: Run) -> None:
    running = notified(slack)
    few = {name: text for name, text in said().items() if name not in ("evidence_sql", "sample", "remedy")}
    running.alertmanager.post(orphans(), few, starts_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert texts(running.webhook.wait_for(is_slack))["fallback"].splitlines() == [
        "* games: 42 rows without a parent.",
        "  First seen 2025-01-01 00:00:00 UTC.",
        "  Alert since 2025-01-01 00:00:00 UTC",
        "  Incident: https://pgvigil.example.org/incidents/17",
        "  What to do: https://pgvigil.example.org/runbooks/PgvigilOrphanRows",
    ]


def test_of_two_hundred_faults_ten_are_told_and_the_rest_is_a_number(notified: Run) -> None:
    running = notified(slack)
    every = [alert(orphans(f"t{number}"), said(number)) for number in range(200)]
    running.alertmanager.post_all(every)
    told = texts(running.webhook.wait_for(lambda one: is_slack(one) and "199 more" in texts(one)["title"]))
    assert told["title"] == "CRITICAL games: Child rows refer to parents that do not exist and 199 more"
    for text in (told["text"], told["fallback"]):
        assert text.count("rows without a parent") == 10
        assert "… and 190 more" in text
        assert "psql" not in text
    running.alertmanager.post_all([one | {"endsAt": datetime.now(UTC).isoformat()} for one in every])
    over = texts(
        running.webhook.wait_for(lambda one: is_slack(one) and texts(one)["title"].startswith("No longer"))
    )
    assert over["color"] not in ("good", "warning", "danger")
    assert "… and 190 more" in over["fallback"]


@pytest.mark.parametrize(
    ("end", "why"),
    [
        pytest.param({}, "", id="by the rules"),
        pytest.param({"end": "Muted by ada <3."}, ". Muted by ada {}3.", id="by the direct notifier"),
    ],
)
def test_what_no_longer_alerts_need_not_be_over_and_asks_for_nothing(
    notified: Run, end: dict[str, str], why: str
) -> None:
    running = notified(slack)
    running.alertmanager.post(orphans(), said())
    running.webhook.wait_for(is_slack)
    running.alertmanager.post(orphans(), said() | end, ends_at=datetime.now(UTC))
    told = texts(
        running.webhook.wait_for(lambda one: is_slack(one) and texts(one)["title"].startswith("No longer"))
    )
    fault = "games: Child rows refer to parents that do not exist: analytics.player_sessions(game_id) {} "
    fault += "curated.games_complete(id)"
    assert told["title"] == f"No longer alerting: {fault.format('->')}"
    assert told["fallback"] == f"* No longer alerting: {fault.format('->')}{why.format('<')}\n"
    assert told["text"] == f"• No longer alerting: {fault.format('-&gt;')}{why.format('&lt;')}\n"


def test_what_is_about_a_check_or_about_pgvigil_has_a_headline_too(notified: Run) -> None:
    running = notified(slack)
    note = {"summary": "Nobody has looked for too long"}
    running.alertmanager.post(CHECK | {"alertname": "PgvigilResultStale", "severity": "critical"}, note)
    told = texts(running.webhook.wait_for(is_slack))
    assert told["title"] == "CRITICAL games: Nobody has looked for too long: orphan_rows"
    assert told["title_link"] == "https://pgvigil.example.org/incidents?target=games"
    running.webhook.clear()
    running.alertmanager.post(
        HEALTH | {"alertname": "PgvigilDown", "severity": "critical"}, {"summary": "Gone"}
    )
    assert texts(running.webhook.wait_for(is_slack))["title"] == "CRITICAL Gone"
