"""What is not examined of a target that answers: by the interval of the check, whatever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.alerts.scenario import Proof, Scenario, Series, series, target_up

CHECK = {"target": "games", "check": "orphan_rows"}
PER_CHECK = {"job": "pgvigil"} | CHECK


def interval(seconds: int, values: str = "x2000", instance: str = "a:9925") -> Series:
    return series("pgvigil_interval_seconds", f"{seconds}{values}", instance, **CHECK)


def subjects(state: str, values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_subjects", values, instance, state=state, **CHECK)


def success(subject: str, values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_run_success", values, instance, subject=subject, **CHECK)


def completed(subject: str, values: str, instance: str = "a:9925") -> Series:
    name = "pgvigil_last_completed_timestamp_seconds"
    return series(name, values, instance, subject=subject, **CHECK)


def missed(values: str, reason: str = "overrun", instance: str = "a:9925") -> Series:
    return series("pgvigil_ticks_missed_total", values, instance, reason=reason, **CHECK)


def incomplete(subject: str, values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_incomplete_runs", values, instance, subject=subject, **CHECK)


def told(
    alert: str, summary: str, description: str, dashboard: str = "pgvigil-overview"
) -> Mapping[str, str]:
    return {
        "summary": summary,
        "description": description,
        "runbook_url": f"https://pgvigil.example.org/runbooks/{alert}",
        "dashboard_url": f"https://grafana.example.org/d/{dashboard}?var-target=games",
    }


def working(values: str) -> Sequence[Series]:
    """Return that pgvigil leads and can record."""
    return [series("pgvigil_leader", values), series("pgvigil_store_up", values)]


# The longest time between two ticks of a check that runs each five minutes of working hours, in seconds.
WEEKEND = 61 * 3600

# A target is down for an hour, and the first sweep afterwards takes ten minutes.
DOWN_FOR_AN_HOUR: Sequence[Series] = [
    *working("1x160"),
    target_up("1x30 0x60 1x60"),
    interval(300),
    subjects("unknown", "0x30 2x60 1x10 0x50"),
    success("app.a", "1x30 0x60 1x60"),
    completed("app.a", "0+60x30 1800x60 5460+60x60"),
    success("app.b", "1x30 0x60 0x10 1x50"),
    completed("app.b", "0+60x30 1800x60 1800x10 6000+60x50"),
    incomplete("app.a", "_x30 1+0.2x60"),
    incomplete("app.b", "_x30 1+0.2x60 13+0x8"),
]

UNKNOWN = [
    Scenario(
        "PgvigilCoverageUnknown",
        [Proof.SILENT],
        "when a target is back, its first sweep has time",
        DOWN_FOR_AN_HOUR,
        dict.fromkeys(range(92, 150, 2), 0),
    ),
    Scenario(
        "PgvigilCoverageUnknown",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when for three intervals something was unknown, resolves when all is known",
        [
            target_up("1x60"),
            interval(300),
            subjects("unknown", "0x4 2x30 0x20"),
            success('app."Odd"', "1x4 0x30 1x20"),
            success("app.b", "1x4 0x30 1x20"),
        ],
        {5: 0, 24: 0, 26: 1, 34: 1, 36: 0, 50: 0},
        PER_CHECK | {"severity": "warning"},
        told(
            "PgvigilCoverageUnknown",
            "Some subjects have not been examined for long",
            'games: subjects of orphan_rows that are unknown: 2, such as app."Odd". Some have been unknown '
            "for three intervals or three runs. The console has the reason of each.",
        ),
    ),
    Scenario(
        "PgvigilCoverageUnknown",
        [Proof.SILENT],
        "after the first start everything is unknown until the first sweep is through",
        [target_up("1x60"), interval(300), subjects("unknown", "1000-80x12 0x40")],
        dict.fromkeys(range(0, 50, 2), 0),
    ),
    Scenario(
        "PgvigilCoverageUnknown",
        [Proof.SILENT],
        "a check that runs once a day may be unknown for a day",
        [target_up("1x375"), interval(86400), subjects("unknown", "5x360 0x15")],
        {60: 0, 1440: 0, 1500: 0},
        step=4,
    ),
    Scenario(
        "PgvigilCoverageUnknown",
        [Proof.SILENT],
        "a subject now and then that could not be examined is nothing yet",
        [target_up("1x100"), interval(300), subjects("unknown", " ".join(["1x9 0x4"] * 6))],
        dict.fromkeys(range(0, 90, 2), 0),
    ),
    Scenario(
        "PgvigilCoverageUnknown",
        [Proof.FIRES, Proof.RESOLVES, Proof.SURVIVES],
        "a subject of which three runs did not complete, and none before, is not waited for until a check of "
        "working hours has had three intervals",
        [
            *working("1x30 stale _x4 1x25"),
            target_up("1x30 stale _x4 1x25"),
            interval(WEEKEND, f"x30 stale _x4 {WEEKEND}x25"),
            subjects("unknown", "0x4 1x25 stale _x4 1x10 0x14"),
            success("app.new", "_x5 0x25 stale _x4 0x10 1x14"),
            incomplete("app.new", "_x5 1x4 2x4 3x15 stale _x4 3x10"),
        ],
        {14: 0, 15: 1, 30: 1, 31: 1, 35: 1, 45: 1, 47: 0, 60: 0},
        PER_CHECK | {"severity": "warning"},
    ),
    Scenario(
        "PgvigilCoverageUnknown",
        [Proof.SURVIVES],
        "a gap, and a new pod, neither resolve it nor start it anew",
        [
            target_up("1x10 stale"),
            interval(300, "x10 stale"),
            subjects("unknown", "2x10 stale"),
            target_up("_x60 1x10", "b:9925"),
            {name: f"_x60 {values}" for name, values in interval(300, "x10", "b:9925").items()},
            subjects("unknown", "_x60 2x10", "b:9925"),
        ],
        {19: 0, 21: 1, 59: 1, 60: 1, 70: 1},
    ),
]


def runs(*minutes: tuple[int, int]) -> str:
    """Write when the last completed run ended: (its minute, for how many scrapes it was the last)."""
    return " ".join(f"{60 * minute}x{scrapes - 1}" for minute, scrapes in minutes)


ONE_FAILS: Sequence[Series] = [
    target_up("1x60"),
    interval(300),
    success("app.a", "1x60"),
    completed("app.a", "0+60x60"),
    success("app.b", "1x4 0x35 1x20"),
    completed("app.b", runs((0, 40), (40, 20))),
]

NOT_COMPLETING = [
    Scenario(
        "PgvigilCheckNotCompleting",
        [Proof.SILENT],
        "when a target is back, its first sweep has time",
        DOWN_FOR_AN_HOUR,
        dict.fromkeys(range(92, 150, 2), 0),
    ),
    Scenario(
        "PgvigilCheckNotCompleting",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when runs of a subject have failed for two intervals, resolves when one completes",
        ONE_FAILS,
        {10: 0, 15: 0, 16: 1, 39: 1, 41: 0, 60: 0},
        PER_CHECK | {"severity": "warning"},
        told(
            "PgvigilCheckNotCompleting",
            "Runs of a check end in errors or timeouts",
            "games: subjects of orphan_rows not examined for two intervals or three runs: 1, such as app.b. "
            "What they hold is not known; the console has the error of each.",
        ),
    ),
    Scenario(
        "PgvigilCheckNotCompleting",
        [Proof.FIRES],
        "a check that completes nothing any more is blind, which is critical; a thousand subjects are one "
        "alert",
        [
            target_up("1x60"),
            interval(300),
            *[success(f"app.t{number}", "1x4 0x50") for number in range(1000)],
            *[completed(f"app.t{number}", "0x54") for number in range(1000)],
        ],
        {10: 0, 16: 1, 50: 1},
        PER_CHECK | {"severity": "critical"},
    ),
    Scenario(
        "PgvigilCheckNotCompleting",
        [Proof.FIRES, Proof.RESOLVES],
        "three runs that do not complete are enough, however long the check may pause",
        [
            *working("1x60"),
            target_up("1x60"),
            interval(WEEKEND),
            success("app.a", "1x10 0x25 1x24"),
            completed("app.a", runs((10, 36), (36, 24))),
            incomplete("app.a", "_x11 1x4 2x4 3x14 stale"),
        ],
        {15: 0, 20: 0, 21: 1, 34: 1, 37: 0, 60: 0},
        PER_CHECK | {"severity": "critical"},
    ),
    Scenario(
        "PgvigilCheckNotCompleting",
        [Proof.SILENT],
        "three runs within a minute are a lock that passes, and those of a time when the target was down "
        "tell nothing of the check",
        [
            *working("1x60"),
            target_up("1x20 0x20 1x20"),
            interval(WEEKEND),
            success("app.a", "1x10 0x2 1x7 0x40"),
            completed("app.a", runs((10, 13), (13, 47))),
            incomplete("app.a", "_x11 3 7 _x8 1+1x18 20x19"),
        ],
        dict.fromkeys([*range(20), *range(42, 60)], 0),
    ),
    Scenario(
        "PgvigilCheckNotCompleting",
        [Proof.SILENT],
        "one run that failed, or a subject that is new, is nothing yet",
        [
            target_up("1x60"),
            interval(300),
            success("app.a", "1x4 0x4 1x50"),
            completed("app.a", runs((0, 10), (10, 50))),
            success("app.new", "0x60"),
        ],
        dict.fromkeys(range(0, 24, 2), 0),
    ),
    Scenario(
        "PgvigilCheckNotCompleting",
        [Proof.SURVIVES],
        "a gap, and a new pod, do not resolve it",
        [
            target_up("1x20 stale"),
            interval(300, "x20 stale"),
            success("app.b", "0x20 stale"),
            completed("app.b", "0x20 stale"),
            target_up("_x80 1x20", "b:9925"),
            {name: f"_x80 {values}" for name, values in interval(300, "x20", "b:9925").items()},
            success("app.b", "_x80 0x20", "b:9925"),
            completed("app.b", "_x80 0x20", "b:9925"),
        ],
        {14: 0, 16: 1, 21: 1, 79: 1, 80: 1, 100: 1},
    ),
]

STALE = [
    Scenario(
        "PgvigilResultStale",
        [Proof.SILENT, Proof.FIRES],
        "when pgvigil is back after hours, its first sweep has time, and no more than that",
        [
            *working("1x30 _x120 1x60"),
            target_up("1x30 _x120 1x60"),
            interval(300, "x30 _x120 300x60"),
            success("app.a", "1x30 _x120 1x60"),
            completed("app.a", "0+60x30 _x120 1800x10 9660+60x50"),
            success("app.b", "1x30 _x120 1x60"),
            completed("app.b", "0+60x30 _x120 1800x60"),
        ],
        dict.fromkeys(range(151, 171), 0) | {173: 1, 200: 1},
    ),
    Scenario(
        "PgvigilResultStale",
        [Proof.SILENT],
        "when the store takes results again after an hour, the first sweep has time",
        [
            series("pgvigil_leader", "1x150"),
            series("pgvigil_store_up", "1x30 0x60 1x60"),
            target_up("1x150"),
            interval(300),
            success("app.a", "1x150"),
            completed("app.a", "0+60x30 1800x70 6000+60x50"),
        ],
        dict.fromkeys(range(92, 150, 2), 0),
    ),
    Scenario(
        "PgvigilResultStale",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when nobody has looked for three intervals, resolves when somebody does",
        [
            target_up("1x60"),
            interval(300),
            success("app.a", "1x60"),
            completed("app.a", runs((0, 40), (40, 20))),
            success("app.b", "1x60"),
            completed("app.b", runs((0, 40), (40, 20))),
        ],
        {15: 0, 20: 0, 21: 1, 39: 1, 41: 0, 59: 0},
        PER_CHECK | {"severity": "critical"},
        told(
            "PgvigilResultStale",
            "Nobody has looked for too long",
            "games: subjects of orphan_rows left out for three intervals, without an error: 2. See in "
            "pgvigil's log whether its ticks still run.",
            "pgvigil-self",
        ),
    ),
    Scenario(
        "PgvigilResultStale",
        [Proof.SILENT],
        "a nightly check is not stale by day",
        [target_up("1x375"), interval(86400), success("app.a", "1x375"), completed("app.a", "0x375")],
        {60: 0, 1440: 0, 1500: 0},
        step=4,
    ),
    Scenario(
        "PgvigilResultStale",
        [Proof.SILENT],
        "where runs end in errors somebody has looked: that is PgvigilCheckNotCompleting",
        [target_up("1x60"), interval(300), success("app.b", "0x60"), completed("app.b", "0x60")],
        {30: 0, 60: 0},
    ),
    Scenario(
        "PgvigilResultStale",
        [Proof.SURVIVES],
        "a gap, and a new pod, do not resolve it",
        [
            target_up("1x25 stale"),
            interval(300, "x25 stale"),
            success("app.b", "1x25 stale"),
            completed("app.b", "0x25 stale"),
            target_up("_x80 1x20", "b:9925"),
            {name: f"_x80 {values}" for name, values in interval(300, "x20", "b:9925").items()},
            success("app.b", "_x80 1x20", "b:9925"),
            completed("app.b", "_x80 0x20", "b:9925"),
        ],
        {22: 1, 26: 1, 79: 1, 80: 1, 100: 1},
    ),
]

TICKS = [
    Scenario(
        "PgvigilTicksMissed",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when more than a quarter of an hour's ticks did not happen, resolves an hour after the last",
        [target_up("1x200"), interval(300), missed("0x60 0+1x5 5x100"), missed("0x170", "crashed")],
        {60: 0, 63: 0, 68: 1, 110: 1, 130: 0, 170: 0},
        PER_CHECK | {"severity": "warning"},
        told(
            "PgvigilTicksMissed",
            "A check does not keep to its schedule",
            "orphan_rows on games missed 5 ticks within an hour. Give it a longer interval or a larger "
            "budget, or see "
            "what holds pgvigil up.",
            "pgvigil-self",
        ),
    ),
    Scenario(
        "PgvigilTicksMissed",
        [Proof.SILENT],
        "one tick, or three of the seven hundred of an hour, are nothing",
        [
            target_up("1x100"),
            interval(5),
            missed("0x30 1x10 2x10 3x50"),
            series("pgvigil_interval_seconds", "1800x100", target="games", check="tables"),
            series("pgvigil_ticks_missed_total", "0x30 1x70", target="games", check="tables", reason="late"),
        ],
        dict.fromkeys(range(0, 100, 5), 0),
    ),
    Scenario(
        "PgvigilTicksMissed",
        [Proof.SURVIVES],
        "a restart, with counters from zero and under another name, leaves it",
        [
            target_up("1x40 stale"),
            interval(300, "x40 stale"),
            missed("0x20 0+1x10 10x9 stale"),
            target_up("_x44 1x20", "b:9925"),
            {name: f"_x44 {values}" for name, values in interval(300, "x20", "b:9925").items()},
            missed("_x44 0x20", instance="b:9925"),
        ],
        {38: 1, 41: 1, 43: 1, 44: 1, 60: 1},
    ),
]

SCENARIOS = [*UNKNOWN, *NOT_COMPLETING, *STALE, *TICKS]
