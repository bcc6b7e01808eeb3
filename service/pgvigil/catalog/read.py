"""Reads a catalog through five queries, whatever the number of tables."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from sys import intern
from typing import Any, LiteralString

from pgvigil.catalog.model import (
    Catalog,
    Column,
    ForeignKey,
    Index,
    Key,
    Match,
    Operator,
    Table,
    TableKind,
    TriggerState,
)
from pgvigil.catalog.names import qualified
from pgvigil.catalog.scope import Scope
from pgvigil.catalog.texts import is_faithful

Rows = list[dict[str, Any]]
Fetch = Callable[[LiteralString], Rows]

KINDS = {
    "r": TableKind.TABLE,
    "p": TableKind.PARTITIONED,
    "f": TableKind.FOREIGN,
    "v": TableKind.VIEW,
    "m": TableKind.MATERIALIZED_VIEW,
}
"""What pg_class.relkind says, by its letter."""


def read_catalog(fetch: Fetch, scope: Scope | None = None) -> Catalog:
    """Read the catalog; `fetch` runs one query inside one snapshot whose search path is pg_catalog.

    Raises what `fetch` raises.
    """
    return made_catalog([fetch(query) for query in catalog_queries()], scope)


def catalog_queries() -> list[LiteralString]:
    """Return the queries that `made_catalog` takes the answers of, all to be asked in one snapshot."""
    return [*tables_queries(), foreign_keys_query()]


def tables_queries() -> list[LiteralString]:
    """Return the queries that `made_tables` takes the answers of."""
    return [_sql(name) for name in ("server", "tables", "columns", "indexes")]


def foreign_keys_query() -> LiteralString:
    """Return the query that `with_foreign_keys` takes the answer of."""
    return _sql("foreign_keys")


def made_catalog(answers: Sequence[Rows], scope: Scope | None = None) -> Catalog:
    """Make the catalog of what the server has answered, which takes a while and needs no snapshot."""
    *tables, foreign_keys = answers
    return with_foreign_keys(made_tables(tables, scope), foreign_keys)


def made_tables(answers: Sequence[Rows], scope: Scope | None = None) -> Catalog:
    """Make a catalog that has no foreign keys yet."""
    (server,), table_rows, columns, indexes = answers
    tables = _tables(table_rows, columns, indexes, server["encoding"])
    return Catalog(
        server_version=server["server_version"],
        database=server["database"],
        in_recovery=server["in_recovery"],
        schemas=tuple(server["schemas"] or ()),
        schema_owners=tuple(server["schema_owners"] or ()),
        tables=tuple(tables.values()),
        foreign_keys=(),
        scope=scope or Scope(),
        encoding=server["encoding"],
    )


def with_foreign_keys(catalog: Catalog, answer: Rows) -> Catalog:
    """Add the foreign keys to the tables of the same snapshot."""
    tables = {table.oid: table for table in catalog.tables}
    return replace(catalog, foreign_keys=tuple(_foreign_keys(answer, tables)))


def _sql(name: str) -> LiteralString:
    return resources.files("pgvigil.catalog").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def _tables(tables: Rows, columns: Rows, indexes: Rows, encoding: str) -> dict[int, Table]:
    columns_of, indexes_of = _by_table(columns), _by_table(indexes)
    made = {
        row["oid"]: _table(row, columns_of[row["oid"]], indexes_of[row["oid"]], encoding) for row in tables
    }
    return _with_partition_sums(made)


def _by_table(rows: Rows) -> defaultdict[int, Rows]:
    grouped: defaultdict[int, Rows] = defaultdict(list)
    for row in rows:
        grouped[row["table"]].append(row)
    return grouped


def _table(row: dict[str, Any], columns: Rows, indexes: Rows, encoding: str) -> Table:
    parents = tuple(row["parents"] or ())
    names = {column["number"]: column["name"] for column in columns}
    made = tuple(_index(index, names) for index in indexes)
    return Table(
        oid=row["oid"],
        schema=row["schema"],
        name=row["name"],
        kind=KINDS[row["kind"]],
        owner=row["owner"],
        partition_of=parents[0] if row["is_partition"] and parents else None,
        inherits=() if row["is_partition"] else parents,
        has_children=row["has_children"],
        logged=row["logged"],
        file=row["file"],
        row_security=row["row_security"],
        row_security_forced=row["row_security_forced"],
        rows_estimate=row["rows_estimate"],
        pages=row["pages"],
        columns=tuple(_column(column, encoding) for column in columns),
        keys=tuple(_keys(indexes, made)),
        indexes=made,
    )


def _column(row: dict[str, Any], encoding: str) -> Column:
    collated = row["collation_name"]
    collation = (intern(row["collation_schema"]), intern(collated)) if collated else None
    # Tens of thousands of columns have a few hundred names and types among them.
    return Column(
        name=intern(row["name"]),
        number=row["number"],
        type=intern(row["type"]),
        base_type=intern(row["base_type"]),
        category=row["category"],
        not_null=row["not_null"],
        collation=collation,
        deterministic=row["deterministic"],
        comparable=row["comparable"],
        faithful=is_faithful(row["base_type"], row["category"], encoding),
        generated=row["generated"],
        identity=row["identity"],
        filled=row["filled"],
    )


def _index(row: dict[str, Any], names: Mapping[int, str]) -> Index:
    return Index(
        oid=row["oid"],
        name=row["name"],
        columns=tuple(names.get(number) for number in row["columns"]),
        method=row["method"],
        unique=row["is_unique"],
        valid=row["is_valid"],
        partial=row["is_partial"],
    )


def _keys(rows: Rows, indexes: Iterable[Index]) -> Iterable[Key]:
    for row, index in zip(rows, indexes, strict=True):
        columns = tuple(column for column in index.columns if column is not None)
        if index.unique and index.valid and not index.partial and len(columns) == len(index.columns):
            yield Key(index.name, columns, row["is_primary"], row["nulls_not_distinct"])


def _with_partition_sums(tables: dict[int, Table]) -> dict[int, Table]:
    """Give partitioned tables the pages and estimated rows of their leaves; their own are empty or stale."""
    rows: defaultdict[int, float] = defaultdict(float)
    pages: defaultdict[int, int] = defaultdict(int)
    unsure: set[int] = set()
    for leaf in tables.values():
        if leaf.kind is TableKind.PARTITIONED:
            continue
        above = leaf.partition_of
        while above is not None and above in tables:
            rows[above] += leaf.rows_estimate or 0
            pages[above] += leaf.pages
            if leaf.rows_estimate is None:
                unsure.add(above)
            above = tables[above].partition_of
    return {
        # None of those that were looked at having rows, it is not empty where others were not.
        oid: replace(table, rows_estimate=rows[oid] or (None if oid in unsure else 0.0), pages=pages[oid])
        if table.kind is TableKind.PARTITIONED
        else table
        for oid, table in tables.items()
    }


def _foreign_keys(rows: Rows, tables: dict[int, Table]) -> Iterable[ForeignKey]:
    """Make the keys, oldest first, so that a new twin never renames the key that was there before it."""
    seen: set[str] = set()
    for row in rows:
        # A table of another session's temporary schema, or one dropped while we read.
        if row["child"] not in tables or row["parent"] not in tables:
            continue
        key = _foreign_key(row, tables)
        if key.subject in seen:
            key = replace(key, twin=True)
        seen.add(key.subject)
        yield key


def _foreign_key(row: dict[str, Any], tables: dict[int, Table]) -> ForeignKey:
    return ForeignKey(
        oid=row["oid"],
        name=row["name"],
        child=tables[row["child"]],
        child_columns=tuple(row["child_columns"]),
        parent=tables[row["parent"]],
        parent_columns=tuple(row["parent_columns"]),
        match=Match(row["match"]),
        operators=_operators(row["operators"]),
        validated=row["validated"],
        enforced=row["enforced"],
        period=row["period"],
        index_name=row["index_name"],
        index_valid=row["index_valid"],
        triggers=row["triggers"],
        idle_triggers=tuple(
            TriggerState(qualified(schema, table), name, enabled)
            for schema, table, name, enabled in _listed(row["idle_triggers"])
        ),
        missing_triggers=tuple(
            (qualified(schema, table), event) for schema, table, event in _listed(row["missing_triggers"])
        ),
    )


# There are as many as there are types that keys compare, however many keys there are.
@lru_cache(maxsize=1024)
def _operators(told: str) -> tuple[Operator, ...]:
    return tuple(Operator(*operator) for operator in json.loads(told))


def _listed(told: str | None) -> list[list[str]]:
    return json.loads(told) if told else []
