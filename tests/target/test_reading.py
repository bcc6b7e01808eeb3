"""A standby is read only while what it shows is as new as its primary was."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.errors import StandbyError
from pgvigil.position import read_position
from pgvigil.target import Limits, Mark, Standby, Target
from tests.servers import private_server, standby_of
from tests.target.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.embedded import Server

COUNT = "SELECT count(*) AS rows FROM public.t"


class Pair:
    """A primary, a standby of it, and what pgvigil has of both."""

    def __init__(self, primary: Server, standby: Server) -> None:
        self.primary = primary
        self.server = standby
        self.target = Target("main", primary.dsn())

    def standby(self, dsn: str | None = None, *, max_lag: float = 20.0) -> Standby:
        limits = Limits(connections=2, statement_timeout=20.0)
        return Standby("main", dsn or self.server.dsn(), limits, max_lag=max_lag, fallback=True)

    def mark(self) -> Mark:
        position = read_position(self.target)
        assert position is not None
        assert position.mark is not None
        return position.mark

    def write(self, statement: str) -> None:
        with psycopg.connect(self.primary.dsn(), autocommit=True) as conn:
            conn.execute(statement)  # type: ignore[call-overload]

    def on_standby(self, statement: str) -> None:
        with psycopg.connect(self.server.dsn(), autocommit=True) as conn:
            conn.execute(statement)  # type: ignore[call-overload]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the replay for the block."""
        self.on_standby("SELECT pg_wal_replay_pause()")
        wait_until(self._paused)
        try:
            yield
        finally:
            self.on_standby("SELECT pg_wal_replay_resume()")

    def _paused(self) -> bool:
        with psycopg.connect(self.server.dsn(), autocommit=True) as conn:
            row = conn.execute("SELECT pg_get_wal_replay_pause_state()").fetchone()
        return row == ("paused",)


@pytest.fixture(scope="module")
def shared(pg_version: int) -> Iterator[Pair]:
    with private_server(pg_version) as primary, standby_of(primary, {}) as standby:
        pair = Pair(primary, standby)
        pair.write("CREATE TABLE t AS SELECT generate_series(1, 1000) AS id")
        yield pair
        pair.target.close()


@pytest.fixture
def open_standby(shared: Pair) -> Iterator[Callable[..., Standby]]:
    with ExitStack() as stack:

        def make(dsn: str | None = None, *, max_lag: float = 20.0) -> Standby:
            standby = shared.standby(dsn, max_lag=max_lag)
            stack.callback(standby.close)
            return standby

        yield make


@contextmanager
def torn_pages_are_mended(server: Server) -> Iterator[None]:
    """Let standbys of the server's standbys be made: the tests' servers do without such WAL."""
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        conn.execute("ALTER SYSTEM SET full_page_writes = on")
        conn.execute("SELECT pg_reload_conf()")
        wait_until(lambda: conn.execute("SHOW full_page_writes").fetchone() == ("on",))
        conn.execute("CHECKPOINT")
    yield


def rows(reading: Target) -> int:
    with reading.snapshot("test") as snapshot:
        return int(snapshot.fetch(COUNT)[0]["rows"])


@pytest.mark.every_pg
def test_it_shows_all_that_the_primary_had_written(
    shared: Pair, open_standby: Callable[..., Standby]
) -> None:
    shared.write("INSERT INTO t VALUES (1)")
    with psycopg.connect(shared.primary.dsn()) as conn:
        expected = conn.execute(COUNT).fetchone()
    standby = open_standby()
    reading = standby.reach(shared.mark())
    assert (rows(reading),) == expected
    assert standby.usable
    assert standby.lag_seconds is not None


def test_what_was_written_without_a_flush_is_waited_for(
    shared: Pair, open_standby: Callable[..., Standby]
) -> None:
    shared.write("SET synchronous_commit = off; INSERT INTO t VALUES (2)")
    with psycopg.connect(shared.primary.dsn()) as conn:
        expected = conn.execute(COUNT).fetchone()
    assert (rows(open_standby().reach(shared.mark())),) == expected


def test_one_that_replays_later_is_waited_for(shared: Pair, open_standby: Callable[..., Standby]) -> None:
    standby = open_standby()
    standby.reach(shared.mark())  # the table is there
    with psycopg.connect(shared.server.dsn(), autocommit=True) as blocker:
        # The replay of an exclusive lock waits for who reads the table.
        blocker.execute("BEGIN; SELECT count(*) FROM t")
        shared.write("BEGIN; LOCK TABLE t; INSERT INTO t VALUES (3); COMMIT")
        mark, found = shared.mark(), []
        waiting = threading.Thread(target=lambda: found.append(standby.reach(mark)))
        waiting.start()
        waiting.join(0.5)
        assert not found
        blocker.execute("ROLLBACK")
    waiting.join()
    with psycopg.connect(shared.primary.dsn()) as conn:
        assert (rows(found[0]),) == conn.execute(COUNT).fetchone()


def test_one_that_is_behind_is_not_read(shared: Pair, open_standby: Callable[..., Standby]) -> None:
    open_standby().reach(shared.mark())  # the table is there
    standby = open_standby(max_lag=0.2)
    with psycopg.connect(shared.server.dsn(), autocommit=True) as blocker:
        blocker.execute("BEGIN; SELECT count(*) FROM t")
        shared.write("BEGIN; LOCK TABLE t; INSERT INTO t VALUES (4); COMMIT")
        with pytest.raises(StandbyError, match=r"is behind.* within 0.2 s$"):
            standby.reach(shared.mark())
    assert not standby.usable


@pytest.mark.every_pg
def test_paused_replay_is_not_waited_for(shared: Pair, open_standby: Callable[..., Standby]) -> None:
    standby = open_standby(max_lag=3600)
    mark = shared.mark()
    standby.reach(mark)
    with shared.held():
        standby.reach(mark)
        shared.write("INSERT INTO t VALUES (5)")
        with pytest.raises(StandbyError, match="its replay is paused"):
            standby.reach(shared.mark())


def test_a_delayed_standby_is_not_waited_for(shared: Pair, open_standby: Callable[..., Standby]) -> None:
    standby = open_standby()
    shared.on_standby("ALTER SYSTEM SET recovery_min_apply_delay = '1h'")
    shared.on_standby("SELECT pg_reload_conf()")
    try:
        with pytest.raises(StandbyError, match="recovery_min_apply_delay is longer"):
            wait_until(
                lambda: (shared.write("INSERT INTO t VALUES (6)"), standby.reach(shared.mark())) is None
            )
    finally:
        shared.on_standby("ALTER SYSTEM RESET recovery_min_apply_delay")
        shared.on_standby("SELECT pg_reload_conf()")


def test_a_snapshot_that_meets_a_server_behind_is_none(
    shared: Pair, open_standby: Callable[..., Standby]
) -> None:
    standby = open_standby()
    reading = standby.reach(shared.mark())
    # As if a pooler led to another standby now.
    reading._mark = Mark(reading._mark.cluster, reading._mark.timeline, reading._mark.database, 1 << 60)
    with pytest.raises(StandbyError, match="it is behind"):
        rows(reading)
    with pytest.raises(StandbyError, match="it is behind"):
        rows(reading)


def test_the_primary_itself_is_no_standby(shared: Pair, open_standby: Callable[..., Standby]) -> None:
    with pytest.raises(StandbyError, match="it is not in recovery"):
        open_standby(shared.primary.dsn()).reach(shared.mark())


def test_another_database_of_it_is_none(shared: Pair, open_standby: Callable[..., Standby]) -> None:
    with pytest.raises(StandbyError, match="another database"):
        open_standby(make_conninfo(shared.server.dsn(), dbname="template1")).reach(shared.mark())


def test_another_cluster_is_none(
    shared: Pair, open_standby: Callable[..., Standby], pg_server: Server
) -> None:
    with pytest.raises(StandbyError, match="another cluster"):
        open_standby(pg_server.dsn()).reach(shared.mark())


def test_another_timeline_is_none(shared: Pair, open_standby: Callable[..., Standby]) -> None:
    mark = shared.mark()
    elsewhere = Mark(mark.cluster, mark.timeline + 1, mark.database, mark.lsn)
    with pytest.raises(StandbyError, match=r"it follows timeline 1, the primary is on 2$"):
        open_standby().reach(elsewhere)


def test_one_that_is_down_is_told_by_one_line(shared: Pair, open_standby: Callable[..., Standby]) -> None:
    standby = open_standby(make_conninfo(shared.server.dsn(), port=1))
    with pytest.raises(StandbyError, match=r"^standby of main: cannot connect: ") as raised:
        standby.reach(shared.mark())
    assert "\n" not in str(raised.value)


def test_a_role_that_may_not_see_the_timeline_is_told_what_it_lacks(
    shared: Pair, open_standby: Callable[..., Standby]
) -> None:
    shared.write("CREATE ROLE blind LOGIN PASSWORD 'x'; GRANT SELECT ON t TO blind")
    mark = shared.mark()
    open_standby().reach(mark)
    with pytest.raises(StandbyError, match="GRANT pg_read_all_stats"):
        open_standby(make_conninfo(shared.server.dsn(), user="blind", password="x")).reach(mark)


def test_sessions_side_by_side_see_the_same(shared: Pair, open_standby: Callable[..., Standby]) -> None:
    reading = open_standby().reach(shared.mark())
    with reading.snapshot("own") as own, reading.beside(own.share(), "own") as other:
        assert other is not None
        assert other.fetch(COUNT) == own.fetch(COUNT)


@pytest.mark.every_pg
def test_a_standby_of_the_standby_is_read_and_one_that_was_promoted_is_not(pg_version: int) -> None:
    with (
        private_server(pg_version) as primary,
        torn_pages_are_mended(primary),
        standby_of(primary, {}) as upstream,
        standby_of(upstream, {}) as cascading,
    ):
        pair = Pair(primary, cascading)
        pair.write("CREATE TABLE t AS SELECT generate_series(1, 1000) AS id")
        standby = pair.standby()
        reading = standby.reach(pair.mark())
        assert rows(reading) == 1000
        with reading.snapshot("before") as before:
            with psycopg.connect(upstream.dsn(), autocommit=True) as conn:
                conn.execute("SELECT pg_promote()")
                conn.execute("INSERT INTO t VALUES (0)")
            # It follows its own upstream, away from the primary that goes on.
            with psycopg.connect(cascading.dsn(), autocommit=True) as conn:
                timeline = "SELECT received_tli FROM pg_stat_wal_receiver"
                wait_until(lambda: conn.execute(timeline).fetchone() == (2,))
            assert before.fetch(COUNT) == [{"rows": 1000}]
        with pytest.raises(StandbyError, match="it follows timeline 2, the primary is on 1"):
            rows(reading)
        pair.server = upstream
        promoted = pair.standby()
        with pytest.raises(StandbyError, match="it is not in recovery"):
            promoted.reach(pair.mark())
        for each in (standby, promoted, pair.target):
            each.close()
