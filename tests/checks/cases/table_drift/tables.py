"""Tables of every kind, width and name, and settings that don't fit them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.checks.case import Case, Found, fails, passes, unknown
from tests.checks.cases.table_drift.common import PAIR, pair

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = Case(
    title="partitions, inheritance children, views and materialised views are compared, with all their rows",
    given="""
        CREATE TABLE l (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE l_1 PARTITION OF l FOR VALUES FROM (0) TO (10);
        CREATE TABLE l_2 PARTITION OF l FOR VALUES FROM (10) TO (20);
        CREATE TABLE r (id int PRIMARY KEY, v text);
        CREATE TABLE r_child () INHERITS (r);
        INSERT INTO l VALUES (1, 'a'), (11, 'a'), (12, 'a');
        INSERT INTO r VALUES (1, 'a');
        -- The parent's unique index knows nothing of its children.
        INSERT INTO r_child VALUES (11, 'a'), (1, 'a');
        CREATE VIEW seen AS SELECT id, v FROM l;
        CREATE MATERIALIZED VIEW kept AS SELECT id, v FROM l WHERE id < 12;
        CREATE MATERIALIZED VIEW unfilled AS SELECT id, v FROM l WITH NO DATA;
        CREATE FOREIGN DATA WRAPPER nowhere;
        CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
        CREATE FOREIGN TABLE away (id int, v text) SERVER far;
        CREATE TABLE split (id int, v text) PARTITION BY RANGE (id);
        CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
        CREATE FOREIGN TABLE split_away PARTITION OF split_1 FOR VALUES FROM (0) TO (5) SERVER far;
        CREATE TABLE heir (id int, v text);
        CREATE FOREIGN TABLE heir_away () INHERITS (heir) SERVER far;
    """,
    settings={
        "pairs": [
            {"left": "public.l", "right": "public.r"},
            {"left": "public.seen", "right": "public.kept", "key": {"id": "id"}},
            {"left": "public.seen", "right": "public.unfilled", "key": {"id": "id"}},
            {"left": "public.l", "right": "public.away", "key": {"id": "id"}},
            {"left": "public.split", "right": "public.l", "key": {"id": "id"}},
            {"left": "public.l", "right": "public.heir", "key": {"id": "id"}},
        ]
    },
    expected={
        PAIR: fails(
            rows=6,
            drift=Found(1, sample=({"id": 12, "drift": "left_only"},)),
            duplicate_keys=Found(1, sample=({"side": "right", "id": 1, "copies": 2},)),
        ),
        "public.seen <> public.kept": fails(rows=5, drift=Found(1)),
        "public.seen <> public.unfilled": unknown("has not been populated"),
        "public.l <> public.away": unknown("public.away is a foreign table"),
        "public.split <> public.l": unknown("public.split_away is a foreign table"),
        "public.l <> public.heir": unknown("public.heir_away is a foreign table"),
    },
)

WIDE = Case(
    title="tables of 1,600 columns are compared",
    given="""
        DO $$
        BEGIN
            EXECUTE (
                SELECT format('CREATE TABLE l (%s)', string_agg(format('c%s int2', n), ', ' ORDER BY n))
                FROM generate_series(1, 1600) AS n
            );
            CREATE TABLE r (LIKE l);
            EXECUTE (
                SELECT format('INSERT INTO l SELECT %s FROM generate_series(1, 4) AS i',
                    string_agg(CASE n WHEN 1 THEN 'i' ELSE n::text END, ', ' ORDER BY n))
                FROM generate_series(1, 1600) AS n
            );
            INSERT INTO r SELECT * FROM l WHERE c1 < 4;
            UPDATE r SET c1600 = 0, c2 = NULL WHERE c1 = 2;
            EXECUTE (
                SELECT 'UPDATE r SET ' || string_agg(format('c%s = 0', n), ', ' ORDER BY n) || ' WHERE c1 = 3'
                FROM generate_series(2, 1600) AS n
            );
        END $$
    """,
    settings=pair(key={"c1": "c1"}),
    sample=1,
    server=(pytest.mark.newest_pg,),  # the statement grows long, whatever the server
    expected={
        PAIR: fails(
            drift=Found(
                3,
                sample=(
                    {
                        "c1": 2,
                        "drift": "changed",
                        "differing": {
                            "c2": {"left": "2", "right": None},
                            "c1600": {"left": "1600", "right": "0"},
                        },
                    },
                ),
                details={"changed": 2, "left_only": 1},
            )
        )
    },
)

LONG = "ä" * 31 + "x"  # 63 bytes

IDENTIFIERS = Case(
    title="names of any kind are compared: quotes, dots, per cent, braces, 63 bytes",
    given=f"""
        CREATE SCHEMA "a.b";
        CREATE TABLE "a.b"."l %s {{}}" ("%(k)s" int, "{{0}}" text, "{LONG}" text, "say ""hi""; --" text);
        CREATE TABLE "a.b"."{LONG}" ("k'1" int, "{{0}}" text, "{LONG}" text, "say ""hi""; --" text);
        INSERT INTO "a.b"."l %s {{}}" VALUES (1, 'a', 'a', 'a');
        INSERT INTO "a.b"."{LONG}" VALUES (1, 'b', 'b', 'b'), (2, 'x', 'x', 'x'), (2, 'x', 'x', 'x'), (NULL);
    """.replace("(NULL)", "(NULL, 'x', 'x', 'x')"),
    settings={"pairs": [{"left": '"a.b"."l %s {}"', "right": f'"a.b"."{LONG}"', "key": {"%(k)s": "k'1"}}]},
    expected={
        f'"a.b"."l %s {{}}" <> "a.b"."{LONG}"': fails(
            drift=Found(
                3,
                details={"changed_by_column": {"{0}": 1, LONG: 1, 'say "hi"; --': 1}, "right_only": 2},
            ),
            duplicate_keys=Found(1, sample=({"side": "right", "%(k)s": 2, "copies": 2},)),
            null_keys=Found(1, sample=({"side": "right", "%(k)s": None},)),
        )
    },
)

LONG_VALUES = Case(
    title="a sample holds the beginning of long values, and of the first ten columns that differ",
    given=f"""
        CREATE TABLE l (k text, {", ".join(f"c{n} text" for n in range(11))});
        CREATE TABLE r (LIKE l);
        INSERT INTO l (k, c0) VALUES (repeat('k', 300), repeat('v', 300)), ('a');
        INSERT INTO l VALUES ('b', {", ".join(["'x'"] * 11)});
        INSERT INTO r VALUES ('a'), ('b');
    """.replace("('a');\n        INSERT INTO l V", "('a', NULL);\n        INSERT INTO l V"),
    settings=pair(key={"k": "k"}),
    expected={
        PAIR: fails(
            drift=Found(
                2,
                sample=(
                    {
                        "k": "b",
                        "drift": "changed",
                        "differing": {f"c{n}": {"left": "x", "right": None} for n in range(10)},
                    },
                    {"k": "k" * 200, "drift": "left_only"},
                ),
                details={"changed_by_column": {f"c{n}": 1 for n in range(11)}},
            )
        )
    },
)

PROTECTED = Case(
    title="rows that a policy hides, and tables that may not be read, leave the pair unknown",
    given="""
        CREATE TABLE l (id int PRIMARY KEY);
        CREATE TABLE r (id int PRIMARY KEY);
        CREATE TABLE s (id int PRIMARY KEY);
        INSERT INTO l VALUES (1);
        ALTER TABLE l ENABLE ROW LEVEL SECURITY;
        GRANT SELECT ON l, r TO drift_reader;
    """,
    settings={
        "pairs": [{"left": "public.l", "right": "public.r"}, {"left": "public.r", "right": "public.s"}]
    },
    role="drift_reader",
    expected={PAIR: unknown("row-level security"), "public.r <> public.s": unknown("permission denied")},
)


def misfits() -> Case:
    """Return the case of all settings that don't fit: each pair of settings, and words of what is said."""
    wrong: Sequence[tuple[str, str, str, dict[str, Any], str]] = (
        ("l", "gone", "there is no table public.gone", {}, "public.l <> public.gone"),
        ("l", "l", "paired with itself", {}, "public.l <> public.l"),
        ("l", "keyless", "name a key", {}, ""),
        ("keyless", "r", "has no column 'nr'; did you mean 'nrs'?", {"key": {"nr": "id"}}, ""),
        ("l", "a", "has no column 'ix'", {"key": {"id": "ix"}}, ""),
        ("l", "b", "id is integer and v is text: cast one side", {"key": {"id": "v"}}, ""),
        ("l", "c", "a ')' closes nothing", {"key": {"id) ; DROP TABLE l; --": "id"}}, ""),
        ("l", "d", "character ';' has no place", {"key": {"abs(id); DROP TABLE l": "id"}}, ""),
        ("l", "e", "comments have no place", {"key": {"abs(id) -- x": "id"}}, ""),
        ("l", "f", "reaches beyond the row", {"key": {"(SELECT 1)": "id"}}, ""),
        ("l", "g", "no column 'vv'; did you mean 'v'?", {"columns": {"v": "vv"}}, ""),
        ("l", "h", "integer cannot be compared with text", {"columns": {"id": "v"}}, ""),
        ("l", "i", "a tolerance of v, text and text, is none", {"tolerance": {"v": 1}}, ""),
        ("l", "j", "is a duration such as 15m", {"tolerance": {"t": 1}}, ""),
        ("l", "k", "is a number such as 0.01", {"tolerance": {"n": "15m"}}, ""),
        ("l", "m", "'w' is not compared", {"tolerance": {"w": 1}}, ""),
        ("l", "n", "neither table has a column 'w'", {"ignore": ["w"]}, ""),
        ("l", "o", "'v' is no compared date or timestamp", {"newer": "v"}, ""),
        ("l", "q", "more than one", {"key": {"abs(id), abs(n)": "id"}}, ""),
        ("l", "s", "is never closed", {"key": {"abs(id": "id"}}, ""),
        ("l", "u", "write a plain string", {"key": {r"v || E'\''": "v"}}, ""),
        ("r", "l", "already there", {}, "public.r <> public.l"),
    )
    twins = [right for _, right, *_ in wrong if right not in ("gone", "l", "r", "keyless")]
    create = "CREATE TABLE {} (id int PRIMARY KEY, v text, n numeric, t timestamptz);"
    return Case(
        title="settings that don't fit the tables are problems, each with what to do",
        given="\n".join(create.format(name) for name in ("l", "r", *twins))
        + "CREATE TABLE keyless (nrs int);",
        settings={
            "pairs": [
                {"left": "public.l", "right": "public.r"},
                *(
                    {"left": f"public.{left}", "right": f"public.{right}", **more}
                    for left, right, _, more, _ in wrong
                ),
            ]
        },
        expected={PAIR: passes()},
        problems={f"public.{left} <> public.{right}": words for left, right, words, _, _ in wrong},
    )


TABLES = [KINDS, WIDE, IDENTIFIERS, LONG_VALUES, PROTECTED, misfits()]
