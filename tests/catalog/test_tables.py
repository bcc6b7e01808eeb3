"""Tables, columns, keys and indexes as they really are on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgvigil.catalog import Catalog, Column, Key, Scope, Table, TableKind, TableName
from pgvigil.target import Target
from tests.target.conftest import Background

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[], Catalog]


def only(catalog: Catalog, name: str) -> Table:
    (table,) = catalog.named(name)
    return table


def columns(table: Table) -> dict[str, Column]:
    return {column.name: column for column in table.columns}


def keys(table: Table) -> set[tuple[str, ...]]:
    return {key.columns for key in table.keys}


@pytest.mark.every_pg
def test_an_empty_database_has_no_tables(read: Read, pg_version: int) -> None:
    catalog = read()
    assert (catalog.tables, catalog.foreign_keys, catalog.in_recovery) == ((), (), False)
    assert catalog.server_version // 10_000 == pg_version


@pytest.mark.every_pg
def test_every_kind_of_table(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE plain (id int);
        CREATE UNLOGGED TABLE unlogged ();
        CREATE TABLE parted (id int) PARTITION BY RANGE (id);
        CREATE TABLE part PARTITION OF parted FOR VALUES FROM (1) TO (2);
        CREATE VIEW seen AS SELECT 1 AS n;
        CREATE MATERIALIZED VIEW kept AS SELECT 1 AS n;
        CREATE TEMP TABLE passing ();
        CREATE TYPE composite AS (a int);
        CREATE SEQUENCE counter;
    """)
    catalog = read()
    assert {table.name: str(table.kind) for table in catalog.tables} == {
        "plain": "table",
        "unlogged": "table",
        "parted": "partitioned",
        "part": "table",
        "seen": "view",
        "kept": "materialized_view",
    }
    assert [table.name for table in catalog.watched_tables()] == ["parted", "plain", "unlogged"]


@pytest.mark.contrib
def test_foreign_tables_are_known(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid');
        CREATE FOREIGN TABLE distant (id int) SERVER away;
        CREATE TABLE parted (id int) PARTITION BY LIST (id);
        CREATE FOREIGN TABLE far_part PARTITION OF parted FOR VALUES IN (1) SERVER away;
    """)
    catalog = read()
    assert only(catalog, "distant").kind is TableKind.FOREIGN
    assert only(catalog, "far_part").is_partition
    assert [table.name for table in catalog.watched_tables()] == ["distant", "parted"]


NAMES = [
    'Quoted "Name"',
    "with.dot",
    "with space",
    "Größe→🎲",
    "select",
    "x" * 63,
    "é" * 31,
    "'; --",
    "%s",
    "{0}",
]


def test_names_that_need_quoting(read: Read, admin_conn: psycopg.Connection) -> None:
    for name in NAMES:
        admin_conn.execute(
            sql.SQL(
                "CREATE SCHEMA {0}; CREATE TABLE {0}.{0} ({0} int PRIMARY KEY REFERENCES {0}.{0})"
            ).format(sql.Identifier(name))
        )
    catalog = read()
    for name in NAMES:
        table = catalog.table(TableName(name, name))
        assert table is not None
        assert (list(columns(table)), keys(table)) == ([name], {(name,)})
        assert admin_conn.execute("SELECT to_regclass(%s)::oid", [str(table)]).fetchone() == (table.oid,)
    assert {key.child_columns for key in catalog.foreign_keys} == {(name,) for name in NAMES}


@pytest.mark.every_pg
def test_partition_trees(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE root (id int, at int) PARTITION BY RANGE (at);
        CREATE TABLE branch PARTITION OF root FOR VALUES FROM (0) TO (10) PARTITION BY LIST (id);
        CREATE TABLE leaf PARTITION OF branch FOR VALUES IN (1);
        CREATE TABLE other PARTITION OF root DEFAULT;
        INSERT INTO root SELECT 1, 1 FROM generate_series(1, 1000);
        INSERT INTO root SELECT 1, 20 FROM generate_series(1, 500);
        ANALYZE root; ANALYZE leaf; ANALYZE other;
    """)
    catalog = read()
    root, branch, leaf = only(catalog, "root"), only(catalog, "branch"), only(catalog, "leaf")
    assert (root.partition_of, branch.partition_of, leaf.partition_of) == (None, root.oid, branch.oid)
    assert (root.rows_estimate, branch.rows_estimate, leaf.rows_estimate) == (1500, 1000, 1000)
    assert root.pages == leaf.pages + only(catalog, "other").pages > 0
    assert not root.has_children
    assert [table.name for table in catalog.watched_tables()] == ["root"]


def test_partitions_that_were_never_analysed_do_not_make_a_table_empty(
    read: Read, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("""
        CREATE TABLE root (at int) PARTITION BY RANGE (at);
        CREATE TABLE one PARTITION OF root FOR VALUES FROM (0) TO (10) WITH (autovacuum_enabled = off);
        CREATE TABLE two PARTITION OF root FOR VALUES FROM (10) TO (20) WITH (autovacuum_enabled = off);
        CREATE TABLE bare (at int) PARTITION BY RANGE (at);
        INSERT INTO root SELECT 1 FROM generate_series(1, 100);
        ANALYZE two;
    """)
    assert (only(read(), "root").rows_estimate, only(read(), "bare").rows_estimate) == (None, 0)
    admin_conn.execute("ANALYZE one; TRUNCATE two")
    assert only(read(), "root").rows_estimate == 100


def test_a_partition_that_is_being_detached_stands_alone(
    read: Read, admin_conn: psycopg.Connection, database: str
) -> None:
    admin_conn.execute("""
        CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE root (id int REFERENCES parent, at int) PARTITION BY LIST (at);
        CREATE TABLE leaving PARTITION OF root FOR VALUES IN (1);
        INSERT INTO parent VALUES (1);
        INSERT INTO root VALUES (1, 1);
        ANALYZE leaving;
    """)
    with psycopg.connect(database) as holder, psycopg.connect(database, autocommit=True) as detacher:
        # It waits for those who may still see the partition, and is broken off meanwhile.
        holder.execute("SELECT FROM root")
        detacher.execute("SET statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            detacher.execute("ALTER TABLE root DETACH PARTITION leaving CONCURRENTLY")
    assert admin_conn.execute("SELECT count(*) FROM root").fetchone() == (0,)
    catalog = read()
    leaving, root = only(catalog, "leaving"), only(catalog, "root")
    assert (leaving.is_partition, leaving.inherits, root.rows_estimate) == (False, (), 0)
    assert [table.name for table in catalog.watched_tables()] == ["leaving", "parent", "root"]
    assert [key.child.name for key in catalog.foreign_keys] == ["root", "leaving"]
    before = {key.subject for key in catalog.foreign_keys}
    admin_conn.execute("ALTER TABLE root DETACH PARTITION leaving FINALIZE")
    assert {key.subject for key in read().foreign_keys} == before


def test_inheritance(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE a (id int); CREATE TABLE b (n int);
        CREATE TABLE child () INHERITS (a, b);
        CREATE TABLE lonely (); CREATE TABLE gone () INHERITS (lonely); DROP TABLE gone;
    """)
    catalog = read()
    a, b, child = only(catalog, "a"), only(catalog, "b"), only(catalog, "child")
    assert child.inherits == (a.oid, b.oid)
    assert not child.is_partition
    assert (a.has_children, child.has_children, only(catalog, "lonely").has_children) == (True, False, False)


@pytest.mark.every_pg
def test_columns(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE DOMAIN small AS numeric(5, 2);
        CREATE DOMAIN smaller AS small NOT NULL;
        CREATE DOMAIN many AS int[];
        CREATE DOMAIN document AS json;
        CREATE TYPE mood AS ENUM ('sad');
        CREATE TYPE pair AS (a int, b text);
        CREATE TYPE odd AS (a int, b json);
        CREATE TABLE t (
            dropped int,
            id bigint GENERATED ALWAYS AS IDENTITY,
            name varchar(20) NOT NULL,
            code char(3) COLLATE "C",
            amount smaller,
            amounts smaller[],
            numbers many,
            mood mood,
            moods mood[],
            pair pair,
            odd odd,
            odds odd[],
            doc json,
            docs json[],
            document document,
            place point,
            span int4range,
            at timestamptz(3),
            twice int GENERATED ALWAYS AS (1 + 1) STORED,
            "Größe" "char"
        );
        ALTER TABLE t DROP COLUMN dropped;
    """)
    found = columns(only(read(), "t"))
    described = {name: (column.type, column.base_type, column.comparable) for name, column in found.items()}
    assert described == {
        "id": ("bigint", "bigint", True),
        "name": ("character varying(20)", "character varying", True),
        "code": ("character(3)", "character", True),
        "amount": ("public.smaller", "numeric", True),
        "amounts": ("public.smaller[]", "public.smaller[]", True),
        "numbers": ("public.many", "integer[]", True),
        "mood": ("public.mood", "public.mood", True),
        "moods": ("public.mood[]", "public.mood[]", True),
        "pair": ("public.pair", "public.pair", True),
        "odd": ("public.odd", "public.odd", False),
        "odds": ("public.odd[]", "public.odd[]", False),
        "doc": ("json", "json", False),
        "docs": ("json[]", "json[]", False),
        "document": ("public.document", "json", False),
        "place": ("point", "point", False),
        "span": ("int4range", "int4range", True),
        "at": ("timestamp(3) with time zone", "timestamp with time zone", True),
        "twice": ("integer", "integer", True),
        "Größe": ('"char"', '"char"', True),
    }
    assert [column.number for column in found.values()] == list(range(2, 21))
    assert [name for name, column in found.items() if column.generated] == ["twice"]
    assert [name for name, column in found.items() if column.not_null] == ["id", "name"]
    assert found["code"].collation == ("pg_catalog", "C")
    assert found["name"].collation == ("pg_catalog", "default")
    assert found["id"].collation is None
    assert found["amount"].category == "N"


@pytest.mark.every_pg
def test_comparable_says_what_the_server_can_compare(read: Read, admin_conn: psycopg.Connection) -> None:
    query = """
        SELECT format_type(t.oid, NULL) FROM pg_type AS t LEFT JOIN pg_type AS e ON e.oid = t.typelem
        WHERE t.typtype IN ('b', 'r', 'm') AND coalesce(e.typtype, 'b') NOT IN ('c', 'p')
          -- Extended statistics, which no table has, are ambiguous: as good as text and as good as bytes.
          AND t.typname NOT IN ('pg_ndistinct', 'pg_dependencies', 'pg_mcv_list')
    """
    types = [name for (name,) in admin_conn.execute(query)]
    assert len(types) > 100
    definitions = ", ".join(f"c{number} {name}" for number, name in enumerate(types))
    admin_conn.execute(f"CREATE TABLE t ({definitions})")
    for name, column in columns(only(read(), "t")).items():
        try:
            # What a check does with them: compare, and group.
            admin_conn.execute(f"SELECT FROM t AS a JOIN t AS b USING ({name}) GROUP BY {name}")
            comparable = True
        except psycopg.errors.UndefinedFunction:
            comparable = False
        assert column.comparable == comparable, column.type


@pytest.mark.pg(">= 18")
def test_columns_of_version_18(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE t (id int, twice int GENERATED ALWAYS AS (id * 2) VIRTUAL, late int);
        INSERT INTO t DEFAULT VALUES;
        ALTER TABLE t ADD CONSTRAINT late_is_there NOT NULL late NOT VALID;
    """)
    found = columns(only(read(), "t"))
    assert found["twice"].generated
    assert not found["late"].not_null, "old rows may be NULL"
    admin_conn.execute("UPDATE t SET late = 1")
    admin_conn.execute("ALTER TABLE t VALIDATE CONSTRAINT late_is_there")
    assert columns(only(read(), "t"))["late"].not_null


@pytest.mark.contrib
def test_collations_and_extension_types(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE EXTENSION citext; CREATE EXTENSION hstore;
        CREATE COLLATION same (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE DOMAIN anycase AS text COLLATE same;
        CREATE TABLE t (a text COLLATE same, b anycase, c citext, d text, e hstore);
    """)
    found = columns(only(read(), "t"))
    assert [column.deterministic for column in found.values()] == [False, False, True, True, True]
    assert found["b"].collation == ("public", "same")
    assert (found["c"].base_type, found["c"].comparable, found["e"].comparable) == (
        "public.citext",
        True,
        True,
    )


@pytest.mark.every_pg
def test_keys_and_indexes(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE t (id int, a int, b text, c int, r int4range, PRIMARY KEY (id) INCLUDE (a));
        CREATE UNIQUE INDEX two ON t (b, a);
        CREATE UNIQUE INDEX nulls ON t (c) NULLS NOT DISTINCT;
        CREATE UNIQUE INDEX part ON t (a) WHERE a > 0;
        CREATE UNIQUE INDEX expr ON t (a, lower(b));
        CREATE INDEX plain ON t (a);
        CREATE INDEX hashed ON t USING hash (a);
        ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING gist (r WITH &&);
        ALTER TABLE t ADD CONSTRAINT later UNIQUE (a, c) DEFERRABLE INITIALLY DEFERRED;
    """)
    table = only(read(), "t")
    assert set(table.keys) == {
        Key("t_pkey", ("id",), primary=True, nulls_not_distinct=False),
        Key("two", ("b", "a"), primary=False, nulls_not_distinct=False),
        Key("nulls", ("c",), primary=False, nulls_not_distinct=True),
        Key("later", ("a", "c"), primary=False, nulls_not_distinct=False),
    }
    found = {index.name: index for index in table.indexes}
    assert found["t_pkey"].columns == ("id",)
    assert (found["expr"].columns, found["part"].partial) == (("a", None), True)
    assert (found["hashed"].method, found["apart"].method) == ("hash", "gist")
    assert all(index.valid for index in table.indexes)


def test_an_invalid_index_is_no_key(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        admin_conn.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (id)")
    admin_conn.execute("""
        CREATE TABLE root (id int) PARTITION BY RANGE (id);
        CREATE TABLE leaf PARTITION OF root DEFAULT;
        CREATE UNIQUE INDEX unattached ON ONLY root (id);
    """)
    catalog = read()
    for name in ("t", "root"):
        table = only(catalog, name)
        assert (table.keys, [index.valid for index in table.indexes]) == ((), [False])


def test_row_security_is_known(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TABLE t (); ALTER TABLE t ENABLE ROW LEVEL SECURITY")
    assert only(read(), "t").row_security


@pytest.mark.every_pg
def test_a_role_without_privileges_reads_the_same(
    read: Read, admin_conn: psycopg.Connection, database: str, reader: str
) -> None:
    admin_conn.execute("""
        CREATE SCHEMA hidden; REVOKE ALL ON SCHEMA hidden FROM PUBLIC;
        CREATE TYPE hidden.mood AS ENUM ('sad');
        CREATE TABLE hidden.parent (id int PRIMARY KEY, mood hidden.mood);
        CREATE TABLE hidden.child (id int REFERENCES hidden.parent);
    """)
    target = Target("games", make_conninfo(database, user=reader, password="its password"))
    assert target.read_catalog() == read()
    target.close()


def test_nobody_s_functions_are_executed(read: Read, admin_conn: psycopg.Connection) -> None:
    before = set(read().tables)
    admin_conn.execute("""
        CREATE FUNCTION trap() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'executed'; END $$;
        CREATE FUNCTION format_type(oid, int) RETURNS text LANGUAGE sql AS $$ SELECT trap()::text $$;
        CREATE FUNCTION to_jsonb(pg_index) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb(trap()) $$;
        CREATE FUNCTION to_jsonb(pg_constraint) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb(trap()) $$;
        CREATE FUNCTION same(oid, oid) RETURNS bool LANGUAGE sql AS $$ SELECT trap() = 1 $$;
        CREATE OPERATOR = (LEFTARG = oid, RIGHTARG = oid, FUNCTION = same);
        CREATE VIEW pg_class AS SELECT trap() AS oid;
        CREATE TABLE parent (id int PRIMARY KEY, n int DEFAULT trap(), CHECK (trap() > 0));
        CREATE TABLE child (id int REFERENCES parent);
        CREATE INDEX ON parent ((n + 1));
    """)
    admin_conn.execute(
        sql.SQL("ALTER DATABASE {} SET search_path = public, pg_catalog").format(
            sql.Identifier(admin_conn.info.dbname)
        )
    )
    catalog = read()
    assert {table.name for table in set(catalog.tables) - before} == {"parent", "child", "pg_class"}
    assert len(catalog.foreign_keys) == 1


def test_it_can_be_read_while_tables_come_and_go(
    read: Read, admin_conn: psycopg.Connection, database: str
) -> None:
    done = False

    def churn() -> None:
        with psycopg.connect(database, autocommit=True) as conn:
            number = 0
            while not done:
                number += 1
                conn.execute(f"""
                    CREATE TYPE e{number} AS ENUM ('a');
                    CREATE TABLE p{number} (id int PRIMARY KEY, e e{number}) PARTITION BY HASH (id);
                    CREATE TABLE q{number} PARTITION OF p{number} FOR VALUES WITH (MODULUS 1, REMAINDER 0);
                    CREATE TABLE c{number} (id int REFERENCES p{number});
                """)
                conn.execute(f"DROP TABLE c{number}, p{number}")
                conn.execute(f"DROP TYPE e{number}")

    churning = Background(churn)
    try:
        for _ in range(30):
            catalog = read()
            # One snapshot: all of a table or nothing of it.
            assert len(catalog.tables) in (0, 3)
            assert len(catalog.foreign_keys) == len(catalog.tables) // 3
            assert all(table.columns for table in catalog.tables)
    finally:
        done = True
    assert churning.outcome() is None


def test_two_thousand_tables(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        DO $$ BEGIN
            FOR n IN 1..2000 LOOP
                EXECUTE format('CREATE TABLE t%s (id int, parent int)', n);
            END LOOP;
        END $$
    """)
    catalog = read()
    assert len(catalog.tables) == 2000
    assert sum(len(table.columns) for table in catalog.tables) == 4000


def test_the_scope_says_what_is_watched(admin_conn: psycopg.Connection, database: str) -> None:
    admin_conn.execute("""
        CREATE SCHEMA scratch_1; CREATE TABLE scratch_1.t (id int PRIMARY KEY);
        CREATE TABLE kept (id int REFERENCES scratch_1.t);
        CREATE TABLE scratch_1.child (id int REFERENCES scratch_1.t);
    """)
    target = Target("games", database)
    catalog = target.read_catalog(Scope(exclude=("scratch_*",)))
    assert [table.name for table in catalog.watched_tables()] == ["kept"]
    assert [key.child.name for key in catalog.watched_foreign_keys()] == ["kept"]
    assert len(catalog.foreign_keys) == 2
    target.close()


def test_what_remedies_keep_is_never_watched() -> None:
    assert not Scope(include=("pgvigil_*", "pgvigil_kept")).watches("pgvigil_kept")
    assert Scope().watches("pgvigil_kept_too")


def test_a_partition_brings_its_root_into_scope(admin_conn: psycopg.Connection, database: str) -> None:
    admin_conn.execute("""
        CREATE SCHEMA apart; CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE apart.root (id int REFERENCES parent) PARTITION BY LIST (id);
        CREATE TABLE apart.branch PARTITION OF apart.root DEFAULT PARTITION BY LIST (id);
        CREATE TABLE leaf PARTITION OF apart.branch DEFAULT;
        CREATE TABLE apart.other (id int REFERENCES parent) PARTITION BY LIST (id);
    """)
    target = Target("games", database)
    catalog = target.read_catalog(Scope(include=("public",)))
    assert [str(table) for table in catalog.watched_tables()] == ["apart.root", "public.parent"]
    assert [str(key.child) for key in catalog.watched_foreign_keys()] == ["apart.root"]
    target.close()


def test_a_bracket_in_the_name_of_a_schema_is_a_bracket(read: Read, admin_conn: psycopg.Connection) -> None:
    scope = Scope(exclude=("old[1]",))
    assert not scope.watches("old[1]")
    assert scope.watches("old1")


@pytest.mark.every_pg
def test_what_leaves_no_trace_in_the_wal_and_what_was_rewritten(
    read: Read, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("CREATE TABLE plain (id int); CREATE UNLOGGED TABLE volatile (id int)")
    before = read()
    assert {table.name: table.logged for table in before.tables} == {"plain": True, "volatile": False}
    admin_conn.execute("ALTER TABLE plain ALTER id TYPE bigint")
    after = read()
    assert only(after, "plain").file != only(before, "plain").file
    assert only(after, "volatile").file == only(before, "volatile").file


def test_all_that_is_read_with_a_table(read: Read, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("""
        CREATE TABLE parted (id int) PARTITION BY RANGE (id);
        CREATE TABLE low PARTITION OF parted FOR VALUES FROM (1) TO (9) PARTITION BY RANGE (id);
        CREATE TABLE lowest PARTITION OF low FOR VALUES FROM (1) TO (2);
        CREATE TABLE base (id int);
        CREATE TABLE heir () INHERITS (base);
        CREATE TABLE alone (id int);
    """)
    catalog = read()

    def below(name: str) -> set[str]:
        return {table.name for table in catalog.with_all_below(only(catalog, name))}

    assert below("parted") == {"parted", "low", "lowest"}
    assert below("base") == {"base", "heir"}
    assert below("alone") == {"alone"}
