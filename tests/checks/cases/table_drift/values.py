"""Whether two values of two types are equal, and two keys the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.checks.case import Case, Expected, Found, fails, passes

if TYPE_CHECKING:
    from collections.abc import Mapping


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


VALUES = [
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
]
