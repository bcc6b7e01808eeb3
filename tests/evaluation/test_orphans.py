"""Relations that nobody declared are proposed though they have orphans, and then these are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from evaluation.judging import SAMPLING, judge

from pgvigil.check import Outcome
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams
from tests.checks.examining import examine

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 100_000

# Keys of each kind, from 1 to 5,250; the parents over 5,000 are deleted after the children came to be.
GIVEN = """
    CREATE TABLE customer (id int PRIMARY KEY, name text);
    CREATE TABLE device (id uuid PRIMARY KEY, name text);
    CREATE TABLE product (sku text PRIMARY KEY, name text);
    CREATE TABLE region (country text, code int, name text, PRIMARY KEY (country, code));
    INSERT INTO customer SELECT n, 'customer' || n FROM generate_series(1, 5250) AS n;
    INSERT INTO device SELECT md5(n::text)::uuid, 'device' || n FROM generate_series(1, 5250) AS n;
    INSERT INTO product SELECT 'P-' || n * 17, 'product' || n FROM generate_series(1, 5250) AS n;
    INSERT INTO region SELECT 'C' || n % 7, n, 'region' || n FROM generate_series(1, 5250) AS n;
    CREATE TABLE purchase (
        id bigserial PRIMARY KEY, customer_id int, device_id uuid, product_sku text,
        region_country text, region_code int, amount int
    );
    CREATE INDEX ON purchase (customer_id);
    INSERT INTO purchase (customer_id, device_id, product_sku, region_country, region_code, amount)
         SELECT k, md5(k::text)::uuid, 'P-' || k * 17, 'C' || k % 7, k, n % 90
           FROM generate_series(1, {rows}) AS n,
                LATERAL (
                    SELECT CASE WHEN n <= {orphans} THEN 5001 + n % 250 ELSE 1 + n % 5000 END AS k
                ) AS x;
    DELETE FROM customer WHERE id > 5000;
    DELETE FROM device WHERE substr(name, 7)::int > 5000;
    DELETE FROM product WHERE substr(name, 8)::int > 5000;
    DELETE FROM region WHERE code > 5000;
    ANALYZE
"""
RELATIONS = (
    "public.purchase(customer_id) -> public.customer(id)",
    "public.purchase(device_id) -> public.device(id)",
    "public.purchase(product_sku) -> public.product(sku)",
    "public.purchase(region_country, region_code) -> public.region(country, code)",
)


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.05])
def test_orphans_do_not_hide_a_relation_and_are_counted_once_it_is_adopted(
    share: float, database_from: Callable[[str, Callable[[str], None]], str]
) -> None:
    orphans = int(ROWS * share)

    def build(dsn: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(GIVEN.format(rows=ROWS, orphans=orphans).encode())

    dsn = database_from(f"planted_orphans_{orphans}", build)
    (judged,) = judge("planted", dsn, frozenset(), (SAMPLING,))
    assert set(RELATIONS) <= {str(one.relation) for one in judged.proposals}

    adopted = OrphanRows(OrphanRowsParams.model_validate({"relations": list(RELATIONS)}))
    runs = examine(adopted, dsn)
    assert {run.outcome for run in runs.by_subject.values()} == {Outcome.FAIL}
    counts = {name: sum(found.count for found in runs[name].findings) for name in RELATIONS}
    assert counts == dict.fromkeys(RELATIONS, orphans)
