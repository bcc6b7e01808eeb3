"""Finds out what should hold in a target though nobody wrote it down: relations, and pairs of tables."""

from pgvigil.inference.proposal import ProposedPair, ProposedRelation
from pgvigil.inference.propose import propose_relations, relevant_columns
from pgvigil.inference.sampling import Sampler

__all__ = ["ProposedPair", "ProposedRelation", "Sampler", "propose_relations", "relevant_columns"]
