"""What of a relation that somebody wrote does not fit a catalog, and what there is nearby."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from pgvigil.catalog.model import Catalog
from pgvigil.catalog.names import RelationName, TableName, quote

_MOST_NAMES = 10


def relation_misfit(catalog: Catalog, name: RelationName) -> str:
    """Say which table or column does not exist, and what exists nearby; empty when all do."""
    return _side_misfit(catalog, name.child, name.child_columns) or _side_misfit(
        catalog, name.parent, name.parent_columns
    )


def _side_misfit(catalog: Catalog, name: TableName, columns: Sequence[str]) -> str:
    table = catalog.table(name)
    if table is None:
        return f"there is no table {name}{_near_tables(catalog, name)}"
    lacking = [column for column in columns if table.column(column) is None]
    if lacking:
        there = {column.name: quote(column.name) for column in table.columns}
        return f"table {table} has no column {quote(lacking[0])}{_near(lacking[0], there, 'it has')}"
    twice = [column for column in columns if columns.count(column) > 1]
    return f"column {quote(twice[0])} of table {table} appears twice" if twice else ""


def _near_tables(catalog: Catalog, name: TableName) -> str:
    elsewhere = catalog.named(name.name)
    if elsewhere:
        return f"; did you mean {', '.join(map(str, elsewhere[:_MOST_NAMES]))}?"
    there = {table.name: str(table) for table in catalog.tables if table.schema == name.schema}
    if not there:
        schemas = {table.schema: quote(table.schema) for table in catalog.tables}
        return _near(name.schema, schemas, f"no schema {quote(name.schema)} has tables; there are")
    return _near(name.name, there, f"schema {quote(name.schema)} has")


def _near(name: str, there: Mapping[str, str], introduction: str) -> str:
    """Return what resembles the name most, or the first that there is."""
    close = get_close_matches(name, there, n=3)
    if close:
        return f"; did you mean {' or '.join(there[one] for one in close)}?"
    if not there:
        return ""
    more = f" and {len(there) - _MOST_NAMES} more" if len(there) > _MOST_NAMES else ""
    return f"; {introduction} {', '.join(list(there.values())[:_MOST_NAMES])}{more}"
