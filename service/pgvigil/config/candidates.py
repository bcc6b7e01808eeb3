"""What tables' names alone suggest: relations and entity pairs that a person may want to have watched.

They serve as examples in a starting file, commented out until somebody adopts them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, islice

from pgvigil.catalog import Catalog, Column, PairName, RelationName, Table, TableKind, TableName

_REFERENCE = "_id"
_SHORTEST_WORD = 4
_MOST_ALIKE = 20


def candidate_relations(catalog: Catalog, most: int) -> list[RelationName]:
    """Return up to `most` relations that columns' names suggest, and of which no key declares any column."""
    return list(islice(_relations(catalog), most))


def candidate_pair(catalog: Catalog) -> tuple[PairName, tuple[str, ...]] | None:
    """Return two tables that may hold the same entity, and the key columns that both have."""
    alike: defaultdict[tuple[str, tuple[str, ...]], list[Table]] = defaultdict(list)
    for table in catalog.watched_tables():
        if table.kind is TableKind.FOREIGN:
            continue
        for columns in dict.fromkeys(key.columns for key in table.keys):
            for word in sorted(_words(table.name)):
                alike[word, columns].append(table)
    # A table that refers to another by its own key adds to that entity: it is no second copy.
    linked = {frozenset((key.child.oid, key.parent.oid)) for key in catalog.foreign_keys}
    found = [
        (len(_shared(left, right)), left, right, columns)
        for (_, columns), tables in alike.items()
        for left, right in combinations(tables[:_MOST_ALIKE], 2)
        if frozenset((left.oid, right.oid)) not in linked and _same_types(left, right, columns)
    ]
    if not found:
        return None
    _, left, right, columns = max(found, key=lambda one: one[0])
    return PairName(_name(left), _name(right)), columns


def _relations(catalog: Catalog) -> Iterator[RelationName]:
    declared = {(key.child.oid, column) for key in catalog.foreign_keys for column in key.child_columns}
    owners = _owners(catalog)
    for child in catalog.watched_tables():
        if child.kind is TableKind.FOREIGN:
            continue
        for column in child.columns:
            if (child.oid, column.name) in declared:
                continue
            for parent, key in (*_named_after(catalog, child, column), *owners.get(column.name, ())):
                if parent is not child and key.base_type == column.base_type:
                    yield RelationName(_name(child), (column.name,), _name(parent), (key.name,))
                    break


def _named_after(catalog: Catalog, child: Table, column: Column) -> Iterator[tuple[Table, Column]]:
    """Yield the tables that a name such as `game_id` speaks of, the nearest first, and their keys."""
    stem = column.name.removesuffix(_REFERENCE)
    if stem in ("", column.name):
        return
    names = (stem, f"{stem}s", f"{stem}es", f"{stem.removesuffix('y')}ies")
    tables = (table for name in names for table in catalog.named(name) if not table.is_partition)
    for table in sorted(tables, key=lambda table: table.schema != child.schema):
        for key in _key_columns(table):
            yield table, key


def _owners(catalog: Catalog) -> dict[str, list[tuple[Table, Column]]]:
    """Return the one table that has a column such as `country_code` as its key, by that column's name.

    A key of one word, such as `id` or `name`, says nothing about a column of the same name elsewhere; and of
    several tables with such a key nobody can tell which one is meant.
    """
    owners: defaultdict[str, list[tuple[Table, Column]]] = defaultdict(list)
    for table in catalog.watched_tables():
        for column in _key_columns(table):
            if "_" in column.name.strip("_"):
                owners[column.name].append((table, column))
    return {name: found for name, found in owners.items() if len(found) == 1}


def _key_columns(table: Table) -> list[Column]:
    """Return the columns that alone identify a row, the primary key first."""
    keys = sorted(table.keys, key=lambda key: not key.primary)
    names = dict.fromkeys(key.columns[0] for key in keys if len(key.columns) == 1)
    return [column for name in names if (column := table.column(name))]


def _words(name: str) -> set[str]:
    return {word for word in name.lower().split("_") if len(word) >= _SHORTEST_WORD}


def _shared(left: Table, right: Table) -> set[str]:
    return {column.name for column in left.columns} & {column.name for column in right.columns}


def _same_types(left: Table, right: Table, columns: tuple[str, ...]) -> bool:
    pairs = ((left.column(name), right.column(name)) for name in columns)
    return all(one and other and one.base_type == other.base_type for one, other in pairs)


def _name(table: Table) -> TableName:
    return TableName(table.schema, table.name)
