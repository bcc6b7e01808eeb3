"""The state of schemas as plain data: what of their definition somebody would notice, and may accept.

Partitions are left out: they come and go by themselves, and their root says all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, LiteralString

from pgvigil.catalog.model import Catalog, Column, Table, TableKind
from pgvigil.catalog.names import TableName, qualified, quote
from pgvigil.catalog.scope import Scope

Rows = Sequence[Mapping[str, Any]]

_ACTIONS = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_KINDS = {
    "c": "CHECK",
    "f": "FOREIGN KEY",
    "p": "PRIMARY KEY",
    "t": "CONSTRAINT TRIGGER",
    "u": "UNIQUE",
    "x": "EXCLUDE",
}
_INDEX = "UNIQUE INDEX"


@dataclass(frozen=True, slots=True)
class ColumnState:
    """A column: `number` stays with it when it is renamed, `collation` is empty for a type without one."""

    number: int
    name: str
    type: str
    not_null: bool = False
    generated: bool = False
    collation: str = ""


@dataclass(frozen=True, slots=True)
class ConstraintState:
    """A constraint, or a unique index that is none, by the oid of whichever it is.

    `kind` is as SQL has it. `parent` and `parent_columns` are those of a foreign key, `options` all else that
    a definition says. `expression` stands for what a CHECK or EXCLUDE demands: it differs when that differs.
    """

    oid: int
    name: str
    kind: str
    columns: tuple[str, ...] = ()
    parent: TableName | None = None
    parent_columns: tuple[str, ...] = ()
    options: str = ""
    expression: str = ""

    @property
    def definition(self) -> str:
        """The constraint as a person would write it; without the expression, which only the server can."""
        parts = [self.kind, _listed(self.columns)]
        if self.parent is not None:
            parts += ["REFERENCES", str(self.parent), _listed(self.parent_columns)]
        return " ".join(filter(None, (*parts, self.options)))


@dataclass(frozen=True, slots=True)
class TableState:
    """A table, partitioned table, foreign table or view."""

    oid: int
    schema: str
    name: str
    kind: TableKind
    owner: str
    columns: tuple[ColumnState, ...] = ()
    constraints: tuple[ConstraintState, ...] = ()

    def __str__(self) -> str:
        return qualified(self.schema, self.name)

    @property
    def table_name(self) -> TableName:
        """Its schema and name."""
        return TableName(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The tables of some schemas at one moment, by schema and name; `server` is the major version."""

    server: int
    tables: tuple[TableState, ...] = ()

    def of_schema(self, schema: str) -> SchemaState:
        """Return the tables of one schema."""
        return replace(self, tables=tuple(table for table in self.tables if table.schema == schema))

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON, which `from_json` reads."""
        return {
            "version": 1,
            "server": self.server,
            "tables": [_table_to_json(table) for table in self.tables],
        }

    @classmethod
    def from_json(cls, value: object) -> SchemaState:
        """Read what `to_json` wrote; raises ValueError when it is something else."""
        if not isinstance(value, Mapping) or value.get("version") != 1:
            raise ValueError("not the state of a schema, or of a version that this pgvigil does not know")
        try:
            tables = tuple(_table_of_json(table) for table in value["tables"])
            return cls(int(value["server"]), tables)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"not the state of a schema: {type(error).__name__}") from None


def constraints_query() -> LiteralString:
    """Return the query whose rows `made_state` takes, to be asked soon after the catalog was read."""
    return resources.files("pgvigil.catalog").joinpath("sql", "constraints.sql").read_text(encoding="utf-8")


def made_state(catalog: Catalog, constraints: Rows, scope: Scope | None = None) -> SchemaState:
    """Return the state of the schemas in a scope, the catalog's own if none is given.

    `constraints` are the rows of `constraints_query`.
    """
    watched = scope or catalog.scope
    by_table: defaultdict[int, list[ConstraintState]] = defaultdict(list)
    for row in constraints:
        by_table[row["table"]].append(_constraint(catalog, row))
    return SchemaState(
        catalog.server_version // 10_000,
        tuple(
            _table(table, by_table[table.oid])
            for table in sorted(catalog.tables, key=lambda one: (one.schema, one.name))
            if watched.watches(table.schema) and not table.is_partition
        ),
    )


def _table(table: Table, constraints: Iterable[ConstraintState]) -> TableState:
    known = {one.name: one for one in constraints}
    # A constraint's index has its name.
    known |= {one.name: one for one in _unique_indexes(table) if one.name not in known}
    return TableState(
        table.oid,
        table.schema,
        table.name,
        table.kind,
        table.owner,
        tuple(_column(column) for column in table.columns),
        tuple(known[name] for name in sorted(known)),
    )


def _column(column: Column) -> ColumnState:
    collation = qualified(*column.collation) if column.collation else ""
    return ColumnState(column.number, column.name, column.type, column.not_null, column.generated, collation)


def _unique_indexes(table: Table) -> Iterator[ConstraintState]:
    oids = {index.name: index.oid for index in table.indexes}
    for key in table.keys:
        options = "NULLS NOT DISTINCT" if key.nulls_not_distinct else ""
        yield ConstraintState(oids[key.index], key.index, _INDEX, key.columns, options=options)


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
        expression=row["expression"],
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


def _listed(columns: Sequence[str]) -> str:
    return f"({', '.join(map(quote, columns))})" if columns else ""


def _table_to_json(table: TableState) -> dict[str, Any]:
    return {
        "oid": table.oid,
        "schema": table.schema,
        "name": table.name,
        "kind": table.kind.value,
        "owner": table.owner,
        "columns": [
            [one.number, one.name, one.type, one.not_null, one.generated, one.collation]
            for one in table.columns
        ],
        "constraints": [_constraint_to_json(one) for one in table.constraints],
    }


def _constraint_to_json(one: ConstraintState) -> dict[str, Any]:
    parent = [one.parent.schema, one.parent.name] if one.parent else None
    written = {
        "oid": one.oid,
        "name": one.name,
        "kind": one.kind,
        "columns": list(one.columns),
        "parent": parent,
        "parent_columns": list(one.parent_columns),
        "options": one.options,
        "expression": one.expression,
    }
    return {key: value for key, value in written.items() if value}


def _table_of_json(value: Mapping[str, Any]) -> TableState:
    return TableState(
        int(value["oid"]),
        str(value["schema"]),
        str(value["name"]),
        TableKind(value["kind"]),
        str(value["owner"]),
        tuple(ColumnState(*column) for column in value["columns"]),
        tuple(_constraint_of_json(one) for one in value["constraints"]),
    )


def _constraint_of_json(value: Mapping[str, Any]) -> ConstraintState:
    parent = value.get("parent")
    return ConstraintState(
        oid=int(value["oid"]),
        name=str(value["name"]),
        kind=str(value["kind"]),
        columns=tuple(value.get("columns", ())),
        parent=TableName(*parent) if parent else None,
        parent_columns=tuple(value.get("parent_columns", ())),
        options=str(value.get("options", "")),
        expression=str(value.get("expression", "")),
    )
