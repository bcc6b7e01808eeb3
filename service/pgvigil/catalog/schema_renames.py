"""What was renamed between two states of schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pgvigil.catalog.names import TableName
from pgvigil.catalog.schema_state import ConstraintState, SchemaState


@dataclass(frozen=True, slots=True)
class Parent:
    """What the parent of foreign keys is called now, and its columns, by their numbers."""

    name: TableName
    columns: dict[int, str]


def parents_of(after: SchemaState) -> dict[int, Parent]:
    """Return the parents of all foreign keys, in whatever schema, by their oids."""
    found: dict[int, Parent] = {}
    for table in after.tables:
        for one in table.constraints:
            # Version 1 did not know the oid.
            if one.parent is not None and one.parent_oid:
                parent = found.setdefault(one.parent_oid, Parent(one.parent, {}))
                parent.columns.update(zip(one.parent_numbers, one.parent_columns, strict=False))
    return found


@dataclass(frozen=True, slots=True)
class Renames:
    """What tables and columns, by the table's old name, are called now, and the parents of foreign keys."""

    tables: Mapping[TableName, TableName]
    columns: Mapping[TableName, Mapping[str, str]]
    parents: Mapping[int, Parent]

    def followed(self, table: TableName, one: ConstraintState) -> ConstraintState:
        """Return a constraint as it would be written now if nothing but names had changed."""
        one = replace(
            one,
            columns=tuple(self._column(table, name) for name in one.columns),
            set_columns=tuple(self._column(table, name) for name in one.set_columns),
        )
        if one.parent is None:
            return one
        columns = tuple(self._column(one.parent, name) for name in one.parent_columns)
        parent = self.parents.get(one.parent_oid)
        if parent is None:
            return replace(one, parent=self.tables.get(one.parent, one.parent), parent_columns=columns)
        # The parent's schema may be another one, whose tables are not among these.
        numbered = zip(one.parent_numbers, columns, strict=True)
        names = tuple(parent.columns.get(number, name) for number, name in numbered)
        return replace(one, parent=parent.name, parent_columns=names)

    def _column(self, table: TableName, name: str) -> str:
        return self.columns.get(table, {}).get(name, name)
