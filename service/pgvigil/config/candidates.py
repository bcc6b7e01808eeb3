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
    """Return up to `most` relations that columns such as `game_id` suggest and no foreign key declares."""
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
    for child in catalog.watched_tables():
        for column in child.columns:
            stem = column.name.removesuffix(_REFERENCE)
            if stem in ("", column.name) or (child.oid, column.name) in declared:
                continue
            parent = _parent(catalog, child, stem, column)
            if parent is not None:
                table, key = parent
                yield RelationName(_name(child), (column.name,), _name(table), (key,))


def _parent(catalog: Catalog, child: Table, stem: str, column: Column) -> tuple[Table, str] | None:
    """Return the table that a column's name speaks of, and the key that the column may hold."""
    named = (table for name in (stem, f"{stem}s", f"{stem}es") for table in catalog.named(name))
    for parent in sorted(named, key=lambda table: table.schema != child.schema):
        for key in parent.keys:
            its_key = parent.column(key.columns[0])
            if (
                len(key.columns) == 1
                and its_key
                and its_key.base_type == column.base_type
                and parent is not child
            ):
                return parent, its_key.name
    return None


def _words(name: str) -> set[str]:
    return {word for word in name.lower().split("_") if len(word) >= _SHORTEST_WORD}


def _shared(left: Table, right: Table) -> set[str]:
    return {column.name for column in left.columns} & {column.name for column in right.columns}


def _same_types(left: Table, right: Table, columns: tuple[str, ...]) -> bool:
    pairs = ((left.column(name), right.column(name)) for name in columns)
    return all(one and other and one.base_type == other.base_type for one, other in pairs)


def _name(table: Table) -> TableName:
    return TableName(table.schema, table.name)
