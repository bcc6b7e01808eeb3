"""What looks like two tables of one entity and is none, on real servers: each trap by itself."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgvigil.catalog import Scope, parse_relation
from pgvigil.inference import pairs_sampling
from pgvigil.inference.pairs import propose_pairs
from pgvigil.inference.pairs_judgement import LIKELY
from pgvigil.inference.pairs_sampling import PairSampler
from tests.inference.pairs import catalog_of, fetch_of, named, opened, proposed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from pgvigil.inference import ProposedPair

# A product catalogue of 500 articles. Every trap is set beside it.
ARTICLES = """
    CREATE SCHEMA shop; CREATE SCHEMA store;
    CREATE TABLE shop.articles (
        id bigint PRIMARY KEY, sku text UNIQUE, title text, price numeric(10, 2), weight real,
        updated_at timestamptz
    );
    INSERT INTO shop.articles
    SELECT n, 'S-' || 7 * n, 'article ' || n, n * 1.17, n / 3.0, timestamptz '2024-01-01' + n * interval '7 h'
    FROM generate_series(1, 500) AS n;
"""
# The same articles under other names, numbered by itself, with a key that only sku shares.
PRODUCTS = """
    CREATE TABLE store.products (
        id bigint PRIMARY KEY, sku varchar(20), name text, list_price double precision, kilograms numeric,
        changed_at timestamp
    );
    CREATE INDEX ON store.products (sku);
    INSERT INTO store.products
    SELECT 501 - id, sku, title, price, weight::text::numeric, updated_at AT TIME ZONE 'UTC'
    FROM shop.articles;
"""


@pytest.fixture
def reader(admin_conn: psycopg.Connection) -> Iterator[str]:
    """A role without privileges that logs in with `its password`."""
    name = f"reader_{secrets.token_hex(6)}"
    role = sql.Identifier(name)
    admin_conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'its password'").format(role))
    yield name
    admin_conn.execute(sql.SQL("DROP OWNED BY {}").format(role))
    admin_conn.execute(sql.SQL("DROP ROLE {}").format(role))


def only(pairs: tuple[ProposedPair, ...]) -> ProposedPair:
    assert len(pairs) == 1, named(pairs)
    return pairs[0]


def set_up(conn: psycopg.Connection, *scripts: str) -> None:
    for script in scripts:
        conn.execute(script)
    conn.execute("ANALYZE")


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


def test_a_catalog_alone_is_enough_to_propose(database: str, admin_conn: psycopg.Connection) -> None:
    set_up(admin_conn, ARTICLES, PRODUCTS.replace("store.products", "store.article"))
    assert len(propose_pairs(catalog_of(database))) == 1


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


def test_reading_ends_when_its_time_is_over(database: str, admin_conn: psycopg.Connection) -> None:
    set_up(admin_conn, ARTICLES, PRODUCTS)
    with opened(database) as target:
        catalog = target.read_catalog()
        sampler = PairSampler(fetch_of(target), seconds=0)
        assert propose_pairs(catalog, None, sampler) == propose_pairs(catalog)
