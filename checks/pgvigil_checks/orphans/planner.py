"""The planner: which strategy counts a reference's orphans, why, and what the next run is to know of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pgvigil.catalog import Table
from pgvigil.check import Context, JsonValue, State
from pgvigil_checks.orphans.bitmap import Bitmap
from pgvigil_checks.orphans.dense import Dense
from pgvigil_checks.orphans.facts import Facts, Side, gather_facts
from pgvigil_checks.orphans.gap import Gap
from pgvigil_checks.orphans.hash import Hash
from pgvigil_checks.orphans.loose import Loose
from pgvigil_checks.orphans.merge import Merge
from pgvigil_checks.orphans.strategy import Counted, Strategy
from pgvigil_checks.references import Reference

_GENERAL = Hash()
STRATEGIES: Mapping[str, Strategy] = {
    one.name: one for one in (Dense(), Gap(), Loose(), Bitmap(), Merge(), _GENERAL)
}
"""All strategies by name; `hash` fits every reference."""

# Tables so small are joined before the facts are there.
_FEW_CHILDREN = 5_000
_FEW_PARENTS = 20_000
# What was broken off is left out for so many runs, then tried again.
_LEFT_OUT = 20
# A run shorter than this tells of the network; one that was slow once is forgotten by a tenth with each run.
_SHORTEST_SECONDS = 0.05
_KEPT = 0.9
_SLOWEST = 20.0


class NoneFinishedError(LookupError):
    """Every strategy of a plan was broken off; `memory` is what the next run is to know."""

    def __init__(self, memory: State) -> None:
        super().__init__("no strategy came to its end")
        self.memory = memory


@dataclass(frozen=True, slots=True)
class Plan:
    """Strategies with their costs, in the order in which they are tried; `hash` ends it, mostly."""

    facts: Facts
    order: tuple[tuple[Strategy, float], ...]
    why: str = ""

    def up_to(self, cost: float) -> Plan:
        """Return the plan without what costs more: there may be nothing left of it."""
        return replace(self, order=tuple(one for one in self.order if one[1] <= cost))

    def carry_out(self, context: Context) -> Result:
        """Count by the first strategy, or by the next one where that is broken off, in the same snapshot.

        Raises NoneFinishedError where all are broken off.
        """
        broken_off: list[str] = []
        for strategy, cost in self.order:
            began = time.monotonic()
            counted = strategy.count(context, self.facts)
            if counted is not None:
                taken = _Taken(strategy.name, cost, time.monotonic() - began)
                why = self._explain(strategy, broken_off)
                return Result(counted, strategy.name, why, _learn(context.memory, taken, broken_off))
            broken_off.append(strategy.name)
        raise NoneFinishedError({"left_out": _left_out(context.memory, broken_off)})

    def _explain(self, chosen: Strategy, broken_off: Sequence[str]) -> str:
        if self.why:
            return f"{chosen.name}: {self.why}"
        costs = "; ".join(f"{one.name} {_figure(cost)}" for one, cost in self.order if cost < float("inf"))
        text = f"{chosen.name}: cost in row reads: {costs}; {_sizes(self.facts)}"
        return text + "".join(
            f"; {name} was broken off: there were more holes or values than estimated" for name in broken_off
        )


@dataclass(frozen=True, slots=True)
class Result:
    """What was counted, by which strategy, why by that one, and what the next run is to know."""

    counted: Counted
    strategy: str
    explain: str
    memory: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class _Taken:
    strategy: str
    cost: float
    seconds: float


def are_small(child: Table, parent: Table) -> bool:
    """Whether two tables are known to be joined in no time, whatever their indexes."""
    children, parents = child.rows_estimate, parent.rows_estimate
    return 0 < (children or 0) < _FEW_CHILDREN and 0 < (parents or 0) < _FEW_PARENTS


def make_plan(context: Context, reference: Reference, facts: Facts | None = None) -> Plan:
    """Choose from what is known in the run's snapshot; `facts` if they were gathered there already."""
    children, parents = reference.child.rows_estimate, reference.parent.rows_estimate
    nothing = Facts(reference, Side(), Side())
    if not children or not parents:
        return Plan(nothing, ((_GENERAL, float("inf")),), "the tables were never analysed, or are empty")
    if are_small(reference.child, reference.parent):
        return Plan(nothing, ((_GENERAL, _GENERAL.cost(nothing)),), "the tables are small")
    return choose(facts or gather_facts(context, reference), context.memory)


def choose(facts: Facts, memory: State) -> Plan:
    """Order the strategies that fit by what they cost, as far as known and as learned; `hash` ends it."""
    if not (facts.reference.child.rows_estimate and facts.reference.parent.rows_estimate):
        return Plan(facts, ((_GENERAL, float("inf")),), "the tables were never analysed, or are empty")
    known = _Memory.of(memory)
    costs = {
        one: one.cost(facts) * known.slowness(one.name)
        for one in STRATEGIES.values()
        if one.fits(facts) and one.name not in known.left_out
    }
    order = sorted(costs.items(), key=lambda pair: pair[1])
    last = next(place for place, (one, _) in enumerate(order) if one is _GENERAL)
    return Plan(facts, tuple(order[: last + 1]))


@dataclass(frozen=True, slots=True)
class _Memory:
    """What earlier runs of a subject left: seconds by row of the estimate, and what is left out."""

    paces: dict[str, float]
    left_out: dict[str, int]

    @classmethod
    def of(cls, memory: State) -> _Memory:
        kept: dict[str, Any] = dict(memory)
        return cls(dict(kept.get("paces", {})), dict(kept.get("left_out", {})))

    def slowness(self, strategy: str) -> float:
        """How many times slower a strategy was than its estimate, beside the others of the subject."""
        if strategy not in self.paces:
            return 1.0
        return min(self.paces[strategy] / min(self.paces.values()), _SLOWEST)


def _learn(memory: State, taken: _Taken, broken_off: Sequence[str]) -> dict[str, JsonValue]:
    """Return what the next run is to know."""
    known = _Memory.of(memory)
    paces = dict(known.paces)
    least = min(paces.values(), default=0.0)
    for name, pace in paces.items():
        paces[name] = least + (pace - least) * _KEPT
    if taken.seconds >= _SHORTEST_SECONDS and 0 < taken.cost < float("inf"):
        # The estimate may have been corrected by what was learned already.
        paces[taken.strategy] = taken.seconds / taken.cost * known.slowness(taken.strategy)
    return {"paces": paces, "left_out": _left_out(memory, broken_off)}


def _left_out(memory: State, broken_off: Sequence[str]) -> dict[str, int]:
    """Return for how many more runs each strategy is left out."""
    left_out = {name: runs - 1 for name, runs in _Memory.of(memory).left_out.items() if runs > 1}
    return {**left_out, **dict.fromkeys(broken_off, _LEFT_OUT)}


def _sizes(facts: Facts) -> str:
    parts = [f"{_figure(facts.children)} children", f"{_figure(facts.parents)} parents"]
    if facts.single and facts.child.distinct is not None:
        parts.append(f"{_figure(facts.distinct)} values")
    if facts.ends is not None:
        parts.append(f"{_figure(facts.holes)} holes between the keys")
    return f"about {', '.join(parts)}"


def _figure(number: float) -> str:
    """Write a rough number in three digits at the most."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.0f}"
