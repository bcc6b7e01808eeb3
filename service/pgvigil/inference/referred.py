"""Which tables others refer to: one that many refer to is the likelier parent of one more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from pgvigil.catalog import RelationName, TableName, quote
from pgvigil.inference.candidate import Candidate, Reason

# So many relations refer to a table, and more are no more reason.
_ENOUGH = 8


def referred(
    candidates: Collection[Candidate], held: Iterable[RelationName], likely: Iterable[Candidate] = ()
) -> list[Candidate]:
    """Return all candidates, with how many relations that hold, or are likely, refer to their parents.

    `likely` are further candidates that count.
    """
    sure = Counter(one.parent for one in held if one.parent != one.child)
    best = _best_of_each((*candidates, *likely))
    counts = sure + Counter(one.relation.parent for one in best.values() if one.child is not one.parent)
    return [one.with_reasons(_reasons(one, best, counts)) for one in candidates]


def _best_of_each(candidates: Iterable[Candidate]) -> Mapping[tuple[int, tuple[str, ...]], Candidate]:
    best: dict[tuple[int, tuple[str, ...]], Candidate] = {}
    for one in candidates:
        place = one.child.oid, one.columns
        if (
            len(one.columns) == 1
            and one.log_odds > 0
            and (place not in best or one.order < best[place].order)
        ):
            best[place] = one
    return best


def _reasons(
    one: Candidate, best: Mapping[tuple[int, tuple[str, ...]], Candidate], counts: Counter[TableName]
) -> Iterator[Reason]:
    itself = best.get((one.child.oid, one.columns)) is one and one.child is not one.parent
    others = counts[one.relation.parent] - itself
    if others:
        refer, seem = ("relation refers", "seems") if others == 1 else ("relations refer", "seem")
        words = f"{others} other {refer} to {quote(one.parent.name)}, or {seem} to"
        yield Reason("referred", words, min(1.0, others / _ENOUGH))
    elif one.has("values_only"):
        yield Reason("values_of_a_leaf", "nothing else refers to that table")
