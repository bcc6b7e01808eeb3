"""How findings count and list things."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_NAMES = 5


def listed(names: Sequence[str]) -> str:
    """Write names one after the other, but of many only the first: `a, b, c, d, e and 3 more`."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def counted(count: int, one: str, many: str) -> str:
    """Write a count with what it counts: `1 row differs`, `2 rows differ`."""
    return f"{count} {one if count == 1 else many}"
