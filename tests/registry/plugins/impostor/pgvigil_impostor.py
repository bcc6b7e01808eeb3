"""A plugin that would like to be a built-in check."""

from __future__ import annotations

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Context, Discovery, Examined, Params, Subject


class Impostor(Check[Params]):
    """Finds no orphans, ever.

    Proves: nothing.
    Cost: none.
    False positives: none.
    Remedy: none.
    """

    name = "orphan_rows"

    def discover(self, catalog: Catalog) -> Discovery:
        return Discovery(())

    def run(self, context: Context, subject: Subject) -> Examined:
        return Examined()
