"""Asks a sampler about candidates, where its answer may change what is said of them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pgvigil.catalog import Table
from pgvigil.catalog.statistics import Statistics
from pgvigil.inference.candidate import Candidate, Reason
from pgvigil.inference.sampling import Looked, Parent, Sampler
from pgvigil.inference.values import Values
from pgvigil.inference.weights import WEIGHTS

# Parents of one child that are asked about.
_MOST_PARENTS = 20
# So few values may be found by chance.
_FEW = 3.0
# From the first of these shares of rows with a parent up, a relation holds, but for orphans: a tenth at most.
# Below the second it does not.
_HOLDS = 0.9
_FAILS = 0.5


def verified(
    candidates: Sequence[Candidate], sampler: Sampler, values: Values, statistics: Statistics | None
) -> list[Candidate]:
    """Return all candidates, with what a sample says of those of which it may say something.

    The likeliest are asked about first, for as long as the sampler's time lasts.
    """
    told = list(candidates)
    for places in _by_child(candidates, statistics):
        first = candidates[places[0]]
        parents = [Parent(candidates[place].parent, candidates[place].key) for place in places]
        looks = sampler.look(first.child, first.columns, parents, first.condition)
        for place, looked in zip(places, looks, strict=True):
            if looked is not None and looked.values:
                told[place] = _judged(candidates[place], looked, values)
            elif looked is not None and _has_rows(first.child, values):
                told[place] = replace(candidates[place], unseen=True)
    return told


def _by_child(candidates: Sequence[Candidate], statistics: Statistics | None) -> Iterator[list[int]]:
    """Yield the places of those that can be asked about in one query, the most promising first."""
    order = sorted(
        range(len(candidates)),
        key=lambda place: (-candidates[place].log_odds, str(candidates[place].relation)),
    )
    groups: defaultdict[tuple[int, tuple[str, ...], tuple[str, str] | None], list[int]] = defaultdict(list)
    for place in order:
        one = candidates[place]
        if one.log_odds + WEIGHTS["found"] > 0 and _readable(one, statistics):
            groups[one.child.oid, one.columns, one.condition].append(place)
    for group in groups.values():
        yield group[:_MOST_PARENTS]


def _readable(candidate: Candidate, statistics: Statistics | None) -> bool:
    """Tell whether the role may read both sides, as far as is known: each refusal is a line in a log."""
    if statistics is None:
        return True
    for table, columns in ((candidate.child, candidate.columns), (candidate.parent, candidate.key)):
        known = statistics.tables.get(table.oid)
        if known is not None and not known.readable:
            # Where no column is named, none may be read.
            forbidden = known.columns_unreadable
            if not forbidden or set(forbidden) & set(columns):
                return False
    return True


def _has_rows(table: Table, values: Values) -> bool:
    """Tell whether a table is known to have rows: of an empty one its names say as much as they can."""
    return bool(table.pages or values.rows(table))


def _judged(candidate: Candidate, looked: Looked, values: Values) -> Candidate:
    return replace(
        candidate.with_reasons(_reasons(candidate, looked, values)), found=looked.found, sampled=looked.values
    )


def _reasons(candidate: Candidate, looked: Looked, values: Values) -> Iterator[Reason]:
    words = f"{looked.found:,} of {looked.values:,} sampled values exist"
    if looked.found < looked.values:
        words += f", those of {looked.share:.1%} of the rows"
    if looked.share < _HOLDS:
        yield Reason("missing", words, min(1.0, (_HOLDS - looked.share) / (_HOLDS - _FAILS)))
        return
    clean = (1 + (looked.share - _HOLDS) / (1 - _HOLDS)) / 2
    sure = looked.values / (looked.values + _FEW)
    yield Reason("found", words, clean * sure * _surprise(candidate, values))


def _surprise(candidate: Candidate, values: Values) -> float:
    """Tell how little chance would have made the values exist, of all columns together."""
    columns = [candidate.child.column(name) for name in candidate.columns]
    by_chance = [1 - values.surprise(candidate.child, column) for column in columns if column]
    return 1 - math.prod(by_chance)
