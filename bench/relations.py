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
    """An indexed relation of few values, and what the planner makes of it."""
    for parents in (children // 10_000, children // 1_000):
        yield from _quick(Shape(children, parents, keyed=True), 50)


def dense(children: int) -> Iterator[Reached]:
    """An indexed relation whose parents' keys have no holes."""
    yield from _quick(Shape(children, children // 10, dense=True, keyed=True), 20)


def unindexed(children: int) -> Iterator[Reached]:
    """Relations without an index on the referencing column, by integers: a bare scan is the floor."""
    for parents, limit, is_dense in ((children // 10, 1.3, False), (children, 2.0, True)):
        shape = Shape(children, parents, "int", dense=is_dense, indexed=False, keyed=True)
        compared = _compared(shape, [])
        yield at_most(_against(shape, "bare scan", compared), compared.ratio(CHUNKED, FLOOR), limit)
        yield _faster(shape, compared)


def uuid(children: int) -> Iterator[Reached]:
    """An indexed relation by uuid: reading the index alone is the floor."""
    shape = Shape(children, children // 10, "uuid", keyed=True)
    compared = _compared(shape, [])
    yield at_most(
        _against(shape, "reading its index alone", compared), compared.ratio(CHUNKED, INDEX_FLOOR), 2.0
    )
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


def _against(shape: Shape, floor: str, compared: Compared) -> str:
    return f"{shape.name}: orphan_rows ({compared.chosen(CHUNKED)}) / {floor}"


def _compared(shape: Shape, strategies: Sequence[str]) -> Compared:
    return compare(shape, by_hand=[_NOT_EXISTS], strategies=strategies, rounds=_ROUNDS, patience=_PATIENCE)


def _strategies(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: took for name, took in seconds.items() if name.startswith(f"{OURS}: ")}
