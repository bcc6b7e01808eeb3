"""Values as texts that are equal exactly when the values are, whichever server writes them.

A text stands for a value as it is compared within one database: cast to the type in which the two sides meet,
without what does not count there (the scale of a numeric, the sign of a zero, the padding of char(n)). The
session's own settings (ISO dates, UTC, shortest exact floats) make the rest of it.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from psycopg import sql

from pgvigil.catalog import Column
from pgvigil_checks.table_drift_types import (
    INTEGERS,
    Equality,
    as_numeric,
    common_type,
    is_moment,
    trusted,
)

_FLOATS = frozenset({"real", "double precision"})
_STRINGS = frozenset({"text", "character varying", "character", "name", '"char"'})
_PLAIN = frozenset("boolean uuid bytea oid bit cidr inet macaddr macaddr8 date".split()) | {
    "bit varying",
    "timestamp without time zone",
    "timestamp with time zone",
    "time without time zone",
    "time with time zone",
    "int4range",
    "int8range",
    "daterange",
    "tsrange",
    "tstzrange",
}
_ELEMENTS = (
    INTEGERS
    | {"text", "character varying", "boolean", "uuid", "bytea", "date"}
    | {"timestamp without time zone", "timestamp with time zone"}
)
# Months are 30 days and days 24 hours when intervals are compared. extract() is exact, and numeric.
_INTERVAL = """CASE WHEN pg_catalog.isfinite({v}) THEN pg_catalog.trim_scale(
    (EXTRACT(year FROM {v}) * 12 + EXTRACT(month FROM {v})) * 2592000 + EXTRACT(day FROM {v}) * 86400
    + EXTRACT(hour FROM {v}) * 3600 + EXTRACT(minute FROM {v}) * 60 + EXTRACT(second FROM {v})
)::text ELSE {v}::text END"""
# In the text of a jsonb only the zeros at the end of a fraction say nothing. Strings are left as they are.
_JSONB = r"""CASE WHEN {v}::text ~ '\.[0-9]*0(?![0-9])' THEN pg_catalog.regexp_replace({v}::text,
    '("(?:[^"\\]|\\.)*")|\.0+(?![0-9])|(\.[0-9]*[1-9])0+(?![0-9])', '\1\2', 'g') ELSE {v}::text END"""


def reason(compared: Equality, left: Column, right: Column) -> str | None:
    """Say why values of two columns have no canonical text; None when they have one."""
    folded = not (left.deterministic and right.deterministic)
    if folded and not compared.bytewise and compared.cast != "text":
        return f"a collation decides what is equal in {left.name}, and no text stands for that"
    if _kind(compared, left, right) is None:
        return f"{left.name} is {left.type}, for which no text is known that is the same in every database"
    return None


def text(
    compared: Equality,
    sides: tuple[Column, Column],
    value: sql.Composable,
    column: Column,
    tolerance: Decimal | timedelta | None = None,
) -> sql.Composable:
    """Compose the canonical text of a value of `column`, one of the two sides.

    With a tolerance that is a number it is the value's own, as exact as the column has it.
    """
    if isinstance(tolerance, Decimal):
        shown = sql.SQL("pg_catalog.trim_scale({})::text").format(as_numeric(column.base_type, value))
    else:
        shown = sql.SQL(_TEXTS.get(_kind(compared, *sides) or "", "{v}::text")).format(
            v=_cast(compared, sides, value, column)
        )
    return sql.SQL('({} COLLATE pg_catalog."C")').format(shown)


def epoch(
    compared: Equality, sides: tuple[Column, Column], value: sql.Composable, column: Column
) -> sql.Composable:
    """Compose a moment as seconds since 1970, exactly."""
    moment = _cast(compared, sides, value, column)
    if common_type(compared, *sides) == "date":
        moment = sql.SQL("{}::timestamp").format(moment)
    return sql.SQL("EXTRACT(epoch FROM {})::text").format(moment)


def native(compared: Equality, left: Column, right: Column) -> str | None:
    """Return the type as which the values of both sides are found by their own indexes, if there is one."""
    types = {left.base_type, right.base_type}
    if types <= INTEGERS:
        return common_type(compared, left, right)
    if types <= {"text", "character varying"} and left.deterministic and right.deterministic:
        return "text"
    one_of = {"uuid", "bytea", "numeric"}
    if len(types) == 1 and (types <= one_of or is_moment(left)):
        return left.base_type
    return None


_TEXTS = {
    "numeric": "pg_catalog.trim_scale({v})::text",
    "real": "({v} OPERATOR(pg_catalog.+) 0::real)::text",
    "double precision": "({v} OPERATOR(pg_catalog.+) 0::double precision)::text",
    "interval": _INTERVAL,
    "jsonb": _JSONB,
}


def _kind(compared: Equality, left: Column, right: Column) -> str | None:
    """Return how values become texts: one of `_TEXTS`, or `plain`; None when nobody knows."""
    common = common_type(compared, left, right)
    if compared.cast == "text" or (left.category == right.category == "E" and compared.schema is None):
        return "plain"
    if common in _TEXTS:
        return common
    if common in INTEGERS or common in _STRINGS or common in _PLAIN:
        return "plain"
    if common is not None and common.endswith("[]") and common[:-2] in _ELEMENTS:
        return "plain"
    return None


def _cast(
    compared: Equality, sides: tuple[Column, Column], value: sql.Composable, column: Column
) -> sql.Composable:
    """Compose a value in the type in which both sides are compared."""
    common = common_type(compared, *sides)
    cast = Equality(compared.cast, schema=compared.schema).value(value, column)
    if compared.cast is None and common is not None and common != column.base_type:
        cast = sql.SQL("{}::{}").format(cast, trusted(common))
    return sql.SQL("({})").format(cast)
