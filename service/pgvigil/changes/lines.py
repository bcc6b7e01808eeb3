"""Reads the lines of PostgreSQL's output plugin test_decoding, exactly as its C code writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pgvigil.errors import QueryFailedError

_IDENTIFIER = r'(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)'
_TABLE = re.compile(rf"({_IDENTIFIER})\.({_IDENTIFIER})")
_LINE = re.compile(
    rf"(table (?:{_IDENTIFIER}\.{_IDENTIFIER}(?:, )?)+): (INSERT|UPDATE|DELETE|TRUNCATE):", re.DOTALL
)
# A value is a number or a word as it is, a bit string, or a text whose quotation marks alone are doubled.
_VALUE = r"(B'[01]*'|'[^']*(?:''[^']*)*'|[^ ']+)"
# Only names of types that hold anything unusual are quoted; arrays end with [].
_COLUMN = re.compile(
    rf"(?P<head> (?P<name>{_IDENTIFIER})"
    r'\[(?:"(?:[^"]|"")*"|\[\]|[^"\[\]])+\]:)'
    rf"(?P<value>{_VALUE})(?= |\Z)",
    re.DOTALL,
)
_NULL, _TOASTED = "null", "unchanged-toast-datum"
_OLD_KEY, _NEW_TUPLE, _NO_TUPLE = " old-key:", " new-tuple:", " (no-tuple-data)"

Name = tuple[str, str]
"""Schema and name of a table, unquoted."""

Values = Mapping[str, str | None]
"""A row as far as it is known: the text of each column, None for NULL."""


class Kind(StrEnum):
    """What happened to a row, or to a table."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    TRUNCATE = "TRUNCATE"


_KINDS = {str(kind): kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Change:
    """What a line says of rows: `old` is what identified the row before, None when the line does not say.

    Of an INSERT or UPDATE `new` lacks the columns whose large values an update left alone.
    """

    kind: Kind
    new: Values | None = None
    old: Values | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is taken apart as far as is needed to tell whom it is about."""

    tables: tuple[Name, ...]
    kind: Kind
    rest: str

    @classmethod
    def read(cls, text: str) -> Line:
        """Take a line about tables apart; raises QueryFailedError when it is none."""
        match = _LINE.match(text)
        if match is None:
            raise _unreadable()
        return cls(_tables(match[1]), _KINDS[match[2]], text[match.end() :])

    def change(self) -> Change:
        """Return what the line says of a row; raises QueryFailedError when it can't be read."""
        rest = self.rest
        if self.kind is Kind.TRUNCATE:
            return Change(Kind.TRUNCATE)
        if self.kind is Kind.DELETE:
            return Change(Kind.DELETE, old=None if rest == _NO_TUPLE else _values(rest, self.tables))
        old = None
        if self.kind is Kind.UPDATE and rest.startswith(_OLD_KEY):
            old, end = _columns(rest, len(_OLD_KEY))
            if not rest.startswith(_NEW_TUPLE, end):
                raise _unreadable()
            rest = rest[end + len(_NEW_TUPLE) :]
        return Change(self.kind, new={} if rest == _NO_TUPLE else _values(rest, self.tables), old=old)


@lru_cache(maxsize=256)
def _tables(words: str) -> tuple[Name, ...]:
    """Return the tables that stand behind the word `table`: the same words in most lines."""
    found = _TABLE.findall(words, len("table "))
    return tuple((_unquoted(schema), _unquoted(name)) for schema, name in found)


# By table: the columns of the line that was read last, as one pattern with a group for each value. Most lines
# of a table fit it, and are read many times faster so; there is one way only to take a line apart.
_last_read: dict[tuple[Name, ...], tuple[re.Pattern[str], tuple[str, ...]]] = {}
_MOST_TABLES = 1_000


def _values(text: str, tables: tuple[Name, ...]) -> dict[str, str | None]:
    known = _last_read.get(tables)
    match = known[0].fullmatch(text) if known else None
    if known and match:
        pairs = zip(known[1], match.groups(), strict=True)
        return {name: _plain(value) for name, value in pairs if value != _TOASTED}
    values, end = _columns(text, 0)
    if end != len(text):
        raise _unreadable()
    if len(_last_read) >= _MOST_TABLES:
        _last_read.clear()
    _last_read[tables] = _pattern(text)
    return values


def _pattern(text: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Return what reads lines with the columns of this one, and their names."""
    columns = list(_COLUMN.finditer(text))
    pattern = "".join(re.escape(column["head"]) + _VALUE for column in columns)
    return re.compile(pattern, re.DOTALL), tuple(_unquoted(column["name"]) for column in columns)


def _columns(text: str, start: int) -> tuple[dict[str, str | None], int]:
    """Read columns for as long as there are some; return them and where they end."""
    values: dict[str, str | None] = {}
    while match := _COLUMN.match(text, start):
        start = match.end()
        if match["value"] != _TOASTED:
            values[_unquoted(match["name"])] = _plain(match["value"])
    return values, start


def _plain(value: str) -> str | None:
    """Return what stands for a value in a line."""
    if value == _NULL:
        return None
    return value[value.index("'") + 1 : -1].replace("''", "'") if value[-1] == "'" else value


def _unquoted(identifier: str) -> str:
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier


def _unreadable() -> QueryFailedError:
    # Without the line: it holds a row.
    return QueryFailedError("a line of test_decoding could not be read")
