"""Those whom pgvigil makes way for: sessions that work, and that wait for each other."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import psycopg

from tests.target.conftest import Background, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


def activity(admin: psycopg.Connection, application: str) -> list[tuple[str, float]]:
    """Return the state of the sessions of that name, and for how many seconds their transactions are open."""
    return admin.execute(
        """SELECT state, coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0)::float8
        FROM pg_stat_activity WHERE application_name LIKE %s""",
        [application],
    ).fetchall()


def _counted(admin: psycopg.Connection, condition: str) -> int:
    (count,) = admin.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {condition}").fetchone() or (0,)
    return int(count)


@contextmanager
def busy(dsn: str, sessions: int) -> Iterator[None]:
    """Let sessions execute something for the time of the block."""
    with ExitStack() as stack:
        conns = [stack.enter_context(psycopg.connect(dsn, autocommit=True)) for _ in range(sessions)]
        sleeping = [Background(lambda conn=conn: conn.execute("SELECT pg_sleep(600)")) for conn in conns]
        with psycopg.connect(dsn, autocommit=True) as admin:
            wait_until(
                lambda: _counted(admin, "query = 'SELECT pg_sleep(600)' AND state = 'active'") == sessions
            )
        try:
            yield
        finally:
            for conn, sleeper in zip(conns, sleeping, strict=True):
                conn.cancel_safe()
                sleeper.outcome()


@contextmanager
def blocked(dsn: str, sessions: int) -> Iterator[None]:
    """Let sessions wait for a lock that another one holds, for the time of the block."""
    lock = "SELECT pg_advisory_xact_lock(4711)"
    with ExitStack() as stack:
        holder = stack.enter_context(psycopg.connect(dsn))
        holder.execute(lock)
        conns = [stack.enter_context(psycopg.connect(dsn)) for _ in range(sessions)]
        waiting = [Background(lambda conn=conn: conn.execute(lock)) for conn in conns]
        with psycopg.connect(dsn, autocommit=True) as admin:
            wait_until(lambda: _counted(admin, "wait_event_type = 'Lock'") == sessions)
        try:
            yield
        finally:
            holder.rollback()
            for conn, waiter in zip(conns, waiting, strict=True):
                conn.cancel_safe()
                waiter.outcome()
                conn.rollback()
