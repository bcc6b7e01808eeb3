"""How pgvigil writes and reads the names of things: relations, tables, constraints, entity pairs.

Names are quoted as PostgreSQL's `quote_ident` does, with the keywords of every supported version together, so
that a subject has one spelling whatever server it lives on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

# Keywords that PostgreSQL 14 to 18 quote (pg_get_keywords() where catcode <> 'U', the union of the versions).
_QUOTED_KEYWORDS = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean
    both case cast char character check coalesce collate collation column concurrently constraint
    create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user dec decimal default deferrable desc distinct do else end except
    exists extract false fetch float for foreign freeze from full grant greatest group grouping having
    ilike in initially inner inout int integer intersect interval into is isnull join json json_array
    json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize
    json_table json_value lateral leading least left like limit localtime localtimestamp merge_action
    national natural nchar none normalize not notnull null nullif numeric offset on only or order out
    outer overlaps overlay placing position precision primary real references returning right row
    select session_user setof similar smallint some substring symmetric system_user table tablesample
    then time timestamp to trailing treat trim true union unique user using values varchar variadic
    verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces
    xmlparse xmlpi xmlroot xmlserialize xmltable
    """.split()
)

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
_TOKEN = re.compile(
    r"""[ \t\n\r\f\v]*(?:(?P<quoted>"(?:[^"]|"")+")"""
    r"""|(?P<plain>[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*)|(?P<mark>->|[.,()]))"""
)


# The same few names come back in every table, and in every subject.
@lru_cache(maxsize=1 << 16)
def quote(name: str) -> str:
    """Quote an identifier if PostgreSQL would."""
    if _PLAIN.match(name) and name not in _QUOTED_KEYWORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def unquote(written: str) -> str:
    """Return the identifier that `quote` wrote."""
    return written[1:-1].replace('""', '"') if written.startswith('"') else written


def qualified(schema: str, name: str) -> str:
    """Write `schema.name`."""
    return f"{quote(schema)}.{quote(name)}"


@dataclass(frozen=True, slots=True)
class TableName:
    """A schema and a name, unquoted; written `schema.name`."""

    schema: str
    name: str

    def __str__(self) -> str:
        return qualified(self.schema, self.name)


@dataclass(frozen=True, slots=True)
class RelationName:
    """Child columns -> parent columns, in the order in which they pair up."""

    child: TableName
    child_columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]

    def __str__(self) -> str:
        return f"{_side(self.child, self.child_columns)} -> {_side(self.parent, self.parent_columns)}"


@dataclass(frozen=True, slots=True)
class PairName:
    """Two tables that hold the same entity, written `schema.left <> schema.right`.

    Where the right one lives in another target, it is written `target:schema.right`.
    """

    left: TableName
    right: TableName
    right_target: str | None = None

    def __str__(self) -> str:
        where = f"{self.right_target}:" if self.right_target else ""
        return f"{self.left} <> {where}{self.right}"


def _side(table: TableName, columns: Sequence[str]) -> str:
    return f"{table}({', '.join(quote(column) for column in columns)})"


def parse_table(text: str) -> TableName:
    """Read `schema.name`; raises ValueError with a message for the person who wrote it."""
    parser = _Parser(text, "schema.table")
    table = parser.table()
    parser.end()
    return table


def parse_relation(text: str) -> RelationName:
    """Read `schema.child(col, …) -> schema.parent(col, …)`; raises ValueError as `parse_table` does."""
    parser = _Parser(text, "schema.child(column, …) -> schema.parent(column, …)")
    child, child_columns = parser.table(), parser.columns()
    parser.mark("->")
    parent, parent_columns = parser.table(), parser.columns()
    parser.end()
    if len(child_columns) != len(parent_columns):
        raise ValueError(
            f"{text!r}: {len(child_columns)} child columns but {len(parent_columns)} parent columns"
        )
    return RelationName(child, child_columns, parent, parent_columns)


class _Parser:
    """Reads one name from left to right; unquoted words are folded to lower case, as PostgreSQL does."""

    def __init__(self, text: str, expected: str) -> None:
        self.text = text
        self.expected = expected
        self.position = 0

    def table(self) -> TableName:
        schema = self._word()
        self.mark(".")
        return TableName(schema, self._word())

    def columns(self) -> tuple[str, ...]:
        self.mark("(")
        columns = [self._word()]
        while self._take(",", optional=True):
            columns.append(self._word())
        self.mark(")")
        return tuple(columns)

    def mark(self, mark: str) -> None:
        self._take(mark, optional=False)

    def end(self) -> None:
        if self.text[self.position :].strip():
            self._fail()

    def _word(self) -> str:
        match = _TOKEN.match(self.text, self.position)
        if match is None or match["mark"]:
            self._fail()
        self.position = match.end()
        if match["quoted"]:
            return match["quoted"][1:-1].replace('""', '"')
        # Only ASCII folds: PostgreSQL leaves other letters alone in multi-byte encodings.
        return re.sub("[A-Z]", lambda letter: letter[0].lower(), match["plain"])

    def _take(self, mark: str, *, optional: bool) -> bool:
        match = _TOKEN.match(self.text, self.position)
        if match is not None and match["mark"] == mark:
            self.position = match.end()
            return True
        if not optional:
            self._fail()
        return False

    def _fail(self) -> NoReturn:
        raise ValueError(f"expected {self.expected}, got {self.text!r} (near character {self.position + 1})")
