"""The map as an entity relationship diagram for Mermaid, which GitHub and GitLab draw in Markdown."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from pgvigil.audit.model import Audit, MapRelation, Origin, TableInventory
from pgvigil.audit.words import certainty, only_where, seen
from pgvigil.catalog import Column, TableName

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# These mean something within a quoted text, or end it.
_SPECIAL = re.compile(r'["%\\#;&<>`\[\]{}]')


def to_mermaid(audit: Audit) -> str:
    """Write an `erDiagram`: every table with the columns of its keys and relations.

    What is declared has a solid line, anything else a dotted one.
    """
    drawn = {table.name: f"t{place}" for place, table in enumerate(audit.inventory.tables)}
    relations = [one for one in audit.relations if {one.relation.child, one.relation.parent} <= drawn.keys()]
    referring: defaultdict[TableName, set[str]] = defaultdict(set)
    for one in relations:
        referring[one.relation.child].update(one.relation.child_columns)
    lines = ["erDiagram"]
    for table in audit.inventory.tables:
        lines += _entity(drawn[table.name], table, referring[table.name])
    lines += (_line(one, drawn) for one in relations)
    return "\n".join(lines) + "\n"


def _entity(node: str, table: TableInventory, referring: set[str]) -> Iterator[str]:
    shown = [one for one in table.columns if one.name in referring or one.name in table.primary_key]
    yield f'  {node}["{_text(str(table.name))}"] {{'
    for column in shown:
        keys = [
            *(["PK"] if column.name in table.primary_key else []),
            *(["FK"] if column.name in referring else []),
        ]
        yield f"    {_attribute(column)} {', '.join(keys)}{_aside(column)}"
    yield "  }"


def _attribute(column: Column) -> str:
    return f"{_word(column.base_type)} {_word(column.name)}"


def _aside(column: Column) -> str:
    """Return a name that is no plain word, as it is, beside what stands for it."""
    return "" if _WORD.match(column.name) else f' "{_text(column.name)}"'


def _line(one: MapRelation, drawn: dict[TableName, str]) -> str:
    line = "}o--||" if one.origin is Origin.DECLARED else "}o..||"
    columns = ", ".join(one.relation.child_columns) + only_where(one.condition)
    label = f"{columns} (broken)" if one.broken else columns
    if one.origin is Origin.INFERRED:
        label = f"{label}, {certainty(one.origin, one.probability)}"
    return f'  {drawn[one.relation.child]} {line} {drawn[one.relation.parent]} : "{_text(label)}"'


def _word(text: str) -> str:
    """Return a word that Mermaid takes for a type or an attribute, as like the text as can be."""
    word = re.sub(r"[^A-Za-z0-9_]+", "_", text)
    return word if _WORD.match(word) else f"_{word}"


def _text(text: str) -> str:
    """Write a text with all that Mermaid would read otherwise as its character's number."""
    return _SPECIAL.sub(lambda match: f"#{ord(match[0])};", seen(text))
