"""Which columns may refer to which: as a foreign key between them would compare, and by index."""

from __future__ import annotations

from pgvigil.catalog import Column

_FAMILIES = {
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "numeric": "numeric",
    "text": "text",
    "character varying": "text",
    "character": "text",
    "name": "text",
    "uuid": "uuid",
    "bytea": "bytea",
    "oid": "oid",
}
# What identifies nothing alone, but may be part of a composite key.
_PARTS = frozenset(
    {"date", "timestamp without time zone", "timestamp with time zone", "time without time zone", "boolean"}
)


def family(column: Column) -> str | None:
    """Return what a column that may be a key, or refer to one, is compared as; None for any other.

    An enum, and a type of an extension that is a text (citext), compare with themselves alone.
    """
    if not column.comparable:
        return None
    if column.base_type in _FAMILIES:
        return _FAMILIES[column.base_type]
    return column.base_type if column.category in ("E", "S") else None


def part_family(column: Column) -> str | None:
    """Return what a column of a composite key is compared as; None for what no key has."""
    if column.comparable and column.base_type in _PARTS:
        return column.base_type
    return family(column)


def of_the_server(column: Column) -> bool:
    """Tell whether the server's own operators compare the column as its indexes do."""
    return column.base_type in _FAMILIES or column.base_type in _PARTS or column.category == "E"
