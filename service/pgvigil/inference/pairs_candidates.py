"""Which tables are worth a look: those that share rare names, found through an index over names.

Every table is entered under the stems of its name and the names and kinds of its columns. Whatever many
tables share, such as `id` or `name`, tells nothing and is passed over: so the work grows with the number of
columns and not with the square of the number of tables. It also leaves out the tables of tenants that have a
schema each: they are alike on purpose, and hold different things.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from heapq import nlargest
from itertools import combinations
from math import log

from pgvigil.catalog import Catalog, Table, TableKind
from pgvigil.inference.pairs_names import column_stems, is_mark, stems
from pgvigil.inference.pairs_values import family

MOST_CANDIDATES = 400
"""How many pairs of tables are looked at, those with the rarest names in common first."""

_MOST_ALIKE = 24


def candidate_tables(catalog: Catalog) -> list[tuple[Table, Table]]:
    """Return the pairs of tables that share rare names, those that share most first.

    None of them references the other or inherits from it: such a table adds to an entity, or is a part of it.
    """
    tables = {one.oid: one for one in catalog.watched_tables() if one.kind is not TableKind.FOREIGN}
    features = {oid: frozenset(_features(table)) for oid, table in tables.items()}
    holders: defaultdict[object, list[int]] = defaultdict(list)
    for oid, names in features.items():
        for name in names:
            holders[name].append(oid)
    worth = {name: log((len(tables) + 1) / len(oids)) for name, oids in holders.items()}
    shared: defaultdict[tuple[int, int], float] = defaultdict(float)
    for name, oids in holders.items():
        if len(oids) <= _MOST_ALIKE:
            for pair in combinations(oids, 2):
                shared[pair] += worth[name]
    whole = {oid: sum(worth[name] for name in names) for oid, names in features.items()}
    linked = _linked(catalog)
    best = nlargest(
        MOST_CANDIDATES,
        (pair for pair in shared if frozenset(pair) not in linked),
        # Much in common, and much of what there is: two tables of two columns are soon alike.
        key=lambda pair: (shared[pair] ** 2 / (min(whole[pair[0]], whole[pair[1]]) or 1), pair),
    )
    return [(tables[left], tables[right]) for left, right in best]


def _features(table: Table) -> Iterator[object]:
    """Yield what a table may be found by."""
    yield from stems(table.name)
    for column in table.columns:
        if not is_mark(column.name):
            yield column_stems(column.name, table), family(column)


def _linked(catalog: Catalog) -> set[frozenset[int]]:
    declared = {frozenset((key.child.oid, key.parent.oid)) for key in catalog.foreign_keys}
    inherited = {frozenset((table.oid, parent)) for table in catalog.tables for parent in table.inherits}
    return declared | inherited
