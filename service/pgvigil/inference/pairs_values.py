"""What of two columns can be held against each other, and the text by which equal values are known.

Stricter than what a comparison of two tables takes: whatever is proposed here can be compared there.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from psycopg import sql

from pgvigil.catalog import Column, Table

_LONGEST = 200
_SEPARATOR = "\x1f"
_INTEGERS = ("smallint", "integer", "bigint")
_FLOATS = ("real", "double precision")
_MOMENTS = ("date", "timestamp without time zone", "timestamp with time zone")
_STRINGS = ("text", "character varying", "character", "name")
_OF_ONE_OPERATOR = (frozenset(_INTEGERS), frozenset({"text", "character varying"}))
_JSON = ("json", "jsonb")
_NETWORK = ("cidr", "inet")


class Kind(Enum):
    """What values are like, whatever type they are kept in."""

    NUMBER = "number"
    MOMENT = "moment"
    TEXT = "text"
    JSON = "json"
    NETWORK = "network"


_KINDS = {
    **dict.fromkeys((*_INTEGERS, *_FLOATS, "numeric"), Kind.NUMBER),
    **dict.fromkeys(_MOMENTS, Kind.MOMENT),
    **dict.fromkeys(_STRINGS, Kind.TEXT),
    **dict.fromkeys(_JSON, Kind.JSON),
    **dict.fromkeys(_NETWORK, Kind.NETWORK),
}
# What can tell one row from all others, or help to: no floating measure, no document.
_KEYS = frozenset((*_INTEGERS, "numeric", *_STRINGS, *_MOMENTS, "uuid"))


def family(column: Column) -> Kind | str:
    """Return what a column's values are; two columns can be compared when theirs are the same."""
    return _KINDS.get(column.base_type, column.base_type)


def can_identify(column: Column) -> bool:
    """Tell whether a column is of a type that rows are identified by."""
    known = column.base_type in _KEYS or column.category == "S"
    return known and column.comparable and not column.generated


def same_operator(left: Column, right: Column) -> bool:
    """Tell whether PostgreSQL's `=` compares the columns as they are, so that an index of either helps."""
    types = {left.base_type, right.base_type}
    # A type of an extension (citext) has its own.
    one_type = (len(types) == 1 and "." not in left.base_type) or any(
        types <= together for together in _OF_ONE_OPERATOR
    )
    return one_type and left.collation == right.collation and left.deterministic and right.deterministic


def canonical(column: Column, alias: str) -> sql.Composed:
    """Compose a text of a column's value that is the same for equal values of every type of its family.

    Numbers lose trailing zeros, moments become seconds since 1970 (the session's time zone must be UTC).
    """
    kind, base = family(column), column.base_type
    shape = "{}::text"
    if kind is Kind.NUMBER and base not in _INTEGERS:
        # By way of the text, which has none of the noise of a binary fraction.
        shape = "trim_scale({}::text::numeric)::text" if base in _FLOATS else "trim_scale({})::text"
    elif kind is Kind.MOMENT:
        shape = "trim_scale(extract(epoch FROM {})::numeric)::text"
    return sql.SQL(shape).format(sql.Identifier(alias, column.name))


def shortened(column: Column, alias: str) -> sql.Composed:
    """Compose the beginning of that text, which is enough to tell values apart."""
    return sql.SQL("left({}, {})").format(canonical(column, alias), _LONGEST)


def key_text(columns: Sequence[Column], alias: str) -> sql.Composed:
    """Compose one text of all columns of a key; NULL when one of them is."""
    first, *others = (canonical(column, alias) for column in columns)
    for other in others:
        first += sql.SQL(" || {} || {}").format(_SEPARATOR, other)
    return sql.SQL("({})").format(first)


def named(table: Table) -> sql.Identifier:
    """Compose the name of a table."""
    return sql.Identifier(table.schema, table.name)
