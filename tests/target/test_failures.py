"""A target that cannot be asked: one line that says why, without secrets, and never an answer."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgvigil.errors import (
    ConfigError,
    QueryFailedError,
    QueryTimeoutError,
    TargetError,
    TargetUnreachableError,
)
from pgvigil.target import Limits, Target, connecting
from tests.target.conftest import Background, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.embedded import Server
    from tests.bouncer import PgBouncer

SECRET = "hunter2+secret"


def failure(target: Target) -> TargetError:
    with pytest.raises(TargetError) as caught, target.snapshot() as snapshot:
        snapshot.fetch("SELECT 1")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("target games: ")
    return caught.value


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"password": SECRET}, 'password authentication failed for user "postgres"'),
        ({"user": "nobody_here", "password": SECRET}, 'authentication failed for user "nobody_here"'),
        ({"dbname": "no_such_database"}, 'database "no_such_database" does not exist'),
        ({"port": "1"}, "Connection refused"),
        ({"host": "no-such-host.invalid"}, "failed to resolve host 'no-such-host.invalid'"),
        ({"host": "127.0.0.1,127.0.0.1", "port": "1,2"}, "Connection refused"),
        ({"sslmode": "require"}, "server does not support SSL"),
        ({"target_session_attrs": "standby"}, "server is not in hot standby mode"),
        ({"options": "-c no_such_setting=1"}, 'unrecognized configuration parameter "no_such_setting"'),
        ({"sslmode": "bogus"}, 'invalid sslmode value: "bogus"'),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_who_cannot_be_reached_says_why(
    open_target: Callable[..., Target], database: str, change: dict[str, str], reason: str
) -> None:
    error = failure(open_target(make_conninfo(database, **change)))
    assert isinstance(error, TargetUnreachableError)
    assert reason in str(error)
    assert SECRET not in str(error)
    assert error.exit_status == 3


@pytest.mark.parametrize(
    "dsn",
    [
        "nonsense " + SECRET,
        f"postgresql://u:{SECRET}@host/db?no_such_option=1",
        f"hosst=x password={SECRET}",
        f"postgresql://u:{SECRET}@{SECRET}@host/db",
        f"postgresql://u:{SECRET}/x@host/db",
        f"host=x port={SECRET}",
    ],
)
def test_a_dsn_that_cannot_work_is_refused_without_being_quoted(dsn: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Target("games", dsn)
    assert str(caught.value).startswith("target games: the DSN")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


def test_a_server_without_room_says_so(open_target: Callable[..., Target], own_server: Server) -> None:
    with psycopg.connect(own_server.dsn(), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET max_connections = 5")
    own_server.restart()
    target = open_target(own_server.dsn())
    sessions = [psycopg.connect(own_server.dsn()) for _ in range(5)]
    assert "too many clients already" in str(failure(target))
    sessions.pop().close()
    wait_until(lambda: not isinstance(Background(lambda: answer(target)).outcome(), TargetError))
    for other in sessions:
        other.close()


def answer(target: Target) -> Any:
    with target.snapshot() as snapshot:
        return snapshot.fetch("SELECT 1 AS n")


def test_the_connection_is_made_anew_after_a_restart(
    open_target: Callable[..., Target], own_server: Server
) -> None:
    target = open_target(own_server.dsn())
    assert answer(target) == [{"n": 1}]
    own_server.restart()
    assert answer(target) == [{"n": 1}]
    own_server.stop("immediate")
    assert "Connection refused" in str(failure(target))
    own_server.start()
    assert answer(target) == [{"n": 1}]


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_is_stopped_under_a_query_is_an_error(
    open_target: Callable[..., Target], own_server: Server, mode: Any
) -> None:
    target = open_target(own_server.dsn())

    def sleep() -> Any:
        with target.snapshot("sleeper") as snapshot:
            return snapshot.fetch("SELECT pg_sleep(60)")

    with psycopg.connect(own_server.dsn(), autocommit=True) as admin:
        sleeper = Background(sleep)
        wait_until(lambda: running(admin, "sleeper"))
    own_server.restart(mode)
    error = sleeper.outcome()
    assert isinstance(error, TargetUnreachableError)
    assert str(error).startswith("target games: connection lost: ")
    assert answer(target) == [{"n": 1}]


def test_a_backend_that_is_killed_is_an_error(open_target: Callable[..., Target], own_server: Server) -> None:
    target = open_target(own_server.dsn())
    with target.snapshot() as snapshot:
        pid = snapshot.fetch("SELECT pg_backend_pid() AS pid")[0]["pid"]
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(TargetUnreachableError, match="games: connection lost"):
            snapshot.fetch("SELECT 1")
        with pytest.raises(TargetUnreachableError):
            snapshot.fetch("SELECT 1")
    # The server restarts all its backends after such a crash.
    wait_until(lambda: not isinstance(Background(lambda: answer(target)).outcome(), TargetError))


def test_a_restarted_pooler_is_connected_to_anew(
    open_target: Callable[..., Target], database: str, pgbouncer: PgBouncer, admin_conn: psycopg.Connection
) -> None:
    target = open_target(pgbouncer.through(database))
    assert answer(target) == [{"n": 1}]
    admin_conn.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    wait_until(lambda: not isinstance(Background(lambda: answer(target)).outcome(), TargetError))


def test_a_query_that_takes_too_long_is_a_timeout(open_target: Callable[..., Target], database: str) -> None:
    target = open_target(database, statement_timeout=0.2)
    with (
        target.snapshot() as snapshot,
        pytest.raises(QueryTimeoutError, match=r"timeout is 0\.2 s") as caught,
    ):
        snapshot.fetch("SELECT pg_sleep(60)")
    assert "\n" not in str(caught.value)
    assert answer(target) == [{"n": 1}]


def test_errors_about_data_do_not_quote_them(target: Target, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""CREATE TABLE t AS SELECT '4111 1111 1111 "1111' AS card""")
    for query in ("SELECT card::int FROM public.t", "SELECT card::date FROM public.t"):
        with target.snapshot() as snapshot, pytest.raises(QueryFailedError, match="…") as caught:
            snapshot.fetch(query)
        assert "1111" not in str(caught.value)


def test_a_server_that_never_answers_is_given_up(open_target: Callable[..., Target]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = open_target(f"host=127.0.0.1 port={listener.getsockname()[1]}", connect_timeout=2)
        assert "timeout" in str(failure(target))


def test_a_peer_that_is_gone_is_noticed_by_the_network(database: str) -> None:
    with connecting.connect(make_conninfo(database, keepalives_idle=3), Limits()) as connection:
        settings = connection.info.get_parameters()
    names = ("keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout")
    assert [settings[name] for name in names] == ["3", "5", "3", "25000"]


def test_the_dsn_may_ask_for_more_patience(open_target: Callable[..., Target]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        target = open_target(f"host=127.0.0.1 port={port} connect_timeout=2", connect_timeout=600)
        assert "timeout" in str(failure(target))


def test_an_unknown_column_is_a_failed_query(target: Target) -> None:
    with target.snapshot() as snapshot:
        with pytest.raises(QueryFailedError, match='column "nope" does not exist') as caught:
            snapshot.fetch("SELECT nope")
        assert caught.value.sqlstate == "42703"
        with pytest.raises(QueryFailedError, match="transaction is aborted"):
            snapshot.fetch("SELECT 1")
        with pytest.raises(QueryFailedError):
            snapshot.fetch(sql.SQL("SELECT %(missing)s"), {"other": 1})
