"""The daily window: what it holds, when ticks come, and what becomes of sweeps at its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.check import Check, Discovery, Examined, Params, Subject
from pgvigil.due import Job, first_due, interval_seconds
from pgvigil.gate import Gate
from pgvigil.runner import RunLimits, Runner
from pgvigil.target import Limits
from pgvigil.timing import Cron
from pgvigil.window import Window
from tests.engine.world import World, watch_of
from tests.runner.plugins import CLEAN, Plugin
from tests.schedule.test_scheduler import HandClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.catalog import Catalog
    from pgvigil.check import Context
    from pgvigil.watch import Watch

NIGHT = Window.parse("22:00-06:00")
LUNCH = Window.parse("12:00-13:30")
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(text: str, day: int = 1) -> datetime:
    hour, minute = text.split(":")
    return datetime(2026, 3, day, int(hour), int(minute), tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("22:00-06:00", ["22:00", "23:59", "00:00", "05:59"], ["06:00", "12:00", "21:59"]),
        ("12:00-13:30", ["12:00", "13:29"], ["11:59", "13:30", "00:00"]),
        ("18:00-24:00", ["18:00", "23:59"], ["00:00", "17:59"]),
        ("00:00-06:00", ["00:00", "05:59"], ["06:00", "23:59"]),
    ],
)
def test_a_window_holds_its_start_and_not_its_end(window: str, inside: list[str], outside: list[str]) -> None:
    parsed = Window.parse(window)
    assert [one for one in inside if not parsed.holds(at(one))] == []
    assert [one for one in outside if parsed.holds(at(one))] == []


@pytest.mark.parametrize("text", ["22:00-06:00", "12:00-13:30", "00:00-06:00", "18:00-00:00"])
def test_a_window_is_read_as_it_is_written(text: str) -> None:
    assert str(Window.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "22-06", "22:00", "22:00-22:00", "00:00-24:00", "25:00-06:00", "22:60-06:00", "24:00-06:00", 22],
)
def test_what_is_no_window_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"expected|is no time|begins and ends"):
        Window.parse(text)


def test_the_next_window_begins_in_the_evening() -> None:
    assert NIGHT.next_start(at("06:00")) == at("22:00")
    assert NIGHT.next_start(at("21:59")) == at("22:00")
    assert NIGHT.next_start(at("23:00")) == at("22:00", day=2)
    assert NIGHT.end_of(at("23:00")) == at("06:00", day=2)
    assert NIGHT.end_of(at("01:00")) == at("06:00")
    assert NIGHT.gap == timedelta(hours=16)


# When ticks come


def ticks(job: Job, days: int = 4) -> list[datetime]:
    """Return when the ticks of a job come, from noon on."""
    due: datetime | None = first_due(job, NOON)
    assert due is not None
    trigger, found = job.trigger(due), []
    while due is not None and due < NOON + timedelta(days=days):
        found.append(due)
        due = trigger.get_next_fire_time(due, due)
    return found


SCHEDULES = [
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(hours=7),
    timedelta(hours=24),
    timedelta(hours=36),
    Cron.parse("*/10 * * * *"),
    Cron.parse("0 12 * * *"),
    Cron.parse("30 3 * * *"),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("window", [NIGHT, LUNCH], ids=str)
def test_every_tick_is_in_a_window_and_none_is_later_than_the_interval_says(
    schedule: Any, window: Window
) -> None:
    found = ticks(Job("main", "plugin", schedule, window=window), days=12)
    assert len(found) >= 6
    assert [one for one in found if not window.holds(one)] == []
    longest = max(late - early for early, late in pairwise(found))
    # Ticks are a little late by intent.
    allowed = interval_seconds(schedule, NOON, window) + 20.0
    assert longest.total_seconds() <= allowed


def test_a_cron_that_is_always_within_the_window_is_as_it_was() -> None:
    nightly = Cron.parse("30 3 * * *")
    assert interval_seconds(nightly, NOON, NIGHT) == interval_seconds(nightly, NOON) == 86_400.0
    assert ticks(Job("main", "plugin", nightly, window=NIGHT)) == ticks(Job("main", "plugin", nightly))


def test_an_interval_counts_the_time_between_two_windows() -> None:
    assert interval_seconds(timedelta(minutes=5), NOON, NIGHT) == 16 * 3600 + 300


def test_the_starts_of_many_jobs_are_spread() -> None:
    starts = {
        first_due(Job(f"t{number}", "plugin", timedelta(hours=1), window=NIGHT), NOON) for number in range(50)
    }
    assert len(starts) == 50
    assert all(at("22:00") <= start <= at("22:00") + timedelta(seconds=10) for start in starts)


# Sweeps


def watch_with(dsn: str, clock: HandClock, *checks: Check[Any], chunk: float | None = None) -> Watch:
    limits = Limits(connections=1, statement_timeout=20.0, lock_timeout=0.2, connect_timeout=2)
    watch = watch_of(dsn, *checks, limits=limits)  # type: ignore[arg-type]
    runner = Runner(watch.target, RunLimits(sample=3, run_timeout=60.0, chunk_seconds=chunk))
    object.__setattr__(watch, "gate", Gate(LUNCH, clock))
    object.__setattr__(watch, "runner", runner)
    return watch


def test_a_sweep_is_broken_off_at_the_end_of_the_window_and_goes_on_in_the_next(
    world_of: Callable[..., World], database: str
) -> None:
    clock, seen = HandClock(), []

    def run(_: Context, subject: Subject) -> Any:
        seen.append(subject.name)
        clock.pass_(timedelta(minutes=30))
        return CLEAN

    names = [f"s{number}" for number in range(5)]
    world = world_of(watch_with(database, clock, Plugin(run, names)))
    world.tick()
    assert seen == names[:3]
    assert world.store.last_swept("main", "plugin") is None
    assert world.outcomes() == {**dict.fromkeys(names[:3], "pass"), **dict.fromkeys(names[3:])}
    world.tick()
    assert seen == names[:3], "no tick begins outside of it"
    clock.pass_(timedelta(hours=22, minutes=30))
    world.tick()
    assert seen[3:] == [*names[3:], names[0]], "what was left out comes first"


def test_who_asks_is_served_at_any_time_and_once(world_of: Callable[..., World], database: str) -> None:
    clock, seen = HandClock(), []

    def run(_: Context, subject: Subject) -> Any:
        seen.append(subject.name)
        return CLEAN

    world = world_of(watch_with(database, clock, Plugin(run, ["a", "b"])))
    clock.pass_(timedelta(hours=5))
    world.watches[0].gate.ask("plugin")
    world.tick()
    assert seen == ["a", "b"]
    assert world.store.last_swept("main", "plugin") is not None
    world.tick()
    assert seen == ["a", "b"]


class Scan(Check[Params]):
    """Scans in chunks; after the second one the window is over, the first time."""

    name = "plugin"

    def __init__(self, over: Callable[[], None]) -> None:
        super().__init__(Params())
        self.over = over
        self.chunks: list[int] = []

    def discover(self, catalog: Catalog) -> Discovery:
        return Discovery((Subject("big"),))

    def run(self, context: Context, subject: Subject) -> Any:
        for number in range(4):
            context.fetch("SELECT 1")
            self.chunks.append(number)
            if self.chunks == [0, 1]:
                self.over()
            # A plugin may be careless with errors.
            try:
                context.checkpoint({"after": number}, (number + 1) / 4)
            except Exception:  # noqa: BLE001
                break
        return Examined()


def test_a_scan_in_chunks_is_broken_off_at_a_checkpoint_and_says_nothing(
    world_of: Callable[..., World], database: str
) -> None:
    clock = HandClock()
    scan = Scan(lambda: clock.pass_(timedelta(hours=5)))
    world = world_of(watch_with(database, clock, scan, chunk=0.02))
    world.tick()
    assert scan.chunks == [0, 1]
    assert world.store.runs() == [], "a run that was broken off neither passed nor failed"
    assert world.states() == {"big": "unknown"}
    clock.pass_(timedelta(hours=19))
    world.tick()
    assert scan.chunks[2:] == [0, 1, 2, 3]
    assert world.states() == {"big": "passed"}


def test_without_chunks_a_run_is_not_broken_off(world_of: Callable[..., World], database: str) -> None:
    clock = HandClock()
    scan = Scan(lambda: clock.pass_(timedelta(hours=5)))
    world = world_of(watch_with(database, clock, scan))
    world.tick()
    assert scan.chunks == [0, 1, 2, 3]
    assert world.states() == {"big": "passed"}
