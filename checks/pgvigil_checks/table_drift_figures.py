"""The figures of a pair: counted by the server, one row a column, whatever the size of the tables."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from pgvigil.check import Context, Row
from pgvigil_checks import table_drift_query as query
from pgvigil_checks.table_drift_model import EntityPair


@dataclass(frozen=True, slots=True)
class Distance:
    """How far a numeric column drifted: the mean of right less left, and the largest distance."""

    mean: float
    largest: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a comparison counted.

    `changed_by_column` has the columns that differ anywhere, by their left name. `duplicate_keys` counts
    keys that a side holds more than once, `null_keys` its rows with a NULL in the key; both by side. `newer`
    counts the changed rows by the side that is newer, or `neither`, but for those of which nobody can tell.
    `drifted_by_part` says how many rows are at fault in each part of the pair.
    """

    left_rows: int
    right_rows: int
    left_only: int
    right_only: int
    changed: int
    changed_by_column: Mapping[str, int]
    duplicate_keys: Mapping[str, int]
    null_keys: Mapping[str, int]
    newer: Mapping[str, int]
    distances: Mapping[str, Distance]
    drifted_by_part: tuple[int, ...]

    @property
    def drifted(self) -> int:
        """How many rows are at fault."""
        return self.left_only + self.right_only + self.changed


def read_figures(context: Context, pair: EntityPair, parts: Sequence[EntityPair]) -> Figures:
    """Compare the tables part by part; `parts` together are all of the pair, and have no row in common."""
    by_part = context.fetch_split([query.figures(part) for part in parts])
    rows = [row for of_part in by_part for row in of_part]
    differing: defaultdict[int, int] = defaultdict(int)
    for row in rows:
        if row["differing"]:
            differing[row["position"]] += row["differing"]
    return Figures(
        left_rows=_total(rows, "left_rows"),
        right_rows=_total(rows, "right_rows"),
        left_only=_total(rows, "left_only"),
        right_only=_total(rows, "right_only"),
        changed=_total(rows, "changed"),
        changed_by_column={
            column.left.name: differing[n] for n, column in enumerate(pair.columns, 1) if n in differing
        },
        duplicate_keys={side: _total(rows, f"{side}_duplicates") for side in ("left", "right")},
        null_keys={side: _total(rows, f"{side}_null_keys") for side in ("left", "right")},
        newer={side: _total(rows, f"{side}_newer") for side in ("left", "right", "neither")},
        distances=_distances(pair, rows),
        drifted_by_part=tuple(
            sum(_total(found, kind) for kind in ("left_only", "right_only", "changed")) for found in by_part
        ),
    )


def _total(rows: list[Row], name: str) -> int:
    return sum(row[name] for row in rows)


def _distances(pair: EntityPair, rows: Sequence[Row]) -> dict[str, Distance]:
    """Return how far numbers drifted, in the order of the columns."""
    by_position: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row["measured"]:
            by_position[row["position"]].append(row)
    return {
        pair.columns[position - 1].left.name: _distance(measured)
        for position, measured in sorted(by_position.items())
    }


def _distance(rows: Sequence[Row]) -> Distance:
    """Return a column's distance over all parts."""
    # Fractions are exact: the parts that a pair is split into must not show in a figure.
    mean = sum(Fraction(Decimal(row["total"])) for row in rows) / sum(row["measured"] for row in rows)
    return Distance(finite(Fraction(mean)), finite(max(Fraction(Decimal(row["largest"])) for row in rows)))


def finite(number: Fraction) -> float:
    """Return a number as a float; JSON has no word for what is beyond."""
    try:
        return float(number)
    except OverflowError:
        return sys.float_info.max if number > 0 else -sys.float_info.max
