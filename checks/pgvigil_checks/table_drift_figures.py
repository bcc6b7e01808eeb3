"""The figures of a pair: counted by the server, one row a column, whatever the size of the tables."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

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

    @property
    def drifted(self) -> int:
        """How many rows are at fault."""
        return self.left_only + self.right_only + self.changed


def read_figures(context: Context, pair: EntityPair) -> Figures:
    """Compare the two tables, in one query and, when numbers differ, a second one about their distances."""
    rows = context.fetch(query.figures(pair))
    differing = {row["position"]: row["differing"] for row in rows if row["differing"]}
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
        distances=_distances(context, pair, differing),
    )


def _total(rows: list[Row], name: str) -> int:
    return sum(row[name] for row in rows)


def _distances(context: Context, pair: EntityPair, differing: Mapping[int, int]) -> dict[str, Distance]:
    numeric = [c for n, c in enumerate(pair.columns, 1) if n in differing and c.numeric]
    if not numeric:
        return {}
    rows = context.fetch(query.scores(pair, numeric))
    return {
        numeric[row["position"] - 1].left.name: Distance(_finite(row["mean"]), _finite(row["largest"]))
        for row in sorted(rows, key=lambda row: row["position"])
    }


def _finite(text: str) -> float:
    """Return a numeric as a float; JSON has no word for what is beyond."""
    return max(-sys.float_info.max, min(sys.float_info.max, float(text)))
