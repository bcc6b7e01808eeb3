"""Integrity as a service level: what counts as clean, and how fast the budget is spent."""

from __future__ import annotations

from collections.abc import Mapping

from tests.alerts.scenario import Proof, Scenario, Series, target_up
from tests.alerts.scenarios.checks import completed, interval, subjects, success
from tests.alerts.scenarios.incidents import incident

FAST = "PgvigilIntegrityBudgetBurningFast"
SLOW = "PgvigilIntegrityBudgetBurningSlow"


def told(alert: str, summary: str, description: str) -> Mapping[str, str]:
    return {
        "summary": summary,
        "description": description,
        "runbook_url": f"https://pgvigil.example.org/runbooks/{alert}",
        "dashboard_url": "https://grafana.example.org/d/pgvigil-overview?var-target=games",
    }


def watched(minutes: int, known: int, gap: tuple[int, int] = (0, 0)) -> list[Series]:
    """Return what is scraped of subjects that complete every minute; `gap` is its begin and its length."""
    start, length = gap

    def values(before: str, after: str) -> str:
        return (
            f"{before}x{start - 1} stale _x{length - 1} {after}x{minutes - start - length}"
            if length
            else f"{before}x{minutes}"
        )

    names = [f"app.t{number}" for number in range(known)]
    return [
        target_up(values("1", "1")),
        interval(300, f"x{minutes}"),
        subjects("passed", values(str(known), str(known))),
        *[success(name, values("1", "1")) for name in names],
        *[completed(name, values("0+60", f"{60 * (start + length)}+60")) for name in names],
    ]


def fault(values: str, **others: str) -> Series:
    """Return the incident of a subject of the same check."""
    return incident("PgvigilOrphanRows", values, subject="app.t0", **others)


SCENARIOS = [
    Scenario(
        FAST,
        [Proof.FIRES, Proof.RESOLVES],
        "fires within the hour when a tenth is broken, resolves half an hour after it is healed",
        [*watched(200, 10), fault("_x40 5x60 stale")],
        {40: 0, 47: 0, 50: 1, 100: 1, 120: 1, 133: 0, 200: 0},
        {"job": "pgvigil", "target": "games", "severity": "warning"},
        told(
            FAST,
            "The budget for broken data is spent within days",
            "Of games, 1.833% was not known to be clean over the last hours: at this rate a month's budget "
            "lasts five "
            "days or less. See on the dashboard which check it is.",
        ),
    ),
    Scenario(
        FAST,
        [Proof.SILENT],
        "a fault for minutes, a muted one, a suspect and a note cost nothing that would page",
        [
            *watched(400, 20),
            fault("_x60 5x9 stale"),
            fault("_x100 5x300", state="muted"),
            incident("PgvigilOrphanRows", "5x400", subject="app.t1", state="suspect"),
            incident("PgvigilOrphanRows", "5x400", subject="app.t2", severity="info"),
        ],
        dict.fromkeys(range(0, 400, 10), 0),
    ),
    Scenario(
        FAST,
        [Proof.SILENT],
        "new subjects have three intervals before they count, and a run that failed is not yet a fault",
        [
            *watched(120, 10),
            subjects("unknown", "0x59 5x10 0x60"),
            *[success(f"app.new{number}", "_x60 0x10 1x60") for number in range(5)],
            *[completed(f"app.new{number}", f"_x71 {60 * 71}+60x60") for number in range(5)],
        ],
        dict.fromkeys(range(0, 120, 5), 0),
    ),
    Scenario(
        FAST,
        [Proof.SILENT],
        "so they have beside one that nobody may read, and that has been unknown for long",
        [
            *watched(120, 100),
            subjects("unknown", "1x59 101x10 1x50"),
            success("app.secret", "0x120"),
            *[success(f"app.new{number}", "_x60 0x10 1x50") for number in range(100)],
            *[completed(f"app.new{number}", f"_x71 {60 * 71}+60x49") for number in range(100)],
        ],
        dict.fromkeys(range(0, 120, 5), 0),
    ),
    Scenario(
        FAST,
        [Proof.FIRES],
        "what is broken whole is broken to a hundred per cent, whatever the ends of a window",
        [*watched(200, 1), fault("5x200")],
        {150: 1},
        {"job": "pgvigil", "target": "games", "severity": "warning"},
        told(
            FAST,
            "The budget for broken data is spent within days",
            "Of games, 100% was not known to be clean over the last hours: at this rate a month's budget "
            "lasts five "
            "days or less. See on the dashboard which check it is.",
        ),
    ),
    Scenario(
        FAST,
        [Proof.FIRES],
        "what stays unknown is not clean: here the clock of the subjects' last completed runs stands still",
        [
            target_up("1x120"),
            interval(300),
            subjects("passed", "2x10 0x110"),
            subjects("unknown", "0x10 2x110"),
            *[success(f"app.t{number}", "1x10 0x110") for number in range(2)],
            *[completed(f"app.t{number}", "0+60x10 600x110") for number in range(2)],
        ],
        {25: 0, 40: 1, 119: 1},
    ),
    Scenario(
        FAST,
        [Proof.SURVIVES],
        "a gap in scrapes has no samples, and is neither clean nor broken",
        [*watched(200, 10, gap=(80, 4)), fault("_x30 5x49 stale _x3 5x116")],
        {60: 1, 80: 1, 83: 1, 85: 1, 120: 1},
    ),
    Scenario(
        SLOW,
        [Proof.FIRES, Proof.RESOLVES],
        "fires when as much is spent within a day as three days have, resolves hours after it is healed",
        [*watched(500, 10), fault("_x60 5x60 stale")],
        {60: 0, 100: 0, 105: 1, 120: 1, 300: 1, 482: 0, 500: 0},
        {"job": "pgvigil", "target": "games", "severity": "warning"},
        told(
            SLOW,
            "The budget for broken data will not last the month",
            "Of games, 0.3194% was not known to be clean over the last days: more than the objective allows. "
            "See on the "
            "dashboard what keeps breaking.",
        ),
    ),
    Scenario(
        SLOW,
        [Proof.SILENT],
        "what is healed within half an hour is within the objective, also on the first day",
        [*watched(400, 10), fault("_x10 5x30 stale")],
        dict.fromkeys(range(0, 400, 20), 0),
    ),
    Scenario(
        SLOW,
        [Proof.SURVIVES],
        "a gap in scrapes does not resolve it",
        [*watched(300, 10, gap=(120, 4)), fault("_x30 5x89 stale _x3 5x176")],
        {110: 1, 120: 1, 123: 1, 125: 1, 300: 1},
    ),
]
