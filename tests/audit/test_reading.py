"""How an audit reads: the same over one session as over two, and with the reason when it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgvigil.config import load
from pgvigil.errors import TargetError
from tests.servers import private_server, standby_of
from tests.target.conftest import reader as reader  # noqa: PLC0414 - a fixture

if TYPE_CHECKING:
    from pathlib import Path

    from pgvigil.audit import Audit
    from tests.audit.conftest import Audited

SHOP = """
    CREATE SCHEMA shop;
    CREATE TABLE shop.customers (id bigint PRIMARY KEY, name text CHECK (name <> ''));
    CREATE TABLE shop.orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES shop.customers,
                              referrer_customer_id bigint);
    CREATE INDEX ON shop.orders (customer_id);
    COMMENT ON TABLE shop.orders IS 'Those that were paid.';
    INSERT INTO shop.customers SELECT n, 'c' || n FROM generate_series(1, 500) AS n;
    INSERT INTO shop.orders SELECT n, 1 + n % 500, 1 + n % 400 FROM generate_series(1, 2000) AS n;
    ANALYZE
"""


@pytest.fixture
def shop(database: str, admin_conn: psycopg.Connection) -> str:
    admin_conn.execute(SHOP)
    return database


def timeless(audit: Audit) -> Audit:
    return replace(audit, taken_at=audit.counters_since)


@pytest.mark.every_pg
def test_one_session_sees_what_two_do(audited: Audited, shop: str, tmp_path: Path) -> None:
    file = tmp_path / "pgvigil.yaml"
    file.write_text(f"targets: {{games: {{dsn: '{shop}', budget: {{connections: 1}}}}}}\n", encoding="utf-8")
    two = audited(shop, sampling=False)
    assert timeless(audited(load(file), sampling=False)) == timeless(two)
    assert {one.comment for one in two.inventory.tables} == {"", "Those that were paid."}
    assert two.state is not None
    assert any(one.subject.startswith("shop.orders(referrer_customer_id)") for one in two.relations)


def test_a_role_that_may_not_share_its_snapshot_reads_all_by_itself(
    audited: Audited, shop: str, admin_conn: psycopg.Connection, reader: str
) -> None:
    admin_conn.execute("REVOKE EXECUTE ON FUNCTION pg_export_snapshot() FROM PUBLIC")
    grant = "GRANT USAGE ON SCHEMA shop TO {0}; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {0}"
    admin_conn.execute(sql.SQL(grant).format(sql.Identifier(reader)))
    audit = audited(make_conninfo(shop, user=reader, password="its password"), sampling=False)
    assert audit.inventory.foreign_keys == 1
    assert all(table.readable for table in audit.inventory.tables)


def test_a_standby_is_read_as_its_primary(audited: Audited, pg_version: int) -> None:
    with private_server(pg_version) as primary:
        with psycopg.connect(primary.dsn(), autocommit=True) as conn:
            conn.execute(SHOP)
        with standby_of(primary, {}) as standby:
            audit = audited(standby.dsn(), sampling=False)
    assert audit.inventory.foreign_keys == 1
    assert {str(table.name) for table in audit.inventory.tables} == {"shop.customers", "shop.orders"}


@pytest.mark.parametrize("held", ["pg_description", "pg_statistic", "pg_attrdef"])
def test_what_cannot_be_read_is_told_with_its_reason(
    audited: Audited, shop: str, tmp_path: Path, held: str
) -> None:
    file = tmp_path / "pgvigil.yaml"
    budget = "{lock_timeout: 200ms}"
    file.write_text(f"targets: {{games: {{dsn: '{shop}', budget: {budget}}}}}\n", encoding="utf-8")
    with psycopg.connect(shop) as holder:
        holder.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(held)))
        with pytest.raises(TargetError, match=r"lock.timeout"):
            audited(load(file), sampling=False)
    assert audited(load(file), sampling=False).inventory.foreign_keys == 1
