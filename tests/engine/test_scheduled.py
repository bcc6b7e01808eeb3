"""Scheduler and engine together, in real time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pgvigil.schedule import Job, Scheduler
from pgvigil.target import Limits
from tests.engine.world import World, dead_dsn, watch_of
from tests.runner.plugins import CLEAN, Plugin, named

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.check import Context, Subject


def scheduled(world: World) -> Scheduler:
    jobs = [
        Job(watch.target.name, check, timedelta(seconds=1))
        for watch in world.watches
        for check in watch.checks
    ]
    scheduler = Scheduler(jobs, world.engine.tick, world.counters.tick_missed)
    scheduler.start(datetime.now(UTC))
    return scheduler


def test_a_stop_drains_what_runs_although_its_queries_would_take_hours(
    world_of: Callable[..., World], database: str
) -> None:
    started = threading.Event()

    def run(context: Context, subject: Subject) -> Any:
        started.set()
        context.fetch("SELECT pg_sleep(36000)")
        return CLEAN

    limits = Limits(connections=1, statement_timeout=36_000.0)
    checks = [named(f"check{number}", run, ["a", "b"]) for number in range(5)]
    world = world_of(watch_of(database, *checks, limits=limits, duty_cycle=0.001))
    scheduler = scheduled(world)
    assert started.wait(30)
    world.engine.stop()
    assert scheduler.stop(60) is True
    assert world.store.runs() == []
    assert all(state == "unknown" for check in checks for state in world.states(check.name).values())


def test_the_last_run_is_known_for_the_next_start(world_of: Callable[..., World], database: str) -> None:
    twice = threading.Semaphore(0)

    def run(context: Context, subject: Subject) -> Any:
        twice.release()
        return CLEAN

    world = world_of(watch_of(database, Plugin(run)))
    assert world.store.last_swept("main", "plugin") is None
    before = datetime.now(UTC)
    scheduler = scheduled(world)
    assert twice.acquire(timeout=30)
    assert twice.acquire(timeout=30)
    assert scheduler.stop(30)
    last = world.store.last_swept("main", "plugin")
    assert last is not None
    assert last >= before


def test_many_targets_most_of_them_down_leave_the_one_that_is_up_its_ticks(
    world_of: Callable[..., World], database: str
) -> None:
    ticks = threading.Semaphore(0)

    def run(context: Context, subject: Subject) -> Any:
        context.fetch("SELECT 1")
        ticks.release()
        return CLEAN

    down = [watch_of(dead_dsn(database), Plugin(), name=f"down{number}") for number in range(20)]
    world = world_of(*down, watch_of(database, Plugin(run)))
    scheduler = scheduled(world)
    for _ in range(3):
        assert ticks.acquire(timeout=60)
    world.engine.stop()
    assert scheduler.stop(60)
    assert world.up()
    assert world.states() == {"one": "passed"}
    assert not any(
        world.up(watch.target.name) for watch in down if watch.target.name in world.store.view().targets
    )
