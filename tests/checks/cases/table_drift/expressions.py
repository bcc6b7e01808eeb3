"""Rows that are matched by what expressions compute."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.case import Case, Found, fails, passes, unknown
from tests.checks.cases.table_drift.common import PAIR
from tests.checks.cases.table_drift.values import EXTENSIONS, FOLDING

MATCHED = Case(
    title="rows are matched by an expression, on either side",
    given="""
        CREATE TABLE l (slug text, n int, v text);
        CREATE TABLE r (name text, n text, v text);
        INSERT INTO l VALUES ('One', 1, 'a'), ('TWO', 2, 'a'), ('three', 3, 'a');
        INSERT INTO r VALUES ('one', '1', 'a'), ('two', '2', 'b'), ('three%', '3', 'a');
        CREATE TABLE q (slug text, v text);
        INSERT INTO q VALUES ('A', 'x'), ('a', 'x');
        CREATE TABLE p (slug text, v text);
        INSERT INTO p VALUES ('a', 'x');
    """,
    settings={
        "pairs": [
            {
                "left": "public.l",
                "right": "public.r",
                "key": {"lower(slug)": "name", "(n * 10) % 100": "(n || '0')::int"},
                "columns": {"v": "v"},
                "ignore": ["slug", "name", "n"],
            },
            {"left": "public.q", "right": "public.p", "key": {"lower(slug)": "slug"}, "columns": {"v": "v"}},
        ]
    },
    expected={
        PAIR: fails(
            drift=Found(
                3,
                sample=(
                    {"lower(slug)": "three", "(n * 10) % 100": "30", "drift": "left_only"},
                    {"lower(slug)": "three%", "(n * 10) % 100": "30", "drift": "right_only"},
                    {
                        "lower(slug)": "two",
                        "(n * 10) % 100": "20",
                        "drift": "changed",
                        "differing": {"v": {"left": "a", "right": "b"}},
                    },
                ),
            )
        ),
        "public.q <> public.p": fails(
            duplicate_keys=Found(1, sample=({"side": "left", "lower(slug)": "a", "copies": 2},))
        ),
    },
)

BROKEN = Case(
    title="an expression that the server refuses leaves the pair unknown",
    given="""
        CREATE TABLE l (id int, slug text);
        CREATE TABLE r (id int, slug text);
        CREATE TABLE r2 (id int, slug text);
        INSERT INTO l VALUES (1, 'a');
        CREATE FUNCTION break_out() RETURNS int LANGUAGE sql AS 'DELETE FROM public.l RETURNING 1';
    """,
    settings={
        "pairs": [
            {"left": "public.l", "right": "public.r", "key": {"lower(slugg)": "slug"}},
            {"left": "public.l", "right": "public.r2", "key": {"public.break_out()": "id"}},
            {"left": "public.r", "right": "public.r2", "key": {"id + 1": "slug"}},
        ]
    },
    expected={
        PAIR: unknown('column "slugg" does not exist'),
        "public.l <> public.r2": unknown("read-only transaction"),
        "public.r <> public.r2": unknown("id + 1: slug is integer on the left and text on the right"),
    },
)

SETS = Case(
    title="what computes no value of a single row is no key",
    given="""
        CREATE TABLE l (id int, tags text[], v text);
        CREATE TABLE r (id int, tag text);
        CREATE TABLE r2 (LIKE r);
        CREATE TABLE r3 (LIKE r);
        INSERT INTO l VALUES (1, '{}', 'a'), (2, NULL, 'b');
        INSERT INTO r2 VALUES (2);
        INSERT INTO r3 VALUES (2);
    """,
    settings={
        "pairs": [
            {"left": "public.l", "right": f"public.{right}", "key": key, "columns": {}}
            for right, key in (
                ("r", {"unnest(tags)": "tag"}),
                ("r2", {"max(id)": "max(id)"}),
                ("r3", {"count(*) OVER ()": "id"}),
            )
        ]
    },
    expected={
        PAIR: unknown("set-returning functions are not allowed"),
        "public.l <> public.r2": unknown("aggregate functions are not allowed"),
        "public.l <> public.r3": unknown("window functions are not allowed"),
    },
)

LOSS, MISFIT = "would meet with loss", "cannot be compared"


def meeting(title: str, given: str, *lines: tuple[str, ...], server: Any = ()) -> Case:
    """Return the case of pairs of one-row tables, matched by expressions over their one column v.

    Each line is: name, type, value and expression of the left, those of the right, and what must come of it:
    `meet`, `part`, or words of the reason why nobody can tell.
    """
    tables = (
        f"CREATE TABLE {name}_{side} (v {kind}); INSERT INTO {name}_{side} VALUES ({value});"
        for name, left, one, _1, right, other, _2, _3 in lines
        for side, kind, value in (("l", left, one), ("r", right, other))
    )
    outcomes = {
        "meet": passes(rows=2),
        "part": fails(rows=2, drift=Found(2, details={"left_only": 1, "right_only": 1})),
    }
    return Case(
        title=title,
        given=given + "\n".join(tables),
        settings={
            "pairs": [
                {
                    "left": f"public.{name}_l",
                    "right": f"public.{name}_r",
                    "key": {left: right},
                    "columns": {},
                }
                for name, _1, _2, left, _3, _4, right, _5 in lines
            ]
        },
        expected={
            f"public.{name}_l <> public.{name}_r": outcomes.get(outcome) or unknown(outcome)
            for name, *_, outcome in lines
        },
        server=server,
    )


TYPES = meeting(
    "expressions meet by the types of what they compute, or not at all",
    "CREATE DOMAIN amount AS numeric;",
    # As doubles, these two are equal.
    ("lossy", "float8", "9007199254740992", "v + 0", "numeric", "9007199254740993", "v", LOSS),
    ("lossy_back", "numeric", "1", "v", "real", "1", "v + 0", LOSS),
    ("lossy_array", "float8[]", "'{1}'", "v || v", "numeric[]", "'{1,1}'", "v", LOSS),
    ("cast", "float8", "0.1", "v::numeric", "numeric", "0.10", "v", "meet"),
    ("integers", "int", "7", "v + 0", "bigint", "7", "v", "meet"),
    ("numbers", "int", "7", "v + 0", "numeric", "7.0", "v", "meet"),
    ("numbers_off", "int", "7", "v + 0", "numeric", "7.1", "v", "part"),
    ("domains", "amount", "1.0", "coalesce(v, 0)", "numeric", "1", "v", "meet"),
    ("padded", "char(5)", "'ab'", "coalesce(v, '')", "text", "'ab'", "v", "meet"),
    ("texts", "text", "'A'", "trim(v)", "text", "'a'", "v", "part"),
    (
        "moments",
        "timestamptz",
        "'2026-01-01 12:00+02'",
        "coalesce(v, now())",
        "timestamp",
        "'2026-01-01 10:00'",
        "v",
        "meet",
    ),
    ("days", "timestamptz", "'2026-01-01 01:00+02'", "v::date", "date", "'2025-12-31'", "v", "meet"),
    ("words", "int", "1", "v + 1", "text", "'2'", "v", MISFIT),
    ("documents", "json", """'{"a": 1}'""", "v", "jsonb", """'{"a": 1.0}'""", "v || '{}'", "meet"),
    ("points", "point", "'(1,2)'", "v + point '(0,0)'", "point", "'(1,2)'", "v", "meet"),
)

COLLATIONS = meeting(
    "expressions meet by a collation that both have, else byte by byte",
    FOLDING,
    ("one", "text", "'A'", "trim(v)", "text COLLATE folding", "'a'", "v", "part"),
    ("other", "text COLLATE folding", "'A'", "v", "text", "'a'", "trim(v)", "part"),
    ("same", "text", "'a'", "trim(v)", "text COLLATE folding", "'a'", "v", "meet"),
    ("both", "text COLLATE folding", "'A'", "trim(v)", "text COLLATE folding", "'a'", "v", "meet"),
    ("named", "text", "'A'", "v COLLATE public.folding", "text COLLATE folding", "'a'", "v", "meet"),
    ("lower", "text", "'A'", "lower(v)", "text COLLATE folding", "'a'", "v", "meet"),
    server=(pytest.mark.contrib,),
)

EXTENSION_TYPES = meeting(
    "what expressions compute of extensions' types meets as those say",
    EXTENSIONS,
    ("citexts", "citext", "'A'", "coalesce(v, '')", "citext", "'a'", "coalesce(v, '')", "meet"),
    ("citexts_off", "citext", "'A'", "coalesce(v, '')", "citext", "'b'", "v", "part"),
    ("nicks", "nick", "'A'", "coalesce(v, v)", "citext", "'a'", "v", "meet"),
    ("citext_text", "citext", "'A'", "coalesce(v, '')", "text", "'a'", "v", "part"),
    server=(pytest.mark.contrib,),
)


EXPRESSIONS = [MATCHED, BROKEN, SETS, TYPES, COLLATIONS, EXTENSION_TYPES]
