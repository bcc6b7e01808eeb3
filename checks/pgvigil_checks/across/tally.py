"""What a comparison of two databases has counted so far; bounded, whatever the size of the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pgvigil.check import Row, State
from pgvigil_checks.across.keys import Key
from pgvigil_checks.table_drift_figures import Distance, Figures, finite
from pgvigil_checks.table_drift_model import ColumnPair, EntityPair

SIDES = ("left", "right")
MOST_KEPT = 1000
"""Of how many keys at fault at the most a run that was broken off is gone on with."""

_ROWS = tuple(f"{side}_rows" for side in SIDES)


@dataclass(slots=True)
class _Sum:
    total: Fraction = Fraction(0)
    rows: int = 0
    largest: Fraction = Fraction(0)


@dataclass(slots=True)
class Tally:
    """Counts, and the first keys at fault: `met` holds each with what is the matter and its copies."""

    pair: EntityPair
    most: int
    counts: Counter[str] = field(default_factory=Counter)
    by_column: Counter[str] = field(default_factory=Counter)
    sums: dict[str, _Sum] = field(default_factory=dict)
    met: list[tuple[Key, str, int]] = field(default_factory=list)
    at_fault: list[Key] = field(default_factory=list)
    """The keys that were counted, up to one more than MOST_KEPT."""

    def count_rows(self, side: str, rows: int, duplicates: int) -> None:
        """Count rows of one side that have a key, and its keys that stand there more than once."""
        self.counts[f"{side}_rows"] += rows
        self.counts[f"{side}_duplicates"] += duplicates

    def count_null_keys(self, side: str, rows: int) -> None:
        """Count rows of one side that have no key."""
        self.counts[f"{side}_rows"] += rows
        self.counts[f"{side}_null_keys"] += rows

    def count_alone(self, key: Key, side: str, copies: int) -> None:
        """Count a key that only one side has."""
        self.counts[f"{side}_only"] += copies
        self._meet(key, f"{side}_only", copies)

    def count_changed(self, key: Key, columns: list[ColumnPair], left: Row, right: Row) -> None:
        """Count a row that both sides have, and that differs in these columns."""
        self.counts["changed"] += 1
        self.counts[f"{_newer(left, right)}_newer"] += 1
        for column in columns:
            self.by_column[column.left.name] += 1
            if column.numeric:
                self._measure(column, left, right)
        self._meet(key, "changed", 1)

    def figures(self) -> Figures:
        """Return all that was counted."""
        count = self.counts
        names = [column.left.name for column in self.pair.columns]
        return Figures(
            left_rows=count["left_rows"],
            right_rows=count["right_rows"],
            left_only=count["left_only"],
            right_only=count["right_only"],
            changed=count["changed"],
            changed_by_column={name: self.by_column[name] for name in names if name in self.by_column},
            duplicate_keys={side: count[f"{side}_duplicates"] for side in SIDES},
            null_keys={side: count[f"{side}_null_keys"] for side in SIDES},
            newer={side: count[f"{side}_newer"] for side in (*SIDES, "neither")},
            distances={
                name: Distance(finite(one.total / one.rows), finite(one.largest))
                for name in names
                if (one := self.sums.get(name)) is not None
            },
            drifted_by_part=(),
        )

    def state(self, undecided: Sequence[Key]) -> State | None:
        """Return as JSON what a later run can go on with; None where it would have to believe in old faults.

        What is at fault may be mended until then: its keys are kept to be looked at again, and no figures.
        """
        keys = [*self.at_fault, *undecided]
        if len(keys) > MOST_KEPT or any(self.counts[f"{side}_duplicates"] for side in SIDES):
            return None
        return {"rows": [self.counts[name] for name in _ROWS], "undecided": [*map(list, keys)]}

    def go_on(self, state: Mapping[str, Any]) -> list[Key]:
        """Take up what `state` returned; return the keys to look at again."""
        self.counts.update(dict(zip(_ROWS, state["rows"], strict=True)))
        return [tuple(map(str, key)) for key in state["undecided"]]

    def _meet(self, key: Key, drift: str, copies: int) -> None:
        if len(self.met) < self.most:
            self.met.append((key, drift, copies))
        if len(self.at_fault) <= MOST_KEPT:
            self.at_fault.append(key)

    def _measure(self, column: ColumnPair, left: Row, right: Row) -> None:
        item = f"c{self.pair.columns.index(column) + 1}"
        one, other = number(left[item]), number(right[item])
        if one is None or other is None or not (one.is_finite() and other.is_finite()):
            return
        difference = Fraction(other) - Fraction(one)
        kept = self.sums.setdefault(column.left.name, _Sum())
        kept.total += difference
        kept.rows += 1
        kept.largest = max(kept.largest, abs(difference))


def differing(pair: EntityPair, left: Row, right: Row) -> list[ColumnPair]:
    """Return the columns in which two rows of look.sql differ by more than their tolerance."""
    return [
        column for n, column in enumerate(pair.columns, 1) if _differs(column, left[f"c{n}"], right[f"c{n}"])
    ]


def number(text: str | None) -> Decimal | None:
    """Return the number that a text stands for, exactly."""
    return None if text is None else Decimal(text)


def _differs(column: ColumnPair, left: str | None, right: str | None) -> bool:
    if left == right or left is None or right is None or column.tolerance is None:
        return left != right
    one, other = Decimal(left), Decimal(right)
    if not (one.is_finite() and other.is_finite()):
        return True
    most = column.tolerance
    allowed = Fraction(most) if isinstance(most, Decimal) else _seconds(most)
    return abs(Fraction(one) - Fraction(other)) > allowed


def _seconds(duration: timedelta) -> Fraction:
    return Fraction(duration // timedelta(microseconds=1), 1_000_000)


def _newer(left: Row, right: Row) -> str:
    one, other = number(left.get("newer")), number(right.get("newer"))
    if one is None or other is None:
        return "unknown"
    return "neither" if one == other else "left" if one > other else "right"
