"""Fits the weights of inference to the half of the schemas that may be looked at.

Each candidate is one example: its reasons' amounts, and whether it was declared. A logistic regression by
gradient descent, held near the weights that are in force by a quadratic penalty (a Gaussian prior around
them), so that a reason that hardly occurs keeps its weight. Every schema counts the same, however many keys
it has. That rivals lower one another's probability is left out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from evaluation.databases import Databases, catalog_of
from evaluation.judging import (
    NAMES,
    SAMPLING,
    WAYS,
    Relation,
    declared,
    plain,
    sampler,
    statistics,
    without_sizes,
)
from evaluation.sources import Source
from pgvigil.catalog import Scope
from pgvigil.inference.candidate import Candidate
from pgvigil.inference.propose import candidates
from pgvigil.inference.weights import BIAS, WEIGHTS
from pgvigil.target import Limits, Target

_BIAS = "BIAS"
_STEPS = 400
_RATE = 1.0
# A weight that moves by one costs as much as so many examples' worth of a schema.
_PRIOR = 0.002


@dataclass(frozen=True, slots=True)
class Example:
    """A candidate: the amounts of its reasons by feature, whether it was declared, and how much it counts."""

    amounts: Mapping[str, float]
    right: bool
    counts: float


def examples(databases: Databases, source: Source) -> list[Example]:
    """Return all candidates of a schema, in each way."""
    catalog = catalog_of(databases.filled(source).dsn)
    truth = declared(catalog)
    target = Target(source.name, databases.without_keys(source, catalog), Limits(statement_timeout=60.0))
    try:
        return [one for way in WAYS for one in _examples(_thought_of(target, way), truth)]
    finally:
        target.close()


def _thought_of(target: Target, way: str) -> list[Candidate]:
    catalog = target.read_catalog(Scope())
    if way == NAMES:
        return candidates(without_sizes(catalog))
    return candidates(catalog, statistics(target, catalog), sampler(target) if way == SAMPLING else None)


def _examples(found: Sequence[Candidate], truth: frozenset[Relation]) -> Iterator[Example]:
    for one in found:
        amounts: defaultdict[str, float] = defaultdict(float, {_BIAS: 1.0})
        for reason in one.reasons:
            amounts[reason.feature] += reason.amount
        yield Example(amounts, plain(one.relation) in truth, 1 / len(found))


def fitted(all_examples: Iterable[Example]) -> dict[str, float]:
    """Return the weights that fit these examples best, near those in force."""
    given = list(all_examples)
    start = {_BIAS: BIAS, **WEIGHTS}
    weights, squares = dict(start), dict.fromkeys(start, 1e-9)
    for _ in range(_STEPS):
        gradient = {name: _PRIOR * (weights[name] - start[name]) for name in weights}
        for one in given:
            odds = sum(weights[name] * amount for name, amount in one.amounts.items())
            error = (_probable(odds) - one.right) * one.counts
            for name, amount in one.amounts.items():
                gradient[name] += error * amount
        # Each weight at its own pace (AdaGrad): features differ much in how often they occur.
        for name, slope in gradient.items():
            squares[name] += slope * slope
            weights[name] -= _RATE * slope / math.sqrt(squares[name])
    return weights


def lines(all_examples: Sequence[Example]) -> Iterator[str]:
    """Yield each weight as it is and as it would fit, with how many examples have it and are right."""
    for name, weight in fitted(all_examples).items():
        having = [one for one in all_examples if name in one.amounts]
        right = sum(one.right for one in having)
        now = BIAS if name == _BIAS else WEIGHTS[name]
        yield f"{name:24} {now:6.2f} -> {weight:6.2f}   {right} of {len(having)}"


def _probable(odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
