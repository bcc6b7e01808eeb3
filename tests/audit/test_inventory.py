"""The inventory against what information_schema and the server's own functions say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.catalog import TableKind
from pgvigil.config import Config

if TYPE_CHECKING:
    from tests.audit.conftest import Audited

_TABLES = """
    SELECT table_schema, table_name FROM information_schema.tables
    WHERE table_type IN ('BASE TABLE', 'FOREIGN') AND table_schema NOT IN ('pg_catalog', 'information_schema')
    EXCEPT
    SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relispartition
"""

_KEYS = """
    SELECT table_schema, table_name, constraint_name FROM information_schema.table_constraints
    WHERE constraint_type = 'FOREIGN KEY'
    EXCEPT
    SELECT n.nspname, c.relname, k.conname FROM pg_constraint AS k
    JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE k.conparentid <> 0
"""


@pytest.mark.every_pg
def test_the_inventory_is_that_of_information_schema(sample: str, audited: Audited) -> None:
    inventory = audited(sample, sampling=False).inventory
    with psycopg.connect(sample) as conn:
        tables = set(conn.execute(_TABLES).fetchall())
        keys = conn.execute(_KEYS).fetchall()
        columns = conn.execute(
            "SELECT table_schema, table_name, count(*) FROM information_schema.columns GROUP BY 1, 2"
        ).fetchall()
        owners = conn.execute("SELECT schemaname, tablename, tableowner FROM pg_tables").fetchall()
    assert {(one.name.schema, one.name.name) for one in inventory.tables} == tables
    assert {one.name for one in inventory.schemas} == {schema for schema, _ in tables}
    assert inventory.foreign_keys == len(keys)
    width = {(schema, name): count for schema, name, count in columns}
    owner = {(schema, name): who for schema, name, who in owners}
    for one in inventory.tables:
        assert len(one.columns) == width[one.name.schema, one.name.name]
        assert one.owner == owner[one.name.schema, one.name.name]


def test_the_sums_of_the_schemas_are_those_of_their_tables(sample: str, audited: Audited) -> None:
    inventory = audited(sample, sampling=False).inventory
    assert sum(schema.tables for schema in inventory.schemas) == len(inventory.tables)
    assert inventory.rows_estimated == sum(table.rows_estimated or 0 for table in inventory.tables)
    assert inventory.bytes == sum(table.bytes or 0 for table in inventory.tables)


def test_rows_and_sizes_are_near_the_truth_after_analyze(sample: str, audited: Audited) -> None:
    with psycopg.connect(sample, autocommit=True) as conn:
        conn.execute("VACUUM ANALYZE")
        for one in audited(sample, sampling=False).inventory.tables:
            only = "ONLY" if one.kind is TableKind.TABLE else ""
            (rows,) = conn.execute(f"SELECT count(*) FROM {only} {one.name}".encode()).fetchone() or (0,)
            assert one.rows_estimated == pytest.approx(rows, rel=0.05, abs=1)
            assert one.last_analyzed is not None
            if one.kind is TableKind.TABLE:
                query = "SELECT pg_table_size(c) + pg_indexes_size(c) FROM (SELECT %s::regclass AS c) AS t"
                (size,) = conn.execute(query, [str(one.name)]).fetchone() or (0,)
                # Its free space and visibility maps take some pages more.
                assert 0 <= size - (one.bytes or 0) <= 10 * 8192


def test_a_partition_belongs_to_its_table(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("""
        CREATE TABLE events (at int PRIMARY KEY) PARTITION BY RANGE (at);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10);
        CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (30) PARTITION BY RANGE (at);
        CREATE TABLE events_2_1 PARTITION OF events_2 FOR VALUES FROM (10) TO (20);
        CREATE TABLE events_2_2 PARTITION OF events_2 FOR VALUES FROM (20) TO (30);
        CREATE VIEW seen AS SELECT * FROM events;
    """)
    (events,) = audited(database).inventory.tables
    assert (events.kind, events.partitions, events.primary_key) == (TableKind.PARTITIONED, 3, ("at",))


def test_what_nobody_analysed_or_wrote_to_has_an_unknown_number_of_rows(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("CREATE TABLE t (a int)")
    (table,) = audited(database).inventory.tables
    assert table.rows_estimated is None
    admin_conn.execute("ANALYZE t")
    (table,) = audited(database).inventory.tables
    assert table.rows_estimated == 0


def test_a_table_that_was_filled_after_its_analysis_is_not_empty(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("CREATE TABLE t (a int) WITH (autovacuum_enabled = off); ANALYZE t")
    admin_conn.execute("INSERT INTO t SELECT generate_series(1, 5000)")
    admin_conn.execute("SELECT pg_stat_force_next_flush()")
    (table,) = audited(database).inventory.tables
    assert table.rows_estimated == 5000


PARTITIONED = """
    CREATE TABLE events (at int) PARTITION BY RANGE (at);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10) WITH (autovacuum_enabled = off);
    CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20) WITH (autovacuum_enabled = off);
"""
ELSEWHERE = """
    CREATE FOREIGN DATA WRAPPER other; CREATE SERVER far FOREIGN DATA WRAPPER other;
    CREATE FOREIGN TABLE events_3 PARTITION OF events FOR VALUES FROM (20) TO (30) SERVER far;
"""


@pytest.mark.parametrize(
    ("filled", "rows"),
    [
        ("", None),
        ("ANALYZE events_1", None),
        ("ANALYZE events_1; ANALYZE events_2", 0),
        ("INSERT INTO events SELECT 1 FROM generate_series(1, 70)", 70),
        ("INSERT INTO events SELECT 1 FROM generate_series(1, 70); ANALYZE events_1", 70),
        ("INSERT INTO events SELECT 11 FROM generate_series(1, 70); ANALYZE events_1", 70),
        (f"{ELSEWHERE}; INSERT INTO events SELECT 1 FROM generate_series(1, 70); ANALYZE events_1", None),
    ],
)
def test_the_rows_of_a_partitioned_table_are_unknown_unless_those_of_its_partitions_are_known(
    admin_conn: psycopg.Connection, database: str, audited: Audited, filled: str, rows: int | None
) -> None:
    admin_conn.execute(PARTITIONED)
    admin_conn.execute(filled.encode())
    admin_conn.execute("SELECT pg_stat_force_next_flush()")
    events = next(
        one for one in audited(database, sampling=False).inventory.tables if one.name.name == "events"
    )
    assert events.rows_estimated == rows


def test_only_the_watched_schemas_are_told_of(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("""
        CREATE SCHEMA shop; CREATE TABLE shop.a (id int PRIMARY KEY);
        CREATE SCHEMA attic; CREATE TABLE attic.b (id int PRIMARY KEY, a int REFERENCES shop.a);
        CREATE SCHEMA pgvigil_kept; CREATE TABLE pgvigil_kept.rows (id int);
    """)
    config = Config.from_dsn(database, "games")
    schemas = config.targets["games"].schemas.model_copy(update={"exclude": ("attic",)})
    target = config.targets["games"].model_copy(update={"schemas": schemas})
    audit = audited(config.model_copy(update={"targets": {"games": target}}))
    assert [str(table.name) for table in audit.inventory.tables] == ["shop.a"]
    assert audit.inventory.foreign_keys == 0
