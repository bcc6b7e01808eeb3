"""pgvigil never writes to a target, however hard a check tries."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.errors import QueryFailedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pgvigil.target import Snapshot, Target
    from tests.bouncer import PgBouncer

SCHEMA = """
    CREATE TABLE t (id int);
    INSERT INTO t VALUES (1);
    CREATE SEQUENCE s;
    SELECT nextval('s');
    CREATE FUNCTION write() RETURNS int LANGUAGE sql AS $$ INSERT INTO public.t VALUES (2) RETURNING id $$;
    CREATE PROCEDURE commit_and_write() LANGUAGE plpgsql AS $$
        BEGIN COMMIT; INSERT INTO public.t VALUES (3); END $$;
"""

# Refused by the server, since the transaction is read-only.
WRITING_QUERIES = [
    "WITH gone AS (DELETE FROM public.t RETURNING id) SELECT id FROM gone",
    "SELECT 1 AS id INTO public.copied",
    "SELECT 1 AS id INTO TEMP copied",
    "SELECT id FROM public.t FOR UPDATE",
    "SELECT id FROM public.t FOR KEY SHARE",
    "SELECT nextval('public.s')",
    "SELECT setval('public.s', 99)",
    "SELECT public.write()",
    "SELECT pg_notify('a', 'b'), public.write()",
]

# Refused by pgvigil, before the server sees them.
OTHER_STATEMENTS = [
    "INSERT INTO public.t VALUES (2)",
    "UPDATE public.t SET id = 2",
    "DELETE FROM public.t",
    "MERGE INTO public.t USING public.t AS s ON false WHEN NOT MATCHED THEN INSERT VALUES (2)",
    "TRUNCATE public.t",
    "CREATE TEMP TABLE scratch ()",
    "DROP TABLE public.t",
    "COMMIT",
    "COMMIT AND CHAIN",
    "END",
    "ROLLBACK",
    "ABORT",
    "BEGIN",
    "SAVEPOINT s",
    "PREPARE TRANSACTION 'x'",
    "SET TRANSACTION READ WRITE",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "SET row_security = on",
    "RESET ALL",
    "DISCARD ALL",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DECLARE c CURSOR FOR SELECT 1",
    "LOCK TABLE public.t",
    "VACUUM",
    "CHECKPOINT",
    "NOTIFY a",
    "LISTEN a",
    "CALL public.commit_and_write()",
    "DO $$ BEGIN COMMIT; INSERT INTO public.t VALUES (3); END $$",
    "COPY public.t TO STDOUT",
    "COPY (SELECT 1) TO '{file}'",
    "COPY (SELECT 1) TO PROGRAM 'touch {file}'",
    "/* SELECT */ DELETE FROM public.t",
    "-- SELECT\nDELETE FROM public.t",
    "EXPLAIN ANALYZE CREATE TABLE public.copied AS SELECT 1",
    "SELECTED",
    "",
    ";",
]

# Two statements at once: the extended protocol takes one.
INJECTIONS = [
    "SELECT 1; COMMIT; DELETE FROM public.t",
    "SELECT 1; SET TRANSACTION READ WRITE",
    "VALUES (1); INSERT INTO public.t VALUES (2)",
]


@pytest.fixture
def written(admin_conn: psycopg.Connection) -> Callable[[], Any]:
    """Makes what may be written to; tells all of it that can be seen."""
    admin_conn.execute(SCHEMA)

    def seen() -> Any:
        return admin_conn.execute("""
            SELECT (SELECT array_agg(t) FROM t),
                   (SELECT last_value FROM s),
                   (SELECT array_agg(relname ORDER BY relname) FROM pg_class WHERE oid >= 16384),
                   (SELECT count(*) FROM pg_largeobject_metadata),
                   (SELECT count(*) FROM pg_prepared_xacts)
        """).fetchone()

    return seen


@pytest.fixture(params=["directly", "through PgBouncer"])
def any_target(request: pytest.FixtureRequest, open_target: Callable[..., Target], database: str) -> Target:
    if request.param == "directly":
        return open_target(database, connections=1)
    bouncer: PgBouncer = request.getfixturevalue("pgbouncer")
    return open_target(bouncer.through(database), connections=1)


def refusal(snapshot: Snapshot, query: Any) -> str | None:
    try:
        snapshot.fetch(query)
    except QueryFailedError as error:
        return error.sqlstate
    return "not refused"


@pytest.mark.every_pg
def test_the_server_refuses_what_writes(target: Target, written: Callable[[], Any]) -> None:
    before = written()
    for query in WRITING_QUERIES:
        with target.snapshot() as snapshot:
            assert refusal(snapshot, query) == "25006", query
    assert written() == before


def test_other_statements_do_not_reach_the_server(
    any_target: Target, written: Callable[[], Any], tmp_path: Path
) -> None:
    before = written()
    for statement in OTHER_STATEMENTS:
        query: Any = statement.replace("{file}", str(tmp_path / "written"))
        with any_target.snapshot() as snapshot:
            with pytest.raises(QueryFailedError, match="only a query that reads"):
                snapshot.fetch(query)
            # A check that swallows the error is still where it was.
            assert snapshot.fetch("SHOW transaction_read_only") == [{"transaction_read_only": "on"}]
            with pytest.raises(QueryFailedError, match="read-only transaction"):
                snapshot.fetch("SELECT public.write()")
    assert written() == before
    assert not list(tmp_path.iterdir())


def test_a_second_statement_is_refused(any_target: Target, written: Callable[[], Any]) -> None:
    before = written()
    for query in INJECTIONS:
        with any_target.snapshot() as snapshot:
            with pytest.raises(QueryFailedError, match="multiple commands"):
                snapshot.fetch(query)
            for write in ("SELECT public.write()", "SELECT nextval('public.s')"):
                with pytest.raises(QueryFailedError):
                    snapshot.fetch(write)
    assert written() == before


def test_a_transaction_that_has_begun_cannot_be_made_writable(
    target: Target, written: Callable[[], Any]
) -> None:
    before = written()
    with target.snapshot() as snapshot:
        query = "SELECT set_config('transaction_read_only', 'off', true), public.write()"
        assert refusal(snapshot, query) == "25001"
    with target.snapshot() as snapshot:
        snapshot.fetch("SELECT set_config('default_transaction_read_only', 'off', false)")
        assert refusal(snapshot, "SELECT public.write()") == "25006"
    assert written() == before


@pytest.mark.every_pg
def test_what_a_read_only_transaction_lets_through_is_rolled_back(
    target: Target, written: Callable[[], Any]
) -> None:
    # Before version 16 large objects can be written to in a read-only transaction.
    before = written()
    with target.snapshot() as snapshot, suppress(QueryFailedError):
        snapshot.fetch("SELECT lo_from_bytea(0, 'x')")
    with target.snapshot() as snapshot, suppress(QueryFailedError):
        snapshot.fetch("SELECT lo_creat(-1)")
    assert written() == before


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS n",
        "  \n-- why\n/* what;\n for */ (select 1 AS n)",
        "with w AS (SELECT 1 AS n) SELECT n FROM w",
        "((SELECT 1 AS n) UNION (SELECT 1))",
        "SELECT 1 AS n;",
        "SELECT DISTINCT 1 AS n FROM (VALUES (1)) AS v -- '; DELETE'",
    ],
)
def test_every_way_to_write_a_query_is_taken(target: Target, query: Any) -> None:
    with target.snapshot() as snapshot:
        assert snapshot.fetch(query) == [{"n": 1}]


def test_values_table_and_show_are_queries(target: Target, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TABLE t AS SELECT 1 AS n")
    with target.snapshot() as snapshot:
        assert snapshot.fetch("VALUES (1)") == [{"column1": 1}]
        assert snapshot.fetch("TABLE public.t") == [{"n": 1}]
        assert snapshot.fetch("SHOW search_path") == [{"search_path": "pg_catalog, pg_temp"}]


def test_percent_signs_are_plain_without_parameters(target: Target) -> None:
    with target.snapshot() as snapshot:
        assert snapshot.fetch("SELECT 'a%' AS v, 5 % 3 AS n") == [{"v": "a%", "n": 2}]
        assert snapshot.fetch("SELECT %(p)s AS v, 5 %% 3 AS n", {"p": "x%"}) == [{"v": "x%", "n": 2}]


def test_a_result_that_would_fill_the_memory_is_refused(target: Target) -> None:
    with target.snapshot() as snapshot:
        numbers = "SELECT generate_series(1, 1000000000) AS n"
        with pytest.raises(QueryFailedError, match="more than 100000 rows"):
            snapshot.fetch(numbers)
    with target.snapshot() as snapshot, pytest.raises(QueryFailedError, match="more than 2 rows"):
        snapshot.fetch("SELECT generate_series(1, 3)", most_rows=2)
    with target.snapshot() as snapshot:
        assert len(snapshot.fetch("SELECT generate_series(1, 100000)")) == 100_000
        assert len(snapshot.fetch("SELECT generate_series(1, 100001)", most_rows=None)) == 100_001
