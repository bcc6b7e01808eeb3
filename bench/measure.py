"""Measures variants of the same work in turns, so that a noisy machine is equally noisy for all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Work = Callable[[], object]


class CutError(Exception):
    """Raised by work that was ended because it took too long."""


class UnfitError(Exception):
    """Raised by work that cannot be done in this way."""


@dataclass(frozen=True)
class Measured:
    """Median seconds of each variant, in the order given; the first is what the others are compared with.

    What is in `cut` was ended after that time, and would have taken longer.
    """

    title: str
    seconds: Mapping[str, float]
    cut: frozenset[str] = field(default=frozenset())

    @property
    def ratios(self) -> dict[str, float]:
        """How many times as long as the first each variant took."""
        base = next(iter(self.seconds.values()))
        return {name: took / base for name, took in self.seconds.items()}

    def kept(self) -> dict[str, Any]:
        """Return what is written down of it."""
        return {"title": self.title, "seconds": dict(self.seconds), "cut": sorted(self.cut)}

    def __str__(self) -> str:
        width = max(map(len, self.seconds))
        lines = [
            f"{name:<{width}} {'>' if name in self.cut else ' '}{ratio:7.3f}  ({self.seconds[name]:.4g} s)"
            for name, ratio in self.ratios.items()
        ]
        return "\n".join([self.title, *(f"  {line}" for line in lines)])


def measure(
    title: str, variants: Mapping[str, Work], rounds: int = 5, patience: float = float("inf")
) -> Measured:
    """Run every variant once to warm up, then `rounds` times in turns, each round in another order.

    One that takes longer than `patience` seconds to warm up is measured once; one that raises CutError is not
    tried again.
    """
    names = list(variants)
    taken: dict[str, list[float]] = {name: [] for name in names}
    cut: set[str] = set()
    warm: dict[str, float] = {}
    for round_ in range(rounds + 1):
        for name in names[round_ % len(names) :] + names[: round_ % len(names)]:
            if name in cut or (round_ > 1 and warm[name] > patience):
                continue
            begun = time.perf_counter()
            try:
                variants[name]()
            except CutError:
                cut.add(name)
            took = time.perf_counter() - begun
            if not round_:
                warm[name] = took
            if round_ or name in cut:
                taken[name].append(took)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    return Measured(title, medians, frozenset(cut))
