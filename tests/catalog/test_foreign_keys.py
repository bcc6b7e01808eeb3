"""Foreign keys as they really are: one subject for each constraint, with all that can make it idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.catalog import Catalog, ForeignKey, Match, Operator, parse_relation
from pgvigil.target import Target

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


REPLICA = "ALTER DATABASE {} SET session_replication_role = replica"


@pytest.mark.every_pg
def test_a_database_whose_sessions_fire_no_triggers(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(f"""
        CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES parent);
        {REPLICA.format(admin_conn.info.dbname)}
    """)
    idle = only(read()).idle_triggers
    assert [(trigger.table, trigger.enabled) for trigger in idle] == [
        ("public.child", "O"),
        ("public.child", "O"),
        ("public.parent", "O"),
        ("public.parent", "O"),
    ]
    admin_conn.execute("""
        DO $$ BEGIN EXECUTE (
            SELECT string_agg(
                format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', tgrelid::regclass, tgname), '; '
            ) FROM pg_trigger); END $$
    """)
    assert only(read()).idle_triggers == ()


def test_what_one_role_s_sessions_do_is_its_own_affair(
    admin_conn: psycopg.Connection, database: str, reader: str
) -> None:
    admin_conn.execute(f"""
        CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES parent);
        ALTER ROLE {reader} SET session_replication_role = replica
    """)
    target = Target("games", make_conninfo(database, user=reader, password="its password"))
    assert only(target.read_catalog()).idle_triggers == ()
    target.close()


def test_a_table_that_does_not_know_of_its_triggers(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES parent);
        UPDATE pg_class SET relhastriggers = false WHERE oid = 'child'::regclass
    """)
    idle = only(read()).idle_triggers
    assert [(trigger.table, trigger.enabled) for trigger in idle] == [("public.child", "N")] * 2


# How trees come about, one after the other: each line leaves sound keys behind.
TREES = {
    "a self-reference": "CREATE TABLE node (id int PRIMARY KEY, up int REFERENCES node)",
    "a partitioned self-reference": """
        CREATE TABLE node (id int PRIMARY KEY, up int REFERENCES node) PARTITION BY RANGE (id);
        CREATE TABLE node_1 PARTITION OF node FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
        CREATE TABLE node_11 PARTITION OF node_1 DEFAULT;
        CREATE TABLE node_2 (id int PRIMARY KEY, up int REFERENCES node);
        ALTER TABLE node ATTACH PARTITION node_2 FOR VALUES FROM (30) TO (40)
    """,
    "no partitions yet": """
        CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE child (id int REFERENCES parent) PARTITION BY LIST (id)
    """,
    "partitions that came and went": """
        CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE parent_1 PARTITION OF parent FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
        CREATE TABLE parent_11 PARTITION OF parent_1 FOR VALUES FROM (0) TO (5);
        CREATE TABLE parent_2 PARTITION OF parent DEFAULT;
        CREATE TABLE child (id int REFERENCES parent, at int) PARTITION BY LIST (at);
        CREATE TABLE child_1 PARTITION OF child FOR VALUES IN (1) PARTITION BY LIST (id);
        CREATE TABLE child_11 PARTITION OF child_1 DEFAULT;
        CREATE TABLE child_2 (at int, id int REFERENCES parent) PARTITION BY LIST (id);
        CREATE TABLE child_21 PARTITION OF child_2 DEFAULT;
        CREATE TABLE child_3 (at int, id int);
        ALTER TABLE child ATTACH PARTITION child_2 FOR VALUES IN (2);
        ALTER TABLE child ATTACH PARTITION child_3 FOR VALUES IN (3);
        ALTER TABLE child DETACH PARTITION child_1;
        CREATE TABLE late (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE late_1 PARTITION OF late DEFAULT;
        ALTER TABLE parent ATTACH PARTITION late FOR VALUES FROM (50) TO (60);
        ALTER TABLE parent DETACH PARTITION parent_2;
        ALTER TABLE child ALTER CONSTRAINT child_id_fkey DEFERRABLE INITIALLY DEFERRED
    """,
    "a key to a partitioned table that was validated later": """
        CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE parent_1 PARTITION OF parent DEFAULT;
        CREATE TABLE child (id int, CONSTRAINT k FOREIGN KEY (id) REFERENCES parent);
        ALTER TABLE child DROP CONSTRAINT k, ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES parent NOT VALID;
        ALTER TABLE child VALIDATE CONSTRAINT k
    """,
    "every action": """
        CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE a (id int REFERENCES parent ON DELETE CASCADE ON UPDATE SET NULL);
        CREATE TABLE b (id int REFERENCES parent ON DELETE SET DEFAULT ON UPDATE RESTRICT);
        CREATE TABLE c (id int REFERENCES parent ON DELETE RESTRICT ON UPDATE CASCADE DEFERRABLE)
    """,
    "inheriting tables": """
        CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES parent);
        CREATE TABLE more_parents () INHERITS (parent); CREATE TABLE more_children () INHERITS (child)
    """,
}

TREES_OF_18 = {
    "a key of partitions that was validated later": """
        CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE parent_1 PARTITION OF parent DEFAULT;
        CREATE TABLE child (id int, at int) PARTITION BY LIST (at);
        CREATE TABLE child_1 PARTITION OF child DEFAULT;
        ALTER TABLE child ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES parent NOT VALID;
        ALTER TABLE child VALIDATE CONSTRAINT k
    """,
    "a key of partitions that was enforced later": """
        CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE parent_1 PARTITION OF parent DEFAULT;
        CREATE TABLE child (id int, at int) PARTITION BY LIST (at);
        CREATE TABLE child_1 PARTITION OF child DEFAULT PARTITION BY LIST (id);
        CREATE TABLE child_11 PARTITION OF child_1 DEFAULT;
        ALTER TABLE child ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES parent NOT ENFORCED;
        ALTER TABLE child ALTER CONSTRAINT k ENFORCED
    """,
    "a temporal key of partitions": """
        CREATE TABLE parent (id int4range, at daterange, PRIMARY KEY (id, at WITHOUT OVERLAPS))
            PARTITION BY LIST (id);
        CREATE TABLE parent_1 PARTITION OF parent DEFAULT;
        CREATE TABLE child (id int4range, at daterange, FOREIGN KEY (id, PERIOD at) REFERENCES parent
            (id, PERIOD at)) PARTITION BY LIST (id);
        CREATE TABLE child_1 PARTITION OF child DEFAULT
    """,
}


def lack_nothing(catalog: Catalog) -> bool:
    states = [(k.validated, k.enforced, k.index_valid, k.idle_triggers) for k in catalog.foreign_keys]
    return {*states} == {(True, True, True, ())} and not any(k.missing_triggers for k in catalog.foreign_keys)


@pytest.mark.every_pg
@pytest.mark.parametrize("given", TREES.values(), ids=TREES)
def test_a_sound_tree_of_any_shape_lacks_nothing(
    read: Read, admin_conn: psycopg.Connection, given: str
) -> None:
    admin_conn.execute(given)
    assert lack_nothing(read())


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("given", TREES_OF_18.values(), ids=TREES_OF_18)
def test_a_sound_tree_of_version_18_lacks_nothing(
    read: Read, admin_conn: psycopg.Connection, given: str
) -> None:
    admin_conn.execute(given)
    assert lack_nothing(read())


@pytest.mark.every_pg
@pytest.mark.parametrize("table", ["parent_11", "parent_2", "child_11", "child_2"])
def test_triggers_that_one_table_of_a_tree_lost(
    read: Read, admin_conn: psycopg.Connection, table: str
) -> None:
    admin_conn.execute("""
        CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE parent_1 PARTITION OF parent FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
        CREATE TABLE parent_11 PARTITION OF parent_1 DEFAULT;
        CREATE TABLE parent_2 PARTITION OF parent DEFAULT;
        CREATE TABLE child (id int REFERENCES parent, at int) PARTITION BY LIST (at);
        CREATE TABLE child_1 PARTITION OF child FOR VALUES IN (1) PARTITION BY LIST (at);
        CREATE TABLE child_11 PARTITION OF child_1 DEFAULT;
        CREATE TABLE child_2 PARTITION OF child DEFAULT;
    """)
    admin_conn.execute(
        """
        DELETE FROM pg_trigger WHERE oid IN (
            SELECT t.oid FROM pg_trigger AS t JOIN pg_proc AS f ON f.oid = tgfoid
            WHERE tgrelid = %s::text::regclass AND proname LIKE '%%\\_upd')
    """,
        [table],
    )
    assert only(read()).missing_triggers == ((f"public.{table}", "update"),)


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


def test_a_partition_whose_part_of_a_key_is_off(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE child (id int REFERENCES parent) PARTITION BY LIST (id);
        CREATE TABLE child_1 PARTITION OF child DEFAULT;
        UPDATE pg_constraint SET convalidated = false WHERE conrelid = 'child_1'::regclass AND contype = 'f';
    """)
    assert not only(read()).validated


@pytest.mark.parametrize("index", ["0", "4711"])
def test_a_referenced_index_that_is_gone(read: Read, admin_conn: psycopg.Connection, index: str) -> None:
    admin_conn.execute(f"""
        CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES parent);
        UPDATE pg_constraint SET conindid = {index} WHERE contype = 'f'
    """)
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
