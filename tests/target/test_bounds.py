"""pgvigil never makes a target wait: locks, connections, and the end of all work on request."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.errors import CancelledError, QueryTimeoutError, TargetUnreachableError
from pgvigil.target import session
from tests.target.conftest import Background, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.target import Target
    from tests.bouncer import PgBouncer


def sleeping(target: Target, purpose: str = "sleeper") -> Background:
    def sleep() -> Any:
        with target.snapshot(purpose) as snapshot:
            return snapshot.fetch("SELECT pg_sleep(60)")

    return Background(sleep)


def connections(admin: psycopg.Connection) -> int:
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    row = admin.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_a_lock_of_somebody_else_is_a_timeout(
    target: Target, database: str, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("CREATE TABLE t ()")
    with psycopg.connect(database) as other:
        other.execute("LOCK t IN ACCESS EXCLUSIVE MODE")
        with (
            target.snapshot() as snapshot,
            pytest.raises(QueryTimeoutError, match="holds the lock") as e,
        ):
            snapshot.fetch("SELECT FROM public.t")
        assert "\n" not in str(e.value)
        assert target.read_catalog().named("t"), "the catalog needs no lock on a table"


def test_those_who_queue_behind_us_wait_no_longer_than_our_lock_timeout(
    target: Target, database: str, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("CREATE TABLE t ()")
    with psycopg.connect(database) as reader, psycopg.connect(database) as writer:
        reader.execute("SELECT FROM t")
        # A schema change waits for the reader, we wait behind it, and leave: it gets its turn right after.
        alter = Background(lambda: writer.execute("ALTER TABLE t ADD COLUMN n int"))
        waiting = "SELECT FROM pg_locks WHERE NOT granted AND pid = %s"
        wait_until(lambda: admin_conn.execute(waiting, [writer.info.backend_pid]).rowcount)
        with target.snapshot() as snapshot, pytest.raises(QueryTimeoutError):
            snapshot.fetch("SELECT FROM public.t")
        reader.rollback()
        assert isinstance(alter.outcome(), psycopg.Cursor)


def test_a_snapshot_that_has_ended_holds_no_lock(target: Target, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TABLE t ()")
    with target.snapshot() as snapshot:
        snapshot.fetch("SELECT FROM public.t")
    admin_conn.execute("SET lock_timeout = '1ms'")
    admin_conn.execute("DROP TABLE t")


def test_the_budget_of_connections_is_never_exceeded(
    open_target: Callable[..., Target], database: str, admin_conn: psycopg.Connection
) -> None:
    target = open_target(database, connections=3, statement_timeout=0.1)
    most = 0

    def work(number: int) -> None:
        with target.snapshot() as snapshot:
            if number % 5 == 0:
                target.abandon(snapshot)
            elif number % 5 == 1:
                with pytest.raises(QueryTimeoutError):
                    snapshot.fetch("SELECT pg_sleep(60)")
            else:
                snapshot.fetch("SELECT pg_sleep(0.01)")

    threads = [Background(lambda number=number: work(number)) for number in range(60)]  # type: ignore[misc]
    while any(thread.is_alive() for thread in threads):
        most = max(most, connections(admin_conn))
    assert [thread.outcome() for thread in threads] == [None] * 60
    assert most <= 3 + 1, "an abandoned session may be on its way out while its place is taken again"
    target.close()
    wait_until(lambda: connections(admin_conn) == 0)


def test_a_place_in_the_budget_is_returned_whatever_happens(
    open_target: Callable[..., Target], database: str
) -> None:
    target = open_target(database, connections=1)
    for _ in range(3):
        with pytest.raises(RuntimeError), target.snapshot():
            raise RuntimeError("a check that crashes")
        with target.snapshot() as snapshot:
            target.abandon(snapshot)
            target.abandon(snapshot)
    with target.snapshot() as snapshot:
        assert snapshot.fetch("SELECT 1 AS n") == [{"n": 1}]
    unreachable = open_target("host=127.0.0.1 port=1", connections=1)
    for _ in range(3):
        with pytest.raises(TargetUnreachableError), unreachable.snapshot():
            pass


def test_who_was_abandoned_can_do_no_harm(
    open_target: Callable[..., Target], database: str, admin_conn: psycopg.Connection
) -> None:
    target = open_target(database, connections=1)
    with target.snapshot("hanging") as hanging:
        (row,) = hanging.fetch("SELECT pg_backend_pid() AS pid")
        target.abandon(hanging)
        with target.snapshot() as snapshot:
            assert snapshot.fetch("SELECT pg_backend_pid() AS pid") != [row]
            with pytest.raises(CancelledError):
                hanging.fetch("SELECT 1")
            target.abandon(hanging)
            assert snapshot.fetch("SELECT 1 AS n") == [{"n": 1}]
    target.abandon(hanging)
    with target.snapshot() as snapshot:
        assert snapshot.fetch("SELECT 1 AS n") == [{"n": 1}]


def test_an_abandoned_query_ends_on_the_server_too(
    open_target: Callable[..., Target], database: str, admin_conn: psycopg.Connection
) -> None:
    target = open_target(database, connections=1)
    snapshots = []

    def sleep() -> Any:
        with target.snapshot("abandoned") as snapshot:
            snapshots.append(snapshot)
            return snapshot.fetch("SELECT pg_sleep(60)")

    sleeper = Background(sleep)
    wait_until(lambda: running(admin_conn, "abandoned"))
    target.abandon(snapshots[0])
    assert isinstance(sleeper.outcome(), CancelledError)
    wait_until(lambda: not running(admin_conn, "abandoned"))


@pytest.mark.parametrize("pooled", [False, True], ids=["directly", "through PgBouncer"])
def test_a_stop_cancels_what_runs(
    request: pytest.FixtureRequest,
    open_target: Callable[..., Target],
    database: str,
    admin_conn: psycopg.Connection,
    pooled: bool,
) -> None:
    dsn = request.getfixturevalue("pgbouncer").through(database) if pooled else database
    target = open_target(dsn, connections=3)
    sleepers = [sleeping(target) for _ in range(3)]
    waiting = sleeping(target)
    wait_until(lambda: len(running(admin_conn, "sleeper")) == 3)
    target.stop()
    assert all(isinstance(sleeper.outcome(), CancelledError) for sleeper in (*sleepers, waiting))
    wait_until(lambda: not running(admin_conn, "sleeper"))
    with pytest.raises(CancelledError, match="stopping"), target.snapshot():
        pass


def test_a_stop_does_not_wait_for_a_connection_to_be_made(open_target: Callable[..., Target]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = open_target(f"host=127.0.0.1 port={silent.getsockname()[1]}", connect_timeout=600)
        sleeper = sleeping(target)
        with silent.accept()[0]:
            target.stop()
            assert isinstance(sleeper.outcome(), CancelledError)


class Proxy:
    """Forwards bytes to a server until it is told to hold them back: a network that has gone silent."""

    def __init__(self, host: str, port: int) -> None:
        self._behind = (host, port)
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._stack = ExitStack()
        self._stack.callback(self._listener.close)
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        self._open.clear()

    def close(self) -> None:
        self._open.set()
        self._stack.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = self._stack.enter_context(socket.create_connection(self._behind))
            self._stack.enter_context(client)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self._open.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.fixture
def proxy(pg_server: Any) -> Any:
    proxy = Proxy(pg_server.host, pg_server.port)
    yield proxy
    proxy.close()


def test_a_stop_does_not_wait_for_a_network_that_went_silent(
    open_target: Callable[..., Target], database: str, proxy: Proxy, admin_conn: psycopg.Connection
) -> None:
    target = open_target(psycopg.conninfo.make_conninfo(database, port=proxy.port))
    running_query = sleeping(target)
    wait_until(lambda: running(admin_conn, "sleeper"))
    proxy.hold()
    target.stop()
    assert isinstance(running_query.outcome(), CancelledError)


def test_a_query_without_an_answer_does_not_hang(
    open_target: Callable[..., Target],
    database: str,
    proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "_NETWORK_SECONDS", 0.3)
    target = open_target(
        psycopg.conninfo.make_conninfo(database, port=proxy.port), connections=1, statement_timeout=0.2
    )
    with target.snapshot() as snapshot:
        snapshot.fetch("SELECT 1")
        proxy.hold()
        with pytest.raises(TargetUnreachableError, match=r"no answer within 0\.5 s"):
            snapshot.fetch("SELECT 2")


def test_a_pooler_without_a_free_session_does_not_hang(
    open_target: Callable[..., Target], database: str, pgbouncer: PgBouncer
) -> None:
    through = pgbouncer.through(database)
    with ExitStack() as stack:
        for _ in range(10):
            other = stack.enter_context(psycopg.connect(through))
            other.execute("SELECT 1")
        target = open_target(through)
        waiting = sleeping(target)
        wait_until(lambda: target._active)
        target.stop()
        assert isinstance(waiting.outcome(), CancelledError)
