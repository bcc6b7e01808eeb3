"""An audit as Markdown, for a wiki or an issue: tables as GitHub, GitLab and most others draw them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pgvigil.audit.mermaid import to_mermaid
from pgvigil.audit.model import Audit, IndexNote, MapPair, MapRelation
from pgvigil.audit.words import at_risk, certainty, children, moment, number, only_where, seen, since, size
from pgvigil.catalog import quote

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_MOST_DRAWN = 100
"""Tables in a diagram that can still be read."""


def to_markdown(audit: Audit) -> str:
    """Write a page; with few enough tables it ends with the map as a Mermaid diagram."""
    parts = (
        _head(audit),
        _broken(audit),
        _changes(audit),
        _fragments(audit),
        _pairs(audit.entity_pairs),
        _relations(audit.relations),
        _indexes(audit.indexes),
        _schemas(audit),
        _tables(audit),
        _unknown(audit.unknown),
        _diagram(audit),
    )
    return "\n".join(line for part in parts for line in part)


def _head(audit: Audit) -> Iterator[str]:
    inventory = audit.inventory
    read = "Rows were sampled." if audit.sampled else "No rows were sampled."
    yield from (f"# Audit of {_plain(audit.target)}", "")
    where = f"Database {_code(audit.database)}, PostgreSQL {audit.server_version}"
    yield f"{where}, {moment(audit.taken_at)} UTC. {read}"
    yield ""
    yield (
        f"{len(inventory.schemas):,} schemas, {len(inventory.tables):,} tables, "
        f"{inventory.foreign_keys:,} foreign keys, **{inventory.broken_foreign_keys:,} broken**; "
        f"about {inventory.rows_estimated:,} rows, {size(inventory.bytes)}."
    )
    yield ""


def _broken(audit: Audit) -> Iterator[str]:
    broken = [one for one in audit.relations if one.broken]
    rows = [
        (
            str(one.impact),
            _cell_code(one.subject),
            str(one.origin),
            _plain(one.broken or ""),
            children(one.rows_at_risk),
        )
        for one in broken
    ]
    yield from _section("Broken relations", ("impact", "relation", "origin", "why", "at risk"), rows)


def _changes(audit: Audit) -> Iterator[str]:
    if audit.compared_with is None:
        return
    yield f"## {_plain(since(audit))}"
    yield ""
    yield from [f"- {_plain(str(one))}" for one in audit.changes] or ["Nothing."]
    yield ""


def _fragments(audit: Audit) -> Iterator[str]:
    rows = [(str(one.impact), _plain(one.title), at_risk(one.rows_at_risk)) for one in audit.fragments]
    yield from _section("Fragmentation", ("impact", "what", "at risk"), rows)


def _pairs(pairs: Sequence[MapPair]) -> Iterator[str]:
    rows = [
        (
            _cell_code(one.subject),
            certainty(one.origin, one.probability),
            _mapping(one.key.items()),
            _mapping(one.columns.items()),
            "; ".join(map(_plain, one.evidence)),
        )
        for one in pairs
    ]
    yield from _section("Entity pairs", ("pair", "certainty", "key", "columns", "evidence"), rows)


def _mapping(items: Iterable[tuple[str, str]]) -> str:
    return ", ".join(
        _cell_code(quote(left) if left == right else f"{quote(left)}: {quote(right)}")
        for left, right in items
    )


def _relations(relations: Iterable[MapRelation]) -> Iterator[str]:
    rows = [
        (
            _cell_code(one.subject) + _plain(only_where(one.condition)),
            certainty(one.origin, one.probability),
            "; ".join(map(_plain, one.evidence)),
            "broken" if one.broken else "",
        )
        for one in relations
    ]
    yield from _section("Relations", ("relation", "certainty", "evidence", ""), rows)


def _indexes(notes: Iterable[IndexNote]) -> Iterator[str]:
    rows = [
        (
            str(one.fault),
            _cell_code(one.name or str(one.table)),
            ", ".join(_cell_code(column) for column in one.columns),
            size(one.bytes),
            _plain(one.words),
        )
        for one in notes
    ]
    yield from _section("Indexes", ("note", "index or table", "columns", "size", "why"), rows)


def _schemas(audit: Audit) -> Iterator[str]:
    rows = [
        (
            _cell_code(quote(one.name)),
            number(one.tables),
            number(one.rows_estimated),
            size(one.bytes),
            ", ".join([*(["zone"] if one.zone else []), *(["deprecated"] if one.deprecated else [])]),
        )
        for one in audit.inventory.schemas
    ]
    yield from _section("Schemas", ("schema", "tables", "rows", "size", ""), rows, right=(1, 2, 3))


def _tables(audit: Audit) -> Iterator[str]:
    rows = [
        (
            _cell_code(str(one.name)),
            f"{one.kind} of {one.partitions:,}" if one.partitions else str(one.kind),
            _cell_code(quote(one.owner)),
            number(one.rows_estimated),
            size(one.bytes),
            moment(one.last_analyzed),
            moment(one.last_vacuumed),
            _plain(one.comment),
        )
        for one in audit.inventory.tables
    ]
    header = ("table", "kind", "owner", "rows", "size", "last analysed", "last vacuumed", "comment")
    yield from _section("Tables", header, rows, right=(3, 4))


def _unknown(unknown: Iterable[str]) -> Iterator[str]:
    lines = [f"- {_plain(one)}" for one in unknown]
    if lines:
        yield from ("## Unknown", "", *lines, "")


def _diagram(audit: Audit) -> Iterator[str]:
    if len(audit.inventory.tables) <= _MOST_DRAWN and audit.relations:
        yield from ("## Map", "", "```mermaid", to_mermaid(audit).rstrip(), "```", "")


def _section(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()
) -> Iterator[str]:
    """Yield a table below a heading; nothing where it would be empty."""
    if not rows:
        return
    yield f"## {title}"
    yield ""
    yield _row(header)
    yield _row(["---:" if place in right else "---" for place in range(len(header))])
    yield from map(_row, rows)
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Write a text in which no character marks anything up."""
    return _MARKUP.sub(r"\\\1", seen(text))


def _code(text: str) -> str:
    """Write code, between more backticks than there are in it."""
    text = seen(text)
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _cell_code(text: str) -> str:
    """Write code within a table, where even there a bar would end the cell."""
    return _code(text).replace("|", "\\|")
