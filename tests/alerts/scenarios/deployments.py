"""What is new since a deployment is told to those who deployed."""

from __future__ import annotations

from tests.alerts.scenario import Proof, Scenario, Series, series

ALERT = "PgvigilNewViolationsSinceDeployment"


def deployed(version: str, minute: int, values: str, instance: str = "a:9925") -> Series:
    return series(
        "pgvigil_deployment_timestamp_seconds",
        values.replace("AT", str(60 * minute)),
        instance,
        target="games",
        version=version,
    )


def new(values: str, instance: str = "a:9925", severity: str = "critical") -> Series:
    return series(
        "pgvigil_new_incidents", values, instance, target="games", check="orphan_rows", severity=severity
    )


LABELS = {"job": "pgvigil", "target": "games", "check": "orphan_rows", "severity": "warning"}

SCENARIOS = [
    Scenario(
        ALERT,
        [Proof.FIRES, Proof.RESOLVES],
        "fires with the version that is newest, resolves when the faults are healed",
        [
            deployed("41", 0, "ATx60"),
            deployed("42", 10, "_x10 ATx60"),
            new("0x10 0x4 2x10 0x40"),
            new("0x10 0x4 1x10 0x40", severity="warning"),
        ],
        {9: 0, 12: 0, 16: 1, 25: 1, 27: 0, 60: 0},
        LABELS | {"version": "42"},
        {
            "summary": "New faults since a deployment",
            "description": "games: incidents of orphan_rows first seen since version 42 was deployed: 3. "
            "Compare them with what it changed.",
            "runbook_url": f"https://pgvigil.example.org/runbooks/{ALERT}",
            "dashboard_url": "https://grafana.example.org/d/pgvigil-overview?var-target=games",
            "incident_url": "https://pgvigil.example.org/incidents?target=games&check=orphan_rows",
        },
    ),
    Scenario(
        ALERT,
        [Proof.SILENT],
        "notes are no faults, and without a deployment nothing is new",
        [deployed("42", 0, "ATx30 stale"), new("3x60", severity="info"), new("_x40 3x20")],
        {10: 0, 30: 0, 50: 0},
    ),
    Scenario(
        ALERT,
        [Proof.RESOLVES],
        "a day after the deployment it is nobody's news, whatever is still broken",
        [deployed("42", 0, "ATx375"), new("0x2 1x375")],
        {20: 1, 1436: 1, 1444: 0, 1500: 0},
        step=4,
    ),
    Scenario(
        ALERT,
        [Proof.SURVIVES],
        "a restart leaves it, and two versions marked at the same second are one alert",
        [
            deployed("42", 0, "ATx20 stale"),
            deployed("43", 0, "ATx20 stale"),
            new("1x20 stale"),
            deployed("42", 0, "_x23 ATx20", "b:9925"),
            deployed("43", 0, "_x23 ATx20", "b:9925"),
            new("_x23 1x20", "b:9925"),
        ],
        {10: 1, 20: 1, 22: 1, 23: 1, 40: 1},
    ),
]
