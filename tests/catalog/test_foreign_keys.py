"""Foreign keys as they really are: one subject for each constraint, with all that can make it idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.catalog import Catalog, ForeignKey, Match, Operator, parse_relation

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[], Catalog]


def only(catalog: Catalog) -> ForeignKey:
    (key,) = catalog.foreign_keys
    return key


def equal(left: str | None, right: str | None = None) -> Operator:
    return Operator("pg_catalog", "=", left, right or left)


@pytest.mark.every_pg
def test_an_ordinary_key(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE SCHEMA curated; CREATE SCHEMA analytics;
        CREATE TABLE curated.games (id int PRIMARY KEY);
        CREATE TABLE analytics.sessions (n int, game_id bigint REFERENCES curated.games);
    """)
    key = only(read())
    assert key.subject == "analytics.sessions(game_id) -> curated.games(id)"
    assert parse_relation(key.subject) == key.relation
    assert (key.match, key.validated, key.enforced, key.period) == (Match.SIMPLE, True, True, False)
    assert key.operators == (equal("integer", "bigint"),)
    assert (key.index_name, key.index_valid, key.triggers, key.idle_triggers) == ("games_pkey", True, 4, ())


@pytest.mark.every_pg
def test_composite_keys_keep_their_order(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE parent (a int, b text, c date, UNIQUE (c, a, b));
        CREATE TABLE child (x text, y date, z int, w int,
            FOREIGN KEY (x, y, z) REFERENCES parent (b, c, a) MATCH FULL);
    """)
    key = only(read())
    assert key.subject == "public.child(x, y, z) -> public.parent(b, c, a)"
    assert key.match is Match.FULL
    assert key.operators == (equal("text"), equal("date"), equal("integer"))


@pytest.mark.every_pg
def test_dropped_columns_do_not_shift_the_others(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE parent (gone int, id int PRIMARY KEY);
        CREATE TABLE child (gone int, also_gone int, parent_id int REFERENCES parent);
        ALTER TABLE parent DROP COLUMN gone;
        ALTER TABLE child DROP COLUMN gone, DROP COLUMN also_gone;
    """)
    assert only(read()).subject == "public.child(parent_id) -> public.parent(id)"


@pytest.mark.every_pg
def test_a_unique_index_can_be_referenced(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE parent (id int PRIMARY KEY, code varchar(8));
        CREATE UNIQUE INDEX by_code ON parent (code);
        CREATE TABLE child (code text REFERENCES parent (code));
    """)
    key = only(read())
    assert (key.subject, key.index_name) == ("public.child(code) -> public.parent(code)", "by_code")
    assert key.operators == (equal("text"),)


def test_polymorphic_operators_take_columns_as_they_are(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TYPE mood AS ENUM ('sad');
        CREATE TABLE parent (a int[], b mood, c int4range, PRIMARY KEY (a, b, c));
        CREATE TABLE child (a int[], b mood, c int4range, FOREIGN KEY (a, b, c) REFERENCES parent);
    """)
    assert only(read()).operators == (equal(None), equal(None), equal(None))


@pytest.mark.contrib
def test_operators_of_extensions_are_qualified(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE SCHEMA tools; CREATE EXTENSION citext SCHEMA tools;
        CREATE TABLE parent (name tools.citext PRIMARY KEY);
        CREATE TABLE child (name tools.citext REFERENCES parent);
    """)
    assert only(read()).operators == (Operator("tools", "=", "tools.citext", "tools.citext"),)


def test_twins_have_names_of_their_own(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE child (id int,
            CONSTRAINT zulu FOREIGN KEY (id) REFERENCES parent);
        ALTER TABLE child ADD CONSTRAINT alpha FOREIGN KEY (id) REFERENCES parent;
        ALTER TABLE child ADD CONSTRAINT "Mike" FOREIGN KEY (id) REFERENCES parent;
    """)
    relation = "public.child(id) -> public.parent(id)"
    subjects = [key.subject for key in read().foreign_keys]
    assert subjects == [relation, f"{relation} (alpha)", f'{relation} ("Mike")']


def test_a_table_may_refer_to_itself(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TABLE node (id int PRIMARY KEY, up int REFERENCES node)")
    key = only(read())
    assert key.child is key.parent
    assert key.subject == "public.node(up) -> public.node(id)"


def test_temporary_tables_are_nobody_s_business(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TEMP TABLE parent (id int PRIMARY KEY);
        CREATE TEMP TABLE child (id int REFERENCES parent);
    """)
    catalog = read()
    assert (catalog.tables, catalog.foreign_keys) == ((), ())


@pytest.mark.every_pg
def test_partitions_on_either_side_are_one_key(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE parent_1 PARTITION OF parent FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
        CREATE TABLE parent_11 PARTITION OF parent_1 FOR VALUES FROM (0) TO (5);
        CREATE TABLE parent_2 PARTITION OF parent DEFAULT;
        CREATE TABLE child (id int REFERENCES parent, at int) PARTITION BY LIST (at);
        CREATE TABLE child_1 PARTITION OF child FOR VALUES IN (1) PARTITION BY LIST (id);
        CREATE TABLE child_11 PARTITION OF child_1 DEFAULT;
        CREATE TABLE child_2 (at int, id int REFERENCES parent);
        ALTER TABLE child ATTACH PARTITION child_2 FOR VALUES IN (2);
    """)
    key = only(read())
    assert key.subject == "public.child(id) -> public.parent(id)"
    assert (key.index_valid, key.idle_triggers) == (True, ())
    # Its clones' triggers are all looked at: those of one leaf are enough to let orphans in.
    admin_conn.execute("ALTER TABLE child_11 DISABLE TRIGGER ALL")
    idle = only(read()).idle_triggers
    assert {(trigger.table, trigger.enabled) for trigger in idle} == {("public.child_11", "D")}
    admin_conn.execute("ALTER TABLE child_11 ENABLE TRIGGER ALL; ALTER TABLE parent_11 DISABLE TRIGGER ALL")
    assert {trigger.table for trigger in only(read()).idle_triggers} == {"public.parent_11"}


def test_a_key_of_one_partition_is_its_own(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE child (id int) PARTITION BY LIST (id);
        CREATE TABLE child_1 PARTITION OF child FOR VALUES IN (1);
        ALTER TABLE child_1 ADD FOREIGN KEY (id) REFERENCES parent;
    """)
    assert only(read()).subject == "public.child_1(id) -> public.parent(id)"


@pytest.mark.every_pg
@pytest.mark.parametrize(
    ("statement", "enabled"),
    [
        ("DISABLE TRIGGER ALL", "D"),
        ("ENABLE REPLICA TRIGGER {}", "R"),
        ("ENABLE ALWAYS TRIGGER {}", None),
        ("ENABLE TRIGGER {}", None),
        ("DISABLE TRIGGER USER", None),
    ],
)
def test_triggers_that_do_not_fire(
    read: Read, admin_conn: psycopg.Connection, statement: str, enabled: str | None
) -> None:
    admin_conn.execute(
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES parent)"
    )
    query = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'child'::regclass ORDER BY tgname"
    names = [name for (name,) in admin_conn.execute(query)]
    quoted = f'"{names[0]}"'
    admin_conn.execute(f"ALTER TABLE child {statement.format(quoted)}")
    key = only(read())
    expected = {"D": names, "R": names[:1], None: []}[enabled]
    assert [(trigger.table, trigger.name, trigger.enabled) for trigger in key.idle_triggers] == [
        ("public.child", name, enabled) for name in expected
    ]
    assert key.triggers == 4


@pytest.mark.every_pg
def test_a_key_that_was_never_validated(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int);
        ALTER TABLE child ADD FOREIGN KEY (id) REFERENCES parent NOT VALID;
    """)
    assert not only(read()).validated
    admin_conn.execute("ALTER TABLE child VALIDATE CONSTRAINT child_id_fkey")
    assert only(read()).validated


def test_a_referenced_index_that_went_invalid(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES parent)"
    )
    assert only(read()).index_valid
    # As a REINDEX CONCURRENTLY that broke off in the wrong moment leaves it.
    admin_conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'parent_pkey'::regclass")
    assert not only(read()).index_valid


@pytest.mark.pg(">= 18")
def test_keys_of_version_18(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE parent (id int4range, valid_at daterange, PRIMARY KEY (id, valid_at WITHOUT OVERLAPS));
        CREATE TABLE child (id int4range, valid_at daterange,
            FOREIGN KEY (id, PERIOD valid_at) REFERENCES parent (id, PERIOD valid_at));
        CREATE TABLE plain (id int PRIMARY KEY);
        CREATE TABLE loose (id int REFERENCES plain NOT ENFORCED);
    """)
    temporal, loose = read().foreign_keys
    assert (temporal.period, temporal.enforced, temporal.index_valid) == (True, True, True)
    assert temporal.child_columns == ("id", "valid_at")
    assert len(temporal.operators) == 2
    assert (loose.period, loose.enforced, loose.validated, loose.triggers) == (False, False, False, 0)
