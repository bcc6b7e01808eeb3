"""Relations that a person wrote into the settings, held against the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
    relation_misfit,
)
from pgvigil.check import Problem


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
        misfit = relation_misfit(catalog, name)
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
