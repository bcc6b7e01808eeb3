"""A primary and a hot standby of it, as a target that reads the one instead of the other."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.embedded import serve
from pgvigil.target import Limits, Standby
from tests.databases import fresh_database
from tests.servers import SETTINGS, by_version, standby_of
from tests.target.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.embedded import Server
    from pgvigil.watch import Watch

TABLES = """
CREATE TABLE logged AS SELECT generate_series(1, 100) AS id;
CREATE UNLOGGED TABLE unlogged AS SELECT generate_series(1, 100) AS id;
"""
LOGGED, UNLOGGED = "public.logged", "public.unlogged"


class Pair:
    """A primary and its standby; a database of theirs."""

    def __init__(self, primary: Server, standby: Server) -> None:
        self.primary = primary
        self.standby = standby
        self.dsn = ""

    @property
    def standby_dsn(self) -> str:
        return make_conninfo(self.dsn, port=self.standby.port)

    def reading(self, watch: Watch, *, fallback: bool = True, max_lag: float = 20.0, dsn: str = "") -> Watch:
        """Return the watch, with the standby to be read."""
        limits = Limits(connections=2, statement_timeout=20.0, connect_timeout=2)
        watch.target.standby = Standby(
            "main", dsn or self.standby_dsn, limits, max_lag=max_lag, fallback=fallback
        )
        return watch

    @contextmanager
    def behind(self) -> Iterator[None]:
        """Let the standby stay where it is for the block."""
        with psycopg.connect(self.standby_dsn, autocommit=True) as conn:
            state = "SELECT pg_get_wal_replay_pause_state()"
            conn.execute("SELECT pg_wal_replay_pause()")
            wait_until(lambda: conn.execute(state).fetchone() == ("paused",))
            yield
            conn.execute("SELECT pg_wal_replay_resume()")

    def replayed(self) -> None:
        """Wait until the standby has replayed all that was written on the primary, committed or not."""
        with (
            psycopg.connect(self.dsn, autocommit=True) as primary,
            psycopg.connect(self.standby_dsn, autocommit=True) as standby,
        ):
            # What nobody waits for is on its way with the next commit.
            primary.execute("SELECT pg_logical_emit_message(true, 'test', '')")
            row = primary.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
            wait_until(
                lambda: standby.execute("SELECT pg_last_wal_replay_lsn() >= %s", row).fetchone() == (True,)
            )


@pytest.fixture(scope="module")
def servers(pg_version: int) -> Iterator[Pair]:
    settings = {**SETTINGS, "autovacuum": "off"}
    promptly = {"max_standby_streaming_delay": "0", "hot_standby_feedback": "off"}
    with (
        serve(bindir=by_version()[pg_version].bindir, settings=settings) as primary,
        standby_of(primary, promptly) as standby,
    ):
        yield Pair(primary, standby)


@pytest.fixture
def pair(servers: Pair) -> Iterator[Pair]:
    with fresh_database(servers.primary) as servers.dsn:
        with psycopg.connect(servers.dsn, autocommit=True) as conn:
            conn.execute(TABLES)
        wait_until(lambda: is_there(servers.standby_dsn))
        yield servers


def is_there(dsn: str) -> bool:
    """Tell whether the tables have come to the standby."""
    try:
        with psycopg.connect(dsn) as conn:
            return conn.execute("SELECT to_regclass('unlogged')").fetchone() != (None,)
    except psycopg.OperationalError:
        return False
