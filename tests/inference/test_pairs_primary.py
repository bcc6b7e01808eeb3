"""A primary key that both sides declare is the key of the pair, if the rows that it matches are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.inference.pairs_judgement import LIKELY
from tests.inference.pairs import only, proposed, set_up

if TYPE_CHECKING:
    import psycopg

# Names that tell all rows apart, and that nobody has declared to.
CUSTOMERS = """
    CREATE SCHEMA crm;
    CREATE TABLE customers (id {type} PRIMARY KEY, name text, email text, city text);
    INSERT INTO customers
    SELECT {value}, 'name ' || n, 'm' || n || '@example.org', 'city ' || n % 40
    FROM generate_series(1, 500) AS n;
    CREATE TABLE crm.customers (LIKE customers INCLUDING ALL);
"""
COPIED = "INSERT INTO crm.customers SELECT {id}, name, email, city FROM customers WHERE {which}"


@pytest.mark.parametrize(
    ("of_type", "value"), [("integer", "n"), ("uuid", "md5(n::text)::uuid")], ids=["number", "uuid"]
)
def test_a_primary_key_of_both_sides_is_the_key_and_not_a_name_that_nobody_declared(
    database: str, admin_conn: psycopg.Connection, of_type: str, value: str
) -> None:
    customers = CUSTOMERS.format(type=of_type, value=value)
    set_up(
        admin_conn,
        customers,
        COPIED.format(id="id", which="true"),
        "UPDATE crm.customers SET city = '?' WHERE name LIKE '%7'",
    )
    pair = only(proposed(database))
    assert pair.key == {"id": "id"}
    assert pair.columns == {"name": "name", "email": "email", "city": "city"}
    assert pair.probability >= LIKELY


@pytest.mark.parametrize("other", ["501 - id", "id + 1", "(id * 7) % 503"])
def test_numbers_that_each_side_gives_by_itself_are_neither_key_nor_compared(
    database: str, admin_conn: psycopg.Connection, other: str
) -> None:
    set_up(admin_conn, CUSTOMERS.format(type="int", value="n"), COPIED.format(id=other, which="true"))
    pair = only(proposed(database))
    assert "id" not in {*pair.key, *pair.columns}
    assert pair.probability >= LIKELY


def test_of_numbers_that_went_apart_after_a_while_the_key_is_what_matches_all_rows(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(
        admin_conn,
        CUSTOMERS.format(type="int", value="n"),
        COPIED.format(id="id", which="id <= 200"),
        COPIED.format(id="id + 1000", which="id > 200"),
    )
    pair = only(proposed(database))
    assert "id" not in {*pair.key, *pair.columns}


def test_a_primary_key_that_agrees_and_is_not_the_key_is_compared(
    database: str, admin_conn: psycopg.Connection
) -> None:
    set_up(
        admin_conn,
        """
        CREATE SCHEMA crm;
        CREATE TABLE customers (id int PRIMARY KEY, email text UNIQUE, name text, remark text);
        INSERT INTO customers
        SELECT n, 'm' || n || '@example.org', 'name ' || n % 90, 'here ' || n % 9
        FROM generate_series(1, 500) AS n;
        CREATE TABLE crm.customers (LIKE customers INCLUDING ALL);
        INSERT INTO crm.customers
        SELECT CASE WHEN id % 30 = 0 THEN -id ELSE id END, email, name, 'there ' || id % 8 FROM customers;
        """,
    )
    pair = only(proposed(database))
    assert pair.key == {"email": "email"}
    assert pair.columns == {"id": "id", "name": "name"}
    assert pair.tolerance == {}
