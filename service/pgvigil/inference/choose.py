"""Chooses among candidates that cannot all be meant: a column has one parent."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pgvigil.catalog import RelationName, TableName
from pgvigil.inference.candidate import Candidate, Reason, probable
from pgvigil.inference.proposal import ProposedRelation

LIKELY = 0.5
"""What is less probable than this is not proposed."""

# How much more a rival counts than its odds say: a clearly weaker one hardly makes the stronger less likely.
_SHARPNESS = 2.0
# So sure must be what others are left out for.
_SURE = 0.7
# So sure is nothing of which no value was seen.
_UNSEEN_AT_MOST = 0.8
# A rival is worth a word when it takes so much of the probability away.
_WORTH_A_WORD = 0.05

Sides = tuple[TableName, tuple[str, ...], TableName, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Judged:
    one: Candidate
    probability: float
    rivals: tuple[Reason, ...] = ()


def chosen(candidates: Iterable[Candidate], held: Collection[RelationName] = ()) -> list[ProposedRelation]:
    """Return the likely ones, the best first: one parent for the same columns, one direction of two.

    What follows from others, `held` ones among them, is left out.
    """
    winners = _one_direction([_won(rivals) for rivals in _rivals(candidates)])
    likely = [judged for judged in winners if judged.probability >= LIKELY]
    kept = _without_implied(likely, held)
    proposals = [judged.one.proposed(judged.probability, judged.rivals) for judged in kept]
    return sorted(proposals, key=lambda one: (-one.probability, str(one.relation), one.condition or ("", "")))


def _rivals(candidates: Iterable[Candidate]) -> Iterable[list[Candidate]]:
    groups: defaultdict[tuple[int, frozenset[str], tuple[str, str] | None], list[Candidate]]
    groups = defaultdict(list)
    for one in candidates:
        groups[one.child.oid, frozenset(one.columns), one.condition].append(one)
    return groups.values()


def _won(rivals: Sequence[Candidate]) -> _Judged:
    """Return the best candidate for the same columns: the less likely, the nearer others come to it."""
    first, *others = sorted(rivals, key=lambda one: one.order)
    weights = [math.exp(max(-50.0, _SHARPNESS * (one.log_odds - first.log_odds))) for one in others]
    words = tuple(
        Reason(
            "rival", f"{TableName(one.parent.schema, one.parent.name)} would fit as well, or nearly", weight
        )
        for one, weight in zip(others, weights, strict=True)
        if weight >= _WORTH_A_WORD
    )
    alone = min(probable(first.log_odds), _UNSEEN_AT_MOST if first.unseen else 1.0)
    return _Judged(first, alone / (1 + sum(weights)), words)


def _one_direction(winners: Sequence[_Judged]) -> list[_Judged]:
    """Of two tables whose keys seem to refer to each other, keep the likelier direction."""
    by_sides = {_sides(judged.one): judged for judged in winners}
    kept = []
    for judged in winners:
        child, columns, parent, key = _sides(judged.one)
        back = by_sides.get((parent, key, child, columns))
        if back is None:
            kept.append(judged)
            continue
        less = _SHARPNESS * (back.one.log_odds - judged.one.log_odds)
        probability = judged.probability / (1 + math.exp(min(less, 50.0)))
        words = Reason("rival", "it may be the other way round", min(1.0, math.exp(min(less, 0.0))))
        kept.append(_Judged(judged.one, probability, (*judged.rivals, words)))
    return kept


def _sides(one: Candidate) -> Sides:
    name = one.relation
    return name.child, name.child_columns, name.parent, name.parent_columns


def _without_implied(likely: Sequence[_Judged], held: Collection[RelationName]) -> Iterator[_Judged]:
    """Leave out relations of one column that a longer one implies: its parent refers there by that column.

    A NULL in another of its columns would let a row off the longer one: it only counts where there is none.
    """
    steps: defaultdict[TableName, set[Sides]] = defaultdict(set)
    for name in (*(judged.one.relation for judged in likely), *held):
        if len(name.child_columns) == 1:
            steps[name.child].add((name.child, name.child_columns, name.parent, name.parent_columns))
    implied: set[Sides] = set()
    for longer in (
        judged.one for judged in likely if judged.probability >= _SURE and len(judged.one.columns) > 1
    ):
        if all((column := longer.child.column(name)) and column.not_null for name in longer.columns):
            pairs = dict(zip(longer.key, longer.columns, strict=True))
            # That each part exists in the same parent is said by all of them together.
            implied |= {
                (longer.relation.child, (column,), longer.relation.parent, (part,))
                for part, column in pairs.items()
            }
            implied |= {
                (longer.relation.child, (pairs[columns[0]],), parent, key)
                for _, columns, parent, key in steps[longer.relation.parent]
                if columns[0] in pairs
            }
    yield from (judged for judged in likely if _sides(judged.one) not in implied)
