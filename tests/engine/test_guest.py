"""pgvigil makes way for others on a real server: it waits with ticks, turns and chunks, and holds nothing."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.check import Check, Discovery, Examined, Params, Subject
from pgvigil.config import Pause
from pgvigil.governor import Governor
from pgvigil.pressure import Pressure
from pgvigil.runner import RunLimits, Runner
from pgvigil.sensor import Sensor, Signal
from pgvigil.target import Limits
from tests.engine.world import World, watch_of
from tests.pressure.others import activity, blocked, busy
from tests.runner.plugins import CLEAN, Plugin
from tests.target.conftest import Background, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.catalog import Catalog
    from pgvigil.check import Context
    from pgvigil.embedded import Server
    from pgvigil.watch import Watch

LONGEST_AGE = 1.0
"""Seconds that a transaction of pgvigil may be open while it pauses: a look at the signals takes one."""


def guest(dsn: str, check: Check[Any], chunk: float | None = None, **limits: Any) -> Watch:
    """Return a watch that makes way for others."""
    one_at_a_time = Limits(connections=1, statement_timeout=20.0, connect_timeout=2)
    watch = watch_of(dsn, check, limits=one_at_a_time)  # type: ignore[arg-type]
    pressure = Pressure("main", Pause(**limits), Sensor(watch.target, dsn))
    object.__setattr__(watch, "governor", Governor(1, 1.0, pressure))
    runner = Runner(watch.target, RunLimits(sample=3, run_timeout=60.0, chunk_seconds=chunk))
    object.__setattr__(watch, "runner", runner)
    return watch


def paused(watch: Watch) -> bool:
    return any(watch.governor.pauses.paused.values())


def assert_nothing_is_held(admin: psycopg.Connection, seconds: float) -> None:
    """Look for a while whether a session of pgvigil holds a transaction, and with it a snapshot or a lock."""
    end, looks = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        assert [age for _, age in activity(admin, "pgvigil%") if age > LONGEST_AGE] == []
        looks += 1
    assert looks > 10


@pytest.fixture
def admin(own_server: Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        yield conn


@pytest.mark.parametrize(
    ("limits", "others"),
    [({"lock_waits": 1}, blocked), ({"active_sessions": 1}, busy)],
    ids=["locks", "load"],
)
def test_a_tick_waits_for_others_and_then_comes(
    world_of: Callable[..., World],
    own_server: Server,
    admin: psycopg.Connection,
    limits: dict[str, Any],
    others: Callable[..., Any],
) -> None:
    watch = guest(own_server.dsn(), Plugin(), **limits)
    world = world_of(watch)
    with others(own_server.dsn(), 2):
        tick = Background(world.tick)
        wait_until(lambda: paused(watch))
        assert_nothing_is_held(admin, 2.0)
        assert tick.is_alive()
        assert world.store.runs() == []
    tick.outcome()
    assert world.states() == {"one": "passed"}
    assert not paused(watch)
    assert sum(watch.usage().pauses.seconds.values()) > 1.0


def test_a_sweep_that_goes_on_waits_before_its_next_turn(
    world_of: Callable[..., World], own_server: Server
) -> None:
    dsn, seen, stack = own_server.dsn(), [], ExitStack()

    def run(_: Context, subject: Subject) -> Any:
        seen.append(subject.name)
        if len(seen) == 1:
            stack.enter_context(blocked(dsn, 2))
            time.sleep(2.5)  # what was seen before holds for two seconds
        return CLEAN

    watch = guest(dsn, Plugin(run, [f"s{number}" for number in range(6)]), lock_waits=1)
    world = world_of(watch)
    with stack:
        tick = Background(world.tick)
        wait_until(lambda: paused(watch))
        assert seen == ["s0"]
    tick.outcome()
    assert set(world.states().values()) == {"passed"}


class Scan(Check[Params]):
    """Scans in chunks, and has somebody wait for a lock after the first one."""

    name = "plugin"

    def __init__(self, begin: Callable[[], Any]) -> None:
        super().__init__(Params())
        self.begin = begin
        self.chunks = 0

    def discover(self, catalog: Catalog) -> Discovery:
        return Discovery((Subject("big"),))

    def run(self, context: Context, subject: Subject) -> Any:
        for _ in range(3):
            context.fetch("SELECT count(*) FROM pg_class")
            self.chunks += 1
            if self.chunks == 1:
                self.begin()
                time.sleep(2.5)
            context.checkpoint()
        return Examined()


def test_a_scan_in_chunks_rests_at_a_checkpoint_without_a_snapshot(
    world_of: Callable[..., World], own_server: Server, admin: psycopg.Connection
) -> None:
    dsn, stack = own_server.dsn(), ExitStack()
    scan = Scan(lambda: stack.enter_context(blocked(dsn, 2)))
    watch = guest(dsn, scan, 0.02, lock_waits=1)
    world = world_of(watch)
    with stack:
        tick = Background(world.tick)
        wait_until(lambda: paused(watch))
        assert_nothing_is_held(admin, 2.0)
        assert scan.chunks == 1
    tick.outcome()
    assert scan.chunks == 3
    assert world.states() == {"big": "passed"}


def test_a_stop_ends_a_pause_within_two_seconds_and_the_run_says_nothing(
    world_of: Callable[..., World], own_server: Server
) -> None:
    dsn, stack = own_server.dsn(), ExitStack()
    watch = guest(dsn, Scan(lambda: stack.enter_context(blocked(dsn, 2))), 0.02, lock_waits=1)
    world = world_of(watch)
    with stack:
        tick = Background(world.tick)
        wait_until(lambda: paused(watch))
        began = time.monotonic()
        world.engine.stop()
        tick.outcome()
        assert time.monotonic() - began < 2.0
    assert world.store.runs() == []
    assert world.states() == {"big": "unknown"}


def test_a_pause_that_is_too_long_ends_although_others_go_on(
    world_of: Callable[..., World], own_server: Server
) -> None:
    watch = guest(own_server.dsn(), Plugin(), lock_waits=1, longest="2s")
    world = world_of(watch)
    with blocked(own_server.dsn(), 2):
        world.tick()
    assert world.states() == {"one": "passed"}
    pauses = watch.usage().pauses
    assert pauses.overruled == 1
    assert pauses.seconds[Signal.LOCK_WAITS] >= 2.0


def test_several_ticks_of_a_target_ask_the_server_together(own_server: Server) -> None:
    dsn, asked = own_server.dsn(), []
    watch = guest(dsn, Plugin(), lock_waits=1)
    sensor = Sensor(watch.target, dsn)
    pressure = Pressure("main", Pause(lock_waits=1), lambda: (asked.append(1), sensor())[1])
    governor = Governor(2, 1.0, pressure)

    def turn() -> None:
        for _ in range(50):
            assert governor.begin()
            governor.end(0.0)

    turns = [threading.Thread(target=turn) for _ in range(4)]
    for each in turns:
        each.start()
    for each in turns:
        each.join()
    watch.target.close()
    assert len(asked) <= 2
