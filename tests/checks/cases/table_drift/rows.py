"""What differs between two tables, and what is said of it."""

from __future__ import annotations

from pgvigil.check import Severity
from tests.checks.case import Case, Found, fails, passes
from tests.checks.cases.table_drift.common import PAIR, pair

SAME = Case(
    title="equal tables pass",
    given="""
        CREATE TABLE l (id int PRIMARY KEY, name text);
        CREATE TABLE r (id int PRIMARY KEY, name text);
        INSERT INTO l VALUES (1, 'a'), (2, NULL);
        INSERT INTO r VALUES (2, NULL), (1, 'a');
        CREATE TABLE empty_l (id int PRIMARY KEY, name text);
        CREATE TABLE empty_r (id int PRIMARY KEY, name text);
        CREATE TABLE keys_l (a int, b text, PRIMARY KEY (a, b));
        CREATE TABLE keys_r (b text, a int, PRIMARY KEY (b, a));
        INSERT INTO keys_l VALUES (1, '1'), (1, '2');
        INSERT INTO keys_r VALUES ('1', 1), ('2', 1);
    """,
    settings={
        "pairs": [
            {"left": "public.l", "right": "public.r"},
            {"left": "public.empty_l", "right": "public.empty_r"},
            {"left": "public.keys_l", "right": "public.keys_r"},
        ]
    },
    expected={
        PAIR: passes(rows=4),
        "public.empty_l <> public.empty_r": passes(rows=0),
        "public.keys_l <> public.keys_r": passes(rows=4),
    },
)

DRIFT = Case(
    title="rows on one side and rows that differ are counted, and sampled in the order of the key",
    given="""
        CREATE TABLE l (id int PRIMARY KEY, name text, price numeric);
        CREATE TABLE r (id bigint PRIMARY KEY, name text, price numeric);
        INSERT INTO l VALUES (10, 'a', 1), (2, 'b', 1), (3, 'c', 1), (4, 'd', 1);
        INSERT INTO r VALUES (10, 'x', 1), (2, 'b', 2.50), (4, 'd', 1.00), (5, 'e', 1), (6, 'f', 1);
    """,
    settings=pair(),
    sample=4,
    expected={
        PAIR: fails(
            rows=9,
            drift=Found(
                5,
                title="public.l and public.r: 2 rows differ, 2 rows are missing in public.l, "
                "1 row is missing in public.r",
                sample=(
                    {"id": 2, "drift": "changed", "differing": {"price": {"left": "1", "right": "2.50"}}},
                    {"id": 3, "drift": "left_only"},
                    {"id": 5, "drift": "right_only"},
                    {"id": 6, "drift": "right_only"},
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
                remedy="1 row is only in public.l: insert it into public.r, or delete it from public.l.\n"
                "2 rows are only in public.r: insert them into public.l, or delete them from public.r.\n"
                "2 rows differ in name, price: update the side that is wrong.",
            ),
            columns=Found(
                1,
                severity=Severity.INFO,
                title="public.l and public.r have columns whose types differ: id",
                remedy="Give one type on both sides to id (integer, bigint).",
                sample=(
                    {
                        "left_column": "id",
                        "left_type": "integer",
                        "right_column": "id",
                        "right_type": "bigint",
                    },
                ),
                details={
                    "types_differ": {"id": {"left": "integer", "right": "bigint", "right_column": "id"}}
                },
            ),
        )
    },
)

MAPPED = Case(
    title="columns are mapped, numbers tolerated, and the newer side is counted",
    given="""
        CREATE TABLE l (game int, title text, score float8, updated_at timestamptz);
        CREATE TABLE r (nr int, name text, rating numeric, changed timestamptz, extra text);
        INSERT INTO l VALUES
            (1, 'a', 1.00, '2026-01-01 10:00+00'),
            (2, 'b', 2.00, '2026-01-01 12:00+00'),
            (3, 'c', 'NaN', '2026-01-01 10:00+00'),
            (4, 'd', 4.50, '2026-01-01 10:00+00'),
            (5, 'e', 5.00, NULL);
        INSERT INTO r VALUES
            (1, 'a', 1.01, '2026-01-01 10:15+00'),
            (2, 'b', 3.00, '2026-01-01 10:00+00'),
            (3, 'c', 3.00, '2026-01-01 10:00+00'),
            (4, 'd', 1.50, '2026-01-01 11:00+00'),
            (5, 'E', 5.00, '2026-01-01 11:00+00');
    """,
    settings=pair(
        key={"game": "nr"},
        columns={"title": "name", "score": "rating", "updated_at": "changed"},
        tolerance={"score": 0.01, "updated_at": "15m"},
        ignore=["extra"],
    ),
    expected={
        PAIR: fails(
            drift=Found(
                4,
                details={
                    "changed": 4,
                    "changed_by_column": {"title": 1, "score": 3, "updated_at": 3},
                    "newer": {"by": "updated_at", "left": 1, "right": 1, "neither": 1, "unknown": 1},
                    "score_drift": {"score": {"mean": -1.0, "largest": 3.0}},
                },
                remedy="4 rows differ in title, score, updated_at: update the side that is wrong."
                " Newer by updated_at: the left in 1 row, the right in 1 row.",
            ),
            columns=Found(
                1,
                details={"left_only": [], "right_only": []},
                remedy="Give one type on both sides to score/rating (double precision, numeric).",
            ),
        )
    },
)

DEFAULTS = Case(
    title="columns of the same name are compared, but for surrogates and ignored ones",
    given="""
        CREATE TABLE l (
            id bigint PRIMARY KEY, k int, v text, made text GENERATED ALWAYS AS (upper(v)) STORED,
            odd uuid, skipped int, only_left int
        );
        CREATE TABLE r (
            id bigint PRIMARY KEY, k int, v text, made text GENERATED ALWAYS AS (upper(v)) STORED,
            odd int, skipped int, only_right int
        );
        INSERT INTO l (id, k, v, skipped) VALUES (1, 1, 'a', 1), (2, 2, 'b', 1);
        INSERT INTO r (id, k, v, skipped) VALUES (7, 1, 'a', 2), (8, 2, 'x', 2);
    """,
    settings=pair(key={"k": "k"}, ignore=["skipped"]),
    expected={
        PAIR: fails(
            drift=Found(1, details={"changed_by_column": {"v": 1, "made": 1}}),
            incomparable_columns=Found(
                1,
                severity=Severity.WARNING,
                details={
                    "types_differ": {"odd": {"left": "uuid", "right": "integer", "right_column": "odd"}}
                },
            ),
            columns=Found(
                2,
                details={"left_only": ["only_left"], "right_only": ["only_right"]},
                title="public.l and public.r don't have the same columns: only_left, only_right",
                remedy="only_left of public.l is compared with nothing: map it under columns if the other"
                " side means the same by another name, else list it under ignore.\n"
                "only_right of public.r is compared with nothing: map it under columns if the other"
                " side means the same by another name, else list it under ignore.",
                sample=(
                    {
                        "left_column": "only_left",
                        "left_type": "integer",
                        "right_column": None,
                        "right_type": None,
                    },
                    {
                        "left_column": None,
                        "left_type": None,
                        "right_column": "only_right",
                        "right_type": "integer",
                    },
                ),
            ),
        )
    },
)

MANY_COLUMNS = Case(
    title="of many columns that differ the first are named; a newer side that is never newer is left out",
    given=f"""
        CREATE TABLE l (
            id int PRIMARY KEY, v text, updated_at date, {", ".join(f'"C {n}" int' for n in range(7))}
        );
        CREATE TABLE r (id int PRIMARY KEY, v text, updated_at date);
        INSERT INTO l (id, v) VALUES (1, 'a');
        INSERT INTO r (id, v) VALUES (1, 'b');
    """,
    settings=pair(),
    sample=0,
    expected={
        PAIR: fails(
            drift=Found(1, sample=(), remedy="1 row differs in v: update the side that is wrong."),
            columns=Found(
                7,
                sample=(),
                title="public.l and public.r don't have the same columns:"
                ' "C 0", "C 1", "C 2", "C 3", "C 4" and 2 more',
            ),
        )
    },
)

REFERENCES = Case(
    title="who references which side is noted, above all who references both",
    given="""
        CREATE TABLE l (id int PRIMARY KEY);
        CREATE TABLE r (id int PRIMARY KEY);
        CREATE TABLE both_of_them (one int REFERENCES l, other int REFERENCES r);
        CREATE TABLE of_l (one int REFERENCES l);
        CREATE TABLE a (id int PRIMARY KEY);
        CREATE TABLE b (id int PRIMARY KEY);
        CREATE TABLE of_a (one int REFERENCES a);
        CREATE TABLE c (id int PRIMARY KEY);
        CREATE TABLE of_c (one int REFERENCES c);
        CREATE TABLE parts_of_c (one int REFERENCES c) PARTITION BY LIST (one);
        CREATE TABLE part_of_c PARTITION OF parts_of_c DEFAULT;
    """,
    settings={
        "pairs": [
            {"left": "public.l", "right": "public.r"},
            {"left": "public.a", "right": "public.b"},
            {"left": "public.a", "right": "public.c"},
        ]
    },
    expected={
        PAIR: passes(
            references=Found(
                2,
                severity=Severity.INFO,
                title="public.both_of_them references both public.l and public.r",
                details={
                    "referenced_by": {
                        "left": ["public.both_of_them", "public.of_l"],
                        "right": ["public.both_of_them"],
                        "both": ["public.both_of_them"],
                    }
                },
            )
        ),
        "public.a <> public.b": passes(),
        "public.a <> public.c": passes(
            references=Found(
                3,
                title="public.of_a references public.a; public.of_c, public.parts_of_c reference public.c",
                sample=(
                    {"table": "public.of_a", "constraint": "of_a_one_fkey", "references": "public.a"},
                    {"table": "public.of_c", "constraint": "of_c_one_fkey", "references": "public.c"},
                    {
                        "table": "public.parts_of_c",
                        "constraint": "parts_of_c_one_fkey",
                        "references": "public.c",
                    },
                ),
            )
        ),
    },
)


BUDGET = Case(
    title="a pair passes up to its budget of rows, and is at fault with all its rows above it",
    given="""
        CREATE TABLE l (id int PRIMARY KEY, name text);
        CREATE TABLE r (id int PRIMARY KEY, name text);
        INSERT INTO l VALUES (1, 'a'), (2, 'b'), (3, 'c');
        INSERT INTO r VALUES (1, 'x'), (2, 'b'), (4, 'd');
        CREATE TABLE tight_l (id int, name text);
        CREATE TABLE tight_r (id int, name text);
        INSERT INTO tight_l SELECT * FROM l;
        INSERT INTO tight_r SELECT * FROM r;
        CREATE TABLE twice_l (id int, name text);
        CREATE TABLE twice_r (id int, name text);
        INSERT INTO twice_l VALUES (1, 'a'), (1, 'a');
        INSERT INTO twice_r VALUES (1, 'a');
    """,
    settings={
        "pairs": [
            {"left": "public.l", "right": "public.r", "budget": 3},
            {"left": "public.tight_l", "right": "public.tight_r", "key": {"id": "id"}, "budget": 2},
            {"left": "public.twice_l", "right": "public.twice_r", "key": {"id": "id"}, "budget": 100},
        ],
        # A severity of the settings is for what is at fault.
        "severity": {"*": "critical"},
    },
    expected={
        PAIR: passes(rows=6),
        "public.tight_l <> public.tight_r": fails(
            rows=6, drift=Found(3, severity=Severity.CRITICAL, details={"budget_rows": 2, "changed": 1})
        ),
        # A budget is for rows that differ, not for rows that cannot be told apart.
        "public.twice_l <> public.twice_r": fails(duplicate_keys=Found(1)),
    },
)


ROWS = [BUDGET, SAME, DRIFT, MAPPED, DEFAULTS, MANY_COLUMNS, REFERENCES]
