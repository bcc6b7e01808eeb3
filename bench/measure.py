"""Measures variants of the same work in turns, so that a noisy machine is equally noisy for all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Measured:
    """Median seconds of each variant, in the order given; the first is what the others are compared with."""

    title: str
    seconds: Mapping[str, float]

    def __str__(self) -> str:
        base = next(iter(self.seconds.values()))
        width = max(map(len, self.seconds))
        lines = [
            f"{name:<{width}}  {took / base:6.2f}  ({took:.4g} s)" for name, took in self.seconds.items()
        ]
        return "\n".join([self.title, *(f"  {line}" for line in lines)])


def measure(title: str, variants: Mapping[str, Work], rounds: int = 5) -> Measured:
    """Run every variant once to warm up, then `rounds` times in turns, each round in another order."""
    names = list(variants)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for round_ in range(rounds + 1):
        for name in names[round_ % len(names) :] + names[: round_ % len(names)]:
            begun = time.perf_counter()
            variants[name]()
            if round_:
                taken[name].append(time.perf_counter() - begun)
    return Measured(title, {name: statistics.median(times) for name, times in taken.items()})
