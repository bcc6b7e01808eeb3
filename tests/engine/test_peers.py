"""Another target beside a run's own: within its budget, told apart when it fails, and ended with the run."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil import peer
from pgvigil.check import Examined, Subject
from pgvigil.errors import TargetError
from pgvigil.once import check_once
from pgvigil.target import Limits
from tests.databases import fresh_database
from tests.engine.world import World, dead_dsn, watch_of
from tests.runner.plugins import CLEAN, Plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.check import Context, Peer
    from pgvigil.embedded import Server
    from pgvigil.watch import Watch

ONE = Limits(connections=1, statement_timeout=20.0, lock_timeout=0.2, connect_timeout=2)
WHERE = "SELECT current_database()::text AS name"


@pytest.fixture
def other_database(pg_server: Server) -> Iterator[str]:
    with fresh_database(pg_server) as dsn:
        yield dsn


def sessions(dsn: str, state: str = "active") -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgvigil plugin' AND state = %s"
    with psycopg.connect(dsn, autocommit=True) as conn:
        row = conn.execute(
            query + " AND datname = current_database()",
            [state],  # type: ignore[arg-type]
        ).fetchone()
    assert row is not None
    return int(row[0])


def until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.02)


def error_of(world: World, target: str = "main") -> str:
    return str(world.store.view().subjects[target, "plugin", "one"].error)


def test_a_run_reads_two_databases_and_leaves_no_session(
    world_of: Callable[..., World], database: str, other_database: str
) -> None:
    seen: list[Any] = []

    def run(context: Context, _: Subject) -> Examined:
        other = context.peer("other")
        seen.extend((context.fetch(WHERE), other.fetch(WHERE), other.catalog.database))
        assert context.peer("other") is other
        other.renew()
        seen.append(sessions(other_database, "idle in transaction"))
        return CLEAN

    other = watch_of(other_database, Plugin(), name="other")
    world = world_of(watch_of(database, Plugin(run)), other)
    world.tick()
    assert world.outcomes() == {"one": "pass"}, error_of(world)
    assert seen[0][0]["name"] != seen[1][0]["name"]
    assert seen[1][0]["name"] == seen[2]
    assert seen[3] == 0
    assert sessions(other_database, "idle") == 0
    assert other.governor.busy_seconds > 0


def test_a_peer_that_is_down_is_named_and_the_own_target_is_up(
    world_of: Callable[..., World], database: str
) -> None:
    ask = Plugin(lambda context, _: context.peer("other").fetch(WHERE) and CLEAN)
    world = world_of(watch_of(database, ask), watch_of(dead_dsn(database), Plugin(), name="other"))
    world.tick()
    assert world.outcomes() == {"one": "error"}
    assert error_of(world).startswith("target other: cannot connect")
    assert world.up()


def test_what_a_check_makes_light_of_is_no_all_clear(world_of: Callable[..., World], database: str) -> None:
    def run(context: Context, _: Subject) -> Examined:
        with pytest.raises(Exception, match="target other"):
            context.peer("other").fetch(WHERE)
        return CLEAN

    world = world_of(watch_of(database, Plugin(run)), watch_of(dead_dsn(database), Plugin(), name="other"))
    world.tick()
    assert world.outcomes() == {"one": "error"}


@pytest.mark.parametrize("name", ["main", "nobody"])
def test_there_is_no_such_other_target(name: str, world_of: Callable[..., World], database: str) -> None:
    world = world_of(watch_of(database, Plugin(lambda context, _: context.peer(name) and CLEAN)))
    world.tick()
    assert error_of(world) == f"target main: there is no other target {name} to compare with"


def test_two_targets_that_wait_for_each_other_get_out_of_it(
    world_of: Callable[..., World], database: str, other_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "PATIENCE_SECONDS", 0.5)
    both = threading.Barrier(2)

    def asking(name: str) -> Plugin:
        def run(context: Context, _: Subject) -> Examined:
            context.fetch(WHERE)
            both.wait()
            context.peer(name).fetch(WHERE)
            return CLEAN

        return Plugin(run)

    world = world_of(
        watch_of(database, asking("other"), limits=ONE),
        watch_of(other_database, asking("main"), name="other", limits=ONE),
    )
    ticks = [threading.Thread(target=world.tick, args=["plugin", name]) for name in ("main", "other")]
    for tick in ticks:
        tick.start()
    for tick in ticks:
        tick.join()
    outcomes = [*world.outcomes().values(), *world.outcomes(target="other").values()]
    # The first to give up lets the other one through, unless both give up at once.
    assert "error" in outcomes
    lost = "main" if world.outcomes() == {"one": "error"} else "other"
    names = {"main": "other", "other": "main"}
    assert error_of(world, lost) == (
        f"target {names[lost]} has no session to spare for target {lost}:"
        " all 1 of its budget were at work for 0.5 s"
    )


def test_a_stop_of_the_own_target_ends_the_peers_query(
    world_of: Callable[..., World], database: str, other_database: str
) -> None:
    sleeping = Plugin(lambda context, _: context.peer("other").fetch("SELECT pg_sleep(60)") and CLEAN)
    own = watch_of(database, sleeping)
    world = world_of(own, watch_of(other_database, Plugin(), name="other"))
    tick = threading.Thread(target=world.tick)
    tick.start()
    until(lambda: sessions(other_database) == 1)
    own.stop()
    tick.join(10)
    assert not tick.is_alive()
    assert sessions(other_database) == 0
    # A run that was cancelled says nothing.
    assert world.outcomes() == {"one": None}


def test_a_stop_of_the_peer_is_an_error_of_the_run(
    world_of: Callable[..., World], database: str, other_database: str
) -> None:
    sleeping = Plugin(lambda context, _: context.peer("other").fetch("SELECT pg_sleep(60)") and CLEAN)
    other = watch_of(other_database, Plugin(), name="other")
    world = world_of(watch_of(database, sleeping), other)
    tick = threading.Thread(target=world.tick)
    tick.start()
    until(lambda: sessions(other_database) == 1)
    other.stop()
    tick.join(10)
    assert error_of(world) == "target other was stopped while it was compared with"


def test_a_run_that_is_given_up_leaves_no_query_on_the_peer(
    world_of: Callable[..., World], database: str, other_database: str
) -> None:
    sleeping = Plugin(lambda context, _: context.peer("other").fetch("SELECT pg_sleep(60)") and CLEAN)
    world = world_of(
        watch_of(database, sleeping, run_timeout=0.5), watch_of(other_database, Plugin(), name="other")
    )
    world.tick()
    assert world.outcomes() == {"one": "timeout"}
    until(lambda: sessions(other_database) == 0)


def test_a_query_of_the_peer_that_nobody_waits_for_ends_with_the_run(
    world_of: Callable[..., World], database: str, other_database: str
) -> None:
    def run(context: Context, _: Subject) -> Examined:
        other = context.peer("other")
        threading.Thread(target=suppressed, args=[other], daemon=True).start()
        until(lambda: sessions(other_database) == 1)
        context.fetch("SELECT 1 / 0")
        return CLEAN

    def suppressed(other: Peer) -> None:
        with contextlib.suppress(TargetError):
            other.fetch("SELECT pg_sleep(60)")

    world = world_of(watch_of(database, Plugin(run)), watch_of(other_database, Plugin(), name="other"))
    world.tick()
    assert "division by zero" in error_of(world)
    until(lambda: sessions(other_database) == 0)


def test_one_look_now_finds_the_peer(database: str, other_database: str) -> None:
    def find(name: str) -> Watch | None:
        return others.get(name)

    ask = Plugin(lambda context, _: context.peer("other").fetch(WHERE) and CLEAN)
    own, others = watch_of(database, ask), {"other": watch_of(other_database, Plugin(), name="other")}
    try:
        assert [run.error for run in check_once(own, find=find).runs] == [None]
        (lost,) = check_once(own).runs
        assert lost.error == "target main: there is no other target other to compare with"
    finally:
        own.target.close()
        others["other"].target.close()
