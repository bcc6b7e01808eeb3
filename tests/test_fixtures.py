"""The fixtures that all other tests stand on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.servers import by_version, versions_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.embedded import Server
    from tests.bouncer import PgBouncer


def ask(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(query).fetchone()
    return row[0] if row else None


def test_a_test_runs_on_the_newest_server_by_default(pg_version: int, pg_server: Server) -> None:
    assert pg_version == max(by_version())
    assert pg_server.version == pg_version


@pytest.mark.every_pg
def test_every_pg_runs_on_each_version(pg_version: int, database: str) -> None:
    assert int(str(ask(database, "SHOW server_version_num"))) // 10_000 == pg_version


@pytest.mark.pg("< 18")
def test_pg_limits_the_versions(pg_version: int) -> None:
    assert pg_version == max(version for version in by_version() if version < 18)


@pytest.mark.contrib
def test_contrib_has_the_extensions(admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE EXTENSION citext")
    admin_conn.execute("CREATE EXTENSION postgres_fdw")


def test_the_markers_combine() -> None:
    every, spec = pytest.mark.every_pg.mark, pytest.mark.pg(">= 16, < 18").mark
    assert versions_for([every]) == sorted(by_version())
    assert versions_for([every, spec]) == [version for version in sorted(by_version()) if 16 <= version < 18]
    newest = pytest.mark.newest_pg.mark
    assert versions_for([every, newest]) == versions_for([newest, every]) == [max(by_version())]


def test_the_servers_have_what_tests_need(database: str) -> None:
    assert ask(database, "SHOW wal_level") == "logical"
    assert int(str(ask(database, "SHOW max_prepared_transactions"))) > 0


def test_a_database_is_empty_and_autocommits(database: str, admin_conn: psycopg.Connection) -> None:
    assert ask(database, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == 0
    admin_conn.execute("CREATE TABLE seen_by_others ()")
    assert ask(database, "SELECT count(*) FROM seen_by_others") == 0


def test_a_template_is_built_once_and_copied(
    pg_server: Server, database_from: Callable[[str, Callable[[str], None]], str]
) -> None:
    built: list[str] = []

    def build(dsn: str) -> None:
        built.append(dsn)
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("CREATE TABLE t AS SELECT 1 AS n")

    key = f"fixtures_{time.time_ns()}"
    first, second = database_from(key, build), database_from(key, build)
    with psycopg.connect(first, autocommit=True) as conn:
        conn.execute("DELETE FROM t")
    assert ask(second, "SELECT count(*) FROM t") == 1
    assert len(built) == 1


def test_a_failed_build_is_not_used(database_from: Callable[[str, Callable[[str], None]], str]) -> None:
    def fail(dsn: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("CREATE TABLE half ()")
        raise RuntimeError("broken off")

    key = f"fixtures_{time.time_ns()}"
    with pytest.raises(RuntimeError, match="broken off"):
        database_from(key, fail)
    assert ask(database_from(key, lambda _: None), "SELECT to_regclass('half')") is None


def test_own_server_is_private(own_server: Server, pg_server: Server) -> None:
    assert own_server.pid != pg_server.pid
    own_server.restart("immediate")
    assert ask(own_server.dsn(), "SELECT 1") == 1


def test_pgbouncer_shares_one_server_session_between_clients(pgbouncer: PgBouncer, database: str) -> None:
    dsn = pgbouncer.through(database)
    with psycopg.connect(dsn, autocommit=True) as first, psycopg.connect(dsn, autocommit=True) as second:
        pids = {conn.execute("SELECT pg_backend_pid()").fetchone() for conn in (first, second, first)}
    assert len(pids) == 1


def test_pgbouncer_asks_for_the_password(pgbouncer: PgBouncer, database: str) -> None:
    wrong = psycopg.conninfo.make_conninfo(pgbouncer.through(database), password="wrong")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(wrong)
