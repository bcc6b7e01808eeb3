"""A run that waited for a lock in vain says who is in the way, as far as the server tells."""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.catalog import TableName
from pgvigil.check import Outcome, Subject
from pgvigil.runner import Runner
from pgvigil.target import Limits, Target
from tests.runner.plugins import CLEAN, EMPTY, ONE, Plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.check import Context, Verdict

TIMED_OUT = "canceling statement due to lock timeout (another session holds the lock)"


def count(context: Context, _: Subject) -> Verdict:
    context.fetch("SELECT count(*) FROM public.t")
    return CLEAN


CHECK = Plugin(count)


@pytest.fixture(autouse=True)
def tables(admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TABLE t (id int) PARTITION BY LIST (id)")
    admin_conn.execute("CREATE TABLE part PARTITION OF t FOR VALUES IN (1); CREATE TABLE u (id int)")


@contextmanager
def session(database: str, statement: str, application: str = "migration") -> Iterator[psycopg.Connection]:
    """Do something in a transaction that stays open for the block."""
    with psycopg.connect(make_conninfo(database, application_name=application)) as conn:
        conn.execute(statement.encode())
        yield conn
        conn.rollback()


def error_of(runner: Runner, subject: Subject = ONE) -> str:
    run = runner.run(CHECK, subject, EMPTY)
    assert run is not None
    assert run.outcome is Outcome.TIMEOUT
    return run.error or ""


def named(runner: Runner) -> Subject:
    table = runner.target.read_catalog().table(TableName("public", "t"))
    assert table
    return Subject("one", reads=(table,))


@pytest.mark.every_pg
@pytest.mark.parametrize("table", ["t", "part"])
def test_whoever_holds_a_lock_is_named(database: str, runner: Runner, table: str) -> None:
    subjects = (ONE, named(runner))
    with session(database, f"LOCK {'ONLY ' if table == 't' else ''}{table}") as other:
        pid = other.info.backend_pid
        for subject in subjects:
            said = error_of(runner, subject)
            assert (
                said == f"{TIMED_OUT}: process {pid} (migration) holds AccessExclusiveLock on public.{table}"
            )


def test_whoever_waits_for_a_lock_is_named_with_whom_he_waits_for(
    database: str, runner: Runner, admin_conn: psycopg.Connection
) -> None:
    with session(database, "TABLE t", "report") as reader, session(database, "SELECT") as waiting:
        truncate = threading.Thread(target=waiting.execute, args=["TRUNCATE t"], daemon=True)
        truncate.start()
        while not admin_conn.execute("SELECT FROM pg_locks WHERE NOT granted").rowcount:
            pass
        pids = waiting.info.backend_pid, reader.info.backend_pid
        said = error_of(runner)
        reader.rollback()
        truncate.join()
    assert said == (
        f"{TIMED_OUT}: process {pids[0]} (migration) waits for AccessExclusiveLock on public.t"
        f" behind {pids[1]} (report), and others wait behind it"
    )


def test_locks_on_other_tables_are_not_told_of_where_it_is_known_what_is_read(
    database: str, runner: Runner
) -> None:
    subject = named(runner)
    with session(database, "LOCK u"), session(database, "LOCK t") as other:
        said, pid = error_of(runner, subject), other.info.backend_pid
    assert f"process {pid} (migration)" in said
    assert "public.u" not in said


@pytest.mark.every_pg
def test_a_prepared_transaction_is_named(
    database: str, runner: Runner, admin_conn: psycopg.Connection
) -> None:
    """It is of no process, and stays until somebody ends it: whoever waits for it is not the cause."""
    gid = f"move-{secrets.token_hex(6)}"
    admin_conn.execute(f"BEGIN; SELECT FROM t; PREPARE TRANSACTION '{gid}'".encode())
    try:
        with session(database, "SELECT") as waiting:
            alter = threading.Thread(target=_altered, args=[waiting], daemon=True)
            alter.start()
            while not admin_conn.execute("SELECT FROM pg_locks WHERE NOT granted").rowcount:
                pass
            said, pid = error_of(runner), waiting.info.backend_pid
            admin_conn.execute("SELECT pg_cancel_backend(%s)", [pid])
            alter.join()
        assert said == (
            f"{TIMED_OUT}: process {pid} (migration) waits for AccessExclusiveLock on public.t"
            f" behind the prepared transaction '{gid}', and others wait behind it"
        )
    finally:
        admin_conn.execute(f"ROLLBACK PREPARED '{gid}'".encode())
    admin_conn.execute(f"BEGIN; LOCK t; PREPARE TRANSACTION '{gid}'".encode())
    try:
        said = error_of(runner)
    finally:
        admin_conn.execute(f"ROLLBACK PREPARED '{gid}'".encode())
    held = f"{TIMED_OUT}: the prepared transaction '{gid}' holds AccessExclusiveLock on public."
    assert said.startswith(held)


def _altered(conn: psycopg.Connection) -> None:
    with suppress(psycopg.errors.QueryCanceled):
        conn.execute("ALTER TABLE t ADD n int")


def test_of_a_view_whoever_locks_what_it_reads_is_named(
    database: str, runner: Runner, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("CREATE VIEW v AS SELECT id FROM t; CREATE VIEW w AS SELECT id FROM v")
    view = runner.target.read_catalog().table(TableName("public", "w"))
    assert view
    subject = Subject("one", rows=(view,))
    with session(database, "LOCK u"), session(database, "LOCK part") as other:
        said, pid = error_of(runner, subject), other.info.backend_pid
    assert said == f"{TIMED_OUT}: process {pid} (migration) holds AccessExclusiveLock on public.part"


def test_a_server_that_does_not_tell_is_no_failure(database: str, admin_conn: psycopg.Connection) -> None:
    role = f"reader_{secrets.token_hex(6)}"
    admin_conn.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'its password'".encode())
    admin_conn.execute(f"GRANT SELECT ON t TO {role}; REVOKE ALL ON pg_locks FROM PUBLIC".encode())
    target = Target(
        "main", make_conninfo(database, user=role, password="its password"), Limits(lock_timeout=0.2)
    )
    try:
        with session(database, "LOCK t"):
            assert error_of(Runner(target)) == TIMED_OUT
    finally:
        target.close()
        admin_conn.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())
