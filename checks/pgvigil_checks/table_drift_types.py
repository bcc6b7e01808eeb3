"""When values of two columns are equal, whatever their types.

Values are equal when PostgreSQL's own equality says so: NaN is NaN, -0.0 is 0.0, 1.0 is 1.00, the key order
of jsonb does not matter, the padding of char(n) does not either, citext and nondeterministic collations see
what they are made to see. Beyond that:

- Of different numeric types, the less exact one decides: numeric 0.1 and real 0.1 are equal.
- A timestamp without time zone is taken as UTC where it meets one with, whatever the session's time zone.
- json is compared as jsonb. Other types without an equality (point, xml) are compared as text.
- Where the collations of two strings differ, and where a string meets an enum or an extension's string type
  (citext), bytes are compared.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from pgvigil.catalog import Column, parse_table

INTEGERS = frozenset({"smallint", "integer", "bigint"})
_FLOATS = frozenset({"double precision", "real"})
_STRINGS = frozenset({'"char"', "name", "character", "character varying", "text"})
_TEXTS = {"character varying", "text"}
# Within a family the later type can stand for the earlier ones.
_NUMBERS = ("smallint", "integer", "bigint", "numeric", "double precision", "real")
_ZONED = "timestamp with time zone"
_MOMENTS = ("date", "timestamp without time zone", _ZONED)
_FAMILIES = (
    _NUMBERS,
    _MOMENTS,
    ("cidr", "inet"),
    ("bit", "bit varying"),
    ("json", "jsonb"),
)
# Built-in types that an array can hold but not compare.
_NO_EQUALITY = frozenset(
    "json jsonpath xml point line lseg box path polygon circle refcursor txid_snapshot pg_snapshot".split()
)
# Enums, ranges, composites and arrays compare through polymorphic operators of pg_catalog.
_POLYMORPHIC = frozenset("ERCA")


@dataclass(frozen=True, slots=True)
class Equality:
    """How the values of two columns are compared: each is cast, then an equality is asked.

    `cast` is None where PostgreSQL compares the types as they are, so that an index can help. `bytewise` puts
    both under the collation "C". `schema` is where the `=` of an extension's type lives.
    """

    cast: str | None = None
    bytewise: bool = False
    schema: str | None = None

    def value(self, value: sql.Composable, column: Column) -> sql.Composable:
        """Compose what stands for a value of a column, or of what is described like one."""
        if self.cast == _ZONED and column.base_type != _ZONED:
            # A cast would ask for the session's time zone.
            value = sql.SQL("({}::timestamp AT TIME ZONE 'UTC')").format(value)
        elif self.cast is not None:
            value = sql.SQL("{}::{}").format(value, trusted(self.cast))
        return sql.SQL('{} COLLATE pg_catalog."C"').format(value) if self.bytewise else value

    @property
    def operator(self) -> sql.Composable:
        """The equality operator, the same under any search path."""
        return sql.SQL("OPERATOR({}.=)").format(sql.Identifier(self.schema or "pg_catalog"))


def trusted(text: str) -> sql.SQL:
    """Compose text that comes from the server's own catalog or was examined by us."""
    return sql.SQL(text)


def equality(left: Column, right: Column) -> Equality | None:
    """Return how two columns are compared; None when that makes no sense."""
    one_type = left.base_type == right.base_type
    found = _of_one_type(left) if one_type else _of_two_types(left, right)
    if found is None or left.collation == right.collation:
        return found
    return Equality(found.cast, bytewise=True, schema=found.schema)


def common_type(compared: Equality, left: Column, right: Column) -> str | None:
    """Return the type in which the values of two columns are compared; None when it is not just one."""
    if compared.cast is not None or left.base_type == right.base_type:
        return compared.cast or left.base_type
    return _common(left.base_type, right.base_type)


def loses(left: Column, right: Column) -> bool:
    """Tell whether two columns are compared as a type that cannot hold every value of both."""
    return left.base_type != right.base_type and _element(_common(left.base_type, right.base_type)) in _FLOATS


def is_number(column: Column) -> bool:
    """Tell whether a column's values have differences that are numbers."""
    return column.base_type in _NUMBERS


def is_moment(column: Column) -> bool:
    """Tell whether a column's values are points in time."""
    return column.base_type in _MOMENTS


def as_numeric(type_name: str, value: sql.Composable) -> sql.Composable:
    """Compose a number without the noise of binary fractions: as it is shown, and with room for any sum."""
    shown = "{}::text::numeric" if type_name in _FLOATS else "{}::numeric"
    return sql.SQL(shown).format(value)


def _of_one_type(column: Column) -> Equality:
    base = column.base_type
    if not column.comparable or base.removesuffix("[]") in _NO_EQUALITY:
        return (
            Equality("jsonb" + base.removeprefix("json")) if base in ("json", "json[]") else Equality("text")
        )
    if "." in base and column.category not in _POLYMORPHIC:
        # Casting strips a domain, whose values would be compared as something else.
        return Equality(base, schema=parse_table(base).schema)
    return Equality()


def _of_two_types(left: Column, right: Column) -> Equality | None:
    if left.category in "SE" and right.category in "SE" and "." in left.base_type + right.base_type:
        return Equality("text", bytewise=True)
    common = _common(left.base_type, right.base_type)
    if common is None:
        return None
    # These have operators across their types, which need no time zone; varchar is compared as the text it is.
    as_it_is = (
        common in INTEGERS
        or common == "timestamp without time zone"
        or {left.base_type, right.base_type} == _TEXTS
    )
    return Equality(None if as_it_is else common)


def _common(left: str, right: str) -> str | None:
    """Return the type that can stand for two different ones."""
    if left.endswith("[]") and right.endswith("[]"):
        element = _common(left[:-2], right[:-2])
        # The elements of an array are given a time zone by the session's alone.
        return None if element is None or element == _ZONED else element + "[]"
    if left in _STRINGS and right in _STRINGS:
        return "text"
    for family in _FAMILIES:
        if left in family and right in family:
            return max(left, right, key=family.index)
    return None


def _element(type_name: str | None) -> str | None:
    return type_name.removesuffix("[]") if type_name else None
