"""How the line of a relation runs from the child's box to the parent's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgvigil.audit.html.layout import APART, LOOP, Box

Point = tuple[float, float]

_ASIDE = (0.0, 5.0, -5.0)
"""Where lines between the same tables leave and reach a box, from the middle of its side."""
_LEAST_BEND = 14.0
_PARTS = tuple(sorted((place / 40 for place in range(1, 40)), key=lambda part: abs(part - 0.5)))
"""How far along a line its points are, the middle first."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A cubic Bézier curve."""

    start: Point
    first: Point
    second: Point
    end: Point

    @property
    def path(self) -> str:
        """It as SVG writes it."""
        return f"M{_at(self.start)}C{_at(self.first)} {_at(self.second)} {_at(self.end)}"

    def points(self) -> Iterator[Point]:
        """Yield points along it, the middle first and those near its ends last."""
        for part in _PARTS:
            rest = 1 - part
            weights = (rest**3, 3 * rest**2 * part, 3 * rest * part**2, part**3)
            ends = (self.start, self.first, self.second, self.end)
            x, y = (sum(w * end[axis] for w, end in zip(weights, ends, strict=True)) for axis in (0, 1))
            yield x, y


def line(child: Box, parent: Box, place: int = 0) -> Curve:
    """Return the line from a child to its parent.

    `place` numbers the relations between the same two tables, so that none hides another.
    """
    if child == parent:
        return _loop(child, place)
    aside = _ASIDE[place % len(_ASIDE)]
    if parent.x >= child.right:
        start, end, out, into = _right(child, aside), _left(parent, aside), 1.0, -1.0
    elif parent.right <= child.x:
        start, end, out, into = _left(child, aside), _right(parent, aside), -1.0, 1.0
    else:
        # One above the other: out of the right side, and back into it.
        start, end, out, into = _right(child, aside), _right(parent, aside), 1.0, 1.0
    bend = max(_LEAST_BEND, min(abs(end[0] - start[0]) / 2, 90.0)) + APART * (place // len(_ASIDE))
    first, second = (start[0] + out * bend, start[1]), (end[0] + into * bend, end[1])
    return Curve(start, first, second, end)


def _loop(box: Box, place: int) -> Curve:
    reach = LOOP + APART * place
    x, top, bottom = box.right, box.y + 5, box.bottom - 5
    return Curve((x, bottom), (x + reach, bottom + 7), (x + reach, top - 7), (x, top))


def _right(box: Box, aside: float) -> Point:
    return box.right, box.y + box.height / 2 + aside


def _left(box: Box, aside: float) -> Point:
    return box.x, box.y + box.height / 2 + aside


def _at(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"
