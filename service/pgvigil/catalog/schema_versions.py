"""Older states, which know less than ours: what they could not tell has not changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pgvigil.catalog.schema_state import EXCLUDE, ColumnState, ConstraintState, SchemaState, TableState


def as_far_as_known(state: SchemaState, other: SchemaState) -> SchemaState:
    """Return a state as the version of another one, which is older or the same, would have told it."""
    if other.version >= state.version:
        return state
    return replace(state, tables=tuple(map(_table_of_version_1, state.tables)), owners=())


def _table_of_version_1(table: TableState) -> TableState:
    return replace(
        table,
        columns=tuple(map(_column_of_version_1, table.columns)),
        constraints=tuple(_constraints_of_version_1(table)),
        row_security="",
        logged=True,
    )


def _column_of_version_1(column: ColumnState) -> ColumnState:
    return replace(column, identity="", expression=None)


def _constraints_of_version_1(table: TableState) -> Iterator[ConstraintState]:
    """Yield them without partial indexes, those of expressions, and those that a constraint's name hid."""
    constraints = {one.name for one in table.constraints if not one.is_index}
    for one in table.constraints:
        if not one.is_index:
            expression = None if one.kind == EXCLUDE else one.expression
            yield replace(one, set_columns=(), extras="", expression=expression)
        elif one.expression is None and one.name not in constraints:
            yield one
