"""The role changes nothing of a database, whatever is tried with it, and not only within pgvigil."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from tests.grants.refusing import refused
from tests.grants.sample import in_crisis

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.every_pg,
    pytest.mark.parametrize("role", ["pgvigil_{}"], indirect=True, ids=["plain"]),
]

ON_A_TABLE = (
    "INSERT INTO {} DEFAULT VALUES",
    "DELETE FROM {}",
    "TRUNCATE {}",
    "COPY {} FROM STDIN",
    # As a block: by itself it would need a transaction around it.
    "DO $$ BEGIN LOCK TABLE {} IN ROW EXCLUSIVE MODE; END $$",
    "DO $$ BEGIN LOCK TABLE {} IN ACCESS EXCLUSIVE MODE; END $$",
    "SELECT FROM {} FOR SHARE",
    "ALTER TABLE {} DISABLE TRIGGER ALL",
    "ALTER TABLE {} ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE {} OWNER TO CURRENT_USER",
    "CREATE RULE r AS ON SELECT TO {} DO INSTEAD NOTHING",
    "CREATE INDEX ON {} ((1))",
    "COMMENT ON TABLE {} IS 'mine'",
    "DROP TABLE {}",
)
ON_A_SEQUENCE = ("SELECT nextval({})", "SELECT setval({}, 1)")
ON_THE_REST = (
    "CREATE SCHEMA mine",
    "CREATE DATABASE mine",
    "CREATE ROLE mine",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER ROLE CURRENT_USER CREATEDB",
    "SET SESSION AUTHORIZATION postgres",
    "SET ROLE postgres",
    "SET session_replication_role = replica",
    "ALTER SYSTEM SET work_mem = '1GB'",
    "DROP EXTENSION plpgsql",
    "CREATE PUBLICATION mine FOR ALL TABLES",
    "CREATE FUNCTION curated.mine() RETURNS int LANGUAGE sql RETURN 1",
    "COPY (SELECT 1) TO '/tmp/mine'",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT lo_import('/etc/hostname')",
    "SELECT pg_reload_conf()",
    "SELECT pg_switch_wal()",
    "CHECKPOINT",
    "SELECT pg_create_physical_replication_slot('mine')",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
)


@pytest.fixture
def database(database_from: Callable[[str, Callable[[str], None]], str]) -> str:
    """The sample, with its many kinds of tables, views and sequences."""
    return database_from("grants_sample", in_crisis)


def relations(conn: psycopg.Connection, kinds: str) -> list[sql.Identifier]:
    """Return what there is of these kinds outside the system's own schemas."""
    query = """
        SELECT nspname, relname FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
        WHERE relkind = ANY (%s) AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        ORDER BY 1, 2
    """
    return [sql.Identifier(*row) for row in conn.execute(query, [list(kinds)])]


def test_nothing_can_be_changed(admin_conn: psycopg.Connection, unlocked: psycopg.Connection) -> None:
    refused(unlocked, *on_tables(admin_conn), *on_columns(admin_conn))
    refused(unlocked, *on_sequences(admin_conn), *on_views(admin_conn), *on_schemas(admin_conn))
    refused(unlocked, *map(sql.SQL, ON_THE_REST))


def on_tables(conn: psycopg.Connection) -> list[sql.Composed]:
    tables = relations(conn, "rp")
    assert len(tables) > 100
    return [sql.SQL(statement).format(table) for table in tables for statement in ON_A_TABLE]


def on_columns(conn: psycopg.Connection) -> list[sql.Composed]:
    query = """
        SELECT attrelid::regclass::text, attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
        AND attgenerated = '' AND attrelid::regclass = ANY (%s::regclass[])
    """
    tables = [table.as_string(conn) for table in relations(conn, "rp")]
    columns = conn.execute(query, [tables]).fetchall()
    assert len(columns) > len(tables)
    update = sql.SQL("UPDATE {} SET {} = DEFAULT")
    return [update.format(sql.SQL(table), sql.Identifier(column)) for table, column in columns]


def on_sequences(conn: psycopg.Connection) -> list[sql.Composed]:
    names = [sql.Literal(sequence.as_string(conn)) for sequence in relations(conn, "S")]
    assert names
    return [sql.SQL(statement).format(name) for name in names for statement in ON_A_SEQUENCE]


def on_views(conn: psycopg.Connection) -> list[sql.Composed]:
    dropped = [sql.SQL("DROP VIEW {}").format(view) for view in relations(conn, "v")]
    assert dropped
    return dropped + [sql.SQL("REFRESH MATERIALIZED VIEW {}").format(view) for view in relations(conn, "m")]


def on_schemas(conn: psycopg.Connection) -> list[sql.Composed]:
    names = [sql.Identifier(name) for (name,) in conn.execute("SELECT nspname FROM pg_namespace")]
    statements = ("CREATE TABLE {}.mine ()", "DROP SCHEMA {} CASCADE")
    return [sql.SQL(statement).format(name) for name in names for statement in statements]
