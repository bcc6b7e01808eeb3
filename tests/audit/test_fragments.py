"""What is in pieces, and how much there is to lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgvigil.audit import Audit, Fragment, FragmentKind
from pgvigil.check import Severity
from pgvigil.config import Config

if TYPE_CHECKING:
    import psycopg

    from tests.audit.conftest import Audited


def of(audit: Audit, kind: FragmentKind) -> list[Fragment]:
    return [one for one in audit.fragments if one.kind is kind]


def test_tables_of_one_name_and_nearly_the_same_columns_are_twins(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("""
        CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA c;
        CREATE TABLE a.games (id int PRIMARY KEY, title text, price numeric, at date, x int);
        CREATE TABLE b.games (id int PRIMARY KEY, title text, price numeric, at date, x int, y int);
        CREATE TABLE c.games (id uuid PRIMARY KEY, name text);
        INSERT INTO a.games SELECT n FROM generate_series(1, 50) AS n;
        INSERT INTO b.games SELECT n FROM generate_series(1, 20) AS n;
        ANALYZE;
    """)
    (twins,) = of(audited(database, sampling=False), FragmentKind.TWIN)
    assert twins.subjects == ("a.games", "b.games")
    assert (twins.impact, twins.rows_at_risk) == (Severity.WARNING, 20)


def test_a_twin_of_an_empty_table_can_lose_nothing(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("""
        CREATE SCHEMA a; CREATE TABLE a.games (id int); CREATE SCHEMA b; CREATE TABLE b.games (id int);
        INSERT INTO a.games SELECT generate_series(1, 50); ANALYZE;
    """)
    (twins,) = of(audited(database, sampling=False), FragmentKind.TWIN)
    assert (twins.impact, twins.rows_at_risk) == (Severity.INFO, 0)


def test_twins_that_are_both_referred_to_split_the_entity(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    for schema in "ab":
        admin_conn.execute(f"""
            CREATE SCHEMA {schema}; CREATE TABLE {schema}.games (id int PRIMARY KEY);
            CREATE TABLE {schema}.scores_{schema} (game_id int REFERENCES {schema}.games);
            INSERT INTO {schema}.games VALUES (1);
        """)
    admin_conn.execute("ANALYZE")
    (twins,) = of(audited(database, sampling=False), FragmentKind.TWIN)
    assert twins.impact is Severity.CRITICAL


def test_whether_rows_are_at_risk_is_unknown_where_the_number_of_rows_is(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("CREATE SCHEMA a; CREATE TABLE a.games (id int)")
    admin_conn.execute("CREATE SCHEMA b; CREATE TABLE b.games (id int)")
    (twins,) = of(audited(database, sampling=False), FragmentKind.TWIN)
    assert twins.rows_at_risk is None


def test_a_schema_for_each_tenant_is_one_note(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    for n in range(6):
        admin_conn.execute(f"CREATE SCHEMA t{n}")
        for name in ("users", "orders", "items"):
            admin_conn.execute(f"CREATE TABLE t{n}.{name} (id int, of_{name} text)")
    (tenants,) = of(audited(database, sampling=False), FragmentKind.TWIN)
    assert tenants.subjects == ("t0", "t1", "t2", "t3", "t4", "t5")
    assert tenants.impact is Severity.INFO
    assert "3 tables are in 6 schemas" in tenants.title


def test_two_schemas_of_the_same_tables_are_one_note_as_well(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    for schema in ("north", "south"):
        admin_conn.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.of_{schema} (id int)")
        for name in ("users", "orders", "items", "stock", "prices"):
            admin_conn.execute(f"CREATE TABLE {schema}.{name} (id int, of_{name} text)")
    (tenants,) = of(audited(database, sampling=False), FragmentKind.TWIN)
    assert tenants.subjects == ("north", "south")


def test_the_stages_of_the_zones_are_no_fault_but_a_key_between_them_is(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("""
        CREATE SCHEMA raw; CREATE TABLE raw.games (id int PRIMARY KEY, title text);
        CREATE SCHEMA curated;
        CREATE TABLE curated.games (id int PRIMARY KEY REFERENCES raw.games, title text);
        INSERT INTO raw.games VALUES (1); INSERT INTO curated.games VALUES (1); ANALYZE;
    """)
    config = Config.from_dsn(database, "games")
    target = config.targets["games"].model_copy(update={"zones": ("raw", "curated")})
    audit = audited(config.model_copy(update={"targets": {"games": target}}), sampling=False)
    (twins,) = of(audit, FragmentKind.TWIN)
    assert twins.impact is Severity.INFO
    (crossing,) = of(audit, FragmentKind.CROSS_ZONE)
    assert crossing.subjects == ("curated.games(id) -> raw.games(id)",)
    assert (crossing.impact, crossing.rows_at_risk) == (Severity.WARNING, 1)


def test_references_over_a_boundary_say_which_of_them_are_broken(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("""
        CREATE SCHEMA crm; CREATE TABLE crm.people (id int PRIMARY KEY); INSERT INTO crm.people VALUES (1);
        CREATE SCHEMA shop; CREATE TABLE shop.orders (id int PRIMARY KEY, buyer int, seller int);
        INSERT INTO shop.orders VALUES (1, 1, 1); ANALYZE;
        ALTER TABLE shop.orders ADD CONSTRAINT buyer FOREIGN KEY (buyer) REFERENCES crm.people NOT VALID;
    """)
    (once,) = of(audited(database, sampling=False), FragmentKind.CROSS_SCHEMA)
    assert once.title == "the schema shop refers to crm once, by a relation that is broken"
    admin_conn.execute("ALTER TABLE shop.orders ADD FOREIGN KEY (seller) REFERENCES crm.people")
    (twice,) = of(audited(database, sampling=False), FragmentKind.CROSS_SCHEMA)
    assert twice.title == "the schema shop refers to crm 2 times, 1 of them broken"
    admin_conn.execute("ALTER TABLE shop.orders DROP CONSTRAINT buyer")
    (sound,) = of(audited(database, sampling=False), FragmentKind.CROSS_SCHEMA)
    assert (sound.title, sound.impact) == ("the schema shop refers to crm once", Severity.INFO)


def test_schemas_of_few_tables_are_named_where_there_are_several(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    for schema, tables in {"a": 3, "b": 3, "c": 1, "d": 2}.items():
        admin_conn.execute(f"CREATE SCHEMA {schema}")
        for n in range(tables):
            admin_conn.execute(f"CREATE TABLE {schema}.{schema}{n} (id int)")
    (small,) = of(audited(database, sampling=False), FragmentKind.SMALL_SCHEMA)
    assert small.subjects == ("c", "d")
