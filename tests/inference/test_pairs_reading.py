"""Of the tables of a pair a bounded part is read, and what may not be read is unknown."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgvigil.catalog import TableName
from pgvigil.inference import pairs_sampling
from pgvigil.inference.pairs import propose_pairs
from pgvigil.inference.pairs_judgement import LIKELY
from pgvigil.inference.pairs_sampling import PairSampler, Side
from tests.inference.pairs import (
    ARTICLES,
    PRODUCTS,
    fetch_of,
    only,
    opened,
    proposed,
    set_up,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg


@pytest.fixture
def reader(admin_conn: psycopg.Connection) -> Iterator[str]:
    """A role without privileges that logs in with `its password`."""
    name = f"reader_{secrets.token_hex(6)}"
    role = sql.Identifier(name)
    admin_conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'its password'").format(role))
    yield name
    admin_conn.execute(sql.SQL("DROP OWNED BY {}").format(role))
    admin_conn.execute(sql.SQL("DROP ROLE {}").format(role))


def test_what_the_role_may_not_read_is_unknown_and_no_evidence(
    database: str, admin_conn: psycopg.Connection, reader: str
) -> None:
    set_up(admin_conn, ARTICLES, PRODUCTS)
    admin_conn.execute(f'GRANT USAGE ON SCHEMA shop, store TO "{reader}"')
    admin_conn.execute(f'GRANT SELECT ON shop.articles TO "{reader}"')
    dsn = make_conninfo(database, user=reader, password="its password")
    blind = proposed(dsn)
    assert [pair for pair in blind if pair.probability >= LIKELY] == []
    names = proposed(database, sampled=False)
    assert [pair.probability for pair in blind] == [pair.probability for pair in names]
    admin_conn.execute(f'GRANT SELECT ON store.products TO "{reader}"')
    assert only(proposed(dsn)).probability >= LIKELY


def test_of_large_tables_a_sample_of_keys_is_looked_up_in_an_index(
    database: str, admin_conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(admin_conn, ARTICLES, PRODUCTS)
    monkeypatch.setattr(pairs_sampling, "_MOST_PAGES", 0)
    pair = only(proposed(database))
    assert pair.key == {"sku": "sku"}
    assert pair.probability >= LIKELY
    assert len(pair.columns) == 4


def test_a_part_of_a_large_table_is_looked_up_from_the_smaller_side(
    database: str, admin_conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk = """
        INSERT INTO shop.articles SELECT n, 'B-' || n, 'bulk ' || n, n, n, now()
        FROM generate_series(1000, 30000) AS n
    """
    set_up(admin_conn, ARTICLES, PRODUCTS, bulk)
    monkeypatch.setattr(pairs_sampling, "_MOST_PAGES", 0)
    pair = only(proposed(database))
    assert any(words.startswith("100 % of the keys") for words in pair.evidence)
    assert (str(pair.left), pair.key) == ("shop.articles", {"sku": "sku"})
    assert pair.columns["title"] == "name"


def test_of_large_tables_without_an_index_nothing_is_known(
    database: str, admin_conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    unindexed = PRODUCTS.replace("CREATE INDEX ON store.products (sku);", "").replace("PRIMARY KEY", "")
    set_up(admin_conn, ARTICLES.replace("UNIQUE", ""), unindexed.replace("products", "article"))
    monkeypatch.setattr(pairs_sampling, "_MOST_PAGES", 0)
    assert [pair.probability for pair in proposed(database)] == [
        pair.probability for pair in proposed(database, sampled=False)
    ]


def test_no_more_than_a_bounded_part_of_a_table_is_read(
    database: str, admin_conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(admin_conn, ARTICLES, PRODUCTS)
    # As of a table that was never analysed, and is larger than anybody thought.
    monkeypatch.setattr(pairs_sampling, "_MOST_ROWS", 100)
    admin_conn.execute("UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relname = 'products'")
    assert all(pair.probability < LIKELY or "sku" in pair.key for pair in proposed(database))


def test_a_table_that_has_grown_since_it_was_analysed_is_not_read_whole(
    database: str, admin_conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(admin_conn, ARTICLES, PRODUCTS)
    admin_conn.execute("UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relname = 'products'")
    monkeypatch.setattr(pairs_sampling, "_MOST_PAGES", 3)
    with opened(database) as target:
        catalog = target.read_catalog()
        sampler = PairSampler(fetch_of(target))
        products = next(table for table in catalog.tables if table.name == "products")
        assert products.pages == 0
        assert sampler.sketch(products, (products.columns[1],)) is None
        assert sampler.newest(products, products.columns[-1]) is None
    assert only(proposed(database)).key == {"sku": "sku"}


def test_reading_ends_when_its_time_is_over(database: str, admin_conn: psycopg.Connection) -> None:
    set_up(admin_conn, ARTICLES, PRODUCTS)
    with opened(database) as target:
        catalog = target.read_catalog()
        sampler = PairSampler(fetch_of(target), seconds=0)
        assert propose_pairs(catalog, None, sampler) == propose_pairs(catalog)


ODD_VALUES = """
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE DOMAIN score AS numeric CHECK (VALUE > 0);
    CREATE TABLE here (
        code text PRIMARY KEY, a date, b timestamptz, c double precision, d numeric, e mood, f jsonb, g int[],
        h interval, i bytea, j point, l boolean, m inet, n score, o char(8), p real, q int4range
    );
    INSERT INTO here SELECT 'c' || x,
        CASE WHEN x % 9 = 0 THEN 'infinity'::date ELSE date '2000-01-01' + x END,
        CASE WHEN x % 7 = 0 THEN '-infinity' ELSE now() - x * interval '1 day' END,
        CASE WHEN x % 5 = 0 THEN 'NaN' WHEN x % 8 = 0 THEN 'Infinity' ELSE x / 4.0 END,
        CASE WHEN x % 6 = 0 THEN 'NaN' ELSE x / 8.0 END, CASE x % 2 WHEN 0 THEN 'sad'::mood ELSE 'glad' END,
        jsonb_build_object('k', x), ARRAY[x, NULL, 2], x * interval '1 month 3 s', x::text::bytea,
        point(x, 1), x % 2 = 0, ('10.0.0.' || x % 250)::inet, x, 'p' || x, x / 2.0,
        int4range(x, x + 3)
    FROM generate_series(1, 90) AS x;
    CREATE TABLE there AS SELECT * FROM here;
    ALTER TABLE there ALTER b TYPE timestamp, ALTER c TYPE numeric, ALTER d TYPE numeric(20, 16),
        ALTER n TYPE bigint, ALTER o TYPE text;
"""


@pytest.mark.every_pg
def test_values_of_every_type_are_compared(database: str, admin_conn: psycopg.Connection) -> None:
    set_up(admin_conn, ODD_VALUES)
    with opened(database) as target:
        catalog, sampler = target.read_catalog(), PairSampler(fetch_of(target))
        left, right = (catalog.table(TableName("public", name)) for name in ("here", "there"))
        assert left is not None
        assert right is not None
        sides = [Side(table, table.columns[:1], table.columns[1:]) for table in (left, right)]
        matched = sampler.matched(*sides)
    assert matched is not None
    assert (matched.sampled, matched.found, len(matched.rows)) == (90, 90, 90)
    columns = range(len(left.columns) - 1)
    assert [sum(one[place] == other[place] for one, other in matched.rows) for place in columns] == [90] * 16
