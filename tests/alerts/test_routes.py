"""Who is told of which alert, by `amtool config routes test`."""

from __future__ import annotations

import subprocess

import pytest

from tests.alerts.conftest import ALERTMANAGER
from tests.alerts.rules import Rule, alerting
from tests.background import program

BY_SEVERITY = {"critical": "pgvigil-pager", "warning": "pgvigil-tickets", "info": "pgvigil-chat"}
OF_THEIR_OWN = {
    "PgvigilWatchdog": "pgvigil-deadman",
    "PgvigilNewViolationsSinceDeployment": "pgvigil-deployments",
}


def receiver(**labels: str) -> str:
    command = [program("amtool"), "config", "routes", "test"]
    command += [f"--config.file={ALERTMANAGER / 'alertmanager.yml'}"]
    command += [f"{name}={value}" for name, value in labels.items()]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return answer.stdout.strip()


def cases() -> list[tuple[str, str]]:
    """Return the alerts with their severities; an incident may have any."""

    def severities(rule: Rule) -> list[str]:
        own = rule.get("labels", {}).get("severity")
        return [own] if own else list(BY_SEVERITY)

    return [(str(rule["alert"]), severity) for rule in alerting() for severity in severities(rule)]


@pytest.mark.parametrize(("alert", "severity"), cases())
def test_an_alert_goes_to(alert: str, severity: str) -> None:
    expected = OF_THEIR_OWN.get(alert) or BY_SEVERITY[severity]
    assert receiver(alertname=alert, severity=severity, job="pgvigil", target="games") == expected


def test_the_direct_notifier_takes_the_same_way() -> None:
    labels = {
        "target": "games",
        "check": "orphan_rows",
        "subject": "a(b) -> c(d)",
        "code": "orphans",
        "team": "x",
    }
    assert receiver(alertname="PgvigilOrphanRows", severity="critical", **labels) == "pgvigil-pager"


def test_what_has_no_severity_that_is_known_is_not_lost() -> None:
    assert receiver(alertname="PgvigilCheckFailing", severity="grave", target="games") == "pgvigil-tickets"
    assert receiver(alertname="PgvigilCheckFailing") == "pgvigil-tickets"
