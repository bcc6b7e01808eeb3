"""Sweeps that do not come to their end: what was left out comes first, and nothing of the past is kept."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from pgvigil.target import Limits
from tests.engine.world import World, dead_dsn, watch_of
from tests.runner.plugins import CLEAN, Plugin, faulty

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.check import Context, Subject

NAMES = [f"s{number:02}" for number in range(12)]


def one_at_a_time() -> Limits:
    return Limits(connections=1, statement_timeout=20.0, lock_timeout=0.2, connect_timeout=2)


def test_a_sweep_that_was_broken_off_is_not_done_and_goes_on_with_what_it_left_out(
    world_of: Callable[..., World], database: str
) -> None:
    seen: list[str] = []

    def run(_: Context, subject: Subject) -> Any:
        seen.append(subject.name)
        if len(seen) == 5:
            world.watches[0].governor.stop()
        return CLEAN

    world = world_of(watch_of(database, Plugin(run, NAMES), limits=one_at_a_time()))
    world.tick()
    assert seen == NAMES[:5]
    assert world.store.last_swept("main", "plugin") is None

    after = world_of(watch_of(database, Plugin(run, NAMES), limits=one_at_a_time()))
    seen += ["the next one"] * 5  # never the fifth again
    after.tick()
    assert seen[10:] == NAMES[5:] + NAMES[:5]
    assert after.store.last_swept("main", "plugin") is not None
    del seen[10:]
    after.tick()
    assert seen[10:] == NAMES, "after a whole sweep the order is the usual one"


def test_a_tick_that_could_not_reach_the_target_is_done(
    world_of: Callable[..., World], database: str
) -> None:
    world = world_of(watch_of(database, Plugin(subjects=NAMES)))
    world.tick()
    swept = world.store.last_swept("main", "plugin")
    down = world_of(watch_of(dead_dsn(database), Plugin(subjects=NAMES)))
    down.tick()
    again = world.store.last_swept("main", "plugin")
    assert swept is not None
    assert again is not None
    assert again > swept
    assert set(world.states().values()) == {"unknown"}


def test_what_a_sweep_of_the_past_finds_is_not_recorded(
    world_of: Callable[..., World], database: str
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def run(_: Context, __: Subject) -> Any:
        begun.set()
        go_on.wait(30)
        return faulty()

    world = world_of(watch_of(database, Plugin(run, NAMES)))
    tick = threading.Thread(target=world.tick)
    tick.start()
    assert begun.wait(30)
    world.engine.end()
    # What a reload does for a target that is gone from the configuration.
    world.store.retire([], world.store.view().checks["main", "plugin"].discovered_at)  # type: ignore[arg-type]
    go_on.set()
    tick.join(30)
    assert not tick.is_alive()
    view = world.store.view()
    assert (dict(view.targets), dict(view.checks), dict(view.subjects), dict(view.incidents)) == (
        {},
        {},
        {},
        {},
    )
    assert world.store.runs() == []
    assert world.counters.health.trouble == ""


def test_what_there_is_to_examine_is_known_before_the_first_tick(
    world_of: Callable[..., World], database: str
) -> None:
    world = world_of(watch_of(database, Plugin(subjects=["a", "b"])))
    world.engine.survey("main")
    assert world.up()
    assert world.states() == {"a": "unknown", "b": "unknown"}
    assert world.store.runs() == []


def test_a_target_that_does_not_answer_is_known_to_before_the_first_tick(
    world_of: Callable[..., World], database: str
) -> None:
    world = world_of(watch_of(dead_dsn(database), Plugin(subjects=["a", "b"])))
    world.engine.survey("main")
    assert not world.up()
    assert set(world.states().values()) == {"unknown"}
