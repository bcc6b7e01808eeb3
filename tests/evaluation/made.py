"""Results to test with: `a` is the relation `s.a(x) -> s.p(id)`."""

from __future__ import annotations

from evaluation.judging import Judged, plain

from pgvigil.catalog import RelationName, parse_relation
from pgvigil.inference import ProposedRelation


def relation(letter: str) -> RelationName:
    return parse_relation(f"s.{letter}(x) -> s.p(id)")


def judged(declared: str, way: str = "names", **proposed: float) -> Judged:
    """Make what is proposed with these probabilities, beside what was declared: one letter for each."""
    truth = frozenset(plain(relation(letter)) for letter in declared)
    made = tuple(
        ProposedRelation(relation(letter), probability, ()) for letter, probability in proposed.items()
    )
    return Judged("schema", way, truth, made, 0.0)
