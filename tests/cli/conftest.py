"""Databases that the commands look at."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

SOUND = """
    CREATE SCHEMA shop;
    CREATE TABLE shop.customers (id bigint PRIMARY KEY);
    CREATE TABLE shop.orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES shop.customers);
    CREATE TABLE shop.lines (order_id bigint REFERENCES shop.orders, n int, PRIMARY KEY (order_id, n))
        PARTITION BY RANGE (order_id);
    CREATE TABLE shop.lines_1 PARTITION OF shop.lines FOR VALUES FROM (0) TO (100);
    CREATE INDEX ON shop.orders (customer_id);
    INSERT INTO shop.customers SELECT generate_series(1, 10);
    INSERT INTO shop.orders SELECT n, n FROM generate_series(1, 10) AS n;
    INSERT INTO shop.lines SELECT n, 1 FROM generate_series(1, 10) AS n;
"""

BROKEN = """
    SET session_replication_role = replica;
    DELETE FROM shop.customers WHERE id IN (3, 7);
    RESET session_replication_role;
"""


def _made_by(*statements: str) -> Callable[[str], None]:
    def build(dsn: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as conn:
            for statement in statements:
                conn.execute(statement)

    return build


@pytest.fixture
def sound(database_from: Callable[[str, Callable[[str], None]], str]) -> str:
    """A database in which all is well."""
    return database_from("cli_sound", _made_by(SOUND))


@pytest.fixture
def broken(database_from: Callable[[str, Callable[[str], None]], str]) -> str:
    """The same with two orphans behind a key that is marked valid."""
    return database_from("cli_broken", _made_by(SOUND, BROKEN))
