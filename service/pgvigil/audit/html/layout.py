"""Where everything lies on the map. Graphviz does the work, in two steps.

Within a schema `dot` puts children left of their parents; then `neato` lays the schemas beside those they
share relations with. One layout for both leaves most of the picture empty, so that nothing in it can be read.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from pygraphviz import AGraph

from pgvigil.catalog import TableName

Link = tuple[TableName, TableName]
"""A child and its parent."""

TABLE_HEIGHT = 20.0
_MARGIN = 9.0
_TITLE = 22.0
_GAP = 7.0
_BETWEEN_SCHEMAS = 14.0
APART = 5.0
"""How far lines between the same tables are from one another."""
LOOP = 22.0
"""How far aside the line of a table that refers to itself is pulled; three quarters of that it goes."""
_ASPECT = 1.7
"""How much wider than high the map shall become: as screens and landscape paper are."""
_STRETCHES = (0.6, 0.8, 1.0, 1.4, 1.8, 2.4, 3.2)
_REACHES = (0.17, 0.25, 0.33)
"""Ways to lay out the schemas: of all of them that is taken which can be shown largest."""
_MOST_BESIDE = 60
"""More schemas than these end up beside one another in a single line: they stand in rows instead."""
_MOST_IN_LAYERS = 800
"""Above as many links within a schema, to sort them into layers takes too long: its tables stand in rows."""
_MANY = 200
"""Above as many the layers are balanced less thoroughly."""
_INCH = 72.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, by its upper left corner; x grows to the right, y downwards, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.y + self.height

    def covers(self, x: float, y: float) -> bool:
        """Tell whether it hides a small mark at that point."""
        return self.x - 4 < x < self.right + 4 and self.y - 4 < y < self.bottom + 4

    def moved(self, x: float, y: float) -> Box:
        """Return it further right and down by as much."""
        return replace(self, x=self.x + x, y=self.y + y)


@dataclass(frozen=True, slots=True)
class Plan:
    """The places of all tables and of the frames of their schemas; the map begins at (0, 0)."""

    tables: Mapping[TableName, Box]
    schemas: Mapping[str, Box]
    width: float
    height: float


def arrange(widths: Mapping[TableName, float], links: Sequence[Link]) -> Plan:
    """Lay out tables of the widths given; `links` lead from one of them to another.

    The same input gives the same map.
    """
    by_schema: defaultdict[str, dict[TableName, float]] = defaultdict(dict)
    for table, width in widths.items():
        by_schema[table.schema][table] = width
    within: defaultdict[str, list[Link]] = defaultdict(list)
    for child, parent in dict.fromkeys(links):
        if child.schema == parent.schema and child != parent:
            within[child.schema].append((child, parent))
    linked = {table for link in links for table in link}
    inside = {schema: _inside(tables, within[schema], linked) for schema, tables in by_schema.items()}
    loops = Counter(child for child, parent in links if child == parent)
    frames = {schema: _frame(schema, boxes, loops) for schema, boxes in inside.items()}
    schemas = _beside(frames, Counter(_crossing(links)))
    tables = {
        table: box.moved(schemas[schema].x, schemas[schema].y)
        for schema, boxes in inside.items()
        for table, box in boxes.items()
    }
    width = max((box.right for box in schemas.values()), default=0.0)
    return Plan(tables, schemas, width, max((box.bottom for box in schemas.values()), default=0.0))


def _crossing(links: Iterable[Link]) -> Iterable[tuple[str, str]]:
    for child, parent in links:
        if child.schema != parent.schema:
            yield min(child.schema, parent.schema), max(child.schema, parent.schema)


def _inside(
    widths: Mapping[TableName, float], links: Sequence[Link], linked: set[TableName]
) -> dict[TableName, Box]:
    """Place a schema's tables: those linked to one another, then those linked elsewhere, then the rest."""
    if len(links) > _MOST_IN_LAYERS:
        links = ()
    layered = {table for link in links for table in link}
    boxes = _layers({table: widths[table] for table in widths if table in layered}, links)
    for chosen in (linked - layered, widths.keys() - linked):
        rest = {table: width for table, width in widths.items() if table in chosen and table not in layered}
        boxes |= _rows(rest, below=boxes.values())
    return boxes


def _layers(widths: Mapping[TableName, float], links: Sequence[Link]) -> dict[TableName, Box]:
    if not widths:
        return {}
    graph = _graph(directed=True, rankdir="LR", nodesep=_GAP / _INCH, ranksep=26 / _INCH, pack=4)
    if len(links) > _MANY:
        graph.graph_attr["nslimit"] = 1
    # Numbers, not names: in those of nodes Graphviz gives a meaning to some characters.
    places = {table: place for place, table in enumerate(widths)}
    for table, place in places.items():
        graph.add_node(place, width=widths[table] / _INCH, height=TABLE_HEIGHT / _INCH)
    for child, parent in links:
        graph.add_edge(places[child], places[parent])
    graph.layout("dot")
    sizes = [(width, TABLE_HEIGHT) for width in widths.values()]
    boxes = _at_corner(_boxes(graph, sizes), _MARGIN, _TITLE)
    return dict(zip(widths, boxes, strict=True))


def _rows(widths: Mapping[TableName, float], below: Iterable[Box]) -> dict[TableName, Box]:
    """Place tables that nothing orders in rows, about as wide as what they stand below."""
    above = tuple(below)
    top = max((box.bottom + _GAP for box in above), default=_TITLE)
    least = max((box.right for box in above), default=0.0)
    boxes = _in_rows([(width, TABLE_HEIGHT) for width in widths.values()], _GAP, least)
    return {table: box.moved(_MARGIN, top) for table, box in zip(widths, boxes, strict=True)}


def _in_rows(sizes: Sequence[tuple[float, float]], gap: float, least: float = 0.0) -> list[Box]:
    """Place rectangles one after another in rows, which are `least` wide unless they need more."""
    area = sum((width + gap) * (height + gap) for width, height in sizes)
    end = max(math.sqrt(area * _ASPECT), least)
    boxes: list[Box] = []
    x = y = height_of_row = 0.0
    for width, height in sizes:
        if x and x + width > end:
            x, y, height_of_row = 0.0, y + height_of_row + gap, 0.0
        boxes.append(Box(x, y, width, height))
        x, height_of_row = x + width + gap, max(height_of_row, height)
    return boxes


def _frame(schema: str, boxes: Mapping[TableName, Box], loops: Mapping[TableName, int]) -> Box:
    title = _MARGIN + 7.5 * min(len(schema), 40)
    width = max(title, *(box.right + _loops_width(loops.get(name, 0)) for name, box in boxes.items()))
    return Box(0, 0, width + _MARGIN, max(box.bottom for box in boxes.values()) + _MARGIN)


def _loops_width(count: int) -> float:
    return 0.75 * (LOOP + APART * (count - 1)) if count else 0.0


def _beside(frames: Mapping[str, Box], shared: Mapping[tuple[str, str], int]) -> dict[str, Box]:
    """Place the schemas' frames, those that share relations near to one another, none upon another."""
    if not frames:
        return {}
    if len(frames) > _MOST_BESIDE:
        boxes = _in_rows([(frame.width, frame.height) for frame in frames.values()], _BETWEEN_SCHEMAS)
    else:
        tries = (_stretched(frames, shared, *way) for way in product(_STRETCHES, _REACHES))
        boxes = min(tries, key=_smallness)
    return dict(zip(frames, boxes, strict=True))


def _smallness(boxes: Iterable[Box]) -> float:
    """Return how small the boxes get when all of them are shown on a screen."""
    return max(max(box.right, _ASPECT * box.bottom) for box in boxes)


def _stretched(
    frames: Mapping[str, Box], shared: Mapping[tuple[str, str], int], stretch: float, reach: float
) -> list[Box]:
    """Lay the frames out as if they were higher than they are, and press the result flat.

    The layout knows no direction: what it makes as wide as high becomes wider by as much. `reach` is how far
    from one another those that share relations want to be, in sums of their diagonals.
    """
    # pack also puts what shares nothing at its side, instead of as far away as it can.
    graph = _graph(overlap="vpsc", sep="+0", pack=1, start=1)
    sizes = [
        (frame.width + _BETWEEN_SCHEMAS, (frame.height + _BETWEEN_SCHEMAS) * stretch)
        for frame in frames.values()
    ]
    places = {schema: place for place, schema in enumerate(frames)}
    for place, (width, height) in enumerate(sizes):
        graph.add_node(place, width=width / _INCH, height=height / _INCH)
    for (one, other), relations in shared.items():
        apart = reach * (math.hypot(*sizes[places[one]]) + math.hypot(*sizes[places[other]]))
        graph.add_edge(places[one], places[other], weight=relations, len=apart / _INCH)
    graph.layout("neato")
    pressed = [
        Box(box.x, box.y / stretch, frame.width, frame.height)
        for box, frame in zip(_boxes(graph, sizes), frames.values(), strict=True)
    ]
    return _at_corner(pressed, 0, 0)


def _graph(*, directed: bool = False, **settings: object) -> AGraph:
    """Return a graph for its places alone: no labels, for which fonts would be looked up, and no lines."""
    graph = AGraph(directed=directed, strict=False, splines="false", **settings)
    graph.node_attr.update(shape="box", label="", fixedsize="true")
    return graph


def _boxes(graph: AGraph, sizes: Sequence[tuple[float, float]]) -> list[Box]:
    """Read where the layout has put the nodes, which are numbered as their sizes."""
    found = []
    for place, (width, height) in enumerate(sizes):
        x, y = (float(part) for part in graph.get_node(place).attr["pos"].split(","))
        found.append(Box(x - width / 2, -y - height / 2, width, height))
    return found


def _at_corner(boxes: Sequence[Box], x: float, y: float) -> list[Box]:
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    return [box.moved(x - left, y - top) for box in boxes]
