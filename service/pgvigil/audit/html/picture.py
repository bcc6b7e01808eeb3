"""What is drawn on the map: tables as boxes in their schema's frame, and relations as lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pgvigil.audit.html.layout import Box, arrange
from pgvigil.audit.html.lines import Curve, Point, line
from pgvigil.audit.model import Audit, MapRelation, TableInventory
from pgvigil.audit.words import certainty, number, only_where, seen, size
from pgvigil.catalog import TableName

_LONGEST_NAME = 30
_LETTER = 6.8
"""The width of a letter of the map's monospaced font."""
_AROUND_NAME = 16.0
_LARGEST_LETTERS = 110.0
_LETTERS_ACROSS = 26
"""A schema's name that is larger than the map's width by this many hides its tables on a narrow screen."""
_READABLE_WIDTH = 2_600
"""Up to here the names of tables can be read when the whole map is on a screen."""


@dataclass(frozen=True, slots=True)
class Node:
    """A table on the map. `inventory` is None of one that is not watched, but that a relation names."""

    id: str
    name: TableName
    label: str
    box: Box
    inventory: TableInventory | None
    broken: bool
    related: bool

    @property
    def title(self) -> str:
        """What is said of it at a first look."""
        if self.inventory is None:
            return f"{seen(str(self.name))}: not among the tables that are watched"
        rows = f"about {number(self.inventory.rows_estimated)} rows"
        parts = [rows, size(self.inventory.bytes), f"{len(self.inventory.columns)} columns"]
        if not self.inventory.readable:
            parts.append("not readable")
        return f"{seen(str(self.name))}: {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class Edge:
    """A relation on the map: its path, as SVG writes it, and where it is marked as broken."""

    id: str
    child: str
    parent: str
    relation: MapRelation
    path: str
    mark: Point | None

    @property
    def title(self) -> str:
        """What is said of it at a first look: for a broken one why it is that."""
        relation = self.relation
        lines = [
            seen(f"{relation.subject}{only_where(relation.condition)}"),
            certainty(relation.origin, relation.probability),
        ]
        if relation.broken is not None:
            lines.append(f"BROKEN: {seen(relation.broken)}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Region:
    """A schema's frame. `far` is the size of the letters in which its name fills it, for a look from afar."""

    name: str
    box: Box
    tables: int
    zone: int
    deprecated: bool
    far: float


@dataclass(frozen=True, slots=True)
class Picture:
    """All of the map. `far` tells that the names of tables are too small while the whole map is shown."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    regions: tuple[Region, ...]
    width: float
    height: float

    @property
    def far(self) -> bool:
        """Whether only the schemas' names can be read while all of it is shown."""
        return self.width > _READABLE_WIDTH


def picture(audit: Audit) -> Picture:
    """Draw an audit's map, with every table and every relation in it."""
    inventory = {table.name: table for table in audit.inventory.tables}
    links = [(one.relation.child, one.relation.parent) for one in audit.relations]
    names = list(dict.fromkeys([*inventory, *(end for link in links for end in link)]))
    labels = {name: _shortened(seen(name.name)) for name in names}
    plan = arrange({name: len(label) * _LETTER + _AROUND_NAME for name, label in labels.items()}, links)
    broken = {one.relation.child for one in audit.relations if one.broken is not None}
    related = {end for link in links for end in link}
    ids = {name: f"t{place}" for place, name in enumerate(names)}
    nodes = tuple(
        Node(
            id=ids[name],
            name=name,
            label=labels[name],
            box=plan.tables[name],
            inventory=inventory.get(name),
            broken=name in broken,
            related=name in related,
        )
        for name in names
    )
    edges = _edges(audit.relations, plan.tables, ids)
    largest = min(_LARGEST_LETTERS, plan.width / _LETTERS_ACROSS)
    regions = _regions(audit, plan.schemas, names, largest)
    return Picture(nodes, edges, regions, plan.width, plan.height)


def _edges(
    relations: Sequence[MapRelation], places: Mapping[TableName, Box], ids: Mapping[TableName, str]
) -> tuple[Edge, ...]:
    between: Counter[frozenset[TableName]] = Counter()
    found = []
    for place, one in enumerate(relations):
        child, parent = one.relation.child, one.relation.parent
        ends = frozenset((child, parent))
        curve = line(places[child], places[parent], between[ends])
        between[ends] += 1
        mark = None if one.broken is None else _uncovered(curve, places.values())
        found.append(Edge(f"r{place}", ids[child], ids[parent], one, curve.path, mark))
    return tuple(found)


def _uncovered(curve: Curve, boxes: Collection[Box]) -> Point:
    """Return the point nearest to the middle that no table's box covers; the middle where all are covered."""
    free = (point for point in curve.points() if not any(box.covers(*point) for box in boxes))
    return next(free, next(curve.points()))


def _regions(
    audit: Audit, frames: Mapping[str, Box], names: Sequence[TableName], largest: float
) -> tuple[Region, ...]:
    tables = Counter(name.schema for name in names)
    zones = {name: place for place, name in enumerate(audit.zones, start=1)}
    deprecated = {schema.name for schema in audit.inventory.schemas if schema.deprecated}
    return tuple(
        Region(
            name=schema,
            box=box,
            tables=tables[schema],
            zone=zones.get(schema, 0),
            deprecated=schema in deprecated,
            far=min(box.width / (0.7 * max(len(schema), 4)), box.height * 0.5, largest),
        )
        for schema, box in frames.items()
    )


def _shortened(name: str) -> str:
    """Leave out the middle of a long name: names differ at their ends, too."""
    if len(name) <= _LONGEST_NAME:
        return name
    half = (_LONGEST_NAME - 1) // 2
    return f"{name[: _LONGEST_NAME - 1 - half]}…{name[-half:]}"
