"""What a file says of relations, and how that fits a catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

from pgvigil.catalog import Catalog, RelationName, Table, TableName, quote, relation_misfit

Kind: TypeAlias = Literal["dbt", "loose-foreign-keys"]
"""What a file is."""

_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Named:
    """A table as a file names it. `schema` is empty where the file does not say; `exact` when it is certain.

    One that is not may have what the file says at the end of its name, behind that of an environment.
    """

    name: str
    schema: str = ""
    exact: bool = True

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True)
class Written:
    """A relation as a file has it; `where` says where in the file.

    Without `parent_column` it is the parent's primary key. `reason` is why it cannot be examined, empty when
    it can.
    """

    where: str
    child: Named
    child_column: str
    parent: Named
    parent_column: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file: relations to examine, those that are declared anyway, a line for each problem."""

    relations: tuple[RelationName, ...]
    declared: tuple[RelationName, ...]
    problems: tuple[str, ...]


class _MisfitError(Exception):
    """Something in a file that a catalog has not."""


def fitted(written: Iterable[Written], catalog: Catalog) -> Imported:
    """Hold what is written against a catalog; each relation comes once."""
    found: dict[RelationName, None] = {}
    problems: dict[str, None] = {}
    for one in written:
        try:
            found[_relation(one, catalog)] = None
        except _MisfitError as misfit:
            problems[f"{one.where}: {misfit}"] = None
    known = {key.relation for key in catalog.foreign_keys}
    return Imported(
        tuple(name for name in found if name not in known),
        tuple(name for name in found if name in known),
        tuple(problems),
    )


def _relation(one: Written, catalog: Catalog) -> RelationName:
    if one.reason:
        raise _MisfitError(one.reason)
    parent = _table(one.parent, one.parent_column, catalog)
    child = _table(one.child, one.child_column, catalog, beside=parent)
    parent = _table(one.parent, one.parent_column, catalog, beside=child)
    if child is None or parent is None:
        unclear = one.child if child is None else one.parent
        names = ", ".join(map(str, catalog.named(unclear.name)[:_MOST_NAMES]))
        raise _MisfitError(f"several tables are called {unclear.name}: {names}")
    name = RelationName(
        TableName(child.schema, child.name),
        (_column(child, one.child_column),),
        TableName(parent.schema, parent.name),
        (_column(parent, one.parent_column) if one.parent_column else _primary_key(parent),),
    )
    misfit = relation_misfit(catalog, name)
    if misfit:
        raise _MisfitError(misfit)
    return name


def _table(named: Named, column: str | None, catalog: Catalog, beside: Table | None = None) -> Table | None:
    """Return the table that is meant, None when it may be several; raises _MisfitError when it is none.

    Of several it is the one that has the column, that lies beside the other table, or that is in `public`.
    """
    there = [table for table in catalog.named(named.name) if _in_schema(table.schema, named)]
    if not there:
        raise _MisfitError(f"there is no table {named}{_nearest(named, catalog)}")
    preferences: tuple[Callable[[Table], bool], ...] = (
        lambda table: column is None or table.column(_column(table, column)) is not None,
        lambda table: beside is not None and table.schema == beside.schema,
        lambda table: table.schema == "public",
    )
    for preferred in preferences:
        there = list(filter(preferred, there)) or there
    return there[0] if len(there) == 1 else None


def _in_schema(schema: str, named: Named) -> bool:
    if not named.schema or schema == named.schema:
        return True
    return not named.exact and schema.endswith(f"_{named.schema}")


def _nearest(named: Named, catalog: Catalog) -> str:
    elsewhere = catalog.named(named.name)
    names = {table.name: str(table) for table in catalog.tables}
    close = [names[one] for one in get_close_matches(named.name, names, n=_MOST_NAMES)]
    near = list(map(str, elsewhere[:_MOST_NAMES])) or close
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _column(table: Table, name: str) -> str:
    """Return a column's own name: written without quotes, it is folded as PostgreSQL does."""
    bare = name[1:-1].replace('""', '"') if name.startswith('"') and name.endswith('"') else name
    if table.column(bare) is None and table.column(bare.lower()) is not None:
        return bare.lower()
    return bare


def _primary_key(table: Table) -> str:
    columns = next((key.columns for key in table.keys if key.primary), ())
    if len(columns) != 1:
        said = f"has the primary key ({', '.join(map(quote, columns))})" if columns else "has no primary key"
        raise _MisfitError(f"{table} {said}, so that no one column can be referred to")
    return columns[0]
