"""Two tables of one entity are proposed with key, columns, tolerances and sides, whatever their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.catalog import parse_relation
from pgvigil.inference.pairs import propose_pairs
from pgvigil.inference.pairs_judgement import LIKELY
from tests.inference.pairs import (
    ARTICLES,
    PRODUCTS,
    catalog_of,
    only,
    proposed,
    set_up,
)

if TYPE_CHECKING:
    import psycopg


@pytest.mark.every_pg
def test_two_tables_of_one_entity_are_paired_by_the_key_that_both_know(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(admin_conn, ARTICLES, PRODUCTS)
    pair = only(proposed(database))
    assert pair.probability >= LIKELY
    assert pair.key == {"sku": "sku"}
    assert pair.columns == {
        "title": "name",
        "price": "list_price",
        "weight": "kilograms",
        "updated_at": "changed_at",
    }
    assert pair.tolerance == {}
    assert any("100 % of the keys" in words for words in pair.evidence)


def test_going_by_names_it_is_proposed_and_never_likely(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(admin_conn, ARTICLES, PRODUCTS.replace("store.products", "store.article"))
    pair = only(proposed(database, sampled=False))
    assert pair.key == {"sku": "sku"}
    assert 0 < pair.probability < LIKELY


def test_a_catalog_alone_is_enough_to_propose(database: str, admin_conn: psycopg.Connection) -> None:
    set_up(admin_conn, ARTICLES, PRODUCTS.replace("store.products", "store.article"))
    assert len(propose_pairs(catalog_of(database))) == 1


def test_serial_numbers_pair_rows_that_have_their_contents_in_common(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(
        admin_conn,
        ARTICLES,
        "CREATE TABLE store.articles AS SELECT id, title, price, weight FROM shop.articles",
    )
    pair = only(proposed(database))
    assert pair.key == {"id": "id"}
    assert pair.probability >= LIKELY


def test_rows_that_a_side_lacks_and_values_that_drifted_do_not_hide_a_pair(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(
        admin_conn,
        ARTICLES,
        PRODUCTS,
        """
        DELETE FROM store.products WHERE id % 10 = 0;
        INSERT INTO store.products
        SELECT 1000 + n, 'S-' || n, 'new' || n FROM generate_series(10001, 10040) AS n;
        INSERT INTO store.products SELECT 2000 + id, sku, name FROM store.products WHERE id < 10;
        UPDATE store.products SET name = name || '!' WHERE id % 9 = 0;
        UPDATE store.products
        SET list_price = list_price + 0.004, changed_at = changed_at - interval '10 min';
        """,
    )
    pair = only(proposed(database))
    assert pair.probability >= LIKELY
    assert pair.tolerance == {"price": 0.005, "updated_at": "15m"}
    assert pair.fresher == "left"


def test_it_tells_which_side_is_referenced_and_which_one_is_fresher(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(
        admin_conn,
        ARTICLES,
        PRODUCTS,
        """
        CREATE TABLE shop.orders (id int PRIMARY KEY, product bigint REFERENCES store.products);
        CREATE TABLE shop.carts (id int PRIMARY KEY, article bigint);
        CREATE TABLE shop.wishes (id int PRIMARY KEY, article bigint);
        UPDATE store.products SET changed_at = '2025-05-05' WHERE sku = 'S-7';
        """,
    )
    pair = only(proposed(database))
    assert (pair.referenced, pair.fresher) == ("right", "right")
    known = map(
        parse_relation,
        ("shop.carts(article) -> shop.articles(id)", "shop.wishes(article) -> shop.articles(id)"),
    )
    assert only(proposed(database, known=known)).referenced == "left"


@pytest.mark.every_pg
def test_names_of_every_kind_are_quoted(database: str, admin_conn: psycopg.Connection) -> None:
    set_up(
        admin_conn,
        ARTICLES,
        """
        CREATE SCHEMA "Lager; -- %s {x}";
        CREATE TABLE "Lager; -- %s {x}"."neue ""Artikel"" hier" AS
        SELECT sku, title AS "number", price AS "Preis in €", weight AS "select", id AS "t"
        FROM shop.articles;
        """,
    )
    pair = only(proposed(database))
    assert str(pair.left) == '"Lager; -- %s {x}"."neue ""Artikel"" hier"'
    assert pair.key == {"sku": "sku"}
    assert pair.columns == {"number": "title", "Preis in €": "price", "select": "weight"}


def test_columns_of_one_name_that_each_side_fills_for_itself_are_left_out_and_told(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(
        admin_conn,
        ARTICLES,
        """
        ALTER TABLE shop.articles ADD active boolean, ADD state text DEFAULT 'ok';
        UPDATE shop.articles SET active = id % 2 = 0;
        CREATE TABLE store.articles AS SELECT * FROM shop.articles;
        UPDATE store.articles
        SET active = id % 3 = 0, updated_at = timestamptz '2024-06-01' + id % 7 * interval '1 h';
        """,
    )
    pair = only(proposed(database))
    assert pair.probability >= LIKELY
    assert set(pair.columns) == {"title", "price", "weight", "state"}
    told = [words for words in pair.evidence if words.endswith("no more than by chance: left out")]
    assert sorted(words.split()[0] for words in told) == ["active", "updated_at"]


def test_a_composite_key_pairs_too(database: str, admin_conn: psycopg.Connection) -> None:
    set_up(
        admin_conn,
        """
        CREATE TABLE tariffs (country text, weight_class int, fee numeric, note text,
                              PRIMARY KEY (country, weight_class));
        INSERT INTO tariffs
        SELECT 'c' || n % 20, n / 20, n * 1.3, md5(n::text) FROM generate_series(0, 199) AS n;
        CREATE TABLE tariff_list (weight_class smallint, country varchar(9), amount numeric, note text,
                                  PRIMARY KEY (weight_class, country));
        INSERT INTO tariff_list SELECT weight_class, country, fee, note FROM tariffs;
        """,
    )
    pair = only(proposed(database))
    assert pair.key == {"country": "country", "weight_class": "weight_class"}
    assert pair.columns in ({"amount": "fee", "note": "note"}, {"fee": "amount", "note": "note"})


@pytest.mark.contrib
def test_keys_of_an_extensions_type_pair_as_well(database: str, admin_conn: psycopg.Connection) -> None:
    set_up(
        admin_conn,
        "CREATE EXTENSION citext",
        """
        CREATE TABLE members (email citext PRIMARY KEY, city text, points int);
        INSERT INTO members SELECT 'm' || n || '@x', md5(n::text), n * 3 FROM generate_series(1, 300) AS n;
        CREATE TABLE subscribers AS SELECT email, city AS town, points FROM members;
        """,
    )
    assert only(proposed(database)).key == {"email": "email"}
