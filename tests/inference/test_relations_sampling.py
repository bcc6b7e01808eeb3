"""Looking values up on a real server: orphans, rights, quoting, and how little is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgvigil.catalog import TableName
from pgvigil.catalog.statistics_read import read_statistics
from pgvigil.errors import QueryFailedError
from pgvigil.inference import Sampler, propose_relations, relevant_columns
from pgvigil.inference.sampling import Looked, Parent
from pgvigil.target import Target
from tests.inference.schemas import by_relation
from tests.target.conftest import reader as reader  # noqa: PLC0414 - a fixture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg.sql import Composed

    from pgvigil.catalog import Catalog, Table
    from pgvigil.inference import ProposedRelation

ROWS = 20_000


class Database:
    """A target with its catalog, and a sampler that counts its queries."""

    def __init__(self, dsn: str) -> None:
        self.target = Target("games", dsn)
        self.queries: list[Composed] = []

    @property
    def catalog(self) -> Catalog:
        return self.target.read_catalog()

    def sampler(self, **more: Any) -> Sampler:
        return Sampler(self._fetch, **more)

    def proposed(self, *, known: bool = False) -> dict[str, ProposedRelation]:
        """Propose; with `known` by what the server knows of the tables as well."""
        catalog, statistics = self.catalog, None
        if known:
            with self.target.snapshot() as snapshot:
                statistics = read_statistics(snapshot.fetch, catalog, relevant_columns(catalog))
        return by_relation(propose_relations(catalog, statistics, self.sampler()))

    def look(
        self, child: str, columns: tuple[str, ...], parent: str, key: tuple[str, ...], **more: Any
    ) -> Looked | None:
        parents = [Parent(self.table(parent), key)]
        return self.sampler(**more).look(self.table(child), columns, parents)[0]

    def table(self, name: str) -> Table:
        found = self.catalog.table(TableName("public", name))
        assert found is not None
        return found

    def _fetch(self, query: Composed) -> list[dict[str, Any]]:
        self.queries.append(query)
        with self.target.snapshot() as snapshot:
            return snapshot.fetch(query)


@pytest.fixture
def open_database() -> Iterator[Callable[[str], Database]]:
    opened: list[Database] = []

    def opening(dsn: str) -> Database:
        opened.append(Database(dsn))
        return opened[-1]

    yield opening
    for one in opened:
        one.target.close()


@pytest.fixture
def as_reader(database: str, reader: str, open_database: Callable[[str], Database]) -> Database:
    return open_database(make_conninfo(database, user=reader, password="its password"))


@pytest.fixture
def games(database: str, open_database: Callable[[str], Database]) -> Database:
    return open_database(database)


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.05])
def test_orphans_do_not_hide_a_relation(
    games: Database, admin_conn: psycopg.Connection, share: float
) -> None:
    admin_conn.execute(
        f"""
        CREATE TABLE users (id uuid PRIMARY KEY);
        INSERT INTO users SELECT gen_random_uuid() FROM generate_series(1, 5000);
        CREATE TABLE posts (id bigint PRIMARY KEY, user_id uuid);
        INSERT INTO posts
            SELECT n, CASE WHEN n % {round(1 / share)} = 0 THEN gen_random_uuid() ELSE u.id END
            FROM generate_series(1, {ROWS}) AS n
                JOIN (SELECT id, row_number() OVER () AS at FROM users) AS u ON u.at = 1 + n % 5000;
        ANALYZE
        """
    )
    found = games.proposed()["posts(user_id) -> users(id)"]
    assert found.probability > 0.9
    assert found.sampled >= 900
    # An orphan is a value of its own, while four rows share each of the others.
    assert found.found >= 0.8 * found.sampled


def test_a_natural_key_that_one_table_alone_has_is_found_by_its_values(
    games: Database, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute(
        """
        CREATE TABLE products (sku text PRIMARY KEY, title text);
        INSERT INTO products SELECT 'S-' || n, 'p' FROM generate_series(1, 500) AS n;
        CREATE TABLE lines (id bigint PRIMARY KEY, sku text, price numeric);
        INSERT INTO lines SELECT n, 'S-' || 1 + n % 505, n FROM generate_series(1, 2000) AS n;
        CREATE TABLE offers (id bigint PRIMARY KEY, sku text);
        INSERT INTO offers SELECT n, 'theirs ' || n FROM generate_series(1, 500) AS n;
        ANALYZE
        """
    )
    assert set(games.proposed()) == {"lines(sku) -> products(sku)"}


def test_a_natural_key_that_several_tables_have_is_none_in_particular(
    games: Database, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute(
        """
        CREATE TABLE plans (slug text PRIMARY KEY);
        CREATE TABLE pages (slug text PRIMARY KEY);
        CREATE TABLE visits (id bigint PRIMARY KEY, slug text);
        INSERT INTO plans SELECT 'a' || n FROM generate_series(1, 500) AS n;
        INSERT INTO pages SELECT 'b' || n FROM generate_series(1, 500) AS n;
        INSERT INTO visits SELECT n, 'a' || 1 + n % 500 FROM generate_series(1, 2000) AS n;
        ANALYZE
        """
    )
    assert games.proposed() == {}


def test_values_that_no_parent_has_end_a_good_name(games: Database, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(
        """
        CREATE TABLE users (id uuid PRIMARY KEY);
        INSERT INTO users SELECT gen_random_uuid() FROM generate_series(1, 100);
        CREATE TABLE posts (id bigint PRIMARY KEY, user_id uuid);
        INSERT INTO posts SELECT n, gen_random_uuid() FROM generate_series(1, 100) AS n;
        ANALYZE
        """
    )
    assert games.proposed() == {}


@pytest.mark.parametrize("column", ["x_id", "whence"])
def test_uuids_lead_to_their_table_whatever_they_are_called(
    games: Database, admin_conn: psycopg.Connection, column: str
) -> None:
    admin_conn.execute(
        f"""
        CREATE TABLE people (id uuid PRIMARY KEY);
        CREATE TABLE towns (id uuid PRIMARY KEY);
        INSERT INTO people SELECT gen_random_uuid() FROM generate_series(1, 100);
        INSERT INTO towns SELECT gen_random_uuid() FROM generate_series(1, 100);
        CREATE TABLE letters (id bigint PRIMARY KEY, {column} uuid);
        INSERT INTO letters SELECT row_number() OVER (), id FROM people;
        ANALYZE
        """
    )
    made = games.catalog
    with games.target.snapshot() as snapshot:
        statistics = read_statistics(snapshot.fetch, made, relevant_columns(made))
    found = games.proposed(known=True)
    (relation,) = found
    assert relation == f"letters({column}) -> people(id)"
    assert "100 of 100 sampled values exist" in found[relation].evidence
    assert propose_relations(made, statistics) == ()


def test_what_may_not_be_read_is_unknown_and_no_evidence(
    as_reader: Database, reader: str, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute(
        f"""
        CREATE TABLE users (id uuid PRIMARY KEY);
        CREATE TABLE teams (id uuid PRIMARY KEY);
        CREATE TABLE posts (id bigint PRIMARY KEY, user_id uuid, team_id uuid);
        INSERT INTO posts SELECT n, gen_random_uuid(), gen_random_uuid() FROM generate_series(1, 100) AS n;
        GRANT SELECT ON posts, teams TO {reader};
        ANALYZE
        """
    )
    found = as_reader.proposed()
    assert set(found) == {"posts(user_id) -> users(id)"}, "the teams were seen to lack the values"
    assert found["posts(user_id) -> users(id)"].sampled == 0


def test_one_parent_that_may_not_be_read_keeps_no_other_from_being_asked(
    as_reader: Database, reader: str, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute(
        f"""
        CREATE TABLE a (id bigint PRIMARY KEY);
        CREATE TABLE b (id bigint PRIMARY KEY);
        CREATE TABLE c (x bigint);
        INSERT INTO b VALUES (1), (2);
        INSERT INTO c VALUES (1), (2), (2), (3), (NULL);
        GRANT SELECT ON b, c TO {reader}
        """
    )
    parents = [Parent(as_reader.table(name), ("id",)) for name in "ab"]
    answers = as_reader.sampler().look(as_reader.table("c"), ("x",), parents)
    assert answers == [None, Looked(values=3, found=2, rows=4, rows_found=3)]


def test_rows_that_a_policy_hides_are_unknown(
    as_reader: Database, reader: str, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute(
        f"""
        CREATE TABLE a (id bigint PRIMARY KEY);
        CREATE TABLE c (x bigint);
        INSERT INTO a VALUES (1);
        INSERT INTO c VALUES (1);
        ALTER TABLE a ENABLE ROW LEVEL SECURITY;
        GRANT SELECT ON a, c TO {reader}
        """
    )
    assert as_reader.look("c", ("x",), "a", ("id",)) is None


@pytest.mark.every_pg
def test_names_are_quoted_and_types_meet_by_index(games: Database, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(
        """
        CREATE TABLE "Größe % {0}" ("k""ey" char(4) PRIMARY KEY, "n %s" integer UNIQUE);
        INSERT INTO "Größe % {0}" VALUES ('a', 1), ('bb', 2);
        CREATE TABLE "select" ("from" text, "x {}" bigint);
        INSERT INTO "select" VALUES ('a', 1), ('a', 3000000000), ('bb', NULL), ('z', 2)
        """
    )
    assert games.look("select", ("from",), "Größe % {0}", ('k"ey',)) == Looked(3, 2, 4, 3)
    assert games.look("select", ("x {}",), "Größe % {0}", ("n %s",)) == Looked(3, 2, 3, 2)
    assert games.look("select", ("from", "x {}"), "Größe % {0}", ('k"ey', "n %s")) == Looked(3, 1, 3, 1)


@pytest.mark.every_pg
def test_partitions_are_read_and_heirs_are_not(games: Database, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(
        """
        CREATE TABLE parents (id bigint PRIMARY KEY);
        CREATE TABLE heirs () INHERITS (parents);
        INSERT INTO parents VALUES (1);
        INSERT INTO heirs VALUES (2);
        CREATE TABLE children (x bigint, at integer) PARTITION BY RANGE (at);
        CREATE TABLE children_1 PARTITION OF children FOR VALUES FROM (0) TO (10);
        CREATE TABLE children_2 PARTITION OF children FOR VALUES FROM (10) TO (20);
        INSERT INTO children VALUES (1, 1), (2, 11)
        """
    )
    assert games.look("children", ("x",), "parents", ("id",)) == Looked(2, 1, 2, 1)


def test_of_a_large_table_some_pages_are_read(games: Database, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(
        """
        CREATE TABLE parents (id bigint PRIMARY KEY);
        INSERT INTO parents SELECT generate_series(1, 1000);
        CREATE TABLE children (x bigint, filling text);
        INSERT INTO children SELECT 1 + n % 1000, repeat('x', 400) FROM generate_series(1, 40000) AS n;
        ANALYZE
        """
    )
    looked = games.look("children", ("x",), "parents", ("id",))
    assert looked is not None
    assert looked.values == looked.found
    assert 0 < looked.rows <= 20_000
    assert "TABLESAMPLE" in games.queries[0].as_string()


# Without the free space map nobody but the table itself knows how large it is.
UNKNOWN = """
    CREATE TABLE parents (id bigint PRIMARY KEY) WITH (autovacuum_enabled = off);
    INSERT INTO parents SELECT generate_series(1, 200000);
    CREATE TABLE children (id bigint PRIMARY KEY, parent_id bigint, filling text)
        WITH (autovacuum_enabled = off, fillfactor = 10);
    INSERT INTO children SELECT n, {value}, repeat('x', 300) FROM generate_series(1, 10000) AS n;
"""


@pytest.mark.every_pg
@pytest.mark.parametrize("analysed", ["never", "when it was empty"])
def test_of_a_table_of_unknown_size_some_pages_are_read(
    games: Database, admin_conn: psycopg.Connection, analysed: str
) -> None:
    admin_conn.execute(UNKNOWN.format(value="NULL"))
    if analysed != "never":
        admin_conn.execute("UPDATE pg_class SET reltuples = 0 WHERE relname IN ('children', 'parents')")
    assert games.look("children", ("parent_id",), "parents", ("id",)) == Looked(0, 0, 0, 0)
    assert _pages_read(admin_conn, games.queries[0]) <= 450
    admin_conn.execute("UPDATE children SET parent_id = id")
    looked = games.look("children", ("id",), "parents", ("id",))
    assert looked is not None
    assert looked.found == looked.values > 0
    # Three pages of the index and one of the table for each look-up.
    assert _pages_read(admin_conn, games.queries[-1]) <= 450 + 4 * looked.values


def _pages_read(conn: psycopg.Connection, query: Composed) -> int:
    explained = conn.execute(sql.SQL("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {}").format(query)).fetchone()
    assert explained is not None
    plan = explained[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_a_column_without_any_value_is_not_near_certain(
    games: Database, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute(UNKNOWN.format(value="NULL").replace("parent", "user"))
    admin_conn.execute("SELECT pg_stat_force_next_flush()")
    found = games.proposed(known=True)["children(user_id) -> users(id)"]
    assert 0.5 < found.probability <= 0.9
    assert "no row that was looked at has a value" in found.evidence


def test_when_its_time_is_over_all_else_is_unknown(games: Database, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE c (x bigint)")
    times = iter([0.0, 31.0])
    assert games.look("c", ("x",), "a", ("id",), seconds=30.0, clock=lambda: next(times)) is None
    assert games.queries == []


def test_a_query_that_fails_is_unknown(games: Database, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE c (x bigint)")

    def failing(_query: Composed) -> list[dict[str, Any]]:
        raise QueryFailedError("canceling statement due to statement timeout")

    parents = [Parent(games.table("a"), ("id",))] * 2
    assert Sampler(failing).look(games.table("c"), ("x",), parents) == [None, None]
