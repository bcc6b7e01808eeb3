"""A hot standby is a target like any other, but for replay, which may break a query off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.check import Check, Discovery, Examined, Outcome, Params, Subject
from pgvigil.errors import RecoveryConflictError
from pgvigil.runner import Runner
from tests.servers import standby_of
from tests.target.conftest import Background, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.catalog import Catalog
    from pgvigil.check import Context
    from pgvigil.embedded import Server
    from pgvigil.target import Target


@pytest.fixture
def primary(own_server: Server) -> Iterator[psycopg.Connection]:
    """A session of a primary with a table of a thousand rows."""
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        conn.execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS id")
        yield conn


@pytest.fixture
def standby(own_server: Server, primary: psycopg.Connection) -> Iterator[Server]:
    """Its standby, that lets no query delay the replay."""
    with standby_of(
        own_server, {"max_standby_streaming_delay": "0", "hot_standby_feedback": "off"}
    ) as standby:
        yield standby


def remove_old_rows(primary: psycopg.Connection) -> None:
    """Let the replay need what a snapshot of the standby still sees."""
    primary.execute("DELETE FROM t WHERE id % 2 = 0; INSERT INTO t SELECT generate_series(1, 1000)")
    primary.execute("VACUUM t")


@pytest.mark.every_pg
def test_a_standby_is_read(open_target: Callable[..., Target], standby: Server) -> None:
    target = open_target(standby.dsn())
    catalog = target.read_catalog()
    assert catalog.in_recovery
    assert [str(table) for table in catalog.watched_tables()] == ["public.t"]
    with target.snapshot() as snapshot:
        assert snapshot.fetch("SELECT count(*) AS rows FROM public.t") == [{"rows": 1000}]


def test_a_query_that_replay_breaks_off_is_a_recovery_conflict(
    open_target: Callable[..., Target], standby: Server, primary: psycopg.Connection
) -> None:
    target = open_target(standby.dsn())

    def sleep() -> Any:
        with target.snapshot("sleeper") as snapshot:
            return snapshot.fetch("SELECT count(*), pg_sleep(60) FROM public.t")

    with psycopg.connect(standby.dsn(), autocommit=True) as admin:
        sleeper = Background(sleep)
        wait_until(lambda: running(admin, "sleeper"))
        remove_old_rows(primary)
        error = sleeper.outcome()
    assert isinstance(error, RecoveryConflictError)
    assert str(error).startswith("target games: canceling statement due to conflict with recovery")
    assert "\n" not in str(error)


def test_a_session_that_replay_ends_between_two_queries_is_one_too(
    open_target: Callable[..., Target], standby: Server, primary: psycopg.Connection
) -> None:
    target = open_target(standby.dsn())
    with target.snapshot("idle") as snapshot, psycopg.connect(standby.dsn(), autocommit=True) as admin:
        snapshot.fetch("SELECT count(*) FROM public.t")
        remove_old_rows(primary)
        idle = "SELECT FROM pg_stat_activity WHERE application_name = 'pgvigil idle'"
        wait_until(lambda: admin.execute(idle).rowcount == 0)
        with pytest.raises(RecoveryConflictError):
            snapshot.fetch("SELECT 1")
    with target.snapshot() as snapshot:
        assert snapshot.fetch("SELECT count(*) AS rows FROM public.t") == [{"rows": 1500}]


class Slow(Check[Params]):
    """Counts, and is disturbed at its first attempt. For this test alone."""

    name = "slow"
    disturb: Callable[[], None]

    def discover(self, catalog: Catalog) -> Discovery:
        return Discovery((Subject("public.t"),))

    def run(self, context: Context, subject: Subject) -> Examined:
        (row,) = context.fetch("SELECT count(*) AS rows FROM public.t")
        self.disturb()
        context.fetch("SELECT count(*) FROM public.t")
        return Examined(rows_examined=row["rows"])


def test_the_run_is_tried_again(
    open_target: Callable[..., Target], standby: Server, primary: psycopg.Connection
) -> None:
    target = open_target(standby.dsn())
    runner = Runner(target)
    check = Slow(Params())
    idle = "SELECT FROM pg_stat_activity WHERE application_name = 'pgvigil slow'"
    disturbed: list[bool] = []

    with psycopg.connect(standby.dsn(), autocommit=True) as admin:

        def disturb() -> None:
            if not disturbed:
                disturbed.append(True)
                remove_old_rows(primary)
                wait_until(lambda: admin.execute(idle).rowcount == 0)

        check.disturb = disturb
        run = runner.run(check, Subject("public.t"), target.read_catalog())
    assert run is not None
    assert (run.outcome, run.rows_examined, runner.recovery_conflicts) == (Outcome.PASS, 1500, 1)
