"""What `table_drift` says of pairs of tables."""

from __future__ import annotations

from pgvigil.check import Severity
from tests.checks.case import Case, Found, fails, passes, unknown

PAIR = "public.l <> public.r"


def pair(**settings: object) -> dict[str, object]:
    return {"pairs": [{"left": "public.l", "right": "public.r", **settings}]}


CASES = [
    Case(
        title="equal tables pass",
        given="""
            CREATE TABLE l (id int PRIMARY KEY, name text);
            CREATE TABLE r (id int PRIMARY KEY, name text);
            INSERT INTO l VALUES (1, 'a'), (2, NULL);
            INSERT INTO r VALUES (2, NULL), (1, 'a');
        """,
        settings=pair(),
        expected={PAIR: passes(rows=4)},
    ),
    Case(
        title="rows on one side and rows that differ are counted, and sampled by key",
        given="""
            CREATE TABLE l (id int PRIMARY KEY, name text, price numeric);
            CREATE TABLE r (id bigint PRIMARY KEY, name text, price numeric);
            INSERT INTO l VALUES (10, 'a', 1), (2, 'b', 1), (3, 'c', 1), (4, 'd', 1);
            INSERT INTO r VALUES (10, 'x', 1), (2, 'b', 2.50), (4, 'd', 1.00), (5, 'e', 1), (6, 'f', 1);
        """,
        settings=pair(),
        expected={
            PAIR: fails(
                rows=9,
                drift=Found(
                    5,
                    sample=(
                        {
                            "id": 2,
                            "drift": "changed",
                            "differing": {"price": {"left": "1", "right": "2.50"}},
                        },
                        {"id": 3, "drift": "left_only"},
                        {"id": 5, "drift": "right_only"},
                        {"id": 6, "drift": "right_only"},
                        {"id": 10, "drift": "changed", "differing": {"name": {"left": "a", "right": "x"}}},
                    ),
                    severity=Severity.WARNING,
                    details={
                        "left_rows": 4,
                        "right_rows": 5,
                        "left_only": 1,
                        "right_only": 2,
                        "changed": 2,
                        "changed_by_column": {"name": 1, "price": 1},
                        "duplicate_keys": {"left": 0, "right": 0},
                        "score_drift": {"price": {"mean": 1.5, "largest": 1.5}},
                    },
                ),
                columns=Found(1, details={"types_differ": {
                    "id": {"left": "integer", "right": "bigint", "right_column": "id"}
                }}),
            )
        },
    ),
]
