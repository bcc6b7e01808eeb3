"""Every query of pgvigil runs in a bounded, read-only snapshot that leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.errors import QueryFailedError, TargetError, TargetUnreachableError
from tests.target.conftest import Background, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.target import Snapshot, Target
    from tests.bouncer import PgBouncer

BOUNDS = {
    "transaction_isolation": "repeatable read",
    "transaction_read_only": "on",
    "statement_timeout": "7s",
    "lock_timeout": "250ms",
    "idle_in_transaction_session_timeout": "1min",
    "row_security": "off",
    "search_path": "pg_catalog, pg_temp",
    "application_name": "pgvigil orphan_rows",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
    "client_encoding": "UTF8",
}

CONTRARY = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "row_security": "on",
    "search_path": "public",
    "default_transaction_isolation": "read committed",
    "TimeZone": "Asia/Kathmandu",
    "DateStyle": "German",
    "IntervalStyle": "iso_8601",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "quote_all_identifiers": "on",
    "client_encoding": "LATIN1",
}


def settings(snapshot: Snapshot) -> dict[str, str]:
    (row,) = snapshot.fetch(
        "SELECT " + ", ".join(f"current_setting('{name}') AS \"{name}\"" for name in BOUNDS)
    )
    return row


@pytest.mark.every_pg
def test_every_bound_is_set_whatever_the_database_says(
    open_target: Callable[..., Target], database: str, admin_conn: psycopg.Connection
) -> None:
    for name, value in CONTRARY.items():
        admin_conn.execute(
            psycopg.sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                psycopg.sql.Identifier(admin_conn.info.dbname), psycopg.sql.Identifier(name), value
            )
        )
    target = open_target(database, statement_timeout=7.0, lock_timeout=0.25)
    with target.snapshot("orphan_rows") as snapshot:
        assert settings(snapshot) == BOUNDS
        assert settings(snapshot) == BOUNDS, "also in the second query"


def test_the_bounds_are_the_same_through_pgbouncer(
    open_target: Callable[..., Target], database: str, pgbouncer: PgBouncer
) -> None:
    target = open_target(pgbouncer.through(database), statement_timeout=7.0, lock_timeout=0.25)
    for _ in range(3):
        with target.snapshot("orphan_rows") as snapshot:
            assert settings(snapshot) == BOUNDS


def test_nothing_leaks_to_the_next_client_of_a_pooled_session(
    open_target: Callable[..., Target], database: str, pgbouncer: PgBouncer
) -> None:
    everything = "SELECT name, setting FROM pg_settings WHERE name <> 'application_name' ORDER BY name"
    with psycopg.connect(pgbouncer.through(database), autocommit=True) as other:
        other.execute("SET application_name = 'shop'")
        pid = other.execute("SELECT pg_backend_pid()").fetchone()
        before = other.execute(everything).fetchall()
        with open_target(pgbouncer.through(database)).snapshot("orphan_rows") as snapshot:
            assert (snapshot.fetch("SELECT pg_backend_pid()")[0]["pg_backend_pid"],) == pid
        assert other.execute("SELECT pg_backend_pid()").fetchone() == pid
        assert other.execute(everything).fetchall() == before
        assert other.execute("SHOW application_name").fetchone() == ("shop",)
        other.execute("CREATE TABLE written ()")


def test_no_statement_is_prepared(target: Target, admin_conn: psycopg.Connection) -> None:
    with target.snapshot() as snapshot:
        for number in range(20):
            snapshot.fetch("SELECT %(number)s::int", {"number": number})
        assert snapshot.fetch("SELECT name FROM pg_prepared_statements") == []


def test_a_snapshot_does_not_move(target: Target, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TABLE t ()")
    with target.snapshot() as snapshot:
        # Taken with the transaction, not with its first query.
        admin_conn.execute("INSERT INTO t DEFAULT VALUES")
        assert snapshot.fetch("SELECT count(*) AS rows FROM public.t") == [{"rows": 0}]
    with target.snapshot() as snapshot:
        assert snapshot.fetch("SELECT count(*) AS rows FROM public.t") == [{"rows": 1}]


def test_nobody_s_functions_and_operators_shadow_the_server_s(
    target: Target, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("""
        CREATE TABLE t AS SELECT 1 AS id;
        CREATE FUNCTION lower(text) RETURNS text LANGUAGE sql AS $$ SELECT 'mine' $$;
        CREATE FUNCTION mine(int, int) RETURNS bool LANGUAGE sql AS $$ SELECT false $$;
        CREATE OPERATOR = (LEFTARG = int, RIGHTARG = int, FUNCTION = mine);
        CREATE TABLE pg_class (relname text);
    """)
    admin_conn.execute(
        psycopg.sql.SQL("ALTER DATABASE {} SET search_path = public, pg_catalog").format(
            psycopg.sql.Identifier(admin_conn.info.dbname)
        )
    )
    with target.snapshot() as snapshot:
        (row,) = snapshot.fetch(
            "SELECT lower('A'), id = 1 AS same, (SELECT count(*) > 1 FROM pg_class) AS system FROM public.t"
        )
    assert row == {"lower": "a", "same": True, "system": True}


def test_row_security_is_an_error_and_never_missing_rows(
    open_target: Callable[..., Target], database: str, admin_conn: psycopg.Connection, reader: str
) -> None:
    admin_conn.execute(f"""
        CREATE TABLE secrets AS SELECT 1 AS id;
        GRANT SELECT ON secrets TO {reader};
        ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
        CREATE POLICY nothing ON secrets USING (false);
    """)
    target = open_target(make_conninfo(database, user=reader, password="its password"))
    with (
        target.snapshot() as snapshot,
        pytest.raises(QueryFailedError, match='row-level security policy for table "secrets"'),
    ):
        snapshot.fetch("SELECT id FROM public.secrets")


def test_a_missing_permission_names_the_table(
    open_target: Callable[..., Target], database: str, admin_conn: psycopg.Connection, reader: str
) -> None:
    admin_conn.execute("CREATE TABLE payroll ()")
    target = open_target(make_conninfo(database, user=reader, password="its password"))
    with (
        target.snapshot() as snapshot,
        pytest.raises(QueryFailedError, match="denied for table payroll") as e,
    ):
        snapshot.fetch("SELECT FROM public.payroll")
    assert (e.value.sqlstate, "\n" in str(e.value)) == ("42501", False)
    assert str(e.value).endswith(": have an administrator run the SQL of `pgvigil grants`")


@pytest.mark.every_pg
@pytest.mark.parametrize("setting", ["zero_damaged_pages", "ignore_checksum_failure"])
def test_a_session_that_would_not_notice_damage_is_refused(
    open_target: Callable[..., Target], database: str, admin_conn: psycopg.Connection, setting: str
) -> None:
    target = open_target(database)
    itself = psycopg.sql.Identifier(admin_conn.info.dbname)
    name = psycopg.sql.SQL(setting)
    admin_conn.execute(psycopg.sql.SQL("ALTER DATABASE {} SET {} = on").format(itself, name))
    for _ in range(2):
        with pytest.raises(TargetError, match=f"games: {setting} is on.* RESET {setting}") as e:
            target.read_catalog()
        assert "\n" not in str(e.value)
    # No connection of that time is kept: the setting stays on in it.
    admin_conn.execute(psycopg.sql.SQL("ALTER DATABASE {} RESET {}").format(itself, name))
    assert target.read_catalog().tables == ()


def test_a_session_that_idles_too_long_is_an_error(target: Target, admin_conn: psycopg.Connection) -> None:
    with target.snapshot() as snapshot:
        (row,) = snapshot.fetch("SELECT pg_backend_pid() AS pid")
        # What idle_in_transaction_session_timeout does, without its minute.
        admin_conn.execute("SELECT pg_terminate_backend(%s, 5000)", [row["pid"]])
        with pytest.raises(TargetUnreachableError, match="games: connection lost"):
            snapshot.fetch("SELECT 1")


def test_a_snapshot_that_is_over_cancels_nobody_elses_query(
    open_target: Callable[..., Target], database: str
) -> None:
    target = open_target(database, statement_timeout=10.0, connections=1)
    with target.snapshot("first") as first:
        pid = first.fetch("SELECT pg_backend_pid() AS pid")
    with target.snapshot("second") as second:
        assert second.fetch("SELECT pg_backend_pid() AS pid") == pid
        sleeping = Background(lambda: second.fetch("SELECT true AS slept FROM pg_sleep(1)"))
        with psycopg.connect(database, autocommit=True) as admin:
            wait_until(lambda: running(admin, "second"))
            first.abort(1.0)
        assert sleeping.outcome() == [{"slept": True}]
