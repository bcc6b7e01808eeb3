"""What looks like two tables of one entity and is none, on real servers: each trap by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.catalog import Scope
from pgvigil.inference.pairs_judgement import LIKELY
from tests.inference.pairs import (
    ARTICLES,
    PRODUCTS,
    named,
    only,
    proposed,
    set_up,
)

if TYPE_CHECKING:
    import psycopg


def test_serial_numbers_that_are_the_same_on_both_sides_pair_nothing(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(
        admin_conn,
        ARTICLES,
        """
        CREATE TABLE store.articles (id bigint PRIMARY KEY, title text, price numeric(10, 2), weight real);
        INSERT INTO store.articles
        SELECT n, 'other ' || 3 * n, (n * 7919 % 4001) / 7.0, n * 104729 % 997
        FROM generate_series(1, 500) AS n;
        """,
    )
    assert proposed(database) == ()


@pytest.mark.parametrize("name", ["articles_history", "articles_audit", "articles_2023", "articles_backup"])
def test_a_copy_that_is_kept_on_purpose_is_not_likely(
    database: str, admin_conn: psycopg.Connection, name: str
) -> None:
    set_up(admin_conn, ARTICLES, f"CREATE TABLE shop.{name} AS SELECT * FROM shop.articles")
    pair = only(proposed(database))
    assert pair.probability < LIKELY
    assert any("differs on purpose" in words for words in pair.evidence)


def test_a_history_with_many_rows_of_one_article_is_no_pair(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(
        admin_conn,
        ARTICLES,
        """
        CREATE TABLE shop.articles_of_old AS
        SELECT a.*, n AS revision FROM shop.articles AS a, generate_series(1, 3) AS n
        """,
    )
    assert proposed(database) == ()


def test_an_archive_that_rows_were_moved_to_is_no_pair(database: str, admin_conn: psycopg.Connection) -> None:
    set_up(
        admin_conn,
        ARTICLES,
        """
        CREATE TABLE store.articles (LIKE shop.articles INCLUDING ALL);
        WITH moved AS (DELETE FROM shop.articles WHERE id % 2 = 0 RETURNING *)
        INSERT INTO store.articles SELECT * FROM moved;
        """,
    )
    assert proposed(database) == ()


def test_partitions_and_heirs_of_a_table_are_parts_of_it(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(
        admin_conn,
        ARTICLES,
        """
        CREATE TABLE store.parts (LIKE shop.articles) PARTITION BY RANGE (id);
        CREATE TABLE store.parts_low PARTITION OF store.parts FOR VALUES FROM (0) TO (250);
        CREATE TABLE store.parts_high PARTITION OF store.parts FOR VALUES FROM (250) TO (1000);
        INSERT INTO store.parts SELECT * FROM shop.articles;
        CREATE TABLE store.heirs () INHERITS (shop.articles);
        """,
    )
    assert named(proposed(database)) == ["shop.articles <> store.parts"]


def test_a_table_whose_key_references_the_other_adds_to_it(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(
        admin_conn,
        ARTICLES,
        """
        CREATE TABLE shop.article_texts (sku text PRIMARY KEY REFERENCES shop.articles (sku), title text);
        INSERT INTO shop.article_texts SELECT sku, title FROM shop.articles;
        CREATE TABLE shop.article_prices (sku text PRIMARY KEY REFERENCES shop.articles (sku), price numeric);
        INSERT INTO shop.article_prices SELECT sku, price FROM shop.articles;
        CREATE TABLE shop.article_labels (sku text PRIMARY KEY REFERENCES shop.articles (sku), title text);
        INSERT INTO shop.article_labels SELECT sku, title FROM shop.articles;
        """,
    )
    assert proposed(database) == ()


def test_a_table_that_shares_the_key_and_nothing_else_is_no_pair(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(
        admin_conn,
        ARTICLES,
        """
        CREATE TABLE store.stock (sku text PRIMARY KEY, shelf text, amount int, updated_at timestamptz);
        INSERT INTO store.stock SELECT sku, md5(sku), hashtext(sku), updated_at FROM shop.articles;
        """,
    )
    assert proposed(database) == ()


def test_an_empty_table_holds_nothing(database: str, admin_conn: psycopg.Connection) -> None:
    set_up(admin_conn, ARTICLES, "CREATE TABLE store.articles (LIKE shop.articles INCLUDING ALL)")
    assert proposed(database) == ()
    assert proposed(database, sampled=False) == ()


def test_lists_of_codes_with_the_same_columns_are_different_lists(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(
        admin_conn,
        """
        CREATE TABLE colours (code text PRIMARY KEY, name text);
        CREATE TABLE materials (code text PRIMARY KEY, name text);
        CREATE TABLE shapes (id int PRIMARY KEY, name text);
        CREATE TABLE sizes (id int PRIMARY KEY, name text);
        INSERT INTO colours SELECT 'c' || n, 'colour ' || n FROM generate_series(1, 40) AS n;
        INSERT INTO materials SELECT 'm' || n, 'material ' || n FROM generate_series(1, 40) AS n;
        INSERT INTO shapes SELECT n, 'shape ' || n FROM generate_series(1, 40) AS n;
        INSERT INTO sizes SELECT n, 'size ' || n FROM generate_series(1, 40) AS n;
        """,
    )
    assert proposed(database) == ()


def test_few_rows_make_nothing_likely(database: str, admin_conn: psycopg.Connection) -> None:
    set_up(
        admin_conn,
        ARTICLES,
        "DELETE FROM shop.articles WHERE id > 12",
        "CREATE TABLE store.articles AS SELECT * FROM shop.articles",
    )
    assert only(proposed(database)).probability < LIKELY


def test_tables_of_different_zones_are_not_likely(database: str, admin_conn: psycopg.Connection) -> None:
    set_up(admin_conn, ARTICLES, PRODUCTS)
    pair = only(proposed(database, scope=Scope(zones=("shop", "store"))))
    assert pair.probability < LIKELY
    assert any("different zones" in words for words in pair.evidence)


def test_tables_that_every_tenant_has_are_compared_with_none(
    database: str, admin_conn: psycopg.Connection
) -> None:
    for tenant in range(30):
        admin_conn.execute(
            f"CREATE SCHEMA tenant_{tenant};"
            f"CREATE TABLE tenant_{tenant}.orders (id int PRIMARY KEY, number text UNIQUE, total numeric)"
        )
    assert proposed(database, sampled=False) == ()


def test_a_key_that_most_rows_lack_makes_nothing_likely(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(
        admin_conn,
        ARTICLES,
        "CREATE TABLE store.articles AS SELECT sku, title, price FROM shop.articles",
        "UPDATE store.articles SET sku = NULL WHERE sku NOT LIKE '%5'",
    )
    (pair,) = proposed(database)
    assert any("most rows of store.articles have no sku" in words for words in pair.evidence)
