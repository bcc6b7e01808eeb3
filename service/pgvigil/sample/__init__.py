"""The sample database."""

from pgvigil.sample.build import build

__all__ = ["build"]
