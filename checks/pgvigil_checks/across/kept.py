"""Checksums that a run keeps for the next one, which need not read again what nobody wrote to.

Only ranges in which both sides agreed are kept with their checksums: the others are looked into anyway.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self

from pgvigil.check import JsonValue, Row, State
from pgvigil_checks.across.keys import Key
from pgvigil_checks.across.tally import SIDES

LARGEST = 40_000
"""How many bytes all of it may take as JSON; beyond that neighbouring ranges become one."""

_MOST_SPANS = 4096


@dataclass(frozen=True, slots=True)
class Sums:
    """What sums.sql tells of all buckets of a range together; those of two ranges add up to those of both."""

    keys: int = 0
    rows: int = 0
    duplicates: int = 0
    digest: int = 0

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Self:
        """Add up the rows of sums.sql."""
        return cls(
            keys=sum(row["keys"] for row in rows),
            rows=sum(row["rows"] for row in rows),
            duplicates=sum(row["duplicates"] for row in rows),
            digest=sum(int(row["digest"]) for row in rows),
        )

    def __add__(self, other: Sums) -> Sums:
        """Return what two ranges hold that have no key in common."""
        return Sums(
            self.keys + other.keys,
            self.rows + other.rows,
            self.duplicates + other.duplicates,
            self.digest + other.digest,
        )

    def agrees(self, other: Sums) -> bool:
        """Tell whether both sides hold the same, whatever a key has as copies."""
        return (self.keys, self.digest) == (other.keys, other.digest)


@dataclass(frozen=True, slots=True)
class Span:
    """The keys from `low` on, below `high`, and the checksums of the sides of which they are known."""

    low: Key | None = None
    high: Key | None = None
    sums: Mapping[str, Sums] = field(default_factory=dict)


class Kept:
    """What the last run has left of the sides that were not written to since, and what this one leaves.

    `marks` stand for all that decides the checksums of a side, `order` for how its keys are walked along;
    a side whose mark is empty, as nobody knows, is read anew every time.
    """

    def __init__(self, memory: State, order: str, marks: Mapping[str, str]) -> None:
        self.spared = 0
        """How many of the rows that were counted did not have to be read."""
        self._order = order
        self._seen: list[Span] = []
        self._null_keys: dict[str, int] = {}
        left: Any = memory.get("kept")
        fits = isinstance(left, Mapping) and left.get("order") == order
        self._before: Mapping[str, Any] = left if fits else {"marks": {}}
        known = self._before["marks"]
        self.unchanged = tuple(side for side in SIDES if marks[side] and known.get(side) == marks[side])
        """The sides that hold what they held when they were read last."""

    def spans(self) -> Iterator[Span]:
        """Yield all keys, in the ranges of the last run if that is of any use."""
        if not self.unchanged:
            yield Span()
            return
        spans = self._before["spans"]
        for span, following in pairwise([*spans, [None]]):
            low, high = (one and tuple(map(str, one)) for one in (span[0], following[0]))
            sums = {side: Sums(*map(int, span[1 + SIDES.index(side)])) for side in self.unchanged if span[1:]}
            yield Span(low, high, sums)

    def null_keys(self, side: str) -> int | None:
        """Return how many rows of a side have no key, None when that is to be counted."""
        return int(self._before["null_keys"][side]) if side in self.unchanged else None

    def keep(self, low: Key | None, sums: Mapping[str, Sums]) -> None:
        """Keep what both sides hold from `low` on, up to what is kept next."""
        agreed = sums["left"].agrees(sums["right"])
        if not agreed and self._seen and not self._seen[-1].sums:
            # Both are to be walked again: as one they take no more steps than before.
            return
        self._seen.append(Span(low, sums=sums if agreed else {}))
        if len(self._seen) > _MOST_SPANS:
            self._halve()

    def keep_null_keys(self, side: str, rows: int) -> None:
        """Keep how many rows of a side have no key."""
        self._null_keys[side] = rows

    def memory(self, marks: Mapping[str, str]) -> State:
        """Return what the next run is to know; the mark of a side that nobody may believe in is empty."""
        if not any(marks.values()) or not self._seen:
            return {}
        while len(json.dumps(spans := self._written())) > LARGEST and len(self._seen) > 1:
            self._halve()
        null_keys = {side: self._null_keys.get(side, 0) for side in SIDES}
        kept: dict[str, JsonValue] = {"order": self._order, "marks": dict(marks), "spans": spans}
        return {"kept": {**kept, "null_keys": null_keys}}

    def _written(self) -> list[JsonValue]:
        return [
            [
                list(span.low) if span.low else None,
                *([one.keys, one.rows, one.duplicates, str(one.digest)] for one in _in_order(span.sums)),
            ]
            for span in self._seen
        ]

    def _halve(self) -> None:
        """Make one range of each two."""
        seen = self._seen
        both = [
            Span(one.low, sums={side: one.sums[side] + other.sums[side] for side in SIDES})
            if one.sums and other.sums
            else Span(one.low)
            for one, other in zip(seen[::2], seen[1::2], strict=False)
        ]
        self._seen = both + seen[2 * len(both) :]


def _in_order(sums: Mapping[str, Sums]) -> list[Sums]:
    return [sums[side] for side in SIDES] if sums else []
