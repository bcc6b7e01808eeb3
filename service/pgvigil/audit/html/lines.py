"""How the line of a relation runs from the child's box to the parent's."""

from __future__ import annotations

from pgvigil.audit.html.layout import Box

Point = tuple[float, float]

_APART = 5.0
_LEAST_BEND = 14.0
_PARTS = tuple(sorted((place / 40 for place in range(1, 40)), key=lambda part: abs(part - 0.5)))
"""How far along a line its points are, the middle first."""


def line(child: Box, parent: Box, place: int = 0) -> tuple[str, tuple[Point, ...]]:
    """Return the path of a line, as SVG writes it, and some points of it, the middle first.

    `place` numbers the relations between the same two tables, so that none hides another.
    """
    if child == parent:
        return _loop(child, place)
    aside = _aside(place, min(child.height, parent.height))
    if parent.x >= child.right:
        start, end, out, into = _right(child, aside), _left(parent, aside), 1.0, -1.0
    elif parent.right <= child.x:
        start, end, out, into = _left(child, aside), _right(parent, aside), -1.0, 1.0
    else:
        # One above the other: out of the right side, and back into it.
        start, end, out, into = _right(child, aside), _right(parent, aside), 1.0, 1.0
    bend = max(_LEAST_BEND, min(abs(end[0] - start[0]) / 2, 90.0), 0.0 if out != into else _LEAST_BEND * 1.5)
    first, second = (start[0] + out * bend, start[1]), (end[0] + into * bend, end[1])
    return _curve(start, first, second, end)


def _loop(box: Box, place: int) -> tuple[str, tuple[Point, ...]]:
    reach = 22.0 + _APART * place
    x, top, bottom = box.right, box.y + 5, box.bottom - 5
    return _curve((x, bottom), (x + reach, bottom + 7), (x + reach, top - 7), (x, top))


def _aside(place: int, height: float) -> float:
    """Spread lines over the side of a box: 0, 5, -5, and again."""
    steps = (0.0, _APART, -_APART) if height >= 3 * _APART else (0.0,)
    return steps[place % len(steps)]


def _right(box: Box, aside: float) -> Point:
    return box.right, box.y + box.height / 2 + aside


def _left(box: Box, aside: float) -> Point:
    return box.x, box.y + box.height / 2 + aside


def _curve(start: Point, first: Point, second: Point, end: Point) -> tuple[str, tuple[Point, ...]]:
    """Return a cubic Bézier curve, and points of it."""
    path = f"M{_at(start)}C{_at(first)} {_at(second)} {_at(end)}"
    return path, tuple(_along(part, start, first, second, end) for part in _PARTS)


def _along(part: float, *ends: Point) -> Point:
    rest = 1 - part
    weights = (rest**3, 3 * rest**2 * part, 3 * rest * part**2, part**3)
    x, y = (sum(weight * point[axis] for weight, point in zip(weights, ends, strict=True)) for axis in (0, 1))
    return x, y


def _at(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"
