"""What is compared: what was declared, and what is proposed without it, in three ways."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from psycopg import sql

from pgvigil.catalog import Catalog, RelationName, Scope, TableName
from pgvigil.catalog.statistics import Statistics
from pgvigil.catalog.statistics_read import read_statistics
from pgvigil.inference import ProposedRelation, Sampler, propose_relations, relevant_columns
from pgvigil.target import Limits, Target

NAMES, STATISTICS, SAMPLING = "names", "statistics", "sampling"
WAYS = (NAMES, STATISTICS, SAMPLING)
"""Names and keys only; with what ANALYZE found as well; with a sample of rows as well."""

# The machine of an evaluation is shared and slow: a look must not be cut short for it.
_PATIENCE = 600.0

Relation = tuple[TableName, TableName, frozenset[tuple[str, str]]]
"""A relation in a form that does not depend on the order of its columns."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is proposed in one way for one schema, beside what was declared."""

    schema: str
    way: str
    declared: frozenset[Relation]
    proposals: tuple[ProposedRelation, ...]
    seconds: float

    @property
    def missed(self) -> frozenset[Relation]:
        """What was declared and is not proposed."""
        return self.declared - {plain(one.relation) for one in self.proposals}

    def right(self, proposal: ProposedRelation) -> bool:
        """Tell whether a proposal was declared."""
        return plain(proposal.relation) in self.declared


def plain(relation: RelationName) -> Relation:
    """Return a relation as it is compared."""
    pairs = zip(relation.child_columns, relation.parent_columns, strict=True)
    return relation.child, relation.parent, frozenset(pairs)


def declared(catalog: Catalog) -> frozenset[Relation]:
    """Return what is declared; twins count once."""
    return frozenset(plain(key.relation) for key in catalog.foreign_keys)


def judge(schema: str, dsn: str, truth: frozenset[Relation], ways: Iterable[str] = WAYS) -> list[Judged]:
    """Propose relations in a database without foreign keys."""
    target = Target(schema, dsn, Limits(statement_timeout=60.0))
    try:
        return [_judge(schema, target, truth, way) for way in ways]
    finally:
        target.close()


def _judge(schema: str, target: Target, truth: frozenset[Relation], way: str) -> Judged:
    catalog = target.read_catalog(Scope())
    began = time.perf_counter()
    proposals = _propose(target, catalog, way)
    return Judged(schema, way, truth, _once(proposals), time.perf_counter() - began)


def _propose(target: Target, catalog: Catalog, way: str) -> tuple[ProposedRelation, ...]:
    if way == NAMES:
        return propose_relations(without_sizes(catalog))
    return propose_relations(
        catalog, statistics(target, catalog), sampler(target) if way == SAMPLING else None
    )


def statistics(target: Target, catalog: Catalog) -> Statistics:
    """Read the statistics that inference wants."""
    with target.snapshot("evaluation") as snapshot:
        return read_statistics(snapshot.fetch, catalog, relevant_columns(catalog))


def sampler(target: Target) -> Sampler:
    """Return what looks values up."""

    def fetch(query: sql.Composed) -> list[dict[str, Any]]:
        with target.snapshot("evaluation") as snapshot:
            return snapshot.fetch(query)

    return Sampler(fetch, seconds=_PATIENCE)


def without_sizes(catalog: Catalog) -> Catalog:
    """Return a catalog that does not tell how large tables are: names alone are to decide."""
    return replace(catalog, tables=tuple(replace(one, rows_estimate=None, pages=0) for one in catalog.tables))


def _once(proposals: Iterable[ProposedRelation]) -> tuple[ProposedRelation, ...]:
    """Return the likeliest of those that are compared as one, as for several values of a polymorphic type."""
    best: dict[Relation, ProposedRelation] = {}
    for one in proposals:
        before = best.setdefault(plain(one.relation), one)
        if one.probability > before.probability:
            best[plain(one.relation)] = one
    return tuple(best.values())
