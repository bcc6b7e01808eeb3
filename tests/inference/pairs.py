"""Proposes pairs of a database, as far as a role may read it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pgvigil.catalog import Scope
from pgvigil.catalog.statistics_read import read_statistics
from pgvigil.inference.pairs import propose_pairs
from pgvigil.inference.pairs_sampling import PairSampler
from pgvigil.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import psycopg
    from psycopg import sql

    from pgvigil.catalog import Catalog, RelationName
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


@contextmanager
def opened(dsn: str) -> Iterator[Target]:
    target = Target("t", dsn)
    try:
        yield target
    finally:
        target.close()


def fetch_of(target: Target) -> Callable[[sql.Composed], list[dict[str, Any]]]:
    """Return what runs each query in a snapshot of its own."""

    def fetch(query: sql.Composed) -> list[dict[str, Any]]:
        with target.snapshot("pairs") as snapshot:
            return snapshot.fetch(query)

    return fetch


def catalog_of(dsn: str) -> Catalog:
    with opened(dsn) as target:
        return target.read_catalog()


def proposed(
    dsn: str, *, scope: Scope | None = None, sampled: bool = True, known: Iterable[RelationName] = ()
) -> tuple[ProposedPair, ...]:
    with opened(dsn) as target:
        catalog = target.read_catalog(scope)
        with target.snapshot("statistics") as snapshot:
            statistics = read_statistics(snapshot.fetch, catalog)
        sampler = PairSampler(fetch_of(target)) if sampled else None
        return propose_pairs(catalog, statistics, sampler, known)


def named(pairs: Iterable[ProposedPair]) -> list[str]:
    return [f"{pair.left} <> {pair.right}" for pair in pairs]


def only(pairs: tuple[ProposedPair, ...]) -> ProposedPair:
    assert len(pairs) == 1, named(pairs)
    return pairs[0]


def set_up(conn: psycopg.Connection, *scripts: str) -> None:
    for script in scripts:
        conn.execute(script)
    conn.execute("ANALYZE")
