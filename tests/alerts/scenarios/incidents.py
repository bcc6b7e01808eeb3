"""The alerts of incidents: they follow what pgvigil says, and hold it while pgvigil says nothing."""

from __future__ import annotations

from tests.alerts.scenario import Proof, Scenario, Series, series, target_up

RELATION = "analytics.player_sessions(game_id) -> curated.games_complete(id)"
PAIR = "curated.enhanced_games <> curated.games_complete"
CHECKS = {
    "PgvigilOrphanRows": ("orphan_rows", RELATION, "orphans", "critical"),
    "PgvigilForeignKeyNotProtecting": ("foreign_keys", RELATION, "not_valid", "critical"),
    "PgvigilForeignKeyNote": ("foreign_keys", RELATION, "unindexed", "info"),
    "PgvigilDriftAboveBudget": (
        "table_drift",
        PAIR,
        "drift",
        "warning",
    ),
    "PgvigilCheckFailing": ("negative_balances", 'bank."Accounts"', "negative", "info"),
}


def incident(alert: str, values: str, instance: str = "a:9925", **others: str) -> Series:
    """Return the series of an incident, and of when it was first seen: in the first second of 2030."""
    check, subject, code, severity = CHECKS[alert]
    labels = {"target": "games", "check": check, "subject": subject, "code": code, "severity": severity}
    labels |= {"state": "open"} | others
    seen = " ".join(
        part if part.startswith(("_", "stale")) else f"1893456000.944x{part.partition('x')[2] or 0}"
        for part in values.split()
    )
    return {
        **series("pgvigil_incident_violations", values, instance, **labels),
        **series("pgvigil_incident_first_seen_timestamp_seconds", seen, instance, **labels),
    }


def labels_of(alert: str, **others: str) -> dict[str, str]:
    check, subject, code, severity = CHECKS[alert]
    return {
        "job": "pgvigil",
        "target": "games",
        "check": check,
        "subject": subject,
        "code": code,
        "severity": severity,
    } | others


def life(alert: str, description: str, dashboard: str, summary: str, query: str) -> list[Scenario]:
    """Return what holds for the alert of any incident."""
    urls = {
        "runbook_url": f"https://pgvigil.example.org/runbooks/{alert}",
        "dashboard_url": f"https://grafana.example.org/d/{dashboard}?var-target=games",
        "incident_url": f"https://pgvigil.example.org/incidents?target=games&{query}",
    }
    return [
        Scenario(
            alert,
            [Proof.FIRES, Proof.RESOLVES],
            "fires at the first evaluation after the incident opened, resolves at the first after it healed",
            [target_up("1x20"), incident(alert, "_x4 42x3 43 stale")],
            {3: 0, 4: 1, 8: 1, 9: 0, 20: 0},
            labels_of(alert),
            {"summary": summary, "description": description} | urls,
        ),
        Scenario(
            alert,
            [Proof.SILENT],
            "a suspect pages nobody",
            [target_up("1x20"), incident(alert, "42x20", state="suspect")],
            {0: 0, 10: 0, 20: 0},
        ),
        Scenario(
            alert,
            [Proof.SILENT],
            "what runs count is not yet an incident",
            [
                target_up("1x20"),
                series(
                    "pgvigil_violations",
                    "42x20",
                    target="games",
                    check=CHECKS[alert][0],
                    subject=CHECKS[alert][1],
                    severity=CHECKS[alert][3],
                ),
            ],
            {0: 0, 20: 0},
        ),
        Scenario(
            alert,
            [Proof.SURVIVES],
            "hours without pgvigil do not resolve it, and it is the same when a new pod speaks",
            [
                target_up("1x4 stale"),
                incident(alert, "42x4 stale"),
                target_up("_x400 1x20", "b:9925"),
                incident(alert, "_x400 42x20", "b:9925"),
            ],
            {4: 1, 5: 1, 60: 1, 399: 1, 400: 1, 420: 1},
            labels_of(alert),
        ),
        Scenario(
            alert,
            [Proof.RESOLVES],
            "what healed while Prometheus did not see pgvigil resolves with the first scrape",
            [target_up("1x4 stale _x60 1x20"), incident(alert, "42x4 stale")],
            {4: 1, 65: 1, 66: 0, 80: 0},
        ),
        Scenario(
            alert,
            [Proof.SILENT],
            "what was over when pgvigil went away is not brought back",
            [target_up("1x30 stale"), incident(alert, "42x4 stale")],
            {4: 1, 5: 0, 30: 0, 31: 0, 40: 0, 90: 0},
        ),
    ]


SCENARIOS = [
    *life(
        "PgvigilOrphanRows",
        "games: rows without a parent (orphans) in analytics.player_sessions(game_id) -> "
        "curated.games_complete(id): 42, first seen 2030-01-01 00:00:00 UTC. Restore the parents, or "
        "do what the incident says; it names the rows.",
        "pgvigil-relations",
        "Child rows refer to parents that do not exist",
        "check=orphan_rows&subject=analytics.player_sessions%28game_id%29+-%3E+curated.games_complete%28id%29",
    ),
    *life(
        "PgvigilForeignKeyNotProtecting",
        "games: not_valid: analytics.player_sessions(game_id) -> curated.games_complete(id), first seen "
        "2030-01-01 00:00:00 UTC. Mend what rows it let in, then put the key in force; the incident "
        "has the statement.",
        "pgvigil-relations",
        "A foreign key does not protect as it should",
        "check=foreign_keys&subject=analytics.player_sessions%28game_id%29+-%3E+curated.games_complete%28id%29",
    ),
    *life(
        "PgvigilForeignKeyNote",
        "games: unindexed: analytics.player_sessions(game_id) -> curated.games_complete(id), first seen "
        "2030-01-01 00:00:00 UTC. A note, no fault. The incident says what would be better.",
        "pgvigil-relations",
        "A foreign key could be better",
        "check=foreign_keys&subject=analytics.player_sessions%28game_id%29+-%3E+curated.games_complete%28id%29",
    ),
    *life(
        "PgvigilDriftAboveBudget",
        "games: drift in curated.enhanced_games <> curated.games_complete: 42, first seen "
        "2030-01-01 00:00:00 UTC. Find what wrote to one side only, then bring the other in line; the "
        "incident names the rows.",
        "pgvigil-drift",
        "Two tables that hold the same entity disagree",
        "check=table_drift&subject=curated.enhanced_games+%3C%3E+curated.games_complete",
    ),
    *life(
        "PgvigilCheckFailing",
        'games: negative_balances found negative in bank."Accounts": 42, first seen 2030-01-01 00:00:00 UTC. '
        "The incident says what was found and has the remedy.",
        "pgvigil-overview",
        "A check has found a fault",
        "check=negative_balances&subject=bank.%22Accounts%22",
    ),
    Scenario(
        "PgvigilDriftAboveBudget",
        [Proof.FIRES],
        "says of drift how many rows differ, and which side lacks how many",
        [
            target_up("1x20"),
            incident("PgvigilDriftAboveBudget", "42x20"),
            *(
                series("pgvigil_drift_rows", f"{rows}x20", target="games", subject=PAIR, kind=kind)
                for kind, rows in {"left_only": 30, "right_only": 0, "changed": 12}.items()
            ),
        ],
        {5: 1},
        labels_of("PgvigilDriftAboveBudget"),
        {
            "summary": "Two tables that hold the same entity disagree",
            "description": f"games: drift in {PAIR}: 42, 12 differing, 30 missing right, first seen "
            "2030-01-01 00:00:00 UTC. Find what wrote to one side only, then bring the other in line; the "
            "incident names the rows.",
            "runbook_url": "https://pgvigil.example.org/runbooks/PgvigilDriftAboveBudget",
            "dashboard_url": "https://grafana.example.org/d/pgvigil-drift?var-target=games",
            "incident_url": "https://pgvigil.example.org/incidents?target=games&check=table_drift&subject="
            "curated.enhanced_games+%3C%3E+curated.games_complete",
        },
    ),
    Scenario(
        "PgvigilOrphanRows",
        [Proof.SURVIVES],
        "an acknowledgement changes nothing",
        [
            target_up("1x20"),
            incident("PgvigilOrphanRows", "42x4 stale"),
            incident("PgvigilOrphanRows", "_x5 42x15", state="acknowledged"),
        ],
        {4: 1, 5: 1, 6: 1, 20: 1},
        labels_of("PgvigilOrphanRows"),
    ),
    Scenario(
        "PgvigilOrphanRows",
        [Proof.RESOLVES],
        "a mute silences it at once, also when pgvigil goes away afterwards",
        [
            target_up("1x10 stale"),
            incident("PgvigilOrphanRows", "42x4 stale"),
            incident("PgvigilOrphanRows", "_x5 42x5 stale", state="muted"),
        ],
        {4: 1, 5: 0, 10: 0, 12: 0, 60: 0},
    ),
    Scenario(
        "PgvigilOrphanRows",
        [Proof.FIRES],
        "of a severity that changes only the new one is left",
        [
            target_up("1x20"),
            incident("PgvigilOrphanRows", "42x4 stale", severity="warning"),
            incident("PgvigilOrphanRows", "_x5 42x15"),
        ],
        {5: 1, 20: 1},
        labels_of("PgvigilOrphanRows"),
    ),
    Scenario(
        "PgvigilOrphanRows",
        [Proof.FIRES],
        "two replicas are one alert",
        [
            target_up("1x20"),
            target_up("1x20", "b:9925"),
            incident("PgvigilOrphanRows", "42x20"),
            incident("PgvigilOrphanRows", "42x20", "b:9925"),
        ],
        {5: 1, 20: 1},
        labels_of("PgvigilOrphanRows"),
    ),
    Scenario(
        "PgvigilOrphanRows",
        [Proof.FIRES],
        "what one target heals says nothing about another",
        [
            target_up("1x4 stale"),
            target_up("1x20", "b:9925", target="shop"),
            incident("PgvigilOrphanRows", "42x4 stale"),
            incident("PgvigilOrphanRows", "42x4 stale", "b:9925", target="shop"),
        ],
        {4: 2, 5: 1, 20: 1},
        labels_of("PgvigilOrphanRows"),
    ),
    Scenario(
        "PgvigilOrphanRows",
        [Proof.RESOLVES],
        "days without pgvigil do not resolve it, pgvigil that no longer has the target in its configuration "
        "does",
        [
            target_up("1x4 stale _x2000 1x20", target="shop"),
            target_up("1x4 stale"),
            incident("PgvigilOrphanRows", "42x4 stale"),
        ],
        {16: 1, 1452: 1, 1460: 1, 8000: 1, 8028: 0, 8080: 0},
        step=4,
    ),
    Scenario(
        "PgvigilOrphanRows",
        [Proof.RESOLVES],
        "a target that is taken out of the configuration takes its alerts along, whatever its name becomes",
        [
            series("pgvigil_store_up", "1x20"),
            target_up("1x4 stale"),
            target_up("_x5 1x15", target="games2"),
            incident("PgvigilOrphanRows", "42x4 stale"),
        ],
        {4: 1, 5: 0, 20: 0},
    ),
    Scenario(
        "PgvigilOrphanRows",
        [Proof.FIRES],
        "a new pod that cannot read its store, or has lost it, says nothing of what there was",
        [
            target_up("1x4 stale"),
            incident("PgvigilOrphanRows", "42x4 stale"),
            series("pgvigil_build_info", "_x10 1x30", "b:9925", version="1.0", python="3.11.7"),
            series("pgvigil_store_up", "_x10 0x10 1x20", "b:9925"),
            series("pgvigil_budget_connections", "_x21 2x20", "b:9925", target="games"),
        ],
        {5: 1, 15: 1, 25: 1, 40: 1},
    ),
    Scenario(
        "PgvigilForeignKeyNotProtecting",
        [Proof.SILENT],
        "a note does not say that a key fails to protect",
        [target_up("1x20"), incident("PgvigilForeignKeyNote", "1x20")],
        {5: 0, 20: 0},
    ),
    Scenario(
        "PgvigilForeignKeyNote",
        [Proof.SILENT],
        "a fault is no note",
        [target_up("1x20"), incident("PgvigilForeignKeyNotProtecting", "1x20")],
        {5: 0, 20: 0},
    ),
]
