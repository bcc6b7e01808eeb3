"""Whether a foreign key points at the wrong table: a deprecated one, or the empty twin of the right one.

An empty parent alone is no fault, nor is a table of the same name elsewhere. What counts as evidence:

- references of the child that are found in the twin, but have no parent where the key looks for it; or
- a key that leaves its schema for an empty table, while one of the same name and key elsewhere has rows. Not
  if the key stays within its schema: where every tenant has a schema, the same tables are empty here and full
  there. Nor between two zones: data moves through them, and each holds the same tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from heapq import merge
from itertools import compress, groupby
from weakref import ref

from psycopg import sql

from pgvigil.catalog import Catalog, ForeignKey, Table, TableKind, quote
from pgvigil.check import Context, Finding, Severity, load_sql
from pgvigil_checks.planning import distrust_estimates
from pgvigil_checks.references import Reference, table_name
from pgvigil_checks.relations import column_pairs

_MOST_TWINS = 10
_SHORTEST_WORD = 4


def unsuspected(context: Context, keys: Mapping[str, ForeignKey]) -> set[str]:
    """Return the names of the keys against whose parents nothing speaks, by one query for all of them."""
    catalog = context.catalog
    current = {name: key for name, key in keys.items() if not _is_deprecated(catalog, key)}
    # Most keys end here, without a query.
    doubtful = {name: key for name, key in current.items() if next(_twins(catalog, key), None)}
    parents = {key.parent.oid: Reference.declared(key).parent_rows for key in doubtful.values()}
    filled = _filled(context, parents) if parents else set()
    return {name for name, key in current.items() if name not in doubtful or key.parent.oid in filled}


def _filled(context: Context, tables: Mapping[int, sql.Composed]) -> set[int]:
    """Return those of some tables that have rows, by their oids."""
    exists = [sql.SQL("EXISTS (SELECT FROM {})").format(table) for table in tables.values()]
    query = load_sql("pgvigil_checks", "foreign_keys_filled.sql").format(exists=sql.SQL(", ").join(exists))
    filled: list[bool] = context.fetch(query)[0]["filled"]
    return set(compress(tables, filled))


def wrong_parent(context: Context, key: ForeignKey) -> Finding | None:
    """Return the finding of a key that points at the wrong table; None when nothing tells that it does."""
    if _is_deprecated(context.catalog, key):
        return _finding(context, key, f"{key.parent}, which lies in a deprecated schema", None)
    twins = _twins(context.catalog, key)
    first = next(twins, None)
    if first is None:
        return None
    reference = Reference.declared(key)
    rows = context.fetch(
        load_sql("pgvigil_checks", "foreign_keys_rows.sql").format(
            parent=reference.parent_rows, child=reference.child_rows, refers=reference.refers
        )
    )[0]
    if rows["parent_has_rows"]:
        return None
    for twin in _readable(context, (first, *twins)):
        context.pause()
        if _is_right_one(context, reference, twin, child_refers=rows["child_refers"]):
            return _finding(context, key, f"{key.parent}, which is empty while {twin} has rows", twin)
    return None


def _is_deprecated(catalog: Catalog, key: ForeignKey) -> bool:
    scope = catalog.scope
    return scope.is_deprecated(key.parent.schema) and not scope.is_deprecated(key.child.schema)


def _twins(catalog: Catalog, key: ForeignKey) -> Iterator[Table]:
    """Yield tables that may hold the parent's entity as well: of its name or one like it, with its key."""
    for table in _namesakes(catalog, key.parent.name):
        if (
            table.kind in (TableKind.TABLE, TableKind.PARTITIONED)
            and not table.is_partition
            and table.oid not in (key.parent.oid, key.child.oid)
            and not catalog.scope.is_deprecated(table.schema)
            and _has_same_key(key, table)
        ):
            yield table


def _namesakes(catalog: Catalog, name: str) -> Iterator[Table]:
    """Yield the tables of a name, or with a word in common, in the catalog's order."""
    index = _index(catalog)
    # Not gathered first: the first is often enough, and a word may be in the name of every table.
    places = merge(*(index.get(key, ()) for key in {name, *_words(name)}))
    return (catalog.tables[place] for place, _ in groupby(places))


# By the identity of the catalog, whose value is long to compare: each of its keys asks.
_indexes: dict[int, tuple[ref[Catalog], Mapping[str, Sequence[int]]]] = {}


def _index(catalog: Catalog) -> Mapping[str, Sequence[int]]:
    """Return the places of the catalog's tables by their names, and by the words in these."""
    known = _indexes.get(id(catalog))
    if known is not None and known[0]() is catalog:
        return known[1]
    index: dict[str, list[int]] = {}
    for place, table in enumerate(catalog.tables):
        for key in {table.name, *_words(table.name)}:
            index.setdefault(key, []).append(place)
    for gone in [one for one, (catalog_of, _) in list(_indexes.items()) if catalog_of() is None]:
        _indexes.pop(gone, None)
    _indexes[id(catalog)] = ref(catalog), index
    return index


@lru_cache(maxsize=65_536)
def _words(name: str) -> frozenset[str]:
    """Return the words of a name that may tell its entity, such as games in `enhanced_games`."""
    return frozenset(word for word in re.split(r"[\W_\d]+", name.lower()) if len(word) >= _SHORTEST_WORD)


def _has_same_key(key: ForeignKey, table: Table) -> bool:
    wanted = set(key.parent_columns)
    if not any(set(each.columns) == wanted for each in table.keys):
        return False
    pairs = column_pairs(table, key.parent_columns, key.parent, key.parent_columns)
    return all(ours.base_type == theirs.base_type for ours, theirs in pairs)


def _readable(context: Context, twins: Iterable[Table]) -> list[Table]:
    """Return the likeliest twins, without those that the role may not read: they must not fail this run."""
    likeliest = sorted(twins, key=lambda table: -(table.rows_estimate or 0))[:_MOST_TWINS]
    oids = sql.Literal([table.oid for table in likeliest])
    rows = context.fetch(load_sql("pgvigil_checks", "foreign_keys_readable.sql").format(oids=oids))
    readable = {row["oid"] for row in rows}
    return [table for table in likeliest if table.oid in readable]


def _is_right_one(context: Context, reference: Reference, twin: Table, *, child_refers: bool) -> bool:
    pairs = column_pairs(
        reference.child,
        reference.child_columns,
        twin,
        [parent.name for _, parent in reference.columns],
    )
    distrust_estimates(context, reference.child, twin)
    to_twin = replace(reference, parent=twin, columns=tuple(pairs))
    found = context.fetch(
        load_sql("pgvigil_checks", "foreign_keys_twin.sql").format(
            twin=to_twin.parent_rows, child=to_twin.child_rows, equal=to_twin.equal, refers=to_twin.refers
        )
    )[0]
    if child_refers:
        return bool(found["is_meant"])
    return bool(found["has_rows"]) and _leaves_its_schema(context.catalog, reference, twin)


def _leaves_its_schema(catalog: Catalog, reference: Reference, twin: Table) -> bool:
    parent = reference.parent
    if parent.schema == reference.child.schema or twin.name != parent.name:
        return False
    zones = catalog.scope.zones
    return not (parent.schema in zones and twin.schema in zones)


def _finding(context: Context, key: ForeignKey, where: str, twin: Table | None) -> Finding:
    columns = ", ".join(map(quote, key.child_columns))
    parent_columns = ", ".join(map(quote, key.parent_columns))
    right = str(twin) if twin else "the table that replaces it"
    return Finding(
        code="wrong_parent",
        severity=Severity.WARNING,
        title=f"The foreign key {quote(key.name)} points at {where}",
        count=1,
        remedy=f"Point it at {right}: ALTER TABLE {key.child} DROP CONSTRAINT {quote(key.name)}, "
        f"ADD FOREIGN KEY ({columns}) REFERENCES {right if twin else '…'} ({parent_columns});",
        evidence_sql=_evidence(key.parent, twin),
        sample=({"table": str(key.child), "constraint": key.name, "parent": str(key.parent)},)[
            : context.sample
        ],
        details={"parent": str(key.parent), "instead": str(twin) if twin else None},
    )


def _evidence(parent: Table, twin: Table | None) -> str:
    if twin is None:
        return sql.SQL("SELECT pg_catalog.count(*) FROM {};").format(table_name(parent)).as_string()
    query = load_sql("pgvigil_checks", "foreign_keys_evidence.sql").format(
        parent=table_name(parent),
        twin=table_name(twin),
        parent_label=sql.Identifier("rows of the parent"),
        twin_label=sql.Identifier("rows of its twin"),
    )
    return f"{query.as_string()};"
