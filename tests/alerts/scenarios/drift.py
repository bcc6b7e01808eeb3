"""Drift that grows, told from drift that comes and goes."""

from __future__ import annotations

from tests.alerts.scenario import Proof, Scenario, Series, series

ALERT = "PgvigilDriftGrowing"
PAIR = "curated.enhanced_games <> curated.games_complete"


def drift(kind: str, values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_drift_rows", values, instance, target="games", subject=PAIR, kind=kind)


SCENARIOS = [
    Scenario(
        ALERT,
        [Proof.FIRES, Proof.RESOLVES],
        "fires within the hour when rows are added run by run, resolves when that stops",
        [drift("left_only", "10+1x90 100x60"), drift("changed", "5x150")],
        {20: 0, 70: 1, 90: 1, 135: 0, 150: 0},
        {"job": "pgvigil", "target": "games", "subject": PAIR, "severity": "warning", "check": "table_drift"},
        {
            "summary": "Two tables that hold the same entity drift further and further apart",
            "description": f"games: {PAIR} differ in at least 70 rows, and in more and more for an hour. "
            "Find what "
            "writes to one side only.",
            "runbook_url": f"https://pgvigil.example.org/runbooks/{ALERT}",
            "dashboard_url": "https://grafana.example.org/d/pgvigil-drift?var-target=games",
            "incident_url": "https://pgvigil.example.org/incidents?target=games&check=table_drift&subject="
            "curated.enhanced_games+%3C%3E+curated.games_complete",
        },
    ),
    Scenario(
        ALERT,
        [Proof.SILENT],
        "a batch that lets rows pile up for a quarter of an hour and then moves them is no growth",
        [drift("left_only", " ".join(["0+10x14"] * 12))],
        dict.fromkeys(range(60, 180, 5), 0),
    ),
    Scenario(
        ALERT,
        [Proof.SILENT],
        "much drift that stays the same does not grow, nor does what jumped once",
        [drift("left_only", "100x60 5000x90")],
        dict.fromkeys(range(0, 150, 5), 0),
    ),
    Scenario(
        ALERT,
        [Proof.SURVIVES],
        "a few minutes without scrapes, and a new pod, leave it",
        [drift("left_only", "10+1x79 stale"), drift("left_only", "_x86 96+1x60", "b:9925")],
        {70: 1, 79: 1, 82: 1, 86: 1, 100: 1, 140: 1},
    ),
]
