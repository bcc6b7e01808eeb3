"""Bottom-k sketches: how far two sets of values overlap, told by the least hashes of each.

The server hashes the values of a column and returns the k least hashes; the same value has the same hash on
every table, so that the sketches of any two columns can be compared without another look at either. Bottom-k
was chosen over MinHash and HyperLogLog since it takes one hash a value and one sort (MinHash takes k of the
former), tells the size of an intersection (of which HyperLogLog knows only the difference of three estimates,
useless where it is small), is exact for sets of up to k values, and is plain SQL.

Sources: Bar-Yossef et al., "Counting distinct elements in a data stream" (2002); Beyer et al., "On synopses
for distinct-value estimation under multiset operations" (SIGMOD 2007); Cohen and Kaplan, "Summarizing data
using bottom-k sketches" (PODC 2007).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

SIZE = 2048
"""How many hashes a sketch keeps: the k of bottom-k. An overlap is then right within about 0.02."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is kept of the values of a key: `hashes`, the least ones in ascending order.

    `distinct` is how many values there are, `rows` how many rows hold one, `nulls` how many hold none.
    """

    hashes: tuple[int, ...]
    distinct: int
    rows: int
    nulls: int = 0

    @property
    def uniqueness(self) -> float:
        """The share of distinct values among the rows that have one: 1 for a key, 0 without rows."""
        return self.distinct / self.rows if self.rows else 0.0

    @property
    def complete(self) -> bool:
        """Whether it holds the hash of every value."""
        return len(self.hashes) == self.distinct


@dataclass(frozen=True, slots=True)
class Overlap:
    """How far two sets share their values, judged by `left` and `right` values of them, `both` in common."""

    left: int
    right: int
    both: int

    @property
    def of_left(self) -> float:
        """The share of the left set that the right one has as well."""
        return self.both / self.left if self.left else 0.0

    @property
    def of_right(self) -> float:
        """The share of the right set that the left one has as well."""
        return self.both / self.right if self.right else 0.0

    @property
    def jaccard(self) -> float:
        """The size of the intersection by that of the union."""
        union = self.left + self.right - self.both
        return self.both / union if union else 0.0


def overlap(left: Sketch, right: Sketch) -> Overlap:
    """Compare two sketches within the range of hashes of which both hold all.

    Exact when both are complete. Hashes are spread evenly, so that what lies below the bound is a random
    sample of either set; of a set much smaller than the other little may be left there, which the counts of
    the result show.
    """
    bounds = [sketch.hashes[-1] for sketch in (left, right) if not sketch.complete]
    one, other = (_up_to(sketch.hashes, min(bounds, default=None)) for sketch in (left, right))
    return Overlap(len(one), len(other), len(set(one).intersection(other)))


def _up_to(hashes: tuple[int, ...], bound: int | None) -> tuple[int, ...]:
    return hashes if bound is None else hashes[: bisect_right(hashes, bound)]
