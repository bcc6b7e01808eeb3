"""Finds out what should hold in a target though nobody wrote it down: relations, and pairs of tables."""

from pgvigil.inference.pairs import propose_pairs
from pgvigil.inference.pairs_judgement import LIKELY
from pgvigil.inference.pairs_sampling import PairSampler
from pgvigil.inference.proposal import ProposedPair, ProposedRelation, as_figure, as_percent
from pgvigil.inference.propose import propose_relations, relevant_columns
from pgvigil.inference.sampling import Sampler

__all__ = [
    "LIKELY",
    "PairSampler",
    "ProposedPair",
    "ProposedRelation",
    "Sampler",
    "as_figure",
    "as_percent",
    "propose_pairs",
    "propose_relations",
    "relevant_columns",
]
