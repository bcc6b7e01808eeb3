"""Checks that fulfil the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from pgvigil.catalog import parse_relation
from pgvigil.check import Check, Discovery, Examined, Params, Subject, Verdict

if TYPE_CHECKING:
    from pgvigil.catalog import Catalog
    from pgvigil.check import Context


class Plain(Check[Params]):
    """Finds nothing.

    Proves: nothing.
    Cost: nothing.
    False positives: none.
    Remedy: none.
    """

    name = "plain"

    def discover(self, catalog: Catalog) -> Discovery:
        return Discovery(tuple(Subject(str(table)) for table in catalog.watched_tables()))

    def run(self, context: Context, subject: Subject) -> Verdict:
        return Examined()


class PickyParams(Params):
    """Settings that have something to object to."""

    relations: tuple[str, ...] = Field(default=(), description="Relations.")
    threshold: int = Field(default=1, ge=1, description="A bound.")

    @field_validator("relations")
    @classmethod
    def _relations(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            parse_relation(text)
        return texts


class Picky(Plain):
    """Finds nothing, with settings.

    Proves: nothing.
    Cost: nothing.
    False positives: none.
    Remedy: none.
    """

    name = "picky"
    params_type = PickyParams
