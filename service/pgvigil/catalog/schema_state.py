"""The state of schemas as plain data: what of their definition somebody would notice, and may accept.

Partitions are left out: they come and go by themselves, and their root says all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pgvigil.catalog.model import TableKind
from pgvigil.catalog.names import TableName, qualified, quote

VERSION = 2
"""Of what a state holds. Version 1 had less of it: see `pgvigil.catalog.schema_versions`."""

UNIQUE_INDEX = "UNIQUE INDEX"
EXCLUDE = "EXCLUDE"


@dataclass(frozen=True, slots=True)
class Expression:
    """What an expression says, as far as it can be told without a lock: `digest` differs when that differs.

    It also differs when what it `uses` (functions, types and the like, by their oids) or `reads` (columns, by
    their numbers) was made anew.
    """

    digest: str
    uses: tuple[int, ...] = ()
    reads: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnState:
    """A column: `number` stays with it when it is renamed, `collation` is empty for a type without one.

    `identity` is `always`, `by default`, or empty. `expression` is that of a generated column.
    """

    number: int
    name: str
    type: str
    not_null: bool = False
    generated: bool = False
    collation: str = ""
    identity: str = ""
    expression: Expression | None = None


@dataclass(frozen=True, slots=True)
class ConstraintState:
    """A constraint, or a unique index that is none, by the oid of whichever it is.

    `kind` is as SQL has it. A column without a name is an expression of an index. `parent` and what begins
    with it are those of a foreign key, `set_columns` those that its ON DELETE sets when it does not set all.
    `options` and `extras` are all else that a definition says; `extras` what version 1 did not know.
    `expression` is what a CHECK demands, or what an index has of expressions, WHERE and operators.
    """

    oid: int
    name: str
    kind: str
    columns: tuple[str, ...] = ()
    parent: TableName | None = None
    parent_columns: tuple[str, ...] = ()
    options: str = ""
    expression: Expression | None = None
    parent_oid: int = 0
    parent_numbers: tuple[int, ...] = ()
    set_columns: tuple[str, ...] = ()
    extras: str = ""

    @property
    def definition(self) -> str:
        """The constraint as a person would write it; without the expression, which only the server can."""
        parts = [self.kind, _listed(self.columns)]
        if self.parent is not None:
            parts += ["REFERENCES", str(self.parent), _listed(self.parent_columns)]
        options = self.options
        if self.set_columns:
            for action in ("ON DELETE SET NULL", "ON DELETE SET DEFAULT"):
                options = options.replace(action, f"{action} {_listed(self.set_columns)}")
        return " ".join(filter(None, (*parts, options, self.extras)))

    @property
    def is_index(self) -> bool:
        """Whether it is a unique index and no constraint."""
        return self.kind == UNIQUE_INDEX

    @property
    def has_index(self) -> bool:
        """Whether it is an index or has one, whose name is its own."""
        return self.kind in (UNIQUE_INDEX, EXCLUDE, "PRIMARY KEY", "UNIQUE")


@dataclass(frozen=True, slots=True)
class TableState:
    """A table, partitioned table, foreign table or view. `row_security` is `enabled`, `forced`, or empty."""

    oid: int
    schema: str
    name: str
    kind: TableKind
    owner: str
    columns: tuple[ColumnState, ...] = ()
    constraints: tuple[ConstraintState, ...] = ()
    row_security: str = ""
    logged: bool = True

    def __str__(self) -> str:
        return qualified(self.schema, self.name)

    @property
    def table_name(self) -> TableName:
        """Its schema and name."""
        return TableName(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The tables of some schemas at one moment, by schema and name; `server` is the major version.

    `owners` are the schemas with their owners. `partitions` tells, by their oids, what all partitions of the
    database are called and what they are part of: it shows where a table went, and is not written down.
    """

    server: int
    tables: tuple[TableState, ...] = ()
    owners: tuple[tuple[str, str], ...] = ()
    version: int = VERSION
    partitions: Mapping[int, tuple[TableName, TableName]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def of_schema(self, schema: str) -> SchemaState:
        """Return the tables of one schema."""
        return replace(
            self,
            tables=tuple(table for table in self.tables if table.schema == schema),
            owners=tuple(one for one in self.owners if one[0] == schema),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON, which `from_json` reads."""
        return {
            "version": self.version,
            "server": self.server,
            "owners": [list(one) for one in self.owners],
            "tables": [_table_to_json(table) for table in self.tables],
        }

    @classmethod
    def from_json(cls, value: object) -> SchemaState:
        """Read what `to_json` wrote; raises ValueError when it is something else."""
        if not isinstance(value, Mapping) or value.get("version") not in range(1, VERSION + 1):
            raise ValueError("not the state of a schema, or of a version that this pgvigil does not know")
        try:
            return cls(
                int(value["server"]),
                tuple(_table_of_json(table) for table in value["tables"]),
                tuple((str(schema), str(owner)) for schema, owner in value.get("owners", ())),
                int(value["version"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"not the state of a schema: {type(error).__name__}") from None


def _listed(columns: Sequence[str]) -> str:
    names = [quote(one) if one else "an expression" for one in columns]
    return f"({', '.join(names)})" if names else ""


def _table_to_json(table: TableState) -> dict[str, Any]:
    return {
        "oid": table.oid,
        "schema": table.schema,
        "name": table.name,
        "kind": table.kind.value,
        "owner": table.owner,
        "row_security": table.row_security,
        "logged": table.logged,
        "columns": [
            [
                *(one.number, one.name, one.type, one.not_null, one.generated, one.collation, one.identity),
                _expression_to_json(one.expression),
            ]
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
        "parent_oid": one.parent_oid,
        "parent_columns": list(one.parent_columns),
        "parent_numbers": list(one.parent_numbers),
        "set_columns": list(one.set_columns),
        "options": one.options,
        "extras": one.extras,
        "expression": _expression_to_json(one.expression),
    }
    return {key: value for key, value in written.items() if value}


def _expression_to_json(one: Expression | None) -> list[Any] | None:
    return [one.digest, list(one.uses), list(one.reads)] if one else None


def _table_of_json(value: Mapping[str, Any]) -> TableState:
    return TableState(
        int(value["oid"]),
        str(value["schema"]),
        str(value["name"]),
        TableKind(value["kind"]),
        str(value["owner"]),
        tuple(_column_of_json(*column) for column in value["columns"]),
        tuple(_constraint_of_json(one) for one in value["constraints"]),
        str(value.get("row_security", "")),
        bool(value.get("logged", True)),
    )


def _column_of_json(number: int, name: str, kind: str, *rest: Any) -> ColumnState:
    column = ColumnState(number, name, kind, *rest)
    return replace(column, expression=_expression_of_json(column.expression))


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
        expression=_expression_of_json(value.get("expression")),
        parent_oid=int(value.get("parent_oid", 0)),
        parent_numbers=tuple(value.get("parent_numbers", ())),
        set_columns=tuple(value.get("set_columns", ())),
        extras=str(value.get("extras", "")),
    )


def _expression_of_json(value: Any) -> Expression | None:
    """Read an expression; version 1 had the digest of a CHECK or EXCLUDE alone."""
    if not value:
        return None
    if isinstance(value, str):
        return Expression(value)
    digest, uses, reads = value
    return Expression(str(digest), tuple(uses), tuple(reads))
