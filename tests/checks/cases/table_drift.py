"""What `table_drift` says of pairs of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.check import Severity
from tests.checks.case import Case, Expected, Found, fails, passes, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAIR = "public.l <> public.r"


def pair(**settings: object) -> dict[str, object]:
    return {"pairs": [{"left": "public.l", "right": "public.r", **settings}]}


class Values:
    """Pairs of one-row tables, in one database: whether two values of two types are equal.

    Each line is: name, type and value of the left, type and value of the right, whether they are equal.
    """

    def __init__(
        self,
        *lines: tuple[str, str, str, str, str, bool],
        tolerance: Mapping[str, Any] | None = None,
        key: bool = False,
    ) -> None:
        self.lines = lines
        self.tolerance = tolerance or {}
        self.key = key

    @property
    def given(self) -> str:
        return "\n".join(
            f"CREATE TABLE {name}_{side} (id int, v {kind}); INSERT INTO {name}_{side} VALUES (1, {value});"
            for name, left, one, right, other, _ in self.lines
            for side, kind, value in (("l", left, one), ("r", right, other))
        )

    @property
    def settings(self) -> dict[str, Any]:
        key = {"v": "v"} if self.key else {"id": "id"}
        return {
            "pairs": [
                {
                    "left": f"public.{name}_l",
                    "right": f"public.{name}_r",
                    "key": key,
                    "tolerance": {"v": self.tolerance[name]} if name in self.tolerance else {},
                }
                for name, *_ in self.lines
            ]
        }

    @property
    def expected(self) -> dict[str, Expected]:
        return {f"public.{name}_l <> public.{name}_r": self._outcome(*line) for name, *line in self.lines}

    def _outcome(self, left: str, _1: str, right: str, _2: str, equal: bool) -> Expected:
        # A collation is no part of the type's name.
        one, other = (kind.partition(" COLLATE")[0] for kind in (left, right))
        notes = {} if one == other else {"columns": Found(1)}
        if equal:
            return passes(rows=2, **notes)
        if self.key:
            return fails(rows=2, drift=Found(2, details={"left_only": 1, "right_only": 1}), **notes)
        return fails(rows=2, drift=Found(1, details={"changed_by_column": {"v": 1}}), **notes)


EQUAL = Values(
    ("nan", "float8", "'NaN'", "float8", "'NaN'", True),
    ("nan_1", "float8", "'NaN'", "float8", "1", False),
    ("numeric_nan", "numeric", "'NaN'", "float8", "'NaN'", True),
    ("zero", "float8", "'-0.0'", "float8", "'0.0'", True),
    ("infinity", "float8", "'Infinity'", "float8", "'Infinity'", True),
    ("infinities", "float8", "'Infinity'", "float8", "'-Infinity'", False),
    ("scale", "numeric", "1.0", "numeric", "1.00", True),
    ("scales", "numeric(5,1)", "1.0", "numeric(9,4)", "1", True),
    ("integers", "smallint", "7", "bigint", "7", True),
    ("integer_numeric", "int", "7", "numeric", "7.0", True),
    ("integer_numeric_off", "int", "7", "numeric", "7.1", False),
    ("numeric_double", "numeric", "0.1", "float8", "0.1", True),
    ("real_double", "real", "0.1", "float8", "0.1", True),
    ("real_double_off", "real", "0.1", "float8", "0.11", False),
    ("nulls", "text", "NULL", "text", "NULL", True),
    ("null_empty", "text", "NULL", "text", "''", False),
    ("null_zero", "int", "NULL", "int", "0", False),
    ("spaces", "text", "'a '", "text", "'a'", False),
    ("case_differs", "text", "'A'", "text", "'a'", False),
    ("padding", "char(5)", "'ab'", "char(9)", "'ab'", True),
    ("padding_text", "char(5)", "'ab'", "text", "'ab'", True),
    ("padding_off", "char(5)", "'ab'", "text", "'abc'", False),
    ("text_varchar", "text", "'ab'", "varchar(9)", "'ab'", True),
    ("name_char", "name", "'ab'", "char(5)", "'ac'", False),
    ("varchar_char", "varchar(5)", "'ab'", "char(5)", "'ac'", False),
    ("name_text", "name", "'ab'", "text", "'ab'", True),
    ("collations", "text", "'ab'", 'text COLLATE "C"', "'ab'", True),
    ("collations_off", "text", "'ab'", 'text COLLATE "C"', "'aB'", False),
    ("zones", "timestamptz", "'2026-01-01 12:00+02'", "timestamptz", "'2026-01-01 10:00+00'", True),
    ("zone_utc", "timestamptz", "'2026-01-01 12:00+02'", "timestamp", "'2026-01-01 10:00'", True),
    ("date_timestamp", "date", "'2026-01-01'", "timestamp", "'2026-01-01 00:00'", True),
    ("forever", "timestamptz", "'infinity'", "timestamptz", "'infinity'", True),
    ("jsonb_order", "jsonb", """'{"a": 1, "b": 2}'""", "jsonb", """'{"b": 2, "a": 1.0}'""", True),
    ("jsonb_null", "jsonb", "'null'", "jsonb", "NULL", False),
    ("json_order", "json", """'{"a": 1, "b": 2}'""", "json", """'{"b": 2,"a": 1}'""", True),
    ("json_off", "json", """'{"a": 1}'""", "json", """'{"a": 2}'""", False),
    ("json_jsonb", "json", """'{"a":1}'""", "jsonb", """'{"a": 1}'""", True),
    ("json_array", "json[]", """ARRAY['{"a":1}']::json[]""", "json[]", """ARRAY['{"a": 1}']::json[]""", True),
    ("arrays", "text[]", "'{a,NULL}'", "text[]", "'{a,NULL}'", True),
    ("arrays_off", "text[]", "'{a,b}'", "text[]", "'{b,a}'", False),
    ("array_null", "text[]", "'{}'", "text[]", "NULL", False),
    ("array_types", "int[]", "'{1,2}'", "bigint[]", "'{1,2}'", True),
    ("array_strings", "varchar(3)[]", "'{a}'", "text[]", "'{a}'", True),
    ("bytes", "bytea", r"'\x00ff'", "bytea", r"'\x00FF'", True),
    ("bytes_off", "bytea", r"'\x00'", "bytea", r"'\x0000'", False),
    ("bits", "bit(3)", "'101'", "varbit", "'101'", True),
    ("bits_one_type", "bit(3)", "'101'", "bit(3)", "'100'", False),
    ("points", "point", "'(1,2)'", "point", "'(1,2)'", True),
    ("points_off", "point", "'(1,2)'", "point", "'(2,1)'", False),
    ("point_array", "point[]", "ARRAY['(1,2)'::point]", "point[]", "ARRAY['(1,2)'::point]", True),
    # As text: these two squares are equal in PostgreSQL's eyes, which compares areas.
    ("boxes", "box", "'(1,1),(0,0)'", "box", "'(2,2),(1,1)'", False),
    ("paths", "jsonpath", "'$.a'", "jsonpath", "'$.a'", True),
    ("uuids", "uuid", f"'{'ab' * 16}'", "uuid", f"'{'AB' * 16}'", True),
    ("networks", "cidr", "'10.0.0.0/8'", "inet", "'10.0.0.0/8'", True),
    ("intervals", "interval", "'1 day'", "interval", "'24 hours'", True),
    ("booleans", "bool", "true", "bool", "false", False),
    ("enums", "mood", "'ok'", "mood", "'ok'", True),
    ("enums_off", "mood", "'ok'", "mood", "'bad'", False),
    ("enum_text", "mood", "'ok'", "text", "'ok'", True),
    ("enum_twin", "mood", "'ok'", "temper", "'ok'", True),
    ("domains", "score", "1.0", "score", "1", True),
    ("domain_base", "score", "1.0", "numeric", "1", True),
    ("domain_double", "score", "1.5", "float8", "1.5", True),
    ("domain_text", "slug", "'a'", "text", "'b'", False),
    ("domain_array", "score[]", "'{1.0}'", "score[]", "'{1}'", True),
    ("ranges", "int4range", "'[1,3]'", "int4range", "'[1,4)'", True),
    ("multiranges", "int4multirange", "'{[1,2),[2,3)}'", "int4multirange", "'{[1,3)}'", True),
    ("composites", "spot", "ROW(1, 1.0)", "spot", "ROW(1, 1.00)", True),
    ("composites_off", "spot", "ROW(1, NULL)", "spot", "NULL", False),
)

TYPES = """
    CREATE TYPE mood AS ENUM ('ok', 'bad');
    CREATE TYPE temper AS ENUM ('bad', 'ok');
    CREATE DOMAIN score AS numeric CHECK (VALUE >= 0);
    CREATE DOMAIN slug AS text;
    CREATE TYPE spot AS (number int, value numeric);
"""

NEAR = Values(
    ("close", "numeric", "1.00", "numeric", "1.01", True),
    ("apart", "numeric", "1.00", "numeric", "1.0101", False),
    # 0.3 - 0.29 is a little more than 0.01 in binary, but not for whoever reads it.
    ("binary", "float8", "0.3", "float8", "0.29", True),
    ("binary_apart", "float8", "0.3", "numeric", "0.28", False),
    ("reals", "real", "0.3", "float8", "0.31", True),
    ("nan", "float8", "'NaN'", "float8", "'NaN'", True),
    ("nan_1", "float8", "1", "float8", "'NaN'", False),
    ("infinity", "float8", "'Infinity'", "numeric", "'Infinity'", True),
    ("infinities", "float8", "'Infinity'", "float8", "'-Infinity'", False),
    ("infinity_1", "float8", "'Infinity'", "float8", "1", False),
    ("huge", "float8", "1.7e308", "float8", "-1.7e308", False),
    ("nulls", "float8", "NULL", "float8", "NULL", True),
    ("null_0", "float8", "NULL", "float8", "0", False),
    ("integers", "int", "2147483647", "int", "2147483645", True),
    ("exactly", "numeric", "1.0", "numeric", "1.00", True),
    ("soon", "timestamptz", "'2026-01-01 10:00+00'", "timestamptz", "'2026-01-01 10:15+00'", True),
    ("late", "timestamptz", "'2026-01-01 10:00+00'", "timestamptz", "'2026-01-01 10:15:01+00'", False),
    ("forever", "timestamptz", "'infinity'", "timestamptz", "'infinity'", True),
    ("ever_never", "timestamptz", "'infinity'", "timestamptz", "'-infinity'", False),
    ("days", "date", "'2026-01-01'", "date", "'2026-01-02'", True),
    ("day_hour", "date", "'2026-01-01'", "timestamp", "'2026-01-02 00:01'", False),
    tolerance={
        **dict.fromkeys(("close", "apart", "binary", "binary_apart", "reals", "nan", "nan_1"), 0.01),
        **dict.fromkeys(("infinity", "infinities", "infinity_1", "huge", "nulls", "null_0"), 0.01),
        **dict.fromkeys(("soon", "late", "forever", "ever_never"), "15m"),
        **dict.fromkeys(("days", "day_hour"), "1d"),
        "integers": 2,
        "exactly": 0,
    },
)

KEYS = Values(
    ("integers", "int", "1", "bigint", "1", True),
    ("integer_numeric", "int", "1", "numeric", "1.00", True),
    ("texts", "text", "'a'", "varchar(5)", "'a'", True),
    ("text_case", "text", "'a'", "text", "'A'", False),
    ("padded", "char(5)", "'a'", "char(9)", "'a'", True),
    ("padded_text", "char(5)", "'a'", "text", "'a'", True),
    ("nan", "float8", "'NaN'", "float8", "'NaN'", True),
    ("zero", "float8", "'-0.0'", "float8", "0", True),
    ("uuids", "uuid", f"'{'ab' * 16}'", "uuid", f"'{'AB' * 16}'", True),
    ("moments", "timestamptz", "'2026-01-01 00:00+00'", "date", "'2026-01-01'", True),
    ("bytes", "bytea", r"'\x00'", "bytea", r"'\x01'", False),
    ("enums", "mood", "'ok'", "mood", "'ok'", True),
    ("enum_text", "mood", "'ok'", "text", "'ok'", True),
    ("arrays", "int[]", "'{1}'", "bigint[]", "'{1}'", True),
    ("ranges", "int4range", "'[1,3]'", "int4range", "'[1,4)'", True),
    ("domains", "score", "1", "numeric", "1.0", True),
    ("collations", "text", "'ab'", 'text COLLATE "C"', "'ab'", True),
    ("empty", "text", "''", "text", "''", True),
    ("jsons", "jsonb", "'1'", "json", "'1.0'", True),
    key=True,
)

CITEXT = Values(
    ("citext", "citext", "'A'", "citext", "'a'", True),
    ("citext_off", "citext", "'A'", "citext", "'b'", False),
    ("citext_null", "citext", "''", "citext", "NULL", False),
    ("citext_nulls", "citext", "NULL", "citext", "NULL", True),
    ("citext_domain", "nick", "'A'", "citext", "'a'", True),
    ("citext_array", "citext[]", "'{A}'", "citext[]", "'{a}'", True),
    ("citext_text", "citext", "'A'", "text", "'a'", False),
    ("hstores", "hstore", "'a=>1, b=>2'", "hstore", "'b=>2, a=>1'", True),
    ("hstores_off", "hstore", "'a=>1'", "hstore", "'a=>2'", False),
)

CITEXT_KEYS = Values(
    ("citext_key", "citext", "'A'", "citext", "'a'", True),
    ("citext_key_off", "citext", "'A'", "citext", "'b'", False),
    ("citext_key_domain", "nick", "'A'", "nick", "'a'", True),
    key=True,
)

EXTENSIONS = """
    CREATE SCHEMA "Ext!";
    CREATE EXTENSION citext SCHEMA "Ext!";
    CREATE EXTENSION hstore SCHEMA "Ext!";
    SET search_path = public, "Ext!";
    CREATE DOMAIN nick AS citext;
"""

FOLDED = Values(
    ("folded", "text COLLATE folding", "'A'", "text COLLATE folding", "'a'", True),
    ("folded_off", "text COLLATE folding", "'A'", "text COLLATE folding", "'b'", False),
    # Each side sees equality in another way: bytes decide.
    ("half_folded", "text COLLATE folding", "'A'", "text", "'a'", False),
)

FOLDED_KEYS = Values(
    ("folded_key", "text COLLATE folding", "'A'", "text COLLATE folding", "'a'", True),
    ("half_folded_key", "text COLLATE folding", "'A'", "text", "'a'", False),
    key=True,
)

FOLDING = """
    CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
"""

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
                title="public.l and public.r don't have the same columns: id",
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

EXPRESSIONS = Case(
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

BROKEN_EXPRESSIONS = Case(
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
                remedy="only_left is only in public.l: map it under columns if the other side means the same"
                " by another name, else list it under ignore.\n"
                "only_right is only in public.r: map it under columns if the other side means the same"
                " by another name, else list it under ignore.",
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
    """,
    settings={
        "pairs": [
            {"left": "public.l", "right": "public.r"},
            {"left": "public.seen", "right": "public.kept", "key": {"id": "id"}},
            {"left": "public.seen", "right": "public.unfilled", "key": {"id": "id"}},
            {"left": "public.l", "right": "public.away", "key": {"id": "id"}},
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
        "public.l <> public.away": unknown("foreign table"),
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


CASES = [
    SAME,
    DRIFT,
    MAPPED,
    DUPLICATES,
    NULL_KEYS,
    EXPRESSIONS,
    BROKEN_EXPRESSIONS,
    DEFAULTS,
    MANY_COLUMNS,
    REFERENCES,
    KINDS,
    WIDE,
    IDENTIFIERS,
    LONG_VALUES,
    PROTECTED,
    misfits(),
    *(
        Case(
            title=title,
            given=given + values.given,
            settings=values.settings,
            expected=values.expected,
            server=on,
        )
        for title, values, given, on in (
            ("values are equal as PostgreSQL says", EQUAL, TYPES, ()),
            ("values may be apart by a tolerance", NEAR, "", ()),
            ("keys meet as PostgreSQL says", KEYS, TYPES, ()),
            ("types of extensions bring their own equality", CITEXT, EXTENSIONS, (pytest.mark.contrib,)),
            ("keys of extensions' types meet as they say", CITEXT_KEYS, EXTENSIONS, (pytest.mark.contrib,)),
            # The extra's servers are built without ICU, and without it there is no such collation.
            ("collations decide what is equal", FOLDED, FOLDING, (pytest.mark.contrib,)),
            ("collations decide which keys meet", FOLDED_KEYS, FOLDING, (pytest.mark.contrib,)),
        )
    ),
]
