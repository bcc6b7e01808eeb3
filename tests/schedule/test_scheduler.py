"""The scheduler under a clock of the test's own: it is set, it stands still, the machine sleeps."""

from __future__ import annotations

import datetime as dt
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import apscheduler.schedulers.base
import pytest

from pgvigil.schedule import Job, Scheduler
from pgvigil.timing import Cron

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.timing import Schedule

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class HandClock:
    """A clock that goes when it is moved: by `pass_` as time does, by `set_` as an administrator does."""

    def __init__(self) -> None:
        self._now = NOON
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def pass_(self, time: timedelta) -> None:
        self._now += time
        self._monotonic += time.total_seconds()

    def set_(self, jump: timedelta) -> None:
        self._now += jump


class Bench:
    """A scheduler whose ticks are noted with the time that really passed until each."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.ticks: list[float] = []
        self.missed: list[str] = []
        self.scheduler: Scheduler | None = None
        self.hold = threading.Event()
        self.hold.set()
        self._ticked = threading.Condition()

    def start(self, schedule: Schedule, last: datetime | None = None) -> None:
        job = Job("main", "plugin", schedule, last)
        self.scheduler = Scheduler([job], self._tick, self._miss, self.clock)
        self.scheduler.start(self.clock.now())

    def _tick(self, target: str, check: str) -> None:
        with self._ticked:
            self.ticks.append(self.clock.monotonic())
            self._ticked.notify_all()
        self.hold.wait(30)

    def _miss(self, target: str, check: str, reason: str) -> None:
        self.missed.append(reason)

    def look(self) -> None:
        """Let the scheduler see the clock, and serve all that is due by it."""
        assert self.scheduler is not None
        self.scheduler.look_at_clock()
        self.scheduler._scheduler._process_jobs()
        # Behind the ticks that were handed to the one thread, this one is done when they are.
        if self.hold.is_set():
            done = threading.Event()
            self.scheduler._scheduler._executors["default"]._pool.submit(done.set)
            assert done.wait(30)

    def live(self, time: timedelta, step: timedelta = MINUTE) -> None:
        """Let time pass, with a look at every step."""
        for _ in range(round(time / step)):
            self.clock.pass_(step)
            self.look()

    def wait_for(self, ticks: int) -> None:
        with self._ticked:
            assert self._ticked.wait_for(lambda: len(self.ticks) >= ticks, 30)

    def minutes(self) -> list[int]:
        """Return the real minutes at which ticks came."""
        return [int(seconds // 60) for seconds in self.ticks]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    clock = HandClock()

    class Now(datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> datetime:  # type: ignore[override]  # noqa: ARG003
            return clock.now()

    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Now)
    monkeypatch.setattr("pgvigil.schedule._LOOK_SECONDS", 3600.0)
    bench = Bench(clock)
    yield bench
    bench.hold.set()
    if bench.scheduler is not None:
        bench.scheduler.stop(10)


def test_ticks_come_at_their_interval_for_a_day(bench: Bench) -> None:
    bench.start(10 * MINUTE)
    bench.live(24 * HOUR)
    assert len(bench.ticks) == 144
    assert bench.missed == []


def test_a_missed_turn_is_caught_up_with_once_after_a_restart(bench: Bench) -> None:
    bench.start(10 * MINUTE, last=NOON - 55 * MINUTE)
    bench.live(10 * MINUTE)
    assert bench.minutes() == [1]


@pytest.mark.parametrize("jump", [-25 * HOUR, -HOUR, -3 * MINUTE, 3 * MINUTE, HOUR, timedelta(days=20_000)])
def test_intervals_go_on_when_the_clock_is_set(bench: Bench, jump: timedelta) -> None:
    bench.start(10 * MINUTE)
    bench.live(34 * MINUTE)
    before = bench.minutes()
    bench.clock.set_(jump)
    bench.look()
    bench.live(60 * MINUTE)
    assert before == [1, 11, 21, 31]
    assert bench.minutes() == [1, 11, 21, 31, 41, 51, 61, 71, 81, 91]
    assert bench.missed == []


def test_a_machine_that_slept_makes_up_with_one_tick_and_counts_the_others(bench: Bench) -> None:
    bench.start(10 * MINUTE)
    bench.live(4 * MINUTE)
    bench.clock.pass_(60 * MINUTE)
    bench.look()
    assert bench.minutes() == [1, 64]
    bench.live(20 * MINUTE)
    assert bench.minutes() == [1, 64, 71, 81]
    assert bench.missed == ["late"] * 5


def test_a_cron_follows_the_clock_forward_and_is_not_lost(bench: Bench) -> None:
    bench.start(Cron.parse("0 15 * * *"))
    bench.live(30 * MINUTE)
    bench.clock.set_(5 * HOUR)
    bench.look()
    bench.live(30 * MINUTE)
    assert bench.minutes() == [30]


def test_a_cron_does_not_run_twice_for_a_clock_set_back_a_little(bench: Bench) -> None:
    bench.start(Cron.parse("0 13 * * *"))
    bench.live(90 * MINUTE)
    assert len(bench.ticks) == 1
    bench.clock.set_(-HOUR)
    bench.live(90 * MINUTE)
    assert len(bench.ticks) == 1
    bench.live(24 * HOUR)
    assert len(bench.ticks) == 2


def test_a_cron_is_not_lost_for_a_clock_set_back_for_years(bench: Bench) -> None:
    bench.start(Cron.parse("0 13 * * *"))
    bench.live(90 * MINUTE)
    bench.clock.set_(timedelta(days=-400))
    bench.live(25 * HOUR)
    assert len(bench.ticks) == 2


def test_a_clock_that_is_merely_steered_changes_nothing(bench: Bench) -> None:
    bench.start(10 * MINUTE)
    for _ in range(100):
        bench.clock.pass_(MINUTE)
        bench.clock.set_(timedelta(milliseconds=-30))
        bench.look()
    assert len(bench.ticks) == 10
    assert bench.missed == []


def test_a_tick_that_takes_too_long_is_not_begun_again_and_counted(bench: Bench) -> None:
    bench.start(10 * MINUTE)
    bench.live(MINUTE)
    assert len(bench.ticks) == 1
    bench.hold.clear()
    bench.live(15 * MINUTE)
    bench.wait_for(2)
    bench.live(20 * MINUTE)
    assert len(bench.ticks) == 2
    assert bench.missed == ["overrun"] * 2
    bench.hold.set()
    bench.look()
    bench.live(10 * MINUTE)
    assert len(bench.ticks) == 3
    assert bench.missed == ["overrun"] * 2


def test_next_due_tells_when(bench: Bench) -> None:
    bench.start(10 * MINUTE, last=NOON - 4 * MINUTE)
    assert bench.scheduler is not None
    assert bench.scheduler.next_due == {"main/plugin": NOON + 6 * MINUTE}


# Real time


def scheduler_of(count: int, tick: Callable[[str, str], None]) -> Scheduler:
    jobs = [Job(f"t{number}", "plugin", timedelta(seconds=1)) for number in range(count)]
    return Scheduler(jobs, tick, lambda *_: None)


def test_a_stop_waits_for_what_runs_and_lets_nothing_begin() -> None:
    begun, go_on, ended = threading.Semaphore(0), threading.Event(), []

    def tick(target: str, check: str) -> None:
        begun.release()
        go_on.wait(30)
        ended.append(target)

    scheduler = scheduler_of(100, tick)
    scheduler.start(datetime.now(UTC))
    for _ in range(64):
        assert begun.acquire(timeout=30)
    # All threads are busy, and 36 ticks wait for one.
    assert scheduler.stop(0.05) is False
    go_on.set()
    assert scheduler.stop(30) is True
    assert len(ended) == 64


def test_many_jobs_share_a_bounded_number_of_threads() -> None:
    before = threading.active_count()
    begun, go_on = threading.Semaphore(0), threading.Event()

    def tick(target: str, check: str) -> None:
        begun.release()
        go_on.wait(30)

    scheduler = scheduler_of(1_000, tick)
    scheduler.start(datetime.now(UTC))
    for _ in range(64):
        assert begun.acquire(timeout=30)
    assert threading.active_count() <= before + 64 + 2
    go_on.set()
    assert scheduler.stop(30)


def test_a_stop_before_the_start_is_nothing() -> None:
    assert scheduler_of(1, lambda *_: None).stop(1) is True


def test_a_tick_that_raises_comes_again() -> None:
    twice = threading.Semaphore(0)

    def tick(target: str, check: str) -> None:
        twice.release()
        raise RuntimeError("a tick should not")

    scheduler = scheduler_of(1, tick)
    scheduler.start(datetime.now(UTC))
    assert twice.acquire(timeout=30)
    assert twice.acquire(timeout=30)
    assert scheduler.stop(30)


def test_a_tick_that_is_asked_for_comes_at_once_and_the_rhythm_goes_on(bench: Bench) -> None:
    bench.start(10 * MINUTE)
    bench.live(14 * MINUTE)
    assert bench.scheduler is not None
    bench.scheduler.hurry("main", "plugin")
    bench.look()
    bench.live(20 * MINUTE)
    assert bench.minutes() == [1, 11, 14, 21, 31]
    assert bench.missed == []


def test_a_tick_that_is_asked_for_while_one_goes_on_follows_it(bench: Bench) -> None:
    bench.hold.clear()
    bench.start(10 * MINUTE)
    bench.clock.pass_(2 * MINUTE)
    bench.look()
    bench.wait_for(1)
    assert bench.scheduler is not None
    for _ in range(3):
        bench.scheduler.hurry("main", "plugin")
    bench.hold.set()
    bench.wait_for(2)
    bench.live(MINUTE)
    assert len(bench.ticks) == 2, "one that follows makes up for all that were asked for"
    assert bench.missed == []


def test_no_tick_that_is_asked_for_is_lost(bench: Bench) -> None:
    """Also in the moment between the end of a tick and the end of its thread."""
    bench.start(HOUR)
    bench.clock.pass_(2 * MINUTE)
    bench.look()
    bench.wait_for(1)
    assert bench.scheduler is not None
    for count in range(2, 60):
        bench.scheduler.hurry("main", "plugin")
        bench.wait_for(count)
    assert bench.missed == []


def test_nothing_is_begun_for_a_job_that_there_is_not(bench: Bench) -> None:
    bench.start(HOUR)
    assert bench.scheduler is not None
    bench.scheduler.hurry("main", "nothing")
    assert bench.scheduler.stop(10)
    bench.scheduler.hurry("main", "plugin")
    assert bench.ticks == []
