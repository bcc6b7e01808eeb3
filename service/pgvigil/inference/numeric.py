"""The statistics of a column of numbers, read once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pgvigil.catalog.statistics import ColumnStatistics

# The last value lies far off when it is so many times the one before the last tenth.
_FAR_OFF = 3.0
# With so few bounds none of them tells where the last tenth begins.
_FEW_BOUNDS = 4


@dataclass(frozen=True, slots=True)
class Numbers:
    """Where the values of a column lie.

    `end` is where they end but for a last few that lie far off, such as orphans or test data. `common` are
    the common values with their shares of the rows; `bounds` divide the `rest`, a share of the rows as well.
    """

    least: float
    greatest: float
    end: float
    common: tuple[tuple[float, float], ...]
    bounds: tuple[float, ...]
    rest: float

    def share_within(self, other: Numbers) -> float:
        """Estimate the share of the values that lie between the ends of another column's, by rows."""
        least, greatest = other.least, other.greatest
        known = sum(share for _, share in self.common) + self.rest
        if known <= 0:
            return float(least <= self.least and self.greatest <= greatest)
        inside = sum(share for value, share in self.common if least <= value <= greatest)
        if self.bounds:
            within = sum(least <= value <= greatest for value in self.bounds)
            inside += self.rest * within / len(self.bounds)
        return inside / known


def numbers_of(known: ColumnStatistics) -> Numbers | None:
    """Read the statistics of a column of numbers; None where its ends are unknown, or no numbers (NaN)."""
    if known.least is None or known.greatest is None:
        return None
    try:
        common = tuple((float(text), share) for text, share in known.common)
        bounds = tuple(map(float, known.bounds))
        least, greatest = float(known.least), float(known.greatest)
    except ValueError:
        return None
    if math.isnan(greatest):
        return None
    far = len(bounds) >= _FEW_BOUNDS and greatest > _FAR_OFF * abs(bounds[-2])
    rest = max(0.0, 1 - known.null_fraction - sum(share for _, share in common)) if bounds else 0.0
    return Numbers(least, greatest, bounds[-2] if far else greatest, common, bounds, rest)
