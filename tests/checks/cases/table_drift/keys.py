"""By what rows belong together: columns and expressions, NULL or duplicated or crossed."""

from __future__ import annotations

from pgvigil.check import Severity
from tests.checks.case import Case, Found, fails, passes
from tests.checks.cases.table_drift.common import PAIR, pair

DUPLICATES = Case(
    title="rows of a duplicated key are reported, neither compared nor multiplied",
    given="""
        CREATE TABLE l (k int, v text);
        CREATE TABLE r (k int, v text);
        -- 1: twice left, once right. 2: twice on both. 3: twice left, not right. 4: thrice right. 5: differs.
        INSERT INTO l VALUES (1, 'a'), (1, 'b'), (2, 'a'), (2, 'a'), (3, 'a'), (3, 'a'), (4, 'a'), (5, 'a');
        INSERT INTO r VALUES (1, 'x'), (2, 'a'), (2, 'a'), (4, 'x'), (4, 'y'), (4, 'z'), (5, 'x');
    """,
    settings=pair(key={"k": "k"}),
    expected={
        PAIR: fails(
            rows=15,
            drift=Found(
                3,
                title="public.l and public.r: 1 row differs, 2 rows are missing in public.r",
                sample=(
                    {"k": 3, "drift": "left_only", "copies": 2},
                    {"k": 5, "drift": "changed", "differing": {"v": {"left": "a", "right": "x"}}},
                ),
                details={
                    "left_rows": 8,
                    "right_rows": 7,
                    "left_only": 2,
                    "right_only": 0,
                    "changed": 1,
                    "duplicate_keys": {"left": 3, "right": 2},
                },
            ),
            duplicate_keys=Found(
                5,
                severity=Severity.WARNING,
                title="3 keys of public.l and 2 keys of public.r in more than one row by (k): not compared",
                sample=(
                    {"side": "left", "k": 1, "copies": 2},
                    {"side": "left", "k": 2, "copies": 2},
                    {"side": "left", "k": 3, "copies": 2},
                    {"side": "right", "k": 2, "copies": 2},
                    {"side": "right", "k": 4, "copies": 3},
                ),
            ),
        )
    },
)

NULL_KEYS = Case(
    title="rows without a key are reported with what identifies them, and match nothing",
    given="""
        CREATE TABLE l (id int PRIMARY KEY, a int, b text, v text);
        CREATE TABLE r (id text PRIMARY KEY, a int, b text, v text);
        INSERT INTO l VALUES (1, NULL, 'x', 'v'), (2, NULL, NULL, 'v'), (3, 1, 'x', 'v'), (4, NULL, 'x', 'v');
        INSERT INTO r VALUES ('one', NULL, 'x', 'v'), ('two', 1, 'x', 'v');
    """,
    settings=pair(key={"a": "a", "b": "b"}),
    sample=4,
    expected={
        PAIR: fails(
            rows=6,
            null_keys=Found(
                4,
                severity=Severity.WARNING,
                title="3 rows of public.l and 1 row of public.r without a key (a, b): not compared",
                sample=(
                    {"side": "left", "id": 1, "a": None, "b": "x"},
                    {"side": "left", "id": 2, "a": None, "b": None},
                    {"side": "left", "id": 4, "a": None, "b": "x"},
                    {"side": "right", "id": "one", "a": None, "b": "x"},
                ),
                details={"null_keys": {"left": 3, "right": 1}},
            ),
        )
    },
)

CROSSED = Case(
    title="of columns whose names are crossed, those that are not compared are reported",
    given="""
        CREATE TABLE l (a int, b text, c text);
        CREATE TABLE r (a text, b int, c text);
        INSERT INTO l VALUES (1, 'left', 'c');
        INSERT INTO r VALUES ('right', 1, 'c');
        CREATE TABLE l2 (LIKE l);
        CREATE TABLE r2 (k text, b text, c text);
        CREATE TABLE l3 (id int PRIMARY KEY, n int);
        CREATE TABLE r3 (id int PRIMARY KEY, n int);
    """,
    settings={
        "pairs": [
            {"left": "public.l", "right": "public.r", "key": {"a": "b"}},
            {"left": "public.l2", "right": "public.r2", "key": {"c": "k"}, "columns": {"b": "c"}},
            {"left": "public.l3", "right": "public.r3", "key": {"abs(id)": "n"}},
        ]
    },
    expected={
        PAIR: passes(rows=2, columns=Found(2, details={"left_only": ["b"], "right_only": ["a"]})),
        "public.l2 <> public.r2": passes(
            columns=Found(2, details={"left_only": ["a"], "right_only": ["b"]}),
        ),
        "public.l3 <> public.r3": passes(
            columns=Found(2, details={"left_only": ["n"], "right_only": ["id"]}),
        ),
    },
)

NAMESAKES = Case(
    title="a key's parts may be called like what a sample says of a row",
    given="""
        CREATE TABLE l (side int, copies text, drift text, differing text, columns text);
        CREATE TABLE r (side int, copies text, drift text, differing text, columns text);
        INSERT INTO l VALUES (1, 'a', 'b', 'c', 'x'), (2, 'a', 'b', 'c', 'x'), (2, 'a', 'b', 'c', 'x');
        INSERT INTO r VALUES (1, 'a', 'b', 'c', 'y');
        CREATE TABLE p (side int PRIMARY KEY, a int, b int);
        CREATE TABLE q (a int PRIMARY KEY, side int, b int);
        INSERT INTO p VALUES (1, NULL, 0);
        INSERT INTO q VALUES (7, 2, NULL);
    """,
    settings={
        "pairs": [
            {
                "left": "public.l",
                "right": "public.r",
                "key": {name: name for name in ("side", "copies", "drift", "differing")},
            },
            {
                "left": "public.p",
                "right": "public.q",
                "key": {"a": "b"},
                "columns": {},
                "ignore": ["side", "a", "b"],
            },
        ]
    },
    expected={
        PAIR: fails(
            drift=Found(
                3,
                sample=(
                    {
                        "side": 1,
                        "copies": "a",
                        "drift": "b",
                        "differing": "c",
                        "drift_": "changed",
                        "differing_": {"columns": {"left": "x", "right": "y"}},
                    },
                    {
                        "side": 2,
                        "copies": "a",
                        "drift": "b",
                        "differing": "c",
                        "drift_": "left_only",
                        "copies_": 2,
                    },
                ),
            ),
            duplicate_keys=Found(
                1,
                sample=(
                    {
                        "side_": "left",
                        "side": 2,
                        "copies": "a",
                        "drift": "b",
                        "differing": "c",
                        "copies_": 2,
                    },
                ),
            ),
        ),
        "public.p <> public.q": fails(
            null_keys=Found(
                2,
                sample=(
                    {"side": "left", "side_": 1, "a": None},
                    {"side": "right", "a_": 7, "a": None},
                ),
            ),
        ),
    },
)


KEYS = [DUPLICATES, NULL_KEYS, CROSSED, NAMESAKES]
