"""An audit for a terminal: short enough to be read, with the worst at its end, where a reader looks first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pgvigil.audit import (
    Audit,
    Fragment,
    IndexNote,
    MapPair,
    MapRelation,
    Origin,
    SchemaInventory,
    TableInventory,
)
from pgvigil.audit.words import at_risk, certainty, children, moment, number, only_where, since, size
from pgvigil.catalog import Change, TableKind, quote
from pgvigil.check import Severity
from pgvigil.cli.output import counted, visible
from pgvigil.inference import as_percent

_STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_LINES = 60
_TABLES = 400
_NAMES = 8
_EVIDENCE = 2
_HARDLY_IN_DOUBT = 0.9

T = TypeVar("T")
Lines = Iterable[RenderableType]


def print_text(audit: Audit, console: Console) -> None:
    """Print what there is and what refers to what, and last what is at fault or unknown.

    What would fill screens is cut short, with a word of how much is left out.
    """
    where = f" · database {visible(audit.database)} · PostgreSQL {audit.server_version}"
    console.print(Text.assemble((audit.target, "bold"), f"{where} · {moment(audit.taken_at)} UTC\n"))
    known = [one for one in audit.relations if one.origin is not Origin.INFERRED]
    proposed = [one for one in audit.relations if one.origin is Origin.INFERRED]
    broken = [one for one in audit.relations if one.broken]
    changed = since(audit)
    for title, lines in (
        ("Schemas", _schemas(audit.inventory.schemas)),
        ("Tables", _tables(audit.inventory.tables)),
        ("Relations", _cut(known, _relation)),
        ("Proposed relations", _cut(proposed, _proposal)),
        ("Entity pairs", _cut(audit.entity_pairs, _pair)),
        ("Indexes", _cut(audit.indexes, _index)),
        ("Fragmentation", _cut(audit.fragments, _fragment)),
        (
            changed,
            (_cut(audit.changes, _change) if audit.changes else [Text("  nothing")]) if changed else (),
        ),
        ("Broken relations", _cut(broken, _broken)),
        ("Unknown", _cut(audit.unknown, _unknown)),
    ):
        _print_section(console, title, list(lines))
    console.print(_summary(audit))


def _print_section(console: Console, title: str, lines: Sequence[RenderableType]) -> None:
    if lines:
        console.print(Text(title, style="bold"))
        for line in lines:
            # Paragraphs keep to the width of the terminal, lines of names are not broken.
            console.print(line, soft_wrap=isinstance(line, Text))
        console.print()


def _cut(things: Sequence[T], lines: Callable[[T], Lines], most: int = _LINES) -> Iterator[RenderableType]:
    for one in things[:most]:
        yield from lines(one)
    if len(things) > most:
        yield Text(f"  … and {len(things) - most:,} more: --format json has all", style="dim")


def _schemas(schemas: Sequence[SchemaInventory]) -> Lines:
    biggest = {one.name for one in sorted(schemas, key=lambda one: -one.bytes)[:_LINES]}
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("schema")
    for name in ("tables", "rows", "size"):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in schemas:
        if one.name not in biggest:
            continue
        notes = [word for word, is_so in (("zone", one.zone), ("deprecated", one.deprecated)) if is_so]
        figures = number(one.tables), number(one.rows_estimated), size(one.bytes)
        table.add_row(Text(visible(quote(one.name))), *figures, Text(", ".join(notes), style="dim"))
    yield _indented(table)
    if len(schemas) > _LINES:
        yield Text(f"  … and {len(schemas) - _LINES:,} smaller ones", style="dim")


def _tables(tables: Sequence[TableInventory]) -> Lines:
    """Yield a paragraph for each schema, with the biggest tables where there are many, and what they lack."""
    biggest = {id(one) for one in sorted(tables, key=lambda one: -(one.bytes or 0))[:_TABLES]}
    by_schema: defaultdict[str, list[TableInventory]] = defaultdict(list)
    for one in tables:
        if id(one) in biggest:
            by_schema[one.name.schema].append(one)
    for schema, its in by_schema.items():
        yield _indented(_paragraph(schema, its))
    if len(tables) > _TABLES:
        yield Text(f"  … and {len(tables) - _TABLES:,} smaller ones", style="dim")
    held = [one for one in tables if one.kind is not TableKind.FOREIGN]
    for words, lacking in (
        ("never analysed", [one for one in held if one.last_analyzed is None]),
        ("without a primary key", [one for one in held if not one.primary_key]),
    ):
        if lacking:
            yield _indented(Text(f"{words}: {_listed(lacking)}", style="dim"))


def _paragraph(schema: str, tables: Iterable[TableInventory]) -> Text:
    text = Text(f"{visible(quote(schema))}  ", style="bold")
    for place, one in enumerate(tables):
        parts = f" in {counted(one.partitions, 'partition')}" if one.partitions else ""
        text.append(" · " if place else "", style="not bold dim")
        text.append(visible(quote(one.name.name)), style="not bold" if one.readable else "not bold magenta")
        text.append(f" {number(one.rows_estimated)}{parts}", style="not bold dim")
    return text


def _listed(tables: Sequence[TableInventory]) -> str:
    names = ", ".join(visible(str(one.name)) for one in tables[:_NAMES])
    return f"{names} and {len(tables) - _NAMES:,} more" if len(tables) > _NAMES else names


def _relation(one: MapRelation) -> Lines:
    mark = ("✗ ", "bold red") if one.broken else ("  ", "")
    style = "" if one.origin is Origin.DECLARED else "cyan"
    yield Text.assemble("  ", mark, f"{one.origin:<11}", (visible(one.subject), style))


def _proposal(one: MapRelation) -> Lines:
    where = only_where(one.condition)
    yield Text(f"  {as_percent(one.probability):>4}  {visible(one.subject)}{visible(where)}")
    yield from _evidence(one)


def _pair(one: MapPair) -> Lines:
    sure = certainty(one.origin, one.probability)
    yield Text.assemble(f"  {sure}  ", (visible(one.subject), "bold"))
    yield Text(f"      key {_mapping(one.key)}; columns {_mapping(one.columns)}", style="dim")
    sides = [
        f"{side}: {which}"
        for side, which in (("referenced", one.referenced), ("fresher", one.fresher))
        if which
    ]
    if sides:
        yield Text(f"      {', '.join(sides)}", style="dim")
    if one.origin is Origin.INFERRED:
        yield from _evidence(one)


def _mapping(names: Mapping[str, str]) -> str:
    return visible(", ".join(left if left == right else f"{left}: {right}" for left, right in names.items()))


def _evidence(one: MapRelation | MapPair) -> Lines:
    """Yield what speaks for a proposal: of one that is hardly in doubt the weightiest, else all of it."""
    shown = one.evidence[: _EVIDENCE if one.probability >= _HARDLY_IN_DOUBT else None]
    more = len(one.evidence) - len(shown)
    if shown:
        words = [*shown, *([f"… and {more:,} more"] if more else [])]
        yield Text(f"        {visible('; '.join(words))}", style="dim")


def _index(one: IndexNote) -> Lines:
    lacking = f"{one.table}({', '.join(map(quote, one.columns))})"
    yield Text.assemble(
        f"  {one.fault:<10}",
        visible(one.name or lacking),
        (f"  {size(one.bytes)}, {visible(one.words)}", "dim"),
    )


def _fragment(one: Fragment) -> Lines:
    yield Text.assemble(
        "  ",
        (f"{one.impact:<9}", _STYLES[one.impact]),
        visible(one.title),
        (f" ({at_risk(one.rows_at_risk)})", "dim"),
    )


def _change(one: Change) -> Lines:
    yield Text(f"  {visible(str(one))}", style="red" if one.loses else "")


def _broken(one: MapRelation) -> Lines:
    impact = one.impact or Severity.WARNING
    yield Text.assemble("  ", (f"{impact:<9}", _STYLES[impact]), (visible(one.subject), "bold"))
    yield Text(f"           {visible(one.broken or '')} ({children(one.rows_at_risk)})")


def _unknown(line: str) -> Lines:
    yield Text(f"  {visible(line)}", style="magenta")


def _summary(audit: Audit) -> Text:
    inventory = audit.inventory
    broken = inventory.broken_foreign_keys
    text = Text(
        f"{counted(len(inventory.schemas), 'schema')}, {counted(len(inventory.tables), 'table')}, "
        f"{counted(inventory.foreign_keys, 'foreign key')}",
        style="bold",
    )
    text.append(f", {broken:,} broken" if broken else "", style="bold red")
    return text.append(
        f" · about {counted(inventory.rows_estimated, 'row')}, {size(inventory.bytes)}"
        f" · {'rows sampled' if audit.sampled else 'no rows sampled'}",
        style="not bold",
    )


def _indented(what: RenderableType) -> Padding:
    return Padding(what, (0, 0, 0, 2))
