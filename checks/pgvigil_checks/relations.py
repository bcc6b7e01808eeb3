"""Relations that a person wrote into the settings, held against the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Annotated, TypeAlias

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from pgvigil.catalog import (
    Catalog,
    Column,
    ForeignKey,
    RelationName,
    Table,
    TableName,
    parse_relation,
    quote,
)
from pgvigil.check import Problem

_MOST_NAMES = 10


def _read(value: object) -> RelationName:
    if isinstance(value, RelationName):
        return value
    if not isinstance(value, str):
        raise ValueError("expected a text such as schema.child(column) -> schema.parent(column)")
    return parse_relation(value)


RelationField = Annotated[
    RelationName,
    PlainValidator(_read),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["schema.child(column) -> schema.parent(column)"]}),
]
"""A setting that is written as a relation."""

Identity: TypeAlias = tuple[TableName, TableName, frozenset[tuple[str, str]]]


def identity(name: RelationName) -> Identity:
    """Return what makes two relations the same: the tables, and the columns whatever their order."""
    pairs = zip(name.child_columns, name.parent_columns, strict=True)
    return name.child, name.parent, frozenset(pairs)


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation that the database does not declare as it is meant; all of its tables and columns exist.

    `wider` says that there is a key, but without the rows of the tables that inherit from child or parent.
    """

    name: RelationName
    child: Table
    parent: Table
    wider: bool = False

    @property
    def subject(self) -> str:
        """The name of this relation as a subject, which is never that of a key."""
        # A constraint's name in this place would be quoted, for its blanks.
        return f"{self.name} (with inheriting tables)" if self.wider else str(self.name)

    def column_pairs(self) -> Iterator[tuple[Column, Column]]:
        """Yield the columns of child and parent that belong together."""
        yield from column_pairs(self.child, self.name.child_columns, self.parent, self.name.parent_columns)


def column_pairs(
    child: Table, child_columns: Sequence[str], parent: Table, parent_columns: Sequence[str]
) -> Iterator[tuple[Column, Column]]:
    """Yield the columns of child and parent that belong together."""
    child_by_name = {column.name: column for column in child.columns}
    parent_by_name = {column.name: column for column in parent.columns}
    for child_name, parent_name in zip(child_columns, parent_columns, strict=True):
        yield child_by_name[child_name], parent_by_name[parent_name]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the settings ask for: keys that are declared, relations that are not, and what does not fit.

    The declared ones may lie outside the watched schemas: a person named them. `wider` are relations that are
    among the declared, too, but whose keys leave out rows: those of inheriting tables.
    """

    declared: tuple[ForeignKey, ...]
    undeclared: tuple[Relation, ...]
    wider: tuple[Relation, ...]
    problems: tuple[Problem, ...]


def find_relations(catalog: Catalog, names: Iterable[RelationName], setting: str) -> Wanted:
    """Find the relations of the list `setting` in the catalog; one that is written twice counts once."""
    keys: dict[Identity, ForeignKey] = {}
    for declaring in catalog.foreign_keys:
        keys.setdefault(identity(declaring.relation), declaring)
    declared: dict[Identity, ForeignKey] = {}
    undeclared: dict[Identity, Relation] = {}
    wider: dict[Identity, Relation] = {}
    problems: dict[Identity, Problem] = {}
    for position, name in enumerate(names):
        itself = identity(name)
        key = _declaring(catalog, keys, name)
        child, parent = catalog.table(name.child), catalog.table(name.parent)
        if key is not None:
            declared[identity(key.relation)] = key
            if child and parent and (child.has_children or parent.has_children):
                wider.setdefault(itself, Relation(name, child, parent, wider=True))
            continue
        misfit = _misfit(catalog, name)
        if misfit or child is None or parent is None:
            problems.setdefault(itself, Problem((setting, position), misfit, str(name)))
        else:
            undeclared.setdefault(itself, Relation(name, child, parent))
    return Wanted(
        tuple(declared.values()),
        tuple(undeclared.values()),
        tuple(wider.values()),
        tuple(problems.values()),
    )


def _declaring(
    catalog: Catalog, keys: Mapping[Identity, ForeignKey], name: RelationName
) -> ForeignKey | None:
    """Return the key that declares a relation: of the child itself, or of what it is a partition of."""
    key = keys.get(identity(name))
    child = catalog.table(name.child)
    while key is None and child is not None and child.partition_of is not None:
        child = catalog.by_oid(child.partition_of)
        if child is not None:
            key = keys.get(identity(replace(name, child=TableName(child.schema, child.name))))
    return key


def _misfit(catalog: Catalog, name: RelationName) -> str:
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
