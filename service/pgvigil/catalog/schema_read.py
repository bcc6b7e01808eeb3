"""Makes the state of schemas out of the catalog and one query more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, LiteralString

from pgvigil.catalog.model import Catalog, Column, Table
from pgvigil.catalog.names import TableName, qualified
from pgvigil.catalog.schema_state import (
    EXCLUDE,
    UNIQUE_INDEX,
    ColumnState,
    ConstraintState,
    Expression,
    SchemaState,
    TableState,
)
from pgvigil.catalog.scope import Scope

Rows = Sequence[Mapping[str, Any]]

_ACTIONS = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_IDENTITIES = {"a": "always", "d": "by default", "": ""}
_KINDS = {
    "c": "CHECK",
    "f": "FOREIGN KEY",
    "i": UNIQUE_INDEX,
    "p": "PRIMARY KEY",
    "t": "CONSTRAINT TRIGGER",
    "u": "UNIQUE",
    "x": EXCLUDE,
}
_GENERATED = "g"


def constraints_query() -> LiteralString:
    """Return the query whose rows `made_state` takes, to be asked soon after the catalog was read."""
    return resources.files("pgvigil.catalog").joinpath("sql", "constraints.sql").read_text(encoding="utf-8")


def made_state(catalog: Catalog, constraints: Rows, scope: Scope | None = None) -> SchemaState:
    """Return the state of the schemas in a scope, the catalog's own if none is given.

    `constraints` are the rows of `constraints_query`.
    """
    watched = scope or catalog.scope
    by_table: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in constraints:
        by_table[row["table"]].append(row)
    return SchemaState(
        catalog.server_version // 10_000,
        tuple(
            _table(catalog, table, by_table[table.oid])
            for table in sorted(catalog.tables, key=lambda one: (one.schema, one.name))
            if watched.watches(table.schema) and not table.is_partition
        ),
        tuple(
            (schema, owner)
            for schema, owner in zip(catalog.schemas, catalog.schema_owners, strict=False)
            if watched.watches(schema)
        ),
        partitions=dict(_partitions(catalog)),
    )


def _partitions(catalog: Catalog) -> Iterator[tuple[int, tuple[TableName, TableName]]]:
    for table in catalog.tables:
        above = None if table.partition_of is None else catalog.by_oid(table.partition_of)
        if above is not None:
            yield table.oid, (TableName(table.schema, table.name), TableName(above.schema, above.name))


def _table(catalog: Catalog, table: Table, rows: Rows) -> TableState:
    expressions = {row["name"]: _expression(row) for row in rows if row["kind"] == _GENERATED}
    security = "forced" if table.row_security_forced else "enabled"
    return TableState(
        table.oid,
        table.schema,
        table.name,
        table.kind,
        table.owner,
        tuple(_column(column, expressions.get(column.name)) for column in table.columns),
        tuple(_constraint(catalog, row) for row in rows if row["kind"] != _GENERATED),
        security if table.row_security else "",
        table.logged,
    )


def _column(column: Column, expression: Expression | None) -> ColumnState:
    return ColumnState(
        column.number,
        column.name,
        column.type,
        column.not_null,
        column.generated,
        qualified(*column.collation) if column.collation else "",
        _IDENTITIES[column.identity],
        expression,
    )


def _expression(row: Mapping[str, Any]) -> Expression | None:
    if not row["digest"]:
        return None
    return Expression(row["digest"], tuple(row["uses"]), tuple(row["reads"]))


def _constraint(catalog: Catalog, row: Mapping[str, Any]) -> ConstraintState:
    parent = catalog.by_oid(row["parent"]) if row["parent"] else None
    return ConstraintState(
        oid=row["oid"],
        name=row["name"],
        kind=_KINDS[row["kind"]],
        columns=tuple(row["columns"] or ()),
        parent=TableName(parent.schema, parent.name) if parent else None,
        parent_columns=tuple(row["parent_columns"] or ()) if parent else (),
        options=" ".join(_options(row)),
        expression=_expression(row),
        parent_oid=row["parent"],
        parent_numbers=tuple(row["parent_numbers"] or ()),
        set_columns=tuple(row["set_columns"] or ()),
        extras=" ".join(_extras(row)),
    )


def _options(row: Mapping[str, Any]) -> Iterator[str]:
    if row["kind"] == "f":
        if row["match"] != "s":
            yield "MATCH FULL"
        for event, action in (("UPDATE", row["on_update"]), ("DELETE", row["on_delete"])):
            if action in _ACTIONS:
                yield f"ON {event} {_ACTIONS[action]}"
    if row["period"]:
        yield "PERIOD"
    if row["deferrable"]:
        yield "DEFERRABLE INITIALLY DEFERRED" if row["deferred"] else "DEFERRABLE"
    if not row["enforced"]:
        yield "NOT ENFORCED"
    elif not row["validated"]:
        yield "NOT VALID"


def _extras(row: Mapping[str, Any]) -> Iterator[str]:
    if row["nulls_not_distinct"]:
        yield "NULLS NOT DISTINCT"
    if row["no_inherit"]:
        yield "NO INHERIT"
    if row["is_partial"]:
        yield "WHERE …"
