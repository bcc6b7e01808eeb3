"""Compares two sides range by range, and where they differ bucket by bucket, down to single keys.

A range is in the order of the key, in which both servers have to agree: integers, moments, bytes, and texts
where both indexes order them by bytes. Where they do not, or an index is missing, all keys are one range.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pgvigil.check import Pace, Row
from pgvigil_checks.across.both import Both, Query
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
    reads_left: int | None = None
    """How often both tables may still be read whole; None where an index leads to what is asked for."""

    def by_ranges(self, low: Key | None, bounding: str, chunk_seconds: float | None, rows: float) -> None:
        """Compare range after range from `low` on; `bounding` is the side whose keys make them.

        `rows` is about how many there are, for the share that is done.
        """
        single = self.sides["left"].parts
        bits = 5 if len(single) == 1 and single[0].native in INTEGERS else 0
        pace = Pace(chunk_seconds, FIRST_ROWS, largest=_MOST_RANGE)
        bound = self._bound(bounding, low, pace.size)
        while True:
            if bound is None:
                # Of the side that is done the other one may still have many keys above.
                bounding = _other(bounding)
                bound = self._bound(bounding, low, pace.size)
            scope = Scope(low, bound, bits)
            following: Key | None = None
            queries = {side: [asked.sums(scope)] for side, asked in self.sides.items()}
            if bound is not None:
                queries[bounding].append(self.sides[bounding].bound(bound, pace.size))
            left, right = self.both.ask(queries["left"], queries["right"])
            answers = {"left": left, "right": right}
            if bound is not None and answers[bounding][1]:
                following = key_of(answers[bounding][1][0], len(single))
            pace.took(self.both.seconds)
            self._compare(scope, {side: answers[side][0] for side in SIDES})
            if bound is None:
                return
            self._keep(bound, rows)
            self.moving.look()
            low, bound = bound, following

    def at_once(self, rows: float) -> None:
        """Compare all keys as one range, in as many buckets as make leaves; raises TooManyDifferError."""
        self.reads_left = MOST_READ
        bits = min(max(int(rows // LEAF_KEYS * 2).bit_length(), 1), _MOST_FIRST_BITS)
        self._compare_sums(Scope(bits=bits))

    def _bound(self, side: str, low: Key | None, rows: int) -> Key | None:
        found = self.both.each({side: self.sides[side].bound(low, rows)})[side]
        return key_of(found[0], len(self.sides[side].parts)) if found else None

    def _keep(self, low: Key, rows: float) -> None:
        """Keep how far the walk has come, if a later run can go on from there."""
        seen = max(self.tally.counts[f"{side}_rows"] for side in SIDES)
        self.both.done = min(seen / max(rows, seen, 1.0), 0.99)
        found = self.tally.state(self.moving.keys)
        if found is not None:
            self.both.state = {**self.both.state, "low": list(low), "found": found}

    def _compare_sums(self, scope: Scope) -> None:
        self._compare(scope, self._read({side: asked.sums(scope) for side, asked in self.sides.items()}))

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
                self._compare_sums(_finer(inner))
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


def _other(side: str) -> str:
    return "right" if side == "left" else "left"
