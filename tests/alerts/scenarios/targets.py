"""A target that does not answer, or in which there is nothing to examine."""

from __future__ import annotations

from tests.alerts.scenario import Proof, Scenario, series, target_up
from tests.alerts.scenarios.checks import interval, subjects, told

DOWN = [
    Scenario(
        "PgvigilTargetDown",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when the ticks of a whole interval failed, resolves when the target answers",
        [target_up("1x4 0x20 1x20"), interval(300)],
        {5: 0, 10: 0, 11: 0, 12: 1, 24: 1, 26: 0, 40: 0},
        {"job": "pgvigil", "target": "games", "severity": "critical"},
        told(
            "PgvigilTargetDown",
            "A watched database does not answer, nothing of it is examined",
            "games has not answered pgvigil for 7m 0s. See whether the server is up, and whether pgvigil's "
            "role may "
            "log in.",
        ),
    ),
    Scenario(
        "PgvigilTargetDown",
        [Proof.SILENT],
        "a restart of the server that the next tick finds done is no outage",
        [target_up("1x4 0x4 1x20"), interval(300)],
        dict.fromkeys(range(30), 0),
    ),
    Scenario(
        "PgvigilTargetDown",
        [Proof.FIRES],
        "a target that never answered has no interval yet, and is down nevertheless",
        [target_up("0x20")],
        {5: 0, 7: 1, 20: 1},
    ),
    Scenario(
        "PgvigilTargetDown",
        [Proof.FIRES],
        "with ticks once a day it does not take a day",
        [target_up("1x4 0x30"), interval(86400)],
        {15: 0, 17: 1, 30: 1},
    ),
    Scenario(
        "PgvigilTargetDown",
        [Proof.SURVIVES],
        "a gap, and a new pod, neither resolve it nor start it anew",
        [
            target_up("1x4 0x4 stale"),
            interval(300, "x8 stale"),
            target_up("_x60 0x10", "b:9925"),
            interval(300, "x10", "b:9925"),
        ],
        {9: 0, 12: 1, 40: 1, 60: 1, 70: 1},
    ),
]

NOTHING = [
    Scenario(
        "PgvigilNothingExamined",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when a target has no subject for any check, resolves when it has one",
        [
            target_up("1x60"),
            subjects("passed", "0x30 1x20"),
            subjects("failed", "0x60"),
            subjects("unknown", "0x60"),
        ],
        {10: 0, 16: 1, 30: 1, 32: 0, 50: 0},
        {"job": "pgvigil", "target": "games", "severity": "warning"},
        told(
            "PgvigilNothingExamined",
            "There is nothing to examine in a watched database",
            "pgvigil reaches games and finds no subject for any check. Compare database, schema patterns and "
            "grants "
            "with what is meant.",
        ),
    ),
    Scenario(
        "PgvigilNothingExamined",
        [Proof.FIRES],
        "a target without any check is watched for nothing",
        [target_up("1x30")],
        {10: 0, 16: 1, 30: 1},
    ),
    Scenario(
        "PgvigilNothingExamined",
        [Proof.SILENT],
        "a check without subjects beside one that has some is as it should be, a target that is down another "
        "matter",
        [
            target_up("1x30"),
            subjects("passed", "0x30"),
            series("pgvigil_subjects", "3x30", target="games", check="tables", state="passed"),
            target_up("0x30", target="shop"),
        ],
        {20: 0, 30: 0},
    ),
    Scenario(
        "PgvigilNothingExamined",
        [Proof.SURVIVES],
        "a gap does not resolve it",
        [target_up("1x20 stale _x60 1x20"), subjects("passed", "0x20 stale _x60 0x20")],
        {18: 1, 25: 1, 80: 1, 81: 1, 100: 1},
    ),
]

SCENARIOS = [*DOWN, *NOTHING]
