"""Several queries of one run: in one snapshot, in no more sessions than the budget has to spare."""

from __future__ import annotations

from hashlib import md5
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgvigil.catalog import Catalog
from pgvigil.check import Bound
from pgvigil.context import RunContext
from pgvigil.errors import CancelledError, QueryFailedError, TargetError
from tests.target.conftest import Background, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.check import Query, Row
    from pgvigil.target import Target

EMPTY = Catalog(160000, "test", in_recovery=False, tables=(), foreign_keys=())
COUNT = "SELECT count(*) AS rows FROM public.t"
SEEN = "SELECT (SELECT count(*) FROM public.t) AS rows, pg_backend_pid() AS pid, pg_sleep(0.3)::text AS slept"


def split(target: Target) -> RunContext:
    return RunContext(target, "split", EMPTY, sample=3)


def seen_by(rows: list[list[Row]], name: str) -> set[int]:
    return {row[name] for (row,) in rows}


def numbered(count: int) -> list[Query]:
    return [sql.SQL("SELECT {} AS n, pg_backend_pid() AS pid").format(sql.Literal(n)) for n in range(count)]


@pytest.mark.every_pg
def test_all_sessions_see_the_same_while_somebody_writes(
    open_target: Callable[..., Target], database: str, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("CREATE TABLE t AS SELECT 1 AS n")
    target = open_target(database, connections=3)
    with split(target) as context:
        assert context.fetch(COUNT) == [{"rows": 1}]
        admin_conn.execute("INSERT INTO t VALUES (2)")
        rows = context.fetch_split([SEEN] * 3)
        assert seen_by(rows, "rows") == {1}
        assert len(seen_by(rows, "pid")) == 3
        # The server slept for all three, whoever asked.
        assert context.busy_seconds >= 3 * 0.3
    with split(target) as context:
        assert seen_by(context.fetch_split([SEEN] * 2), "rows") == {2}


def test_without_a_session_to_spare_the_own_one_does_all(
    open_target: Callable[..., Target], database: str
) -> None:
    target = open_target(database, connections=2)
    with target.snapshot("other"), split(target) as context:
        rows = context.fetch_split(numbered(5))
    assert [row["n"] for (row,) in rows] == list(range(5))
    assert len(seen_by(rows, "pid")) == 1


def test_a_server_that_refuses_another_session_leaves_the_work_to_the_own_one(
    open_target: Callable[..., Target], database: str, admin_conn: psycopg.Connection, reader: str
) -> None:
    admin_conn.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT 1").format(sql.Identifier(reader)))
    target = open_target(make_conninfo(database, user=reader, password="its password"), connections=3)
    with split(target) as context:
        rows = context.fetch_split(numbered(5))
    assert [row["n"] for (row,) in rows] == list(range(5))


def test_sessions_go_back_into_the_budget(open_target: Callable[..., Target], database: str) -> None:
    target = open_target(database, connections=2)
    for _ in range(3):
        with split(target) as context:
            assert len(context.fetch_split(numbered(4))) == 4
            with target.snapshot() as other:
                assert other.fetch("SELECT 1 AS n") == [{"n": 1}]


@pytest.mark.parametrize("place", [0, 1, 3])
def test_one_query_that_fails_fails_the_run(
    place: int, open_target: Callable[..., Target], database: str
) -> None:
    target = open_target(database, connections=2)
    queries = numbered(4)
    queries[place] = "SELECT 1 / 0"
    with split(target) as context:
        with pytest.raises(QueryFailedError, match="division by zero"):
            context.fetch_split(queries)
        with pytest.raises(QueryFailedError, match="division by zero"):
            context.fetch("SELECT 1")
    with target.snapshot(), target.snapshot() as free:
        assert free.fetch("SELECT 1 AS n") == [{"n": 1}]


@pytest.mark.parametrize("how", ["stopped", "abandoned"])
def test_all_sessions_end_with_the_run(
    how: str, open_target: Callable[..., Target], database: str, admin_conn: psycopg.Connection
) -> None:
    target = open_target(database, connections=3)

    def sleep() -> object:
        with context:
            return context.fetch_split(["SELECT pg_sleep(60)"] * 3)

    context = split(target)
    sleeper = Background(sleep)
    wait_until(lambda: len(running(admin_conn, "split")) == 3)
    if how == "stopped":
        target.stop()
    else:
        context.abandon()
    assert isinstance(sleeper.outcome(), CancelledError)
    wait_until(lambda: not running(admin_conn, "split"))


@pytest.mark.every_pg
def test_small_queries_sent_together_are_answered_in_order_in_the_same_snapshot(
    open_target: Callable[..., Target], database: str, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("CREATE TABLE t AS SELECT 1 AS n")
    target = open_target(database, connections=1)
    with split(target) as context:
        assert context.fetch(COUNT) == [{"rows": 1}]
        admin_conn.execute("INSERT INTO t VALUES (2)")
        first, *numbers = context.fetch_each([COUNT, *numbered(200)])
        assert first == [{"rows": 1}]
        assert [row["n"] for (row,) in numbers] == list(range(200))
        assert context.fetch(COUNT) == [{"rows": 1}]


@pytest.mark.parametrize(
    "wrong", ["SELECT 1 / 0", "SELECT 1; SELECT 2", "COMMIT", "SELECT generate_series(1, 100001)"]
)
def test_one_of_the_queries_sent_together_fails_the_run(
    wrong: str, open_target: Callable[..., Target], database: str
) -> None:
    target = open_target(database, connections=1)
    with split(target) as context:
        with pytest.raises(TargetError):
            context.fetch_each(["SELECT 1", sql.SQL(wrong), "SELECT 2"])  # type: ignore[arg-type]
        with pytest.raises(TargetError):
            context.fetch("SELECT 1")
    with target.snapshot() as snapshot:
        assert snapshot.fetch("SELECT 1 AS n") == [{"n": 1}]


@pytest.mark.parametrize("failing", [0, 1])
def test_the_first_failure_cancels_the_others(
    open_target: Callable[..., Target], database: str, failing: int
) -> None:
    target = open_target(database, connections=2, statement_timeout=250.0)
    queries = ["SELECT pg_sleep(240)", "SELECT pg_sleep(240)"]
    queries[failing] = "SELECT 1 / (random() * 0)::int FROM pg_sleep(0.3)"

    def fetch() -> object:
        with split(target) as context:
            return context.fetch_split(queries)  # type: ignore[arg-type]

    error = Background(fetch).outcome()
    assert isinstance(error, QueryFailedError)
    assert "division by zero" in str(error)


def test_values_beside_a_query_come_as_they_are(open_target: Callable[..., Target], database: str) -> None:
    value = bytes(range(256)) * 5_000
    text = sql.SQL("SELECT length($1) AS \"100%\", md5($1) AS digest, '$1' AS written")
    query = Bound(text, (value,))
    expected = {"100%": len(value), "digest": md5(value, usedforsecurity=False).hexdigest(), "written": "$1"}
    target = open_target(database, connections=2)
    with split(target) as context:
        assert context.fetch(query) == [expected]
        assert context.fetch_each([query, "SELECT 1 AS n"]) == [[expected], [{"n": 1}]]
        assert context.fetch_split([query, query]) == [[expected], [expected]]
