"""The map: where its relations come from, and which of them are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.audit import Crossing, Origin, examining
from pgvigil.config import Config, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import psycopg

    from tests.audit.conftest import Audited

SHOP = """
    CREATE SCHEMA shop;
    CREATE TABLE shop.customers (id bigint PRIMARY KEY, name text);
    CREATE TABLE shop.orders (id bigint PRIMARY KEY, customer_id bigint, total numeric);
    INSERT INTO shop.customers SELECT n, 'c' || n FROM generate_series(1, 200) AS n;
    INSERT INTO shop.orders SELECT n, n, n FROM generate_series(1, 190) AS n;
    ANALYZE;
"""
ORDERS = "shop.orders(customer_id) -> shop.customers(id)"


@pytest.fixture
def configured(database: str, tmp_path: Path) -> Callable[[str], Config]:
    """`configured(checks)`: the configuration with these settings of checks, in YAML's flow style."""

    def make(checks: str) -> Config:
        file = tmp_path / "pgvigil.yaml"
        file.write_text(f"targets: {{shop: {{dsn: '{database}', checks: {checks}}}}}\n", encoding="utf-8")
        return load(file)

    return make


@pytest.mark.parametrize("sampling", [True, False])
def test_a_relation_that_nobody_declared_is_proposed_with_its_evidence(
    admin_conn: psycopg.Connection, database: str, audited: Audited, *, sampling: bool
) -> None:
    admin_conn.execute(SHOP)
    (one,) = audited(database, sampling=sampling).relations
    assert (one.subject, one.origin, one.broken, one.constraint) == (ORDERS, Origin.INFERRED, None, "")
    assert 0.5 < one.probability < 1
    assert one.evidence


def test_what_is_configured_is_no_proposal_and_its_orphans_break_it(
    admin_conn: psycopg.Connection, audited: Audited, configured: Callable[[str], Config]
) -> None:
    admin_conn.execute(SHOP)
    admin_conn.execute("DELETE FROM shop.customers WHERE id < 4")
    audit = audited(configured(f"{{orphan_rows: {{relations: ['{ORDERS}']}}}}"))
    (one,) = audit.relations
    assert (one.origin, one.probability) == (Origin.CONFIGURED, 1.0)
    assert one.broken == "3 rows of shop.orders without a parent in shop.customers"
    assert one.rows_at_risk == 190
    assert audit.inventory.broken_foreign_keys == 0


@pytest.mark.parametrize("partitioned", [False, True])
def test_what_was_never_analysed_is_measured_before_it_is_read(
    admin_conn: psycopg.Connection,
    audited: Audited,
    configured: Callable[[str], Config],
    monkeypatch: pytest.MonkeyPatch,
    *,
    partitioned: bool,
) -> None:
    split = "PARTITION BY HASH (id); CREATE TABLE shop.p PARTITION OF shop.orders"
    split = f"{split} FOR VALUES WITH (MODULUS 1, REMAINDER 0)" if partitioned else ""
    admin_conn.execute(
        f"""
        CREATE SCHEMA shop;
        CREATE TABLE shop.customers (id bigint PRIMARY KEY);
        CREATE TABLE shop.orders (id bigint, customer_id bigint) {split};
        INSERT INTO shop.orders SELECT n, n FROM generate_series(1, 20000) AS n;
        """.encode()
    )
    monkeypatch.setattr(examining, "_MOST_PAGES", 50)
    audit = audited(configured(f"{{orphan_rows: {{relations: ['{ORDERS}']}}}}"))
    assert any("one relation left out, more than 1 GB to read" in line for line in audit.unknown)


def test_a_child_whose_rows_were_counted_is_not_called_empty(
    admin_conn: psycopg.Connection, audited: Audited, configured: Callable[[str], Config]
) -> None:
    admin_conn.execute("""
        CREATE SCHEMA shop;
        CREATE TABLE shop.customers (id bigint PRIMARY KEY);
        CREATE TABLE shop.orders (id bigint, customer_id bigint) WITH (autovacuum_enabled = off);
        ANALYZE;
        INSERT INTO shop.orders SELECT n, n FROM generate_series(1, 40) AS n;
    """)
    admin_conn.execute("SELECT pg_stat_force_next_flush()")
    admin_conn.execute("SELECT pg_stat_reset()")
    audit = audited(configured(f"{{orphan_rows: {{relations: ['{ORDERS}']}}}}"))
    (one,) = audit.relations
    assert "40 rows" in str(one.broken)
    assert one.rows_at_risk is None


def test_a_key_that_is_expected_and_not_declared_counts_as_a_broken_one(
    admin_conn: psycopg.Connection, audited: Audited, configured: Callable[[str], Config]
) -> None:
    admin_conn.execute(SHOP)
    audit = audited(configured(f"{{foreign_keys: {{expected: ['{ORDERS}']}}}}"), sampling=False)
    (one,) = audit.relations
    assert one.origin is Origin.CONFIGURED
    assert "not declared" in str(one.broken)
    assert (audit.inventory.foreign_keys, audit.inventory.broken_foreign_keys) == (0, 1)


def test_what_is_declared_as_well_is_on_the_map_once(
    admin_conn: psycopg.Connection, audited: Audited, configured: Callable[[str], Config]
) -> None:
    admin_conn.execute(SHOP)
    admin_conn.execute("ALTER TABLE shop.orders ADD FOREIGN KEY (customer_id) REFERENCES shop.customers")
    audit = audited(configured(f"{{orphan_rows: {{relations: ['{ORDERS}']}}}}"))
    (one,) = audit.relations
    assert (one.origin, one.constraint) == (Origin.DECLARED, "orders_customer_id_fkey")


def test_two_keys_that_declare_the_same_are_two_subjects(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute(SHOP)
    for name in ("one", "two"):
        admin_conn.execute(
            f"ALTER TABLE shop.orders ADD CONSTRAINT {name} "
            "FOREIGN KEY (customer_id) REFERENCES shop.customers NOT VALID".encode()
        )
    admin_conn.execute("ALTER TABLE shop.orders VALIDATE CONSTRAINT one")
    broken = {one.subject: one.broken is not None for one in audited(database).relations}
    assert broken == {ORDERS: False, f"{ORDERS} (two)": True}


def test_a_relation_with_inheriting_tables_is_on_the_map_beside_its_key(
    admin_conn: psycopg.Connection, audited: Audited, configured: Callable[[str], Config]
) -> None:
    admin_conn.execute(SHOP)
    admin_conn.execute("""
        ALTER TABLE shop.orders ADD FOREIGN KEY (customer_id) REFERENCES shop.customers;
        CREATE TABLE shop.old_orders () INHERITS (shop.orders);
        INSERT INTO shop.old_orders VALUES (1000, 4711, 0);
    """)
    audit = audited(configured(f"{{orphan_rows: {{relations: ['{ORDERS}']}}}}"))
    broken = {one.subject: one.broken for one in audit.relations if one.origin is not Origin.INFERRED}
    assert broken[ORDERS] is None
    assert broken[f"{ORDERS} (with inheriting tables)"] is not None


def test_references_over_boundaries_are_told_as_such(
    admin_conn: psycopg.Connection, database: str, audited: Audited
) -> None:
    admin_conn.execute("""
        CREATE SCHEMA a; CREATE TABLE a.t (id int PRIMARY KEY, up int REFERENCES a.t);
        CREATE SCHEMA b; CREATE TABLE b.u (id int PRIMARY KEY REFERENCES a.t);
    """)
    crossing = {one.subject: one.crosses for one in audited(database, sampling=False).relations}
    assert crossing == {"a.t(up) -> a.t(id)": Crossing.NONE, "b.u(id) -> a.t(id)": Crossing.SCHEMA}
