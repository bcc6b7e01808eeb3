"""What the server knows of its tables' contents, against what was put into them."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from pgvigil.catalog import Catalog, TableName, catalog_queries, made_catalog
from pgvigil.catalog.statistics_read import read_statistics
from pgvigil.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.catalog.statistics import ColumnStatistics, IndexStatistics, Statistics, TableStatistics


class Known:
    """Statistics by the names of tables, columns and indexes; `queries` are those that it took."""

    def __init__(self, catalog: Catalog, statistics: Statistics, queries: int) -> None:
        self.catalog = catalog
        self.statistics = statistics
        self.queries = queries

    def table(self, schema: str, name: str) -> TableStatistics:
        return self.statistics.tables[self._table(schema, name).oid]

    def column(self, schema: str, name: str, column: str) -> ColumnStatistics:
        table = self._table(schema, name)
        found = table.column(column)
        assert found is not None
        return self.statistics.columns[table.oid, found.number]

    def index(self, schema: str, table: str, name: str) -> IndexStatistics:
        oids = {index.name: index.oid for index in self._table(schema, table).indexes}
        return self.statistics.indexes[oids[name]]

    def _table(self, schema: str, name: str) -> Any:
        table = self.catalog.table(TableName(schema, name))
        assert table is not None
        return table


@contextmanager
def _statistics(
    dsn: str, columns: Callable[[Catalog], set[tuple[int, int]]] | None = None
) -> Iterator[Known]:
    target = Target("games", dsn)
    try:
        with target.snapshot("test") as snapshot:
            queries = 0

            def fetch(query: Any) -> Any:
                nonlocal queries
                queries += 1
                return snapshot.fetch(query, most_rows=None)

            catalog = made_catalog([snapshot.fetch(query, most_rows=None) for query in catalog_queries()])
            wanted = columns(catalog) if columns else None
            yield Known(catalog, read_statistics(fetch, catalog, wanted), queries)
    finally:
        target.close()


@pytest.fixture
def known(database: str) -> Callable[[], Known]:
    """`known()`: the statistics as they are now."""

    def read() -> Known:
        with _statistics(database) as found:
            return found

    return read


TABLES = """
    CREATE SCHEMA shop;
    CREATE TABLE shop.orders (
        id bigint PRIMARY KEY, status text, total numeric, placed timestamptz, note text, "odd ""name" int[]
    );
    INSERT INTO shop.orders
    SELECT n, CASE WHEN n % 10 < 7 THEN 'paid' ELSE 'open' END, n * 1.5,
           '2031-01-01 00:00+00'::timestamptz + n * interval '1 day',
           NULLIF('x' || n % 4, 'x0'), ARRAY[n % 3, 1]
    FROM generate_series(1, 1000) AS n;
    COMMENT ON TABLE shop.orders IS 'What customers bought';
    COMMENT ON COLUMN shop.orders."odd ""name" IS 'Two numbers';
    ANALYZE shop.orders;
"""


@pytest.mark.every_pg
def test_columns_are_described_as_they_were_filled(
    admin_conn: psycopg.Connection, known: Callable[[], Known]
) -> None:
    admin_conn.execute(TABLES)
    of = partial(known().column, "shop", "orders")
    key = of("id")
    assert (key.null_fraction, key.distinct, key.width) == (0, 1000, 8)
    assert (key.least, key.greatest, key.common) == ("1", "1000", ())
    assert key.bounds[0] == "1"
    assert key.bounds[-1] == "1000"
    assert len(key.bounds) == 11
    assert list(map(int, key.bounds)) == sorted(map(int, key.bounds))
    status = of("status")
    assert dict(status.common) == pytest.approx({"paid": 0.7, "open": 0.3})
    assert (status.distinct, status.bounds) == (2, ())
    assert (of("total").least, of("total").greatest) == ("1.5", "1500.0")
    assert of("placed").least == "2031-01-02 00:00:00+00"
    assert of("note").null_fraction == pytest.approx(0.25)
    assert {value for value, _ in of('odd "name').common} == {"{0,1}", "{1,1}", "{2,1}"}


@pytest.mark.every_pg
def test_tables_are_described_with_their_size_and_comments(
    admin_conn: psycopg.Connection, known: Callable[[], Known]
) -> None:
    admin_conn.execute(TABLES)
    admin_conn.execute("SELECT pg_stat_clear_snapshot()")
    table = known().table("shop", "orders")
    (size,) = admin_conn.execute("SELECT pg_total_relation_size('shop.orders')").fetchone() or (0,)
    # The free space map and its like are not in pg_class.
    assert 0 < table.bytes <= size
    assert table.readable
    assert table.last_analyzed is not None
    assert table.comment == "What customers bought"
    assert dict(table.column_comments) == {'odd "name': "Two numbers"}


def test_long_values_are_left_out_and_others_kept_whole(
    admin_conn: psycopg.Connection, known: Callable[[], Known]
) -> None:
    admin_conn.execute("CREATE TABLE t (a text)")
    admin_conn.execute("INSERT INTO t SELECT repeat('x', 300) FROM generate_series(1, 50)")
    admin_conn.execute("""INSERT INTO t SELECT '{a,"b}' FROM generate_series(1, 40)""")
    admin_conn.execute("ANALYZE t")
    assert dict(known().column("public", "t", "a").common) == pytest.approx({'{a,"b}': 40 / 90})


def test_a_share_of_distinct_values_is_told_as_their_number(
    admin_conn: psycopg.Connection, known: Callable[[], Known]
) -> None:
    admin_conn.execute("CREATE TABLE t AS SELECT n / 2 AS a FROM generate_series(0, 1999) AS n")
    admin_conn.execute("ANALYZE t")
    assert known().column("public", "t", "a").distinct == pytest.approx(1000, rel=0.01)


def test_only_the_columns_asked_for_are_described(admin_conn: psycopg.Connection, database: str) -> None:
    admin_conn.execute(TABLES)

    def first(catalog: Catalog) -> set[tuple[int, int]]:
        return {(table.oid, 1) for table in catalog.tables}

    with _statistics(database, first) as found:
        assert {number for _, number in found.statistics.columns} == {1}
    with _statistics(database, lambda _: set()) as found:
        assert not found.statistics.columns


@pytest.mark.every_pg
def test_a_partitioned_table_is_the_sum_of_its_partitions(
    admin_conn: psycopg.Connection, known: Callable[[], Known]
) -> None:
    admin_conn.execute("""
        CREATE TABLE events (at int, kind text) PARTITION BY RANGE (at);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (500);
        CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (500) TO (1000) PARTITION BY RANGE (at);
        CREATE TABLE events_2_1 PARTITION OF events_2 FOR VALUES FROM (500) TO (1000);
        CREATE INDEX by_kind ON events (kind);
        INSERT INTO events SELECT n, 'k' || n % 2 FROM generate_series(0, 999) AS n;
        ANALYZE events;
    """)
    found = known()
    parts = [found.table("public", name) for name in ("events_1", "events_2_1")]
    table = found.table("public", "events")
    assert table.bytes == sum(part.bytes for part in parts) > 0
    assert table.last_analyzed is not None
    assert found.column("public", "events", "at").greatest == "999"
    index = found.index("public", "events", "by_kind")
    assert index.bytes >= 2 * 8192
    assert index.part_of is None


def test_the_largest_partition_stands_in_for_a_table_that_nobody_analysed(
    admin_conn: psycopg.Connection, known: Callable[[], Known]
) -> None:
    admin_conn.execute("""
        CREATE TABLE events (at int, kind text) PARTITION BY RANGE (at);
        CREATE TABLE small PARTITION OF events FOR VALUES FROM (0) TO (10);
        CREATE TABLE big (gone int, kind text, at int); ALTER TABLE big DROP COLUMN gone;
        INSERT INTO big SELECT 'k' || n % 4, n FROM generate_series(10, 1009) AS n;
        ALTER TABLE events ATTACH PARTITION big FOR VALUES FROM (10) TO (2000);
        ANALYZE big; ANALYZE small;
    """)
    found = known()
    kind, at = found.column("public", "events", "kind"), found.column("public", "events", "at")
    assert kind.distinct == 4
    assert dict(kind.common) == pytest.approx(dict.fromkeys(("k0", "k1", "k2", "k3"), 0.25))
    assert at.distinct == pytest.approx(1000)
    assert (at.bounds, at.least, at.greatest) == ((), None, None)


def test_indexes_that_do_the_same_have_the_same_make(
    admin_conn: psycopg.Connection, known: Callable[[], Known]
) -> None:
    admin_conn.execute("""
        CREATE TABLE t (id int PRIMARY KEY, a text, b int);
        CREATE INDEX plain ON t (a, b);
        CREATE INDEX again ON t (a, b);
        CREATE INDEX "desc" ON t (a DESC, b);
        CREATE INDEX pattern ON t (a text_pattern_ops, b);
        CREATE INDEX collated ON t (a COLLATE "C", b);
        CREATE INDEX partial ON t (a, b) WHERE b > 1;
        CREATE INDEX partly ON t (a, b) WHERE    b   >   1;
        CREATE INDEX lowered ON t (lower(a), b);
        CREATE INDEX uppered ON t (upper(a), b);
        CREATE INDEX more ON t (a, b) INCLUDE (id);
    """)
    found = known()
    names = "plain again desc pattern collated partial partly lowered uppered more".split()
    made = {name: found.index("public", "t", name) for name in names}
    same = {
        (one, other)
        for one in names
        for other in names
        if one < other
        and (made[one].parts, made[one].condition) == (made[other].parts, made[other].condition)
    }
    assert same == {("again", "plain"), ("partial", "partly")}
    assert found.index("public", "t", "t_pkey").needed
    assert not made["plain"].needed


def test_scans_are_counted(admin_conn: psycopg.Connection, known: Callable[[], Known]) -> None:
    admin_conn.execute("CREATE TABLE t (id int PRIMARY KEY)")
    admin_conn.execute("SET enable_seqscan = off")
    for _ in range(3):
        admin_conn.execute("SELECT FROM t WHERE id = 1")
    admin_conn.execute("SELECT pg_stat_force_next_flush()")
    admin_conn.execute("SELECT")
    found = known()
    assert found.index("public", "t", "t_pkey").scans == 3
    assert found.statistics.since is not None


@pytest.fixture
def reader_dsn(admin_conn: psycopg.Connection, database: str) -> Iterator[str]:
    """The DSN of a role without rights of its own."""
    role = sql.Identifier(f"reader_{admin_conn.info.backend_pid}")
    admin_conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'secret'").format(role))
    yield psycopg.conninfo.make_conninfo(database, user=role.as_string().strip('"'), password="secret")
    admin_conn.execute(sql.SQL("DROP OWNED BY {}").format(role))
    admin_conn.execute(sql.SQL("DROP ROLE {}").format(role))


def test_what_the_role_may_not_read_is_unreadable_and_has_no_values(
    admin_conn: psycopg.Connection, reader_dsn: str
) -> None:
    role = sql.Identifier(str(psycopg.conninfo.conninfo_to_dict(reader_dsn)["user"]))
    admin_conn.execute("""
        CREATE SCHEMA shop; CREATE SCHEMA closed;
        CREATE TABLE shop.open (a int, b int); CREATE TABLE shop.half (a int, b int, c int);
        CREATE TABLE shop.shut (a int); CREATE TABLE shop.policed (a int); CREATE TABLE closed.open (a int);
        ALTER TABLE shop.policed ENABLE ROW LEVEL SECURITY;
        INSERT INTO shop.half SELECT n, n, n FROM generate_series(1, 100) AS n;
        INSERT INTO shop.shut SELECT generate_series(1, 100);
        ANALYZE;
    """)
    for grant in (
        "USAGE ON SCHEMA shop",
        "SELECT ON shop.open, shop.policed, closed.open",
        "SELECT (b) ON shop.half",
    ):
        admin_conn.execute(sql.SQL("GRANT {} TO {}").format(sql.SQL(grant), role))
    with _statistics(reader_dsn) as found:
        readable = {
            str(table): found.table(table.schema, table.name).readable for table in found.catalog.tables
        }
        assert [name for name, may in readable.items() if may] == ["shop.open"]
        assert found.table("shop", "half").columns_unreadable == ("a", "c")
        assert found.table("shop", "shut").columns_unreadable == ()
        assert found.column("shop", "half", "b").greatest == "100"
        with pytest.raises(KeyError):
            found.column("shop", "half", "a")
        with pytest.raises(KeyError):
            found.column("shop", "shut", "a")


def test_no_lock_on_a_table_is_waited_for(
    admin_conn: psycopg.Connection, database: str, known: Callable[[], Known]
) -> None:
    admin_conn.execute(TABLES)
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE shop.orders IN ACCESS EXCLUSIVE MODE")
        assert known().table("shop", "orders").bytes > 0


def test_thousands_of_partitions_take_no_query_more(admin_conn: psycopg.Connection, database: str) -> None:
    admin_conn.execute("CREATE TABLE one (a int)")
    with _statistics(database) as found:
        few = found.queries
    admin_conn.execute("CREATE TABLE events (at int) PARTITION BY LIST (at)")
    for begin in range(0, 2000, 500):
        admin_conn.execute(
            "".join(
                f"CREATE TABLE events_{n} PARTITION OF events FOR VALUES IN ({n});"
                for n in range(begin, begin + 500)
            ).encode()
        )
    with _statistics(database) as found:
        assert found.queries == few
        assert len(found.statistics.tables) == 2002
