"""Finds out what should hold in a target though nobody wrote it down: relations, and pairs of tables."""

from pgvigil.inference.proposal import ProposedPair, ProposedRelation

__all__ = ["ProposedPair", "ProposedRelation"]
