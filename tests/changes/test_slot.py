"""The slot's life: what it needs, what it may keep, how it is lost, and that nothing is missed by it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from pgvigil.changes import Slot, slot_name
from pgvigil.errors import TargetError
from tests.changes.conftest import World, bound, elsewhere, texts
from tests.databases import fresh_database
from tests.servers import private_server, standby_of
from tests.target.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.embedded import Server

pytestmark = [pytest.mark.contrib]

TABLE = "CREATE TABLE t (id int PRIMARY KEY, note text)"
# Each of them is a transaction of several megabytes.
LOAD = [
    "CREATE TABLE load (note text)",
    *["INSERT INTO load SELECT repeat('x', 2000) FROM generate_series(1, 2000)"] * 8,
]


@pytest.fixture
def known(world: World) -> World:
    """A world with a table."""
    world.execute(TABLE, "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    return world


@pytest.fixture
def broken_server(pg_version: int) -> Iterator[Server]:
    """A server that this test may set up and break."""
    with private_server(pg_version) as running:
        bound(running)
        yield running


def slots(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as conn:
        return [row[0] for row in conn.execute("SELECT slot_name FROM pg_replication_slots")]


def drop(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


def test_the_slot_is_named_by_target_and_database() -> None:
    names = {slot_name("a", "b"), slot_name("a", "c"), slot_name("b", "b"), slot_name("ab", "")}
    assert len(names) == 4
    assert all(name.startswith("pgvigil_") and len(name) <= 63 for name in names)


def test_a_slot_that_was_dropped_and_made_again_makes_everything_be_looked_at(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    drop(known.dsn)
    known.execute("INSERT INTO t VALUES (3, 'c')")
    assert known.tick(run) is None
    drop(known.dsn)
    known.execute("INSERT INTO t VALUES (4, 'd')")
    other = Slot("main", known.dsn, statement_timeout=20)
    other.state()
    other.create()
    other.close()
    known.execute("INSERT INTO t VALUES (5, 'e')")
    assert known.tick(run) is None
    known.execute("INSERT INTO t VALUES (6, 'f')")
    touched = known.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["6"]


def test_a_slot_that_vanishes_within_a_tick_is_noticed(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    known.changes.begin_tick()
    drop(known.dsn)
    known.execute("INSERT INTO t VALUES (3, 'c')")
    assert run.ask() is None
    run.commit()
    known.changes.done()
    assert known.changes.obstacle
    assert known.tick(run) is None
    assert not known.changes.obstacle
    assert known.tick(run) is not None


def test_what_somebody_else_has_taken_from_the_slot_is_not_missed(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    known.execute("INSERT INTO t VALUES (3, 'c')")
    with psycopg.connect(known.dsn, autocommit=True) as conn:
        conn.execute("SELECT pg_logical_slot_get_changes(slot_name, NULL, NULL) FROM pg_replication_slots")
    assert known.tick(run) is None


def test_a_crash_makes_everything_be_looked_at(known: World, server: Server) -> None:
    run = known.run("public.t")
    known.tick(run)
    with psycopg.connect(known.dsn, autocommit=True) as conn:
        conn.execute("SET synchronous_commit = off; INSERT INTO t VALUES (3, 'c')")
    server.restart("immediate")
    known.execute("INSERT INTO t VALUES (4, 'd')")
    assert known.tick(run) is None
    known.execute("INSERT INTO t VALUES (5, 'e')")
    touched = known.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["5"]


def test_a_backend_that_crashes_loses_nothing_that_was_told(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    with psycopg.connect(known.dsn, autocommit=True) as conn:
        conn.execute("SET synchronous_commit = off")
        conn.execute("INSERT INTO t VALUES (3, 'c')")
        touched = known.tick(run)
        assert touched is not None
        assert texts(touched.new, "id") == ["3"]
    known.execute("INSERT INTO t VALUES (4, 'd')")
    with psycopg.connect(known.dsn, autocommit=True) as conn:
        [pid] = conn.execute("SELECT pg_backend_pid()").fetchone() or [0]
        # As a superuser may: the server takes it for a crash, ends every session and recovers.
        kill = sql.SQL("COPY (SELECT 1) TO PROGRAM {}").format(sql.Literal(f"kill -9 {pid}; sleep 5"))
        with pytest.raises(psycopg.OperationalError):
            conn.execute(kill)
    deadline = time.monotonic() + 20
    while True:
        try:
            known.execute("INSERT INTO t VALUES (5, 'e')")
            break
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    touched = known.tick(run)
    assert touched is None or texts(touched.new, "id") == ["4", "5"]


def test_a_slot_that_keeps_too_much_is_dropped_and_begun_anew(open_world: Callable[..., World]) -> None:
    world = open_world(retention=16 << 20)
    world.execute(TABLE)
    run = world.run("public.t")
    world.tick(run)
    world.execute(*LOAD, "INSERT INTO t VALUES (3, 'c')")
    assert world.tick(run) is None
    assert world.changes.dropped == 1
    world.execute("INSERT INTO t VALUES (4, 'd')")
    touched = world.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["4"]


def test_a_slot_that_keeps_too_much_is_dropped_though_nothing_ticks(
    open_world: Callable[..., World],
) -> None:
    world = open_world(retention=16 << 20)
    world.execute(TABLE)
    world.tick(world.run("public.t"))
    keeping = threading.Thread(target=world.changes.keep_within, args=[0.05])
    keeping.start()
    try:
        wait_until(lambda: world.changes.retained is not None)
        assert world.changes.dropped == 0
        world.execute(*LOAD)
        wait_until(lambda: world.changes.dropped == 1)
        with psycopg.connect(world.dsn) as conn:
            assert (
                conn.execute(
                    "SELECT FROM pg_replication_slots WHERE database = current_database()"
                ).fetchall()
                == []
            )
        assert not world.changes.known
    finally:
        world.changes.stop()
        keeping.join()


def test_a_backlog_that_is_dearer_than_a_full_check_is_skipped(
    open_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil.changes.changes._MOST_BACKLOG", 16 << 20)
    world = open_world()
    world.execute(TABLE)
    run = world.run("public.t")
    world.tick(run)
    world.execute(*LOAD, "INSERT INTO t VALUES (3, 'c')", "CHECKPOINT")
    assert world.tick(run) is None
    assert world.changes.dropped == 0
    for _ in range(2):
        world.execute("CHECKPOINT")
        world.tick(run)
    world.execute("INSERT INTO t VALUES (4, 'd')")
    touched = world.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["4"]


def test_the_slot_lets_go_of_what_was_looked_at(known: World) -> None:
    run = known.run("public.t")
    for _ in range(2):
        known.tick(run)
    known.execute(*LOAD)
    known.tick(run)
    with psycopg.connect(known.dsn) as conn:
        query = "SELECT pg_current_wal_lsn() - confirmed_flush_lsn FROM pg_replication_slots"
        [behind] = conn.execute(query).fetchone() or [None]
    assert behind is not None
    assert behind < 1 << 20


def test_a_slot_that_falls_behind_blocks_nobodys_disk(broken_server: Server) -> None:
    with psycopg.connect(broken_server.dsn(), autocommit=True) as conn:
        conn.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '16MB'")
        conn.execute("ALTER SYSTEM SET max_wal_size = '32MB'")
        conn.execute("ALTER SYSTEM SET min_wal_size = '32MB'")
        conn.execute("SELECT pg_reload_conf()")
    with fresh_database(broken_server) as dsn:
        world = World(dsn)
        world.execute(TABLE)
        run = world.run("public.t")
        world.tick(run)
        world.execute(*LOAD, *LOAD[1:], "INSERT INTO t VALUES (3, 'c')", "CHECKPOINT")
        with psycopg.connect(dsn) as conn:
            query = "SELECT wal_status FROM pg_replication_slots"
            assert conn.execute(query).fetchall() == [("lost",)]
            [kept] = conn.execute("SELECT sum(size) FROM pg_ls_waldir()").fetchone() or [None]
        assert kept is not None
        assert kept <= 96 << 20
        assert world.tick(run) is None
        assert world.changes.dropped == 1
        world.execute("INSERT INTO t VALUES (4, 'd')")
        touched = world.tick(run)
        assert touched is not None
        assert texts(touched.new, "id") == ["4"]
        world.close()
        drop(dsn)


def test_after_a_failover_everything_is_looked_at(broken_server: Server) -> None:
    with fresh_database(broken_server) as dsn:
        world = World(dsn)
        world.execute(TABLE)
        run = world.run("public.t")
        world.tick(run)
        assert world.tick(run) is not None
        with standby_of(broken_server, {}) as standby:
            on_standby = standby.dsn(dsn.rsplit("/", 1)[1])
            elsewhere(world, on_standby)
            assert world.tick(run) is None
            assert "standby" in world.changes.obstacle
            with psycopg.connect(on_standby, autocommit=True) as conn:
                conn.execute("SELECT pg_promote()")
                conn.execute("INSERT INTO t VALUES (3, 'c')")
            assert world.tick(run) is None
            world.execute("INSERT INTO t VALUES (4, 'd')")
            touched = world.tick(run)
            assert touched is not None
            assert texts(touched.new, "id") == ["4"]
            world.close()
        drop(dsn)


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [("wal_level", "replica", "wal_level"), ("max_slot_wal_keep_size", "-1", "max_slot_wal_keep_size")],
)
def test_a_server_that_is_not_fit_for_a_slot_gets_none(
    broken_server: Server, setting: str, value: str, reason: str
) -> None:
    with psycopg.connect(broken_server.dsn(), autocommit=True) as conn:
        conn.execute(f"ALTER SYSTEM SET {setting} = '{value}'")  # type: ignore[call-overload]
    broken_server.restart()
    with fresh_database(broken_server) as dsn:
        world = World(dsn)
        world.execute(TABLE)
        run = world.run("public.t")
        for _ in range(2):
            assert world.tick(run) is None
            assert reason in world.changes.obstacle
            assert "\n" not in world.changes.obstacle
        assert slots(dsn) == []
        world.close()


def test_a_slot_that_is_bounded_no_more_is_dropped_when_it_keeps_too_much(broken_server: Server) -> None:
    with fresh_database(broken_server) as dsn:
        world = World(dsn, retention=16 << 20)
        world.execute(TABLE)
        world.changes.begin_tick()
        assert len(slots(dsn)) == 1
        world.execute("ALTER SYSTEM SET max_slot_wal_keep_size = -1", "SELECT pg_reload_conf()", *LOAD)
        for _ in range(2):
            world.execute("CHECKPOINT")
            world.changes.begin_tick()
        assert slots(dsn) == []
        assert world.changes.dropped == 1
        assert "max_slot_wal_keep_size" in world.changes.obstacle
        world.close()


def test_somebody_elses_slot_is_left_alone(broken_server: Server) -> None:
    with fresh_database(broken_server) as dsn:
        slot = Slot("main", dsn, statement_timeout=20)
        name = slot.state().name
        with psycopg.connect(broken_server.dsn(), autocommit=True) as conn:
            conn.execute("SELECT pg_create_logical_replication_slot(%s, 'test_decoding')", [name])
        with pytest.raises(TargetError, match="somebody else's"):
            slot.drop_if_there()
        assert slots(dsn) == [name]
        slot.close()
        drop(dsn.replace(dsn.rsplit("/", 1)[1], "postgres"))


def test_a_role_without_replication_gets_no_slot(open_world: Callable[..., World]) -> None:
    world = open_world()
    world.execute(TABLE, "DROP ROLE IF EXISTS plain", "CREATE ROLE plain LOGIN PASSWORD 'plain'")
    elsewhere(world, world.dsn.replace(world.dsn.split("@")[0], "postgresql://plain:plain"))
    run = world.run("public.t")
    assert world.tick(run) is None
    assert "REPLICATION" in world.changes.obstacle
    assert slots(world.dsn) == []


def test_a_role_with_replication_and_nothing_else_is_enough(open_world: Callable[..., World]) -> None:
    world = open_world()
    world.execute(TABLE, "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN REPLICATION PASSWORD 'r'")
    superuser = world.dsn
    elsewhere(world, world.dsn.replace(world.dsn.split("@")[0], "postgresql://reader:r"))
    run = world.run("public.t")
    world.tick(run)
    with psycopg.connect(superuser, autocommit=True) as conn:
        conn.execute("INSERT INTO t VALUES (1)")
    touched = world.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["1"]


def test_a_slot_waits_for_nobody_for_ever(known: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run = known.run("public.t")
    with psycopg.connect(known.dsn) as conn:
        conn.execute("INSERT INTO t VALUES (3, 'c')")
        began = time.monotonic()
        assert known.tick(run) is None
        assert time.monotonic() - began < 15
        assert known.changes.obstacle
        assert slots(known.dsn) == []
    known.tick(run)
    assert known.tick(run) is not None


def test_who_ran_when_the_slot_began_is_not_forgotten(known: World) -> None:
    """Whoever may have committed before the slot began, and is not seen yet, lets a note wait."""
    run = known.run("public.t")
    known.changes.begin_tick()
    with psycopg.connect(known.dsn) as conn:
        conn.execute("INSERT INTO t VALUES (3, 'c')")
        # To a pgvigil that starts now it may be one of them.
        known.restart()
        assert known.tick(run) is None
        assert known.tick(run) is None
        conn.commit()
    assert known.tick(run) is None
    assert known.tick(run) is not None


def test_a_stop_cancels_what_the_slot_is_busy_with(known: World) -> None:
    with psycopg.connect(known.dsn) as conn:
        conn.execute("INSERT INTO t VALUES (3, 'c')")
        ticking = threading.Thread(target=known.changes.begin_tick)
        ticking.start()
        time.sleep(0.5)
        began = time.monotonic()
        known.changes.stop()
        ticking.join()
        assert time.monotonic() - began < 2
    assert known.changes.obstacle


def test_trouble_with_the_slot_is_no_trouble_of_the_run(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    with psycopg.connect(known.dsn, autocommit=True) as conn:
        conn.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
    known.execute("INSERT INTO t VALUES (3, 'c')")
    assert run.ask() is None
    with known.target.snapshot("test") as snapshot:
        assert snapshot.fetch("SELECT count(*) AS n FROM public.t") == [{"n": 3}]


def test_a_slot_that_is_not_there_cannot_be_dropped(known: World) -> None:
    slot = Slot("main", known.dsn, statement_timeout=20)
    slot.state()
    with pytest.raises(TargetError, match="does not exist"):
        slot.drop()
    slot.close()
