"""The role can read all that is to be judged, and can write nothing, on every supported server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.catalog import Scope, quote
from pgvigil.errors import UsageError
from pgvigil.grants import grants
from pgvigil.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.catalog import Catalog

    CatalogOf = Callable[..., Catalog]
    Login = Callable[[str], str]

TABLES = """
    CREATE SCHEMA shop;
    CREATE SCHEMA "Odd; Schema";
    CREATE SCHEMA types;
    CREATE SCHEMA scratch;
    CREATE TABLE scratch.parent (id int PRIMARY KEY);
    CREATE TABLE scratch.private (id int);
    CREATE DOMAIN types.code AS text;
    CREATE TABLE shop.game (
        id int PRIMARY KEY, code types.code COLLATE "C", origin int REFERENCES scratch.parent
    );
    CREATE TABLE "Odd; Schema"."it's a ""table"", -- or not" ("a b" int REFERENCES shop.game);
    CREATE TABLE shop.event (id int, at date) PARTITION BY RANGE (at);
    CREATE TABLE shop.event_2026 PARTITION OF shop.event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO scratch.parent VALUES (1);
    INSERT INTO shop.game VALUES (1, 'x', 1);
"""
WATCHED = Scope(exclude=("scratch",))
ROW_SECURITY = """
    ALTER TABLE shop.game ENABLE ROW LEVEL SECURITY;
    CREATE POLICY nobody ON shop.game USING (false);
"""

WRITES = (
    "INSERT INTO shop.game VALUES (2)",
    "UPDATE shop.game SET code = 'y'",
    "DELETE FROM shop.game",
    "TRUNCATE shop.game",
    "ALTER TABLE shop.game ADD hole int",
    "DROP TABLE shop.game",
    "CREATE TABLE shop.mine ()",
    "CREATE TABLE public.mine ()",
    "CREATE SCHEMA mine",
)


def readable(dsn: str) -> set[str]:
    """Return the tables that a role can read, schema and table privileges taken together."""
    query = """
        SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'p')
          AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
    """
    with psycopg.connect(dsn) as conn:
        return {row[0] for row in conn.execute(query)}


@pytest.mark.every_pg
def test_the_role_reads_what_is_watched_and_what_its_keys_refer_to(
    admin_conn: psycopg.Connection, database: str, role: str, login: Login, catalog_of: CatalogOf
) -> None:
    admin_conn.execute(TABLES)
    admin_conn.execute(grants(role, catalog_of(database, WATCHED)))
    assert readable(login(role)) == {
        "shop.game",
        "shop.event",
        '"Odd; Schema"."it\'s a ""table"", -- or not"',
        "scratch.parent",
    }


@pytest.mark.every_pg
def test_without_a_catalog_the_role_reads_everything(
    admin_conn: psycopg.Connection, database: str, role: str, login: Login
) -> None:
    admin_conn.execute(TABLES)
    admin_conn.execute(grants(role))
    assert "scratch.private" in readable(login(role))


@pytest.mark.every_pg
@pytest.mark.parametrize("whole_cluster", [True, False])
def test_the_role_can_write_nothing(
    admin_conn: psycopg.Connection,
    database: str,
    role: str,
    login: Login,
    catalog_of: CatalogOf,
    whole_cluster: bool,
) -> None:
    admin_conn.execute(TABLES)
    admin_conn.execute(grants(role, None if whole_cluster else catalog_of(database)))
    with psycopg.connect(login(role), autocommit=True) as conn:
        for write in WRITES:
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                conn.execute(write)
        # Not even when it lifts the lock that it set itself.
        conn.execute("SET default_transaction_read_only = off")
        for write in WRITES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(write)


@pytest.mark.every_pg
def test_the_script_may_be_run_again(
    admin_conn: psycopg.Connection, database: str, role: str, login: Login, catalog_of: CatalogOf
) -> None:
    admin_conn.execute(TABLES)
    script = grants(role, catalog_of(database))
    admin_conn.execute(script)
    before = readable(login(role))
    admin_conn.execute(script)
    admin_conn.execute(grants(role))
    assert readable(login(role)) >= before


@pytest.mark.every_pg
def test_the_catalog_is_the_same_as_the_superusers(
    admin_conn: psycopg.Connection, database: str, role: str, login: Login, catalog_of: CatalogOf
) -> None:
    admin_conn.execute(TABLES)
    admin_conn.execute(grants(role, catalog_of(database)))
    assert catalog_of(login(role)) == catalog_of(database)


@pytest.mark.every_pg
def test_types_and_collations_of_other_schemas_can_be_named(
    admin_conn: psycopg.Connection, database: str, role: str, login: Login, catalog_of: CatalogOf
) -> None:
    admin_conn.execute(TABLES)
    admin_conn.execute(
        'CREATE COLLATION types.bytes (locale = "C"); ALTER TABLE shop.game ADD t text COLLATE types.bytes'
    )
    admin_conn.execute(grants(role, catalog_of(database, WATCHED)))
    target = Target("t", login(role))
    with target.snapshot() as snapshot:
        rows = snapshot.fetch("SELECT code::types.code COLLATE types.bytes AS code FROM ONLY shop.game")
    target.close()
    assert rows == [{"code": "x"}]


@pytest.mark.every_pg
def test_row_level_security_hides_nothing(
    admin_conn: psycopg.Connection, database: str, role: str, login: Login, catalog_of: CatalogOf
) -> None:
    admin_conn.execute(TABLES)
    assert "ROW LEVEL" not in grants(role, catalog_of(database)).upper().replace("-", " ")
    admin_conn.execute(ROW_SECURITY)
    script = grants(role, catalog_of(database))
    assert "-- Row-level security guards shop.game." in script
    admin_conn.execute(script)
    target = Target("t", login(role))
    with target.snapshot() as snapshot:
        assert snapshot.fetch("SELECT count(*) AS rows FROM shop.game") == [{"rows": 1}]
    target.close()


def test_what_subjects_name_outside_the_watched_schemas_is_granted_too(
    admin_conn: psycopg.Connection, database: str, role: str, login: Login, catalog_of: CatalogOf
) -> None:
    admin_conn.execute(TABLES)
    catalog = catalog_of(database, Scope(include=("nothing",)))
    for subject, expected in {
        "scratch.private(id) -> shop.game(id)": {"scratch.private", "shop.game"},
        "shop.game(origin) -> scratch.parent(id)": {"shop.game", "scratch.parent"},
        "shop.event <> scratch.private": {"shop.event", "scratch.private"},
        '"Odd; Schema"."it\'s a ""table"", -- or not"': {'"Odd; Schema"."it\'s a ""table"", -- or not"'},
        "shop.game/game_origin_fkey": {"shop.game"},
        "nobody.knows": set(),
        "*": set(),
    }.items():
        script = grants(role, catalog, [subject])
        granted = script.partition("GRANT SELECT ON\n    ")[2].partition("\nTO ")[0].split(",\n    ")
        assert set(granted) - {""} == expected


@pytest.mark.every_pg
def test_the_hint_about_later_tables_is_sound_sql(
    admin_conn: psycopg.Connection, database: str, role: str, login: Login, catalog_of: CatalogOf
) -> None:
    admin_conn.execute(TABLES)
    script = grants(role, catalog_of(database, WATCHED))
    admin_conn.execute(script)
    hints = [line[3:] for line in script.splitlines() if line.startswith("-- ALTER DEFAULT PRIVILEGES")]
    assert len(hints) == 3
    for hint in hints:
        admin_conn.execute(hint)
    admin_conn.execute("CREATE TABLE shop.later ()")
    assert "shop.later" in readable(login(role))


@pytest.mark.parametrize("name", ["", "public", "none", "pg_monitor", "x" * 64, "é" * 32, "a\0b"])
def test_a_name_that_postgresql_would_not_take_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        grants(name)


def test_names_cannot_break_out_of_their_comment(
    admin_conn: psycopg.Connection, database: str, role: str, catalog_of: CatalogOf
) -> None:
    admin_conn.execute('CREATE TABLE "a\nDROP TABLE b; --" (); CREATE TABLE b ()')
    admin_conn.execute('ALTER TABLE "a\nDROP TABLE b; --" ENABLE ROW LEVEL SECURITY')
    admin_conn.execute(grants(role, catalog_of(database)))
    assert admin_conn.execute("SELECT to_regclass('b')").fetchone() == ("b",)


def test_a_target_that_is_watched_by_its_changes_needs_replication(
    admin_conn: psycopg.Connection, database: str, role: str, catalog_of: CatalogOf
) -> None:
    query = "SELECT rolreplication, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = %s"
    admin_conn.execute(grants(role, catalog_of(database)))
    assert admin_conn.execute(query, [role]).fetchone() == (False, False, False)
    admin_conn.execute(grants(role, catalog_of(database), logical=True))
    assert admin_conn.execute(query, [role]).fetchone() == (True, False, False)


def test_what_is_told_from_the_sessions_of_others_needs_to_see_them(
    admin_conn: psycopg.Connection, database: str, role: str, catalog_of: CatalogOf
) -> None:
    query = "SELECT pg_has_role(%s, 'pg_read_all_stats', 'USAGE')"
    script = grants(role, catalog_of(database))
    assert f"-- GRANT pg_read_all_stats TO {quote(role)};" in script.splitlines()
    admin_conn.execute(script)
    assert admin_conn.execute(query, [role]).fetchone() == (False,)
    needed = ["standby", "budget.pause.oldest_snapshot"]
    script = grants(role, catalog_of(database), sees_others_for=needed)
    assert "-- For `standby`, `budget.pause.oldest_snapshot`: " in script
    admin_conn.execute(script)
    assert admin_conn.execute(query, [role]).fetchone() == (True,)


@pytest.mark.every_pg
def test_what_its_queries_put_into_a_log_can_be_bounded_for_the_role(
    admin_conn: psycopg.Connection, database: str, role: str, login: Login, catalog_of: CatalogOf
) -> None:
    script = grants(role, catalog_of(database))
    admin_conn.execute(script)
    line = f"ALTER ROLE {quote(role)} SET log_parameter_max_length = 1024;"
    assert f"-- {line}" in script.splitlines()
    admin_conn.execute(line.encode())
    # No setting that the role itself may change.
    with psycopg.connect(login(role)) as conn:
        assert conn.execute("SHOW log_parameter_max_length").fetchone() == ("1kB",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SET log_parameter_max_length = -1")


def test_the_script_for_a_whole_cluster_only_mentions_what_single_targets_need() -> None:
    lines = grants("pgvigil").splitlines()
    assert "-- ALTER ROLE pgvigil REPLICATION;" in lines
    assert "-- GRANT pg_read_all_stats TO pgvigil;" in lines
    assert "-- ALTER ROLE pgvigil SET log_parameter_max_length = 1024;" in lines
