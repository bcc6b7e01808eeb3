"""The map as a graph for Graphviz: tables by schema, an arrow from each child to its parent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pgvigil.audit.model import Audit, MapPair, MapRelation, Origin, TableInventory
from pgvigil.audit.words import number, only_where, seen
from pgvigil.catalog import TableName, quote

_STYLES = {Origin.DECLARED: "solid", Origin.CONFIGURED: "dashed", Origin.INFERRED: "dotted"}
_BROKEN = "#c62828"


def to_dot(audit: Audit) -> str:
    """Write a directed graph; `dot -Tsvg` draws it. A broken relation is red, an entity pair has no heads."""
    nodes = {table.name: f"t{place}" for place, table in enumerate(audit.inventory.tables)}
    lines = [
        f"digraph {_quoted(audit.target)} {{",
        "  graph [rankdir=LR, fontname=Helvetica, ranksep=1.2]",
        "  node [shape=box, style=rounded, fontname=Helvetica, fontsize=11]",
        "  edge [fontname=Helvetica, fontsize=9, color=gray40]",
        *_clusters(audit, nodes),
        *(_edge(one, nodes) for one in audit.relations if _is_drawn(one, nodes)),
        *(_pair(one, nodes) for one in audit.entity_pairs if {one.left, one.right} <= nodes.keys()),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _clusters(audit: Audit, nodes: dict[TableName, str]) -> Iterator[str]:
    by_schema: defaultdict[str, list[TableInventory]] = defaultdict(list)
    for table in audit.inventory.tables:
        by_schema[table.name.schema].append(table)
    for place, (schema, tables) in enumerate(by_schema.items()):
        yield f"  subgraph cluster_{place} {{"
        yield f"    label={_quoted(schema)} style=rounded color=gray70"
        for table in tables:
            label = _quoted(quote(table.name.name))
            tip = _quoted(f"{table.name}: {number(table.rows_estimated)} rows, owner {table.owner}")
            color = "" if table.readable else " color=gray60 fontcolor=gray50"
            yield f"    {nodes[table.name]} [label={label} tooltip={tip}{color}]"
        yield "  }"


def _is_drawn(one: MapRelation, nodes: dict[TableName, str]) -> bool:
    return one.relation.child in nodes and one.relation.parent in nodes


def _edge(one: MapRelation, nodes: dict[TableName, str]) -> str:
    said = [
        f"{one.subject}{only_where(one.condition)}",
        *([f"broken: {one.broken}"] if one.broken else one.evidence[:1]),
    ]
    attributes = [f"style={_STYLES[one.origin]}", f"tooltip={_quoted(' · '.join(said))}"]
    if one.broken:
        columns = ", ".join(map(quote, one.relation.child_columns))
        attributes += [f'color="{_BROKEN}" fontcolor="{_BROKEN}" penwidth=2', f"label={_quoted(columns)}"]
    return f"  {nodes[one.relation.child]} -> {nodes[one.relation.parent]} [{' '.join(attributes)}]"


def _pair(one: MapPair, nodes: dict[TableName, str]) -> str:
    tip = _quoted(one.subject)
    return f"  {nodes[one.left]} -> {nodes[one.right]} [dir=none color=purple penwidth=2 tooltip={tip}]"


def _quoted(text: str) -> str:
    """Write a string that Graphviz shows as it is: a backslash begins an escape in it."""
    return '"' + seen(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
