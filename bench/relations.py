"""Goals of orphan_rows: one relation after the other, as the daemon looks at it, beside what people write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.goal import Reached, at_least, at_most, told
from bench.shapes import Shape
from bench.strategies import BY_HAND, CHUNKED, FLOOR, INDEX_FLOOR, OURS, Compared, compare
from pgvigil_checks.orphans import STRATEGIES

_NOT_EXISTS = BY_HAND[0]
# A strategy that takes that long is measured once: which is the best shows all the same.
_PATIENCE = 2.5
_ROUNDS = 5


def few(children: int) -> Iterator[Reached]:
    """An indexed relation of few values, keys with holes and without, and what the planner makes of it."""
    for is_dense in (False, True):
        for parents in (children // 10_000, children // 1_000):
            yield from _quick(Shape(children, parents, dense=is_dense, keyed=True), 50)


def dense(children: int) -> Iterator[Reached]:
    """An indexed relation whose parents' keys have no holes."""
    yield from _quick(Shape(children, children // 10, dense=True, keyed=True), 20)


def unindexed(children: int) -> Iterator[Reached]:
    """Relations without an index on the referencing column, by integers: a bare scan is the floor."""
    for parents, limit, is_dense in ((children // 10, 1.3, False), (children, 2.0, True)):
        shape = Shape(children, parents, "int", dense=is_dense, indexed=False, keyed=True)
        compared = _compared(shape, [])
        yield from _both(shape, "bare scan", compared, FLOOR, limit)
        yield _faster(shape, compared)


def uuid(children: int) -> Iterator[Reached]:
    """An indexed relation by uuid: reading the index alone is the floor."""
    shape = Shape(children, children // 10, "uuid", keyed=True)
    compared = _compared(shape, [])
    yield from _both(shape, "reading its index alone", compared, INDEX_FLOOR, 2.0)
    yield _faster(shape, compared)


def _quick(shape: Shape, limit: float) -> Iterator[Reached]:
    compared = _compared(shape, list(STRATEGIES))
    yield _faster(shape, compared, limit)
    best = min(_strategies(compared.seconds).items(), key=lambda pair: pair[1])[0]
    chosen = f"the planner's choice, {compared.chosen(CHUNKED)} / the best strategy, {best.split(': ')[1]}"
    yield at_most(f"{shape.name}: {chosen}", compared.ratio(CHUNKED, best), 1.15)


def _faster(shape: Shape, compared: Compared, limit: float | None = None) -> Reached:
    figure = compared.ratio(_NOT_EXISTS, CHUNKED)
    goal = f"{shape.name}: NOT EXISTS / orphan_rows ({compared.chosen(CHUNKED)})"
    return told(goal, figure) if limit is None else at_least(goal, figure, limit)


def _both(shape: Shape, floor: str, compared: Compared, against: str, limit: float) -> Iterator[Reached]:
    """Hold runs in chunks and in one snapshot (`budget.chunk: null`) against a floor."""
    for variant, how in ((CHUNKED, "in chunks"), (OURS, "in one snapshot")):
        goal = f"{shape.name}: orphan_rows, {how} ({compared.chosen(variant)}) / {floor}"
        yield at_most(goal, compared.ratio(variant, against), limit)


def _compared(shape: Shape, strategies: Sequence[str]) -> Compared:
    return compare(shape, by_hand=[_NOT_EXISTS], strategies=strategies, rounds=_ROUNDS, patience=_PATIENCE)


def _strategies(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: took for name, took in seconds.items() if name.startswith(f"{OURS}: ")}
