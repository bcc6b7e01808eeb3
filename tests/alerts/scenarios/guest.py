"""What a guest's manners cost: pauses, a daily window, the replication slot, a standby."""

from __future__ import annotations

from collections.abc import Mapping

from tests.alerts.scenario import Proof, Scenario, Series, series, target_up
from tests.alerts.scenarios.checks import CHECK, PER_CHECK, interval, told

TARGET = {"job": "pgvigil", "target": "games"}
_GB = 1 << 30


def paused(values: str, instance: str = "a:9925") -> Series:
    name = "pgvigil_target_paused_seconds_total"
    return series(name, values, instance, target="games", reason="lock_waits")


def broken_off(values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_sweeps_broken_off_total", values, instance, **CHECK)


def swept(values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_last_sweep_timestamp_seconds", values, instance, **CHECK)


def retained(values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_slot_retained_bytes", values, instance, target="games")


def retention(values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_slot_retention_bytes", values, instance, target="games")


def dropped(values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_slots_dropped_total", values, instance, target="games")


def as_configured(values: str, configured: str = "logical", instance: str = "a:9925") -> Series:
    labels = {"target": "games", "configured": configured}
    return series("pgvigil_changes_as_configured", values, instance, **labels)


def unread(values: str, instance: str = "a:9925") -> Series:
    return series("pgvigil_target_standby_unread_seconds", values, instance, target="games")


def hours(firing: Mapping[int, int]) -> Mapping[int, int]:
    """Return what fires at which minute, from what fires at which hour."""
    return {60 * hour: number for hour, number in firing.items()}


PAUSES = [
    Scenario(
        "PgvigilPausesLong",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when pgvigil paused for more than a quarter of an hour for half an hour, resolves afterwards",
        [paused("0x60 0+30x120 3600x120")],
        {60: 0, 100: 0, 160: 1, 180: 1, 260: 0, 300: 0},
        TARGET | {"reason": "lock_waits", "severity": "warning"},
        told(
            "PgvigilPausesLong",
            "pgvigil makes way for others much of the time",
            "games: for 50% of the last hour pgvigil paused, as budget.pause.lock_waits was exceeded. "
            "Sweeps take longer by that. Find out what keeps the server busy, or raise the limit.",
            "pgvigil-self",
        ),
    ),
    Scenario(
        "PgvigilPausesLong",
        [Proof.SILENT],
        "a busy quarter of an hour, or many short pauses, are what pauses are for",
        [paused("0x60 0+60x15 900x60 900+6x120")],
        dict.fromkeys(range(0, 250, 10), 0),
    ),
    Scenario(
        "PgvigilPausesLong",
        [Proof.SURVIVES],
        "a gap in scrapes leaves it",
        [paused("0+30x120 stale _x9 3900+30x60")],
        {110: 1, 121: 1, 125: 1, 131: 1, 150: 1},
    ),
]

# A window of eight hours, a tick every hour in it: seventeen hours at the most between two of them.
_WINDOW = 17 * 3600

WINDOW = [
    Scenario(
        "PgvigilWindowTooShort",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when two windows have broken a sweep off and none came to its end, resolves when one does",
        # In steps of an hour; the sweep of the first hour is the last that came to its end.
        [
            target_up("1x200"),
            interval(_WINDOW, "x200"),
            swept("3600x70 248400x130"),
            broken_off("0x10 1x23 2x23 3x150"),
        ],
        hours({12: 0, 30: 0, 33: 0, 36: 1, 60: 1, 72: 0, 150: 0}),
        PER_CHECK | {"severity": "warning"},
        told(
            "PgvigilWindowTooShort",
            "A sweep does not come to its end within the daily window",
            "games: the window's end has broken off orphan_rows 2 times in three days, and no sweep came to "
            "its end for two windows. Results grow old: make budget.window longer, or the budget larger.",
            "pgvigil-self",
        ),
        step=60,
    ),
    Scenario(
        "PgvigilWindowTooShort",
        [Proof.FIRES],
        "also when no sweep ever came to its end",
        [target_up("1x100"), interval(_WINDOW, "x100"), broken_off("0x10 1x23 2x60")],
        hours({30: 0, 40: 1}),
        step=60,
    ),
    Scenario(
        "PgvigilWindowTooShort",
        [Proof.SILENT],
        "the last sweep of each window may be cut off, where another one was whole; and so may one",
        [
            target_up("1x100"),
            interval(_WINDOW, "x100"),
            swept("3600x23 90000x23 176400x23 262800x23"),
            broken_off("0x10 1x23 2x23 3x40"),
        ],
        hours(dict.fromkeys(range(0, 96, 4), 0)),
        step=60,
    ),
    Scenario(
        "PgvigilWindowTooShort",
        [Proof.SURVIVES],
        "a gap leaves it",
        [
            target_up("1x60 stale _x2 1x30"),
            interval(_WINDOW, "x60 stale _x2 61200x30"),
            broken_off("0x10 1x20 2x29 stale _x2 2x30"),
        ],
        hours({50: 1, 61: 1, 62: 1, 70: 1}),
        step=60,
    ),
]

SLOT = [
    Scenario(
        "PgvigilSlotFallsBehind",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when the slot was close to its limit for half an hour, resolves when it let go",
        [retained(f"1000x20 {900 << 20}x60 1000x40"), retention(f"{_GB}x120")],
        {20: 0, 45: 0, 60: 1, 80: 1, 82: 0, 120: 0},
        TARGET | {"severity": "warning"},
        told(
            "PgvigilSlotFallsBehind",
            "pgvigil's replication slot keeps too much WAL",
            "games: the slot keeps 87.89% of slot_retention; at 100% pgvigil drops it, and looks at "
            "everything. Let it look more often, or allow the slot more.",
            "pgvigil-self",
        ),
    ),
    Scenario(
        "PgvigilSlotFallsBehind",
        [Proof.FIRES],
        "also when it was dropped twice within a day",
        [dropped("0x60 1x120 2x200")],
        {60: 0, 150: 0, 190: 1, 300: 1},
    ),
    Scenario(
        "PgvigilSlotFallsBehind",
        [Proof.SILENT],
        "a peak that is read away, and one slot that was dropped, are nothing",
        [retained(f"1000x20 {900 << 20}x20 1000x80"), retention(f"{_GB}x120"), dropped("0x60 1x60")],
        dict.fromkeys(range(0, 120, 5), 0),
    ),
    Scenario(
        "PgvigilSlotFallsBehind",
        [Proof.SURVIVES],
        "a gap leaves it",
        [
            retained(f"{900 << 20}x60 stale _x9 {900 << 20}x20"),
            retention(f"{_GB}x60 stale _x9 {_GB}x20"),
        ],
        {50: 1, 61: 1, 65: 1, 70: 1, 80: 1},
    ),
]

CHANGES = [
    Scenario(
        "PgvigilChangesNotInForce",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when no slot told anything for an hour although one is to, resolves when it does",
        [target_up("1x200"), as_configured("1x20 0x120 1x60")],
        {30: 0, 90: 0, 97: 1, 140: 1, 142: 0, 190: 0},
        TARGET | {"configured": "logical", "severity": "warning"},
        told(
            "PgvigilChangesNotInForce",
            "A target is not watched by its changes as it is to be",
            "games has `changes: logical`, and no slot tells what was written: everything is looked at "
            "instead, which is as sure and costs the server more. `pgvigil slot show` says why.",
            "pgvigil-self",
        ),
    ),
    Scenario(
        "PgvigilChangesNotInForce",
        [Proof.SILENT],
        "a slot that is made anew, and a server that does not tell its position, are nobody's ticket",
        [target_up("1x200"), as_configured("1x20 0x50 1x130"), as_configured("0x200", "position")],
        dict.fromkeys(range(0, 200, 5), 0),
    ),
    Scenario(
        "PgvigilChangesNotInForce",
        [Proof.SILENT],
        "a target that is down has its alert already",
        [target_up("1x20 0x180"), as_configured("1x20 0x180")],
        dict.fromkeys(range(0, 200, 5), 0),
    ),
    Scenario(
        "PgvigilChangesNotInForce",
        [Proof.SURVIVES],
        "a gap leaves it",
        [target_up("1x100 stale _x9 1x40"), as_configured("0x100 stale _x9 0x40")],
        {80: 1, 101: 1, 105: 1, 111: 1, 130: 1},
    ),
]

STANDBY = [
    Scenario(
        "PgvigilStandbyNotRead",
        [Proof.FIRES, Proof.RESOLVES],
        "fires when the tries of a quarter of an hour have failed, resolves when one has not",
        # A tick every five minutes.
        [target_up("1x80"), unread("0x19 0x4 300x4 600x4 900x4 1200x20 0x20")],
        {20: 0, 30: 0, 34: 0, 36: 1, 41: 1, 60: 1, 61: 0, 80: 0},
        TARGET | {"severity": "warning"},
        told(
            "PgvigilStandbyNotRead",
            "A target's standby is to be read, and is not",
            "games: every try to read the standby has failed for 15m 0s. By standby.fallback its primary is "
            "read instead, or nothing, and what is to be read is unknown. The console's page of the target "
            "says which, and why.",
            "pgvigil-self",
        ),
    ),
    Scenario(
        "PgvigilStandbyNotRead",
        [Proof.FIRES],
        "where ticks are rare, at the second try in vain",
        [target_up("1x200"), unread("0x59 0x59 3600x60")],
        {30: 0, 110: 0, 125: 1, 170: 1},
    ),
    Scenario(
        "PgvigilStandbyNotRead",
        [Proof.SILENT],
        "one try in vain, and a restart of the standby, are nothing, for however long nobody tries again",
        [target_up("1x200"), unread("0x20 0x4 300x4 600x4 0x60 300x100")],
        dict.fromkeys(range(0, 180, 5), 0),
    ),
    Scenario(
        "PgvigilStandbyNotRead",
        [Proof.SILENT],
        "a target that is down has its alert already",
        [target_up("1x20 0x100"), unread("0x20 300x25 1200x80")],
        dict.fromkeys(range(0, 120, 5), 0),
    ),
    Scenario(
        "PgvigilStandbyNotRead",
        [Proof.SURVIVES],
        "a gap leaves it, and so does a replica that reads nothing",
        [
            target_up("1x60 stale _x9 1x40"),
            unread("1200x60 stale _x9 1200x40"),
            target_up("1x110", instance="b:9925"),
        ],
        {30: 1, 61: 1, 65: 1, 71: 1, 100: 1},
    ),
]

SCENARIOS = [*PAUSES, *WINDOW, *SLOT, *CHANGES, *STANDBY]
