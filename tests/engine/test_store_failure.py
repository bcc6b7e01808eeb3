"""A store that fails: said so and counted; what was committed stays, and the next tick tries anew."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.store import Store
from pgvigil.target import Limits
from tests.engine.world import World, watch_of
from tests.runner.plugins import CLEAN, Plugin, faulty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pgvigil.check import Context, Subject


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def store(state_file: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{state_file}", wait_seconds=0.05) as store:
        yield store


def locked(state_file: Path) -> sqlite3.Connection:
    """Take the store away from all other writers; closing the connection gives it back."""
    connection = sqlite3.connect(state_file, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    return connection


def test_a_tick_with_a_failing_store_changes_nothing_and_the_next_one_catches_up(
    world_of: Callable[..., World], database: str, state_file: Path
) -> None:
    red = {"a"}
    world = world_of(
        watch_of(database, Plugin(lambda _, s: faulty() if s.name in red else CLEAN, ["a", "b", "c"]))
    )
    world.tick()
    before = world.store.view()
    red.add("b")
    holder = locked(state_file)
    world.tick()
    assert world.counted("pgvigil_store_errors_total") == 1
    assert world.store.view() == before
    assert "not being recorded since 20" in world.counters.health.trouble
    holder.close()
    world.tick()
    assert world.counters.health.trouble == ""
    assert world.states() == {"a": "failed", "b": "failed", "c": "passed"}
    assert world.live() == ["open", "open"]


def test_a_store_that_fails_in_the_middle_loses_those_results_alone(
    world_of: Callable[..., World], database: str, state_file: Path
) -> None:
    holders: list[sqlite3.Connection] = []

    def run(context: Context, subject: Subject) -> Any:
        if subject.name == "b" and not holders:
            while world.states()["a"] == "unknown":
                time.sleep(0.001)
            holders.append(locked(state_file))
        if subject.name == "d":
            while world.counted("pgvigil_store_errors_total") < 2:
                time.sleep(0.001)
            holders[0].close()
        return CLEAN

    watch = watch_of(database, Plugin(run, ["a", "b", "c", "d"]), limits=Limits(connections=1))
    world = world_of(watch)
    world.tick()
    assert world.states() == {"a": "passed", "b": "unknown", "c": "unknown", "d": "passed"}
    world.tick()
    assert set(world.states().values()) == {"passed"}


def test_a_store_that_fails_while_the_target_is_down(
    world_of: Callable[..., World], database: str, state_file: Path
) -> None:
    watch = watch_of(database, Plugin())
    world = world_of(watch)
    world.tick()
    watch.target.close()
    dead = watch_of("host=127.0.0.1 port=1", Plugin())
    world.engine.watches["main"] = dead
    holder = locked(state_file)
    world.tick()
    assert world.up()
    assert world.counted("pgvigil_store_errors_total") == 1
    holder.close()
    world.tick()
    assert not world.up()
    assert world.states() == {"one": "unknown"}
    dead.target.close()


def test_a_full_disk_is_counted_and_recovered_from(
    world_of: Callable[..., World], database: str, store: Store
) -> None:
    world = world_of(watch_of(database, Plugin(lambda *_: faulty(), [f"s{n}" for n in range(5)])))
    world.tick()
    before = world.store.view()
    # SQLite's own limit: what a full disk says, without one.
    with store._database.engine.connect() as connection:
        pages = store._database.pragma(connection, "page_count")
        store._database.pragma(connection, f"max_page_count = {pages}")
    watch = world.watches[0]
    check: Any = watch.checks["plugin"]
    check.subjects = [*check.subjects, *(type(check.subjects[0])(f"new {n:05000}") for n in range(50))]
    world.tick()
    assert world.counted("pgvigil_store_errors_total") >= 1
    assert world.store.view().subjects == before.subjects
    store._database.engine.dispose()
    world.tick()
    assert len(world.states()) == 55
    assert set(world.states().values()) == {"failed"}


def test_when_pgvigil_itself_fails_nothing_stays_green(
    world_of: Callable[..., World], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of(watch_of(database, Plugin(subjects=["a", "b"])))
    world.tick()
    assert set(world.states().values()) == {"passed"}

    def broken(*_: object) -> None:
        raise KeyError("a catalog that nobody thought of")

    monkeypatch.setattr("pgvigil.target.target.made_catalog", broken)
    world.tick()
    assert world.states() == {"a": "unknown", "b": "unknown"}
    assert world.counted("pgvigil_ticks_missed_total", reason="crashed") == 1
    monkeypatch.undo()
    world.tick()
    assert set(world.states().values()) == {"passed"}


def test_results_survive_a_restart_of_pgvigil(
    world_of: Callable[..., World], database: str, state_file: Path
) -> None:
    world = world_of(
        watch_of(database, Plugin(lambda _, s: faulty() if s.name == "a" else CLEAN, ["a", "b"]))
    )
    world.tick()
    with Store.open(f"sqlite:///{state_file}") as again:
        assert again.view() == world.store.view()


def test_what_can_be_written_of_a_target_does_not_hide_that_results_are_lost(
    world_of: Callable[..., World], database: str, state_file: Path
) -> None:
    world = world_of(watch_of(database, Plugin(lambda _, __: CLEAN, ["a"]), name="main"))
    world.tick()
    with closing(sqlite3.connect(state_file, isolation_level=None)) as conn:
        conn.execute("CREATE TRIGGER full BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'full'); END")
        for _ in range(3):
            world.tick()
            assert world.counters.health.trouble.startswith("results are not being recorded since 20")
        conn.execute("DROP TRIGGER full")
    world.tick()
    assert world.counters.health.trouble == ""
