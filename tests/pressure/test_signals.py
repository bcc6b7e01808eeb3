"""What is seen of others on a server, each signal with somebody who causes it."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.errors import BusyError
from pgvigil.sensor import Sensor, Signal, Signals, _is_here
from pgvigil.target import Limits, Target
from tests.pressure.others import activity, blocked, busy
from tests.servers import standby_of
from tests.target.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.embedded import Server


@contextmanager
def sensor_of(dsn: str) -> Iterator[Sensor]:
    with closing(Target("main", dsn)) as target:
        yield Sensor(target, dsn)


def look(dsn: str) -> Signals:
    with sensor_of(dsn) as sensor:
        return sensor()


@pytest.mark.every_pg
def test_a_quiet_server_shows_none_of_it(own_server: Server) -> None:
    assert look(own_server.dsn()) == {
        Signal.ACTIVE_SESSIONS: 0,
        Signal.LOCK_WAITS: 0,
        Signal.REPLICA_LAG: 0.0,
        Signal.OLDEST_SNAPSHOT: 0.0,
        # Three are kept for superusers, and one is ours.
        Signal.CONNECTIONS_LEFT: 200 - 3 - 1,
        Signal.LOAD: pytest.approx(os.getloadavg()[0] / (os.cpu_count() or 1), abs=0.5),
    }


@pytest.mark.every_pg
def test_others_that_work_and_wait_are_seen(own_server: Server) -> None:
    dsn = own_server.dsn()
    with busy(dsn, 3), blocked(dsn, 2):
        seen = look(dsn)
    # Who waits for a lock is in the middle of a statement as well.
    assert seen[Signal.ACTIVE_SESSIONS] == 5
    assert seen[Signal.LOCK_WAITS] == 2
    # Three sleep, one holds the lock, two wait for it, one is ours.
    assert seen[Signal.CONNECTIONS_LEFT] == 200 - 3 - 7


def test_sessions_of_pgvigil_are_not_others(own_server: Server) -> None:
    dsn = own_server.dsn()
    with busy(make_conninfo(dsn, application_name="pgvigil orphan_rows"), 2):
        seen = look(dsn)
    assert seen[Signal.ACTIVE_SESSIONS] == 0
    assert seen[Signal.OLDEST_SNAPSHOT] == 0.0


@pytest.mark.every_pg
def test_the_oldest_snapshot_of_others_ages(own_server: Server) -> None:
    dsn = own_server.dsn()
    with psycopg.connect(dsn) as reader, sensor_of(dsn) as sensor:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM pg_class")

        def age() -> float:
            return sensor()[Signal.OLDEST_SNAPSHOT] or 0.0

        wait_until(lambda: age() > 0.3)
        reader.rollback()
        assert age() == 0.0


def test_a_prepared_transaction_holds_a_snapshot_too(own_server: Server) -> None:
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        conn.execute("CREATE TABLE t (id int)")
        conn.execute("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'left behind'")
        assert (look(own_server.dsn())[Signal.OLDEST_SNAPSHOT] or 0.0) > 0.0


@pytest.mark.every_pg
def test_a_replica_that_falls_behind_is_seen_on_both_sides(own_server: Server) -> None:
    with (
        standby_of(own_server, {}) as standby,
        psycopg.connect(own_server.dsn(), autocommit=True) as primary,
        psycopg.connect(standby.dsn(), autocommit=True) as replica,
        sensor_of(own_server.dsn()) as at_primary,
        sensor_of(standby.dsn()) as at_standby,
    ):
        primary.execute("CREATE TABLE t (id int)")
        wait_until(lambda: replica.execute("SELECT FROM pg_class WHERE relname = 't'").rowcount == 1)
        replica.execute("SELECT pg_wal_replay_pause()")

        def lags() -> bool:
            primary.execute("INSERT INTO t VALUES (1)")
            return all((sensor()[Signal.REPLICA_LAG] or 0.0) > 1.0 for sensor in (at_primary, at_standby))

        wait_until(lags)
        replica.execute("SELECT pg_wal_replay_resume()")
        for sensor in (at_primary, at_standby):
            wait_until(lambda sensor=sensor: sensor()[Signal.REPLICA_LAG] == 0.0)


@pytest.mark.every_pg
def test_a_role_without_rights_sees_locks_and_connections_and_does_not_pretend_more(
    own_server: Server,
) -> None:
    dsn = own_server.dsn()
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("CREATE ROLE reader LOGIN PASSWORD 'x'")
    with standby_of(own_server, {}), busy(dsn, 2), blocked(dsn, 2):
        seen = look(make_conninfo(dsn, user="reader", password="x"))
    assert seen[Signal.LOCK_WAITS] == 2
    # Autovacuum may be among those that it sees.
    assert 200 - 3 - 6 - 3 <= (seen[Signal.CONNECTIONS_LEFT] or 0) <= 200 - 3 - 6
    assert [seen[one] for one in (Signal.ACTIVE_SESSIONS, Signal.REPLICA_LAG, Signal.OLDEST_SNAPSHOT)] == [
        None,
        None,
        None,
    ]


def test_a_role_that_may_read_all_statistics_sees_everything(own_server: Server) -> None:
    dsn = own_server.dsn()
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("CREATE ROLE reader LOGIN PASSWORD 'x'; GRANT pg_read_all_stats TO reader")
    with busy(dsn, 2):
        seen = look(make_conninfo(dsn, user="reader", password="x"))
    assert seen[Signal.ACTIVE_SESSIONS] == 2
    assert None not in seen.values()


def test_where_activities_are_not_tracked_no_session_counts_as_idle(own_server: Server) -> None:
    seen = look(make_conninfo(own_server.dsn(), options="-c track_activities=off"))
    assert seen[Signal.ACTIVE_SESSIONS] is None
    assert seen[Signal.LOCK_WAITS] == 0


def test_a_look_does_not_wait_for_a_session_of_the_budget(own_server: Server) -> None:
    with closing(Target("main", own_server.dsn(), Limits(connections=1))) as target:
        sensor = Sensor(target, own_server.dsn())
        with target.snapshot("a long run"), pytest.raises(BusyError):
            sensor()
        assert sensor()[Signal.LOCK_WAITS] == 0


def test_a_look_leaves_no_transaction_behind(own_server: Server) -> None:
    with sensor_of(own_server.dsn()) as sensor, psycopg.connect(own_server.dsn(), autocommit=True) as admin:
        sensor()
        assert [state for state, _ in activity(admin, "pgvigil%")] == ["idle"]


@pytest.mark.parametrize(
    ("dsn", "here"),
    [
        ("host=/var/run/postgresql dbname=d", True),
        ("dbname=d", True),
        ("postgresql://u@localhost/d", True),
        ("postgresql://u@127.0.0.1:5433/d", True),
        ("postgresql://u@[::1]/d", True),
        ("host=a.example hostaddr=127.0.0.1 dbname=d", True),
        ("postgresql://u@db.example/d", False),
        ("postgresql://u@localhost,db.example/d", False),
        ("postgresql://u@10.0.0.7/d", False),
        ("service=games", False),
    ],
)
def test_a_load_average_is_read_on_the_servers_own_machine_only(
    dsn: str, here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGHOST", raising=False)
    assert _is_here(dsn) is here


def test_a_host_of_the_environment_counts_as_that_of_the_dsn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example")
    assert not _is_here("dbname=d")
