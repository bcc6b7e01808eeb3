"""Targets that are down, locked, restarted or stopping: reported, survived, and no hindrance to others."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import make_conninfo

from pgvigil.target import Limits
from pgvigil.watch import WHOLE_CHECK
from tests.engine.world import World, dead_dsn, watch_of
from tests.runner.plugins import CLEAN, Plugin, faulty, finding, named

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.check import Context, Subject
    from pgvigil.embedded import Server


def count(context: Context, subject: Subject) -> Any:
    context.fetch("SELECT count(*) FROM public.t")
    return CLEAN


def test_a_target_that_was_never_up_is_unknown(world_of: Callable[..., World], database: str) -> None:
    world = world_of(watch_of(dead_dsn(database), Plugin()))
    world.tick()
    assert not world.up()
    assert "cannot connect" in str(world.store.view().targets["main"].error)
    assert world.states() == {WHOLE_CHECK: "unknown"}


def test_a_target_that_goes_down_turns_its_subjects_unknown_and_comes_back(
    world_of: Callable[..., World], own_server: Server
) -> None:
    check = Plugin(
        lambda c, s: faulty() if c.fetch("SELECT 1") and s.name == "red" else CLEAN, ["red", "green"]
    )
    world = world_of(watch_of(own_server.dsn(), check))
    world.tick()
    assert world.up()
    own_server.stop()
    world.tick()
    assert not world.up()
    assert world.states() == {"red": "failed", "green": "unknown"}
    assert set(world.outcomes().values()) == {"error"}
    assert world.live() == ["open"]
    own_server.start()
    world.tick()
    assert world.up()
    assert world.states() == {"red": "failed", "green": "passed"}


def test_a_server_restarted_in_the_middle_of_a_sweep(
    world_of: Callable[..., World], own_server: Server
) -> None:
    names = [f"s{number:02}" for number in range(12)]
    restarted = threading.Event()

    def run(context: Context, subject: Subject) -> Any:
        context.fetch("SELECT 1")
        if subject.name == "s04" and not restarted.is_set():
            own_server.restart("immediate")
            restarted.set()
        context.fetch("SELECT 1")
        return CLEAN

    world = world_of(watch_of(own_server.dsn(), Plugin(run, names), limits=Limits(connections=1)))
    world.tick()
    assert {name for name, outcome in world.outcomes().items() if outcome == "error"} == {"s04"}
    assert world.states() == {name: "unknown" if name == "s04" else "passed" for name in names}
    world.tick()
    assert set(world.states().values()) == {"passed"}


def test_a_target_lost_in_the_middle_of_a_sweep_is_down_and_none_of_it_stays_green(
    world_of: Callable[..., World], own_server: Server
) -> None:
    names, calls = [f"s{number:03}" for number in range(200)], []
    down_at = "never"

    def run(context: Context, subject: Subject) -> Any:
        calls.append(subject.name)
        if subject.name == down_at:
            own_server.stop("immediate")
        context.fetch("SELECT 1")
        return CLEAN

    world = world_of(watch_of(own_server.dsn(), Plugin(run, names), limits=Limits(connections=1)))
    world.tick()
    calls.clear()
    down_at = "s004"
    world.tick()
    assert calls == names[:5]
    assert not world.up()
    assert world.states() == {name: "passed" if name < down_at else "unknown" for name in names}


def test_a_database_found_empty_is_doubted_for_one_tick(
    world_of: Callable[..., World], database: str
) -> None:
    check = Plugin(lambda _, s: faulty() if s.name == "red" else CLEAN, ["red", "green"])
    world = world_of(watch_of(database, check))
    world.tick()
    for _ in range(2):
        found, check.subjects = check.subjects, []
        world.tick()
        assert world.states() == {"red": "failed", "green": "unknown"}
        assert world.live() == ["open"]
        assert "all 2 subjects are gone" in str(world.store.subjects()[0].error)
        check.subjects = found
        world.tick()
        assert world.states() == {"red": "failed", "green": "passed"}
    check.subjects = []
    world.tick()
    world.tick()
    assert world.states() == {}
    assert world.live() == []


def test_between_two_ticks_no_connection_stands_in_the_way(
    world_of: Callable[..., World], database: str, admin_conn: psycopg.Connection
) -> None:
    others = """
        SELECT application_name FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
    named_so = []

    def run(context: Context, subject: Subject) -> Any:
        named_so.append(context.fetch("SELECT current_setting('application_name') AS name")[0]["name"])
        return CLEAN

    world = world_of(watch_of(database, Plugin(run)))
    world.tick()
    deadline = time.monotonic() + 10
    while admin_conn.execute(others).fetchall():
        assert time.monotonic() < deadline, "an idle connection was left behind"
        time.sleep(0.02)
    assert named_so == ["pgvigil plugin"]


def test_a_lock_held_by_somebody_else_is_a_timeout_and_holds_nobody_up(
    world_of: Callable[..., World], database: str, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("CREATE TABLE t (id int)")
    world = world_of(watch_of(database, Plugin(count), named("other", subjects=["x"])))
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        holder.execute("SET lock_timeout = '1ms'")
        world.tick()
        world.tick("other")
        assert world.outcomes() == {"one": "timeout"}
        assert world.states() == {"one": "unknown"}
        assert world.states("other") == {"x": "passed"}
        # Nothing of ours is in its way, neither granted nor waiting.
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND pid <> pg_backend_pid()"
        assert holder.execute(waiting).fetchone() == (0,)
        holder.execute("ALTER TABLE t ADD COLUMN more int")
        holder.commit()
    world.tick()
    assert world.states() == {"one": "passed"}


def test_one_target_that_is_down_does_not_delay_another(
    world_of: Callable[..., World], database: str, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("CREATE TABLE t ()")
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        limits = Limits(connections=1, lock_timeout=60.0, statement_timeout=60.0)
        slow = watch_of(database, Plugin(count), name="slow", limits=limits)
        down = watch_of(dead_dsn(database), Plugin(), name="down")
        up = watch_of(database, Plugin(lambda c, _: faulty(finding(count=c.fetch("SELECT 1 AS n")[0]["n"]))))
        world = world_of(slow, down, up)
        ticks = [threading.Thread(target=world.tick, args=("plugin", name)) for name in ("slow", "down")]
        for tick in ticks:
            tick.start()
        # While the other two have not come back, or failed, this one is examined again and again.
        for _ in range(5):
            world.tick()
        assert ticks[0].is_alive()
        assert world.states() == {"one": "failed"}
        assert world.states(target="slow") == {"one": "unknown"}
        ticks[1].join(30)
        assert not world.up("down")
        holder.rollback()
        ticks[0].join(30)
    assert world.states(target="slow") == {"one": "passed"}


def test_a_tick_that_still_goes_on_is_not_begun_again(world_of: Callable[..., World], database: str) -> None:
    begun, go_on, calls = threading.Event(), threading.Event(), []

    def run(context: Context, subject: Subject) -> Any:
        calls.append(subject.name)
        begun.set()
        go_on.wait(30)
        return CLEAN

    world = world_of(watch_of(database, Plugin(run)))
    tick = threading.Thread(target=world.tick)
    tick.start()
    assert begun.wait(30)
    world.tick()
    assert world.counted("pgvigil_ticks_missed_total", reason="overrun") == 1
    go_on.set()
    tick.join(30)
    assert calls == ["one"]


def test_a_stop_cancels_what_runs_and_records_nothing_of_it(
    world_of: Callable[..., World], database: str, admin_conn: psycopg.Connection
) -> None:
    started = threading.Semaphore(0)

    def run(context: Context, subject: Subject) -> Any:
        if subject.name != "quick":
            started.release()
            context.fetch("SELECT pg_sleep(600)")
        return CLEAN

    names = ["quick", *(f"s{number}" for number in range(20))]
    limits = Limits(connections=2, statement_timeout=600.0)
    world = world_of(watch_of(database, Plugin(run, names), limits=limits))
    tick = threading.Thread(target=world.tick)
    tick.start()
    assert started.acquire(timeout=30)
    assert started.acquire(timeout=30)
    world.engine.stop()
    tick.join(30)
    assert not tick.is_alive()
    states = world.states()
    assert states.pop("quick") == "passed"
    assert set(states.values()) == {"unknown"}
    assert [each.run.subject for each in world.store.runs()] == ["quick"]
    busy = (
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND state = 'active' "
        "AND datname = current_database()"
    )
    deadline = time.monotonic() + 10
    while admin_conn.execute(busy).fetchone() != (0,):
        assert time.monotonic() < deadline, "a query was left running on the target"
        time.sleep(0.02)


def test_nothing_begins_after_a_stop(world_of: Callable[..., World], database: str) -> None:
    world = world_of(watch_of(database, Plugin(lambda *_: faulty())))
    world.engine.stop()
    world.tick()
    assert world.store.runs() == []
    assert "main" not in world.store.view().targets


def test_the_version_and_absence_of_a_target_are_committed(
    world_of: Callable[..., World], own_server: Server
) -> None:
    world = world_of(watch_of(own_server.dsn(), Plugin()))
    world.tick()
    own_server.stop()
    world.tick()
    seen = world.store.view().targets["main"]
    assert not seen.up
    assert str(seen.server_version).split(".")[0] == str(own_server.version)
    assert seen.last_seen_at is not None
    assert seen.observed_at >= seen.last_seen_at


def test_a_role_that_may_read_no_table_is_an_error_not_a_missing_target(
    world_of: Callable[..., World], database: str, admin_conn: psycopg.Connection
) -> None:
    role = "reader_" + database[-12:]
    admin_conn.execute("CREATE TABLE t ()")
    admin_conn.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    try:
        watch = watch_of(make_conninfo(database, user=role, password="x"), Plugin(count))
        world = world_of(watch)
        world.tick()
        assert world.up()
        assert world.outcomes() == {"one": "error"}
        assert world.states() == {"one": "unknown"}
        watch.target.close()
    finally:
        admin_conn.execute(f"DROP ROLE {role}")
