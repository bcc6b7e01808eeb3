"""Catalogs written as text, for what names and keys say by themselves."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pgvigil.catalog import (
    Catalog,
    Column,
    ForeignKey,
    Index,
    Key,
    Match,
    Scope,
    Table,
    TableKind,
    TableName,
    parse_relation,
)
from pgvigil.catalog.statistics import ColumnStatistics, Statistics, TableStatistics
from pgvigil.inference import propose_relations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pgvigil.inference import ProposedRelation

CATEGORIES = {
    "text": "S",
    "character varying": "S",
    "character": "S",
    "uuid": "U",
    "jsonb": "U",
    "boolean": "B",
}
LINE = re.compile(r'\s*(?:(?P<schema>\w+)\.)?(?P<name>"[^"]+"|\w+)\((?P<columns>.*)\)(?P<more>.*)')


def catalog(text: str, declared: Iterable[str] = (), **more: object) -> Catalog:
    """One table a line, such as `app.users(id* bigint, email! text, team_id)`.

    A column is a bigint unless it says otherwise; `*` makes it part of the primary key, `!` unique by itself,
    `+` filled by the server. What follows the columns sets attributes of the table: `kind=view`.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    tables = tuple(_table(oid, line) for oid, line in enumerate(lines, 1000))
    made = Catalog(
        server_version=160000,
        database="d",
        in_recovery=False,
        tables=tables,
        foreign_keys=(),
        schemas=tuple(dict.fromkeys(table.schema for table in tables)),
        scope=Scope(),
    )
    keys = tuple(_declared(made, oid, relation) for oid, relation in enumerate(declared, 9000))
    return replace(made, foreign_keys=keys, **more)  # type: ignore[arg-type]  # a test knows which fields


def _table(oid: int, line: str) -> Table:
    found = LINE.fullmatch(line)
    assert found is not None, line
    columns, primary, unique = [], [], []
    for number, words in enumerate(filter(None, map(str.strip, found["columns"].split(","))), 1):
        name, _, kind = words.partition(" ") if not words.startswith('"') else _quoted(words)
        bare = name.rstrip("*!+")
        marks = name[len(bare) :]
        kind = kind.strip() or "bigint"
        columns.append(_column(number, bare.strip('"'), kind, filled="+" in marks))
        primary += [bare.strip('"')] * ("*" in marks)
        unique += [bare.strip('"')] * ("!" in marks)
    name = found["name"].strip('"')
    keys = ([Key(f"{name}_pkey", tuple(primary), True, False)] if primary else []) + [
        Key(f"{name}_{column}_key", (column,), False, False) for column in unique
    ]
    options = dict(word.split("=") for word in found["more"].split())
    return Table(
        oid=oid,
        schema=found["schema"] or "public",
        name=name,
        kind=TableKind(options.get("kind", "table")),
        owner="o",
        partition_of=int(options["partition_of"]) if "partition_of" in options else None,
        inherits=(int(options["inherits"]),) if "inherits" in options else (),
        has_children=False,
        logged=True,
        file=oid,
        row_security=False,
        rows_estimate=float(options["rows"]) if "rows" in options else None,
        pages=1,
        columns=tuple(columns),
        keys=tuple(keys),
        indexes=tuple(
            Index(oid * 10 + at, key.index, key.columns, "btree", True, True, False)
            for at, key in enumerate(keys)
        ),
    )


def _quoted(words: str) -> tuple[str, str, str]:
    end = words.index('"', 1) + 1
    while end < len(words) and words[end] in "*!+":
        end += 1
    return words[:end], " ", words[end:]


def _column(number: int, name: str, kind: str, *, filled: bool) -> Column:
    return Column(
        name=name,
        number=number,
        type=kind,
        base_type=kind,
        category="E" if kind.endswith("_enum") else CATEGORIES.get(kind, "N"),
        not_null=False,
        collation=None,
        deterministic=True,
        comparable=kind != "json",
        faithful=True,
        generated=False,
        filled=filled,
    )


def _declared(made: Catalog, oid: int, text: str) -> ForeignKey:
    relation = parse_relation(text)
    child, parent = made.table(relation.child), made.table(relation.parent)
    assert child is not None
    assert parent is not None
    return ForeignKey(
        oid=oid,
        name=f"fk{oid}",
        child=child,
        child_columns=relation.child_columns,
        parent=parent,
        parent_columns=relation.parent_columns,
        match=Match.SIMPLE,
        operators=(),
        validated=True,
        enforced=True,
        period=False,
        index_name="",
        index_valid=True,
        triggers=4,
        idle_triggers=(),
        missing_triggers=(),
    )


def by_relation(proposals: Iterable[ProposedRelation]) -> dict[str, ProposedRelation]:
    """Proposals by the relations that they propose; those of `public` without the schema's name."""
    return {str(one.relation).replace("public.", ""): one for one in proposals}


def proposed(text: str, **more: object) -> set[str]:
    """What names alone propose for the tables of a text."""
    return set(by_relation(propose_relations(catalog(text, **more))))  # type: ignore[arg-type]  # as above


def statistics(
    of: Catalog,
    columns: Mapping[str, ColumnStatistics],
    comments: Mapping[str, str] | None = None,
) -> Statistics:
    """Statistics by `table.column`, with comments on columns."""
    known = {}
    for place, figures in columns.items():
        table, column = _place(of, place)
        known[table.oid, column.number] = figures
    tables = {}
    for place, comment in (comments or {}).items():
        table, column = _place(of, place)
        tables[table.oid] = TableStatistics(
            bytes=0, live_rows=0, writes=0, readable=True, column_comments={column.name: comment}
        )
    return Statistics(tables=tables, columns=known)


def numbers(least: int, greatest: int, distinct: int | None = None) -> ColumnStatistics:
    """Statistics of a column of numbers that lie evenly between two."""
    bounds = tuple(str(least + (greatest - least) * step // 10) for step in range(11))
    return ColumnStatistics(
        null_fraction=0.0,
        distinct=distinct or greatest - least + 1,
        width=8,
        bounds=bounds,
        least=str(least),
        greatest=str(greatest),
    )


def _place(of: Catalog, place: str) -> tuple[Table, Column]:
    name, _, column_name = place.partition(".")
    table = of.table(TableName("public", name))
    assert table is not None
    column = table.column(column_name)
    assert column is not None
    return table, column
