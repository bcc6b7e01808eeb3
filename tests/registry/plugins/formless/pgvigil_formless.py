"""A plugin that has the right base class, and nothing else."""

from __future__ import annotations

from pgvigil.check import Check, Params


class Formless(Check[Params]):
    """Does nothing that the contract asks for."""
