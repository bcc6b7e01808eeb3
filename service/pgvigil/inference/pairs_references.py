"""What refers to the tables of a pair, and what their keys refer to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from pgvigil.catalog import Catalog, Column, RelationName, Table, TableName


class References:
    """The relations of a catalog, declared and `known` ones, by either end."""

    def __init__(self, catalog: Catalog, known: Iterable[RelationName] = ()) -> None:
        self._parents: defaultdict[tuple[TableName, frozenset[str]], set[TableName]] = defaultdict(set)
        self._children: defaultdict[TableName, set[TableName]] = defaultdict(set)
        for key in catalog.foreign_keys:
            relation = key.relation
            self._parents[relation.child, frozenset(relation.child_columns)].add(relation.parent)
            self._children[relation.parent].add(relation.child)
        for relation in known:
            self._children[relation.parent].add(relation.child)

    def parents(self, table: Table, columns: Iterable[Column]) -> set[TableName]:
        """Return the tables that these columns are declared to reference."""
        names = frozenset(column.name for column in columns)
        return self._parents.get((TableName(table.schema, table.name), names), set())

    def children(self, table: Table, *, but: Table) -> set[TableName]:
        """Return the other tables that refer to this one, but for a certain one."""
        name = TableName(table.schema, table.name)
        return self._children.get(name, set()) - {name, TableName(but.schema, but.name)}
