"""A relation that may hold, with the reasons for and against it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from pgvigil.catalog import RelationName, Table, TableName
from pgvigil.inference.proposal import ProposedRelation
from pgvigil.inference.weights import BIAS, WEIGHTS


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for a relation, or against it.

    `feature` names its weight; `words` say it to a person, and are empty where it goes without saying.
    `amount` lies between 0 and 1: how much of the weight counts.
    """

    feature: str
    words: str = ""
    amount: float = 1.0

    @property
    def weight(self) -> float:
        """What it adds to the log-odds."""
        return WEIGHTS[self.feature] * self.amount


@dataclass(frozen=True)
class Candidate:
    """Child columns that may refer to a parent's key. `condition` as in ProposedRelation.

    `unseen` tells that rows were looked at, and none had a value there.
    """

    child: Table
    columns: tuple[str, ...]
    parent: Table
    key: tuple[str, ...]
    reasons: tuple[Reason, ...] = ()
    condition: tuple[str, str] | None = None
    found: int = 0
    sampled: int = 0
    unseen: bool = False

    @cached_property
    def log_odds(self) -> float:
        """How likely it is, before its rivals are heard: the logarithm of the odds."""
        return BIAS + sum(WEIGHTS[reason.feature] * reason.amount for reason in self.reasons)

    @property
    def order(self) -> tuple[float, str, str, tuple[str, ...]]:
        """Sorts candidates for the same columns, the likeliest first, whoever thought of them first."""
        return -self.log_odds, self.parent.schema, self.parent.name, self.key

    @cached_property
    def relation(self) -> RelationName:
        """The relation, by its names."""
        return RelationName(
            TableName(self.child.schema, self.child.name),
            self.columns,
            TableName(self.parent.schema, self.parent.name),
            self.key,
        )

    def with_reasons(self, reasons: Iterable[Reason]) -> Candidate:
        """Return it with more reasons."""
        more = tuple(reasons)
        if not more:
            return self
        both = self.reasons + more
        return replace(self, reasons=both)

    def has(self, feature: str) -> bool:
        """Tell whether one of its reasons is of this feature."""
        return any(reason.feature == feature for reason in self.reasons)

    def _of_the_sample(self) -> Iterator[str]:
        if self.unseen:
            yield "no row that was looked at has a value"

    def proposed(self, probability: float, more: Iterable[Reason] = ()) -> ProposedRelation:
        """Make the proposal of it; `more` is what its rivals say."""
        weighty = sorted((*self.reasons, *more), key=lambda reason: -abs(reason.weight))
        return ProposedRelation(
            self.relation,
            probability,
            (*dict.fromkeys(reason.words for reason in weighty if reason.words), *self._of_the_sample()),
            self.condition,
            self.found,
            self.sampled,
        )


def probable(log_odds: float) -> float:
    """Turn log-odds into a probability."""
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0
