"""Tables `a` and `b` of twelve columns that differ in a few rows, in one database or in two."""

from __future__ import annotations

from collections.abc import Callable

from bench.measure import Work
from pgvigil_checks.table_drift import TableDrift

KEY = "id"
# Of types that all the tools can compare.
COLUMNS = {
    "name": "'name ' || n",
    "city": "'city ' || n % 1000",
    "note": "md5(n::text)",
    "score": "n / 7.0",
    "price": "n % 10000 / 100.0",
    "stars": "n % 5",
    "sold": "n * 31 % 100000",
    "views": "n * 17",
    "active": "n % 2 = 0",
    "seen": "timestamp '2024-01-01' + n * interval '1 second'",
    "born": "date '2000-01-01' + (n % 5000)::int",
    "rank": "n / 3",
}
"""The compared columns, and how the `n`th row has them."""
_TYPES = {
    "score": "numeric(14,4)",
    "price": "numeric(14,2)",
    "stars": "int",
    "sold": "int",
    "views": "bigint",
    "rank": "bigint",
    "active": "boolean",
    "seen": "timestamp",
    "born": "date",
}
_APART = 5000


def setup(rows: int) -> str:
    """Write the statements that make both tables: one row in 5,000 is missing in `a`, as many differ."""
    columns = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in COLUMNS)
    values = ", ".join(COLUMNS.values())
    return f"""
        CREATE TABLE a ({KEY} bigint PRIMARY KEY, {columns});
        INSERT INTO a SELECT n, {values} FROM generate_series(1::bigint, {rows}) AS n;
        CREATE TABLE b (LIKE a INCLUDING ALL);
        INSERT INTO b SELECT * FROM a;
        DELETE FROM a WHERE {KEY} % {_APART} = 0;
        UPDATE b SET score = score + 1 WHERE {KEY} % {_APART} = 1;
    """


def differing(rows: int) -> int:
    """Return how many rows `setup` lets differ, the missing ones among them."""
    return 2 * (rows // _APART)


def hash_of(table: str) -> str:
    """Write the query that reads a table once and hashes its rows."""
    return f"SELECT sum(hashtextextended(ROW({table}.*)::text, 0)) FROM {table}"


def check(**settings: str) -> TableDrift:
    """Return table_drift of the pair; `settings` are further ones."""
    pair = {"left": "public.a", "right": "public.b", "key": {KEY: KEY}, **settings}
    return TableDrift(TableDrift.params_type.model_validate({"pairs": [pair]}))


def expecting(number: int, count: Callable[[], int]) -> Work:
    """Return `count` as work that ends the benchmark when it counts another number of rows."""

    def work() -> None:
        if (found := count()) != number:
            raise SystemExit(f"{found} rows differ, not {number}")

    return work
