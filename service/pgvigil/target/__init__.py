"""A target: one watched database, reached through safe sessions only."""

from pgvigil.target.session import Limits, Snapshot
from pgvigil.target.target import Target

__all__ = ["Limits", "Snapshot", "Target"]
