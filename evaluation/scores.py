"""Precision, recall and F1, and whether probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evaluation.judging import Judged

LIKELY = 0.5
"""From this probability on a proposal counts as made."""
SURE = 0.9
BINS = ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 0.99), (0.99, 1.01))


@dataclass(frozen=True, slots=True)
class Score:
    """How many proposals were right and wrong, and how many keys were missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """The share of proposals that were declared; 1 when nothing is proposed."""
        made = self.right + self.wrong
        return self.right / made if made else 1.0

    @property
    def recall(self) -> float:
        """The share of declared keys that are proposed."""
        keys = self.right + self.missed
        return self.right / keys if keys else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)


@dataclass(frozen=True, slots=True)
class Mean:
    """The unweighted means of several schemas' figures: every schema counts the same."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Proposals whose probability lies in a range: what was said of them on average, and what came true."""

    least: float
    proposals: int
    said: float
    true: float


def score(judged: Judged, least: float = LIKELY) -> Score:
    """Count one schema's proposals of at least this probability."""
    made = [one for one in judged.proposals if one.probability >= least]
    right = sum(judged.right(one) for one in made)
    return Score(right, len(made) - right, len(judged.declared) - right)


def micro(scores: Iterable[Score]) -> Score:
    """Add up: every key counts the same."""
    return sum(scores, Score(0, 0, 0))


def macro(scores: Sequence[Score]) -> Mean:
    """Average: every schema counts the same."""
    count = len(scores) or 1
    return Mean(
        sum(one.precision for one in scores) / count,
        sum(one.recall for one in scores) / count,
        sum(one.f1 for one in scores) / count,
    )


def calibration(all_judged: Iterable[Judged]) -> list[Bin]:
    """Hold the probabilities of all proposals against what was declared."""
    said = [(one.probability, judged.right(one)) for judged in all_judged for one in judged.proposals]
    bins = []
    for least, below in BINS:
        inside = [(probability, right) for probability, right in said if least <= probability < below]
        if inside:
            mean = sum(probability for probability, _ in inside) / len(inside)
            bins.append(Bin(least, len(inside), mean, sum(right for _, right in inside) / len(inside)))
    return bins
