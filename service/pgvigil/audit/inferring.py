"""What nobody wrote down: relations and entity pairs, inferred from the catalog, statistics and samples."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from psycopg import sql

from pgvigil.audit.examining import Progress
from pgvigil.catalog import Catalog, RelationName
from pgvigil.catalog.statistics import Statistics
from pgvigil.inference import (
    PairSampler,
    ProposedPair,
    ProposedRelation,
    Sampler,
    propose_pairs,
    propose_relations,
)
from pgvigil.target import Target


@dataclass(frozen=True, slots=True)
class Proposals:
    """What is proposed, the likeliest first."""

    relations: tuple[ProposedRelation, ...]
    pairs: tuple[ProposedPair, ...]


def infer(
    target: Target,
    catalog: Catalog,
    statistics: Statistics,
    known: Collection[RelationName],
    *,
    sampling: bool,
    progress: Progress,
) -> Proposals:
    """Propose what seems to hold; `known` are the relations that settings name. Raises TargetError."""
    fetch = partial(_fetch, target)
    progress("relations", 0, 1)
    sampler = Sampler(fetch) if sampling else None
    relations = propose_relations(catalog, statistics, sampler, known)
    progress("relations", 1, 1)
    progress("entity pairs", 0, 1)
    all_of_them = (*known, *(one.relation for one in relations))
    pair_sampler = PairSampler(fetch) if sampling else None
    pairs = propose_pairs(catalog, statistics, pair_sampler, all_of_them)
    progress("entity pairs", 1, 1)
    return Proposals(relations, pairs)


def _fetch(target: Target, query: sql.Composed) -> list[dict[str, Any]]:
    """Run a query in a snapshot of its own: one that fails must leave the next one unharmed."""
    with target.snapshot("audit") as snapshot:
        return snapshot.fetch(query)
