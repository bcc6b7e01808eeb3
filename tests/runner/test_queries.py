"""A failed query is never clean, one run sees one snapshot, and nothing is asked after its end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.check import Examined, Outcome, Skipped, Subject
from pgvigil.errors import QueryFailedError, TargetError
from pgvigil.runner import Runner
from pgvigil.target import Limits, Target
from tests.engine.world import dead_dsn
from tests.runner.plugins import CLEAN, Plugin, faulty, finding, run_of, still_works, swallowing

if TYPE_CHECKING:
    from pgvigil.check import Context


@pytest.mark.parametrize(
    ("query", "params"),
    [
        ("SELECT * FROM missing", None),
        ("SELECT 1/0", None),
        ("not sql", None),
        ("SELECT %(a)s", {}),
        ("SELECT %(a)s", {"a": "\ud800"}),
        ("SELECT %(a)s", {"a": object()}),
        ("", None),
        ("CREATE TABLE t ()", None),
        ("SET LOCAL statement_timeout = 0", None),
        ("COMMIT", None),
        ("ROLLBACK AND CHAIN", None),
        ("SELECT 1; SELECT 2", None),
        (None, None),
        (1, None),
    ],
)
def test_a_swallowed_failure_is_never_clean(runner: Runner, query: Any, params: Any) -> None:
    run = run_of(runner, Plugin(swallowing(query, params)))
    assert run.outcome is Outcome.ERROR
    assert still_works(runner)


def test_a_swallowed_timeout_is_a_timeout(database: str) -> None:
    slow = Target("slow", database, Limits(statement_timeout=0.1))
    run = run_of(Runner(slow), Plugin(swallowing("SELECT pg_sleep(30)")))
    slow.close()
    assert run.outcome is Outcome.TIMEOUT
    assert "statement_timeout is 0.1 s" in str(run.error)


def test_a_failure_decides_over_what_the_plugin_raises_for_it(runner: Runner) -> None:
    def run(context: Context, subject: Subject) -> Examined:
        try:
            context.fetch("SELECT * FROM missing")
        except TargetError as error:
            raise SystemExit("my own story") from error
        return CLEAN

    assert 'relation "missing" does not exist' in str(run_of(runner, Plugin(run)).error)


def test_nothing_more_can_be_asked_after_a_failure(runner: Runner, database: str) -> None:
    answers: list[object] = []

    def run(context: Context, subject: Subject) -> Examined:
        for query in ("COMMIT", "CREATE TABLE written ()", "SELECT 1 AS n"):
            try:
                answers.append(context.fetch(query))
            except TargetError:
                answers.append("refused")
        return CLEAN

    assert run_of(runner, Plugin(run)).outcome is Outcome.ERROR
    assert answers == ["refused"] * 3
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT to_regclass('public.written')").fetchone() == (None,)


@pytest.mark.parametrize(
    "query",
    [
        "COMMIT; CREATE TABLE public.written ()",
        "ROLLBACK; CREATE TABLE public.written (); SELECT 1",
        "SELECT 1; COMMIT; BEGIN; CREATE TABLE public.written (); COMMIT",
        "COMMIT AND CHAIN; CREATE TABLE public.written ()",
        "SET TRANSACTION READ WRITE; CREATE TABLE public.written ()",
        "DO 'BEGIN CREATE TABLE public.written (); END'",
        "SELECT set_config('transaction_read_only', 'off', true)",
    ],
)
def test_no_query_leaves_the_read_only_transaction(runner: Runner, database: str, query: str) -> None:
    run = run_of(runner, Plugin(swallowing(query)))
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT to_regclass('public.written')").fetchone() == (None,)
    assert run.outcome is Outcome.ERROR
    assert still_works(runner)


def test_two_queries_of_a_run_see_one_snapshot(runner: Runner, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TABLE t AS SELECT 1 AS id")
    seen: list[int] = []

    def run(context: Context, subject: Subject) -> Examined:
        for number in (2, 3):
            seen.append(context.fetch("SELECT count(*) AS n FROM public.t")[0]["n"])
            admin_conn.execute("INSERT INTO t VALUES (%s)", [number])
        return CLEAN

    assert run_of(runner, Plugin(run)).outcome is Outcome.PASS
    assert seen == [1, 1]
    assert admin_conn.execute("SELECT count(*) FROM t").fetchone() == (3,)


def test_a_context_is_closed_with_its_run(runner: Runner) -> None:
    kept: list[Context] = []

    def keep(context: Context, subject: Subject) -> Examined:
        context.fetch("SELECT 1")
        kept.append(context)
        return CLEAN

    assert run_of(runner, Plugin(keep)).outcome is Outcome.PASS
    with pytest.raises(QueryFailedError, match="the run of this context is over"):
        kept[0].fetch("SELECT 1")
    with pytest.raises(QueryFailedError, match="is over"):
        kept[0].pause()


def test_threads_of_a_plugin_share_its_snapshot_and_end_with_it(
    runner: Runner, admin_conn: psycopg.Connection
) -> None:
    seen: list[int] = []
    refused = threading.Event()

    def work(context: Context) -> None:
        try:
            while True:
                seen.append(context.fetch("SELECT pg_backend_pid() AS pid")[0]["pid"])
        except QueryFailedError:
            refused.set()

    def run(context: Context, subject: Subject) -> Examined:
        pid = context.fetch("SELECT pg_backend_pid() AS pid")[0]["pid"]
        threading.Thread(target=work, args=[context], daemon=True).start()
        while len(seen) < 5:
            time.sleep(0.001)
        return faulty(finding(count=pid))

    found = run_of(runner, Plugin(run))
    assert refused.wait(10)
    assert set(seen) == {found.findings[0].count}
    assert still_works(runner)


def test_a_swallowed_failure_to_connect_is_never_clean(database: str) -> None:
    target = Target("main", dead_dsn(database), Limits(connect_timeout=2))
    run = run_of(Runner(target), Plugin(swallowing("SELECT 1")))
    assert run.outcome is Outcome.ERROR
    assert "cannot connect" in str(run.error)
    assert run_of(Runner(target), Plugin()).outcome is Outcome.PASS


def test_skipping_over_a_failed_query_does_not_hide_it(runner: Runner) -> None:
    def run(context: Context, subject: Subject) -> Any:
        try:
            context.fetch("SELECT * FROM missing")
        except TargetError:
            return Skipped("nothing to see")
        return CLEAN

    assert run_of(runner, Plugin(run)).outcome is Outcome.ERROR
