"""Compares two sides range by range, and where they differ bucket by bucket, down to single keys.

A range is in the order of the key, in which both servers have to agree: integers, moments, bytes, and texts
where both indexes order them by bytes. Where they do not, or an index is missing, all keys are one range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pgvigil.check import Pace, Row, State
from pgvigil_checks.across.both import Both, Query
from pgvigil_checks.across.kept import Kept, Span, Sums
from pgvigil_checks.across.keys import Key, Scope
from pgvigil_checks.across.moving import Moving, key_of
from pgvigil_checks.across.query import Asked
from pgvigil_checks.across.tally import SIDES, Tally
from pgvigil_checks.table_drift_types import INTEGERS

FIRST_ROWS = 4000
"""How many rows the first range holds; the others what takes as long as a chunk should."""
LEAF_KEYS = 2000
"""Buckets of more keys are told apart further before their keys are fetched."""
MOST_FETCHED = 20_000
"""How many keys or buckets of a side are held in memory at once, about."""
MOST_READ = 100
"""How often both tables are read whole at the most, where no index leads to what differs."""

_MOST_RANGE = 1_000_000
_BITS = 6
_MOST_BITS = 60
_MOST_FIRST_BITS = 14
# With more to fetch than this many times the memory, buckets are told apart down to so few keys first: what
# differs here and there costs a few more sums then, instead of all keys.
_MOST_FETCHES = 10
_SMALL_LEAF = 32
_SUMMED = ("keys", "digest")


class TooManyDifferError(Exception):
    """More differs than can be found without an index. Says how much was looked at, and what to do."""

    def __init__(self) -> None:
        super().__init__(
            "too many rows differ to be told apart without an index: "
            f"both tables were read {MOST_READ} times. "
            "Does a column belong under `ignore`, or can both sides have an index that begins with the key?"
        )


@dataclass(slots=True)
class Walk:
    """One walk over a pair; `sides` are what composes the questions, by side."""

    both: Both
    sides: Mapping[str, Asked]
    tally: Tally
    moving: Moving
    kept: Kept
    reads_left: int | None = None
    """How often both tables may still be read whole; None where an index leads to what is asked for."""

    def by_ranges(
        self, low: Key | None, sides: Sequence[str], chunk_seconds: float | None, rows: float
    ) -> None:
        """Compare range after range from `low` on; the first of `sides` is the one whose keys make them.

        `rows` is about how many there are, for the share that is done.
        """
        single = self.sides["left"].parts
        bits = 5 if len(single) == 1 and single[0].native in INTEGERS else 0
        pace = Pace(chunk_seconds, FIRST_ROWS, largest=_MOST_RANGE)
        for span in self.kept.spans() if low is None else [Span(low)]:
            if span.sums and self._stands(span, partial(self._total, span, pace)):
                self._get_on(span.high, rows)
                continue
            for scope, sums in self._ranges(Scope(span.low, span.high, bits), sides, pace):
                self.kept.keep(scope.low, {side: Sums.of(sums[side]) for side in SIDES})
                self._compare(scope, sums)
                self._get_on(scope.high, rows)

    def at_once(self, rows: float) -> None:
        """Compare all keys as one range, in as many buckets as make leaves; raises TooManyDifferError."""
        self.reads_left = MOST_READ
        (span,) = self.kept.spans()
        if span.sums and self._stands(span, self._all):
            return
        bits = min(max(int(rows // LEAF_KEYS * 2).bit_length(), 1), _MOST_FIRST_BITS)
        scope = Scope(bits=bits)
        sums = self._sums(SIDES, scope)
        self.kept.keep(None, {side: Sums.of(sums[side]) for side in SIDES})
        self._compare(scope, sums)

    def _stands(self, span: Span, read: Callable[[str], Sums]) -> bool:
        """Tell whether both sides still agree in a span; only what was written to is read for that."""
        sums = {side: span.sums.get(side) or read(side) for side in SIDES}
        if not sums["left"].agrees(sums["right"]):
            return False
        self.kept.keep(span.low, sums)
        self.kept.spared += sum(one.rows for one in span.sums.values())
        for side, one in sums.items():
            self.tally.count_rows(side, one.rows, one.duplicates)
        return True

    def _all(self, side: str) -> Sums:
        """Return the checksums of one side as a whole."""
        return Sums.of(self._sums([side], Scope())[side])

    def _total(self, span: Span, pace: Pace, side: str) -> Sums:
        """Add up the checksums of one side in a span."""
        ranges = self._ranges(Scope(span.low, span.high), [side], pace)
        return sum((Sums.of(sums[side]) for _, sums in ranges), Sums())

    def _ranges(
        self, scope: Scope, sides: Sequence[str], pace: Pace
    ) -> Iterator[tuple[Scope, dict[str, list[Row]]]]:
        """Yield range after range of a scope with the checksums of these sides."""
        waiting, low = list(sides), scope.low
        bound = self._bound(waiting[0], low, scope.high, pace.size)
        while True:
            while bound is None and len(waiting) > 1:
                # Of the side that is done the other one may still have many keys above.
                del waiting[0]
                bound = self._bound(waiting[0], low, scope.high, pace.size)
            part = Scope(low, scope.high if bound is None else bound, scope.bits)
            queries = {side: [self.sides[side].sums(part)] if side in sides else [] for side in SIDES}
            if bound is not None:
                queries[waiting[0]].append(self.sides[waiting[0]].bound(bound, scope.high, pace.size))
            answers = dict(zip(SIDES, self.both.ask(queries["left"], queries["right"]), strict=True))
            pace.took(self.both.seconds)
            yield part, {side: answers[side][0] for side in sides}
            if bound is None:
                return
            low, bound = bound, self._key(waiting[0], answers[waiting[0]][1])

    def _bound(self, side: str, low: Key | None, high: Key | None, rows: int) -> Key | None:
        return self._key(side, self.both.each({side: self.sides[side].bound(low, high, rows)})[side])

    def _key(self, side: str, found: Sequence[Row]) -> Key | None:
        return key_of(found[0], len(self.sides[side].parts)) if found else None

    def _get_on(self, low: Key | None, rows: float) -> None:
        """Keep how far the walk has come, unless it is at its end, and look at what was on its way."""
        if low is not None:
            self._keep(low, rows)
            self.moving.look()

    def _keep(self, low: Key, rows: float) -> None:
        """Keep how far the walk has come, if a later run can go on from there."""
        seen = max(self.tally.counts[f"{side}_rows"] for side in SIDES)
        self.both.done = min(seen / max(rows, seen, 1.0), 0.99)
        found = self.tally.state(self.moving.keys)
        if found is not None:
            state: State = {"low": list(low), "found": found, "spared": self.kept.spared}
            self.both.state = {**self.both.state, **state}

    def _sums(self, sides: Sequence[str], scope: Scope) -> dict[str, list[Row]]:
        return self._read({side: self.sides[side].sums(scope) for side in sides})

    def _read(self, queries: Mapping[str, Query]) -> dict[str, list[Row]]:
        if self.reads_left is not None:
            if not self.reads_left:
                raise TooManyDifferError
            self.reads_left -= 1
        return self.both.each(queries)

    def _compare(self, scope: Scope, sums: Mapping[str, Sequence[Row]]) -> None:
        """Count the buckets in which both sides agree, and look into the others."""
        left, right = ({row["bucket"]: row for row in sums[side]} for side in SIDES)
        differing: dict[int, int] = {}
        for bucket in left.keys() | right.keys():
            one, other = left.get(bucket), right.get(bucket)
            if one and other and all(one[name] == other[name] for name in _SUMMED):
                self.tally.count_rows("left", one["rows"], one["duplicates"])
                self.tally.count_rows("right", other["rows"], other["duplicates"])
            else:
                differing[bucket] = max(row["keys"] for row in (one, other) if row)
        for buckets, large in _packed(differing, scope.bits):
            inner = Scope(scope.low, scope.high, scope.bits, buckets)
            if large:
                finer = _finer(inner)
                self._compare(finer, self._sums(SIDES, finer))
            else:
                self._compare_keys(inner)

    def _compare_keys(self, scope: Scope) -> None:
        """Count the rows of a few buckets, and keep the keys that differ."""
        found = self._read({side: asked.rows(scope) for side, asked in self.sides.items()})
        parts = len(self.sides["left"].parts)
        left, right = ({key_of(row, parts): row for row in found[side]} for side in SIDES)
        for side, rows in (("left", left), ("right", right)):
            several = sum(row["copies"] > 1 for row in rows.values())
            self.tally.count_rows(side, sum(row["copies"] for row in rows.values()), several)
        for key in sorted(left.keys() | right.keys(), key=self.sides["left"].order):
            one, other = left.get(key), right.get(key)
            single = one and other and one["copies"] == other["copies"] == 1
            if not (one and other) or (single and one["digest"] != other["digest"]):
                self.moving.add(key, one, other)


def _finer(scope: Scope) -> Scope:
    """Return the buckets of a scope as those of more bits, each of them one of many."""
    buckets = scope.buckets or (0,)
    bits = scope.bits + _BITS
    inner = (bucket + (n << scope.bits) for bucket in buckets for n in range(1 << _BITS))
    return Scope(scope.low, scope.high, bits, tuple(inner))


def _packed(keys: Mapping[int, int], bits: int) -> Iterator[tuple[tuple[int, ...], bool]]:
    """Yield buckets that are looked into together, and whether they are too large to be fetched."""
    leaf = LEAF_KEYS if sum(keys.values()) <= _MOST_FETCHES * MOST_FETCHED else _SMALL_LEAF
    large = [bucket for bucket, count in sorted(keys.items()) if count > leaf and bits < _MOST_BITS]
    most = max(MOST_FETCHED >> _BITS, 1)
    for start in range(0, len(large), most):
        yield tuple(large[start : start + most]), True
    small: list[int] = []
    held = 0
    for bucket, count in sorted((bucket, keys[bucket]) for bucket in keys.keys() - set(large)):
        if small and held + count > MOST_FETCHED:
            yield tuple(small), False
            small, held = [], 0
        small.append(bucket)
        held += count
    if small:
        yield tuple(small), False
