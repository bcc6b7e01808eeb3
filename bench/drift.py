"""Drift: two tables of 200 thousand rows, as people compare them and as table_drift does."""

from __future__ import annotations

from bench.databases import by_hand, by_pgvigil, database
from bench.measure import Measured, measure
from pgvigil_checks.table_drift import TableDrift

_SETUP = """
    CREATE TABLE a (
        id bigint PRIMARY KEY, name text, score numeric, tags text[], doc jsonb, seen timestamptz
    );
    INSERT INTO a
    SELECT n, 'name ' || n, n / 7.0, ARRAY['x', n::text], jsonb_build_object('n', n), to_timestamp(n)
    FROM generate_series(1, 200000) AS n;
    CREATE TABLE b (LIKE a INCLUDING ALL);
    INSERT INTO b SELECT * FROM a;
    DELETE FROM a WHERE id % 5000 = 0;
    UPDATE b SET score = score + 1 WHERE id % 5000 = 1;
"""
_EXCEPT = """
    SELECT (SELECT count(*) FROM (SELECT * FROM a EXCEPT SELECT * FROM b) AS l),
           (SELECT count(*) FROM (SELECT * FROM b EXCEPT SELECT * FROM a) AS r)
"""
_HASHES = """
    SELECT (SELECT sum(hashtextextended(a::text, 0)) FROM a),
           (SELECT sum(hashtextextended(b::text, 0)) FROM b)
"""


def run() -> Measured:
    """Compare with hashing both sides once, which tells that they differ and not where."""
    pair = {"left": "public.a", "right": "public.b", "key": {"id": "id"}}
    check = TableDrift(TableDrift.params_type.model_validate({"pairs": [pair]}))
    with (
        database(_SETUP) as dsn,
        by_hand(dsn) as ask,
        by_pgvigil(dsn, check, "public.a <> public.b") as examine,
    ):
        return measure(
            "drift of two tables of 200k rows; as a ratio to hashing both once",
            {
                "hash both sides": lambda: ask(_HASHES),
                "EXCEPT both ways": lambda: ask(_EXCEPT),
                "table_drift": examine,
            },
        )
