"""Prints what is proposed wrongly and what is missed, with the evidence: for whoever improves inference."""

from __future__ import annotations

from collections.abc import Iterator

from evaluation.judging import Judged, Relation
from evaluation.scores import score
from pgvigil.catalog import RelationName


def lines(judged: Judged) -> Iterator[str]:
    """Yield the errors of one way, the most probable first."""
    counted = score(judged)
    yield (
        f"{judged.schema}, {judged.way}: precision {counted.precision:.3f}, recall {counted.recall:.3f}, "
        f"F1 {counted.f1:.3f}; {counted.right} right, {counted.wrong} wrong, {counted.missed} missed; "
        f"{judged.seconds:.1f} s"
    )
    for one in sorted(judged.proposals, key=lambda one: -one.probability):
        if not judged.right(one):
            yield f"  wrong  {one.probability:.3f}  {one.relation}  ({one.found}/{one.sampled})"
            yield f"                {'; '.join(one.evidence)}"
    proposed = {(one.relation.child, one.relation.child_columns): one for one in judged.proposals}
    for missed in sorted(judged.missed, key=str):
        relation = named(missed)
        rival = proposed.get((relation.child, relation.child_columns))
        instead = f"  (proposed instead, {rival.probability:.2f}: {rival.relation.parent})" if rival else ""
        yield f"  missed        {relation}{instead}"


def named(relation: Relation) -> RelationName:
    """Write a compared relation as a name again."""
    child, parent, pairs = relation
    ordered = sorted(pairs)
    return RelationName(child, tuple(one for one, _ in ordered), parent, tuple(other for _, other in ordered))
