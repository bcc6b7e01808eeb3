"""What a relation or a pair is made of, by oids and numbers: so it is found again under other names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from pgvigil.catalog.model import Catalog
from pgvigil.catalog.names import PairName, RelationName, TableName, parse_relation, parse_table

Traces: TypeAlias = list[list[int]]
"""Of either side the table's oid, and the numbers of its columns; as plain JSON."""


def traces(subject: str, catalog: Catalog) -> Traces | None:
    """Return what the names in `child(…) -> parent(…)` or `left <> right` stand for; None if not all do."""
    found = [_traced(table, columns, catalog) for table, columns in _sides(subject)]
    sides = [one for one in found if one is not None]
    return sides if sides and len(sides) == len(found) else None


def followed(subject: str, known: Traces | None, catalog: Catalog) -> tuple[str, Traces | None]:
    """Return a subject as it is called now, and what it is made of.

    As long as its names stand for something it is about that; else it is about what it was made of.
    """
    now = traces(subject, catalog)
    if now is not None or known is None:
        return subject, now
    return _named(known, catalog) or subject, known


def _sides(subject: str) -> tuple[tuple[TableName, Sequence[str]], ...]:
    try:
        if " -> " in subject:
            name = parse_relation(subject)
            return (name.child, name.child_columns), (name.parent, name.parent_columns)
        left, right = map(parse_table, subject.split(" <> "))
    except ValueError:
        return ()
    return (left, ()), (right, ())


def _traced(name: TableName, columns: Sequence[str], catalog: Catalog) -> list[int] | None:
    table = catalog.table(name)
    found = [table.column(column) for column in columns] if table else []
    if table is None or None in found:
        return None
    return [table.oid, *(column.number for column in found if column)]


def _named(known: Traces, catalog: Catalog) -> str | None:
    sides: list[tuple[TableName, tuple[str, ...]]] = []
    for oid, *numbers in known:
        table = catalog.by_oid(oid)
        names = {column.number: column.name for column in table.columns} if table else {}
        if table is None or not names.keys() >= set(numbers):
            return None
        sides.append((TableName(table.schema, table.name), tuple(names[number] for number in numbers)))
    (left, left_columns), (right, right_columns) = sides
    if not left_columns:
        return str(PairName(left, right))
    return str(RelationName(left, left_columns, right, right_columns))
