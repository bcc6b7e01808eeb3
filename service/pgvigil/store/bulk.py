"""Many rows by one statement: they are sent as one JSON document, which the database takes apart itself.

SQLAlchemy and the drivers take several times as long for a row as either database does, and what is written
for every run comes by the thousand. What all rows have in common, as most runs of a batch have nearly all, is
sent beside the document, once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Executable,
    Integer,
    Subquery,
    Table,
    Text,
    any_,
    bindparam,
    cast,
    func,
    insert,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from pgvigil.errors import UnfitError
from pgvigil.store.columns import Json, Line, Timestamp, as_json, as_line, as_text, as_zoned_text
from pgvigil.store.schema import Row

# In characters. PostgreSQL takes no array of more than 256 MB apart.
_LARGEST_DOCUMENT = 32 << 20
# Of fewer rows it is not asked what they have in common: each answer is another statement to prepare.
_MANY = 100
_HIGHEST = 2**63 - 1

Names: TypeAlias = tuple[str, ...]
"""Columns, by their names."""

_Values: TypeAlias = Mapping[str, list[Any]]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row], returning: Names) -> list[Any]:
    """Insert rows, all with the same columns; return these columns of each, in any order."""
    return _carry_out(connection, table, rows, lambda *split: _insert(table, *split, returning))


def upsert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, all with the same columns, or give these to the rows that have their primary keys."""
    _carry_out(connection, table, rows, lambda *split: _upsert(table, *split))


def update_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Give the rows of some `id`s their values, all of the same columns."""
    _carry_out(connection, table, rows, lambda *split: _update(table, *split))


def one_of(connection: Connection, column: Column[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Compare a column of text with many values."""
    document = bindparam(None, _encode(list(values)), type_=Text)
    if connection.dialect.name == "sqlite":
        return column.in_(select(func.json_each(document).table_valued("value").c.value))
    each = func.jsonb_array_elements_text(cast(document, JSONB)).table_valued("value")
    # Not IN: PostgreSQL would rather read all of the table than look a hundred values up in an index.
    return column == any_(func.array(select(each.c.value).scalar_subquery()))


def _carry_out(
    connection: Connection,
    table: Table,
    rows: Sequence[Row],
    statement: Callable[[Names, Names, str], Executable],
) -> list[Any]:
    """Execute the statement for columns of a document, others that are the same everywhere, and a dialect."""
    dialect = connection.dialect.name
    values = {name: [row[name] for row in rows] for name in rows[0]}
    common = _common(values) if len(rows) >= _MANY else {}
    varying = {name: of_all for name, of_all in values.items() if name not in common}
    written = statement(tuple(varying), tuple(common), dialect)
    beside = {_beside(name): value for name, value in common.items()}
    returned: list[Any] = []
    try:
        documents = list(_documents(_plain(table, varying, dialect)))
    except (TypeError, ValueError) as error:
        raise UnfitError(f"state store: a value cannot be written as JSON: {error}") from error
    for document in documents:
        result = connection.execute(written, {"rows": document, **beside})
        returned += result.all() if result.returns_rows else ()
    return returned


def _common(values: _Values) -> Row:
    """Return the columns that have one value in all rows; the first never counts as one of them."""
    _, *names = values
    return {name: values[name][0] for name in names if _all_the_same(values[name])}


def _all_the_same(values: Sequence[Any]) -> bool:
    first = values[0]
    # Within JSON 1 is equal to True, and not the same.
    plain = not first or not isinstance(first, Mapping | list)
    return plain and values.count(first) == len(values)


def _plain(table: Table, values: _Values, dialect: str) -> list[tuple[Any, ...]]:
    """Return the rows, each of whose values is written as it is to be stored."""
    columns = (_written(table.c[name].type, of_all, dialect) for name, of_all in values.items())
    return list(zip(*columns, strict=True))


def _written(kind: TypeEngine[Any], values: list[Any], dialect: str) -> Iterable[Any]:
    """Return a column's values as plain JSON."""
    if isinstance(kind, Timestamp):
        return map(as_text if dialect == "sqlite" else as_zoned_text, values)
    if isinstance(kind, Json):
        return map(as_json, values)
    if isinstance(kind, Line):
        return map(as_line, values)
    if isinstance(kind, Integer) and max(map(abs, filter(None, values)), default=0) > _HIGHEST:
        # SQLite would take it for a number with a fraction.
        raise OverflowError("a whole number is too large")
    return values


# Not escaped: PostgreSQL takes no escapes of characters apart that its database's encoding does not know.
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode


def _documents(rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """Yield the rows as JSON, in as few documents as may be."""
    document = _encode(rows)
    if len(document) <= _LARGEST_DOCUMENT or len(rows) == 1:
        yield document
    else:
        half = len(rows) // 2
        yield from _documents(rows[:half])
        yield from _documents(rows[half:])


@lru_cache(maxsize=256)
def _insert(table: Table, varying: Names, common: Names, dialect: str, returning: Names) -> Executable:
    source = _source(table, varying, common, dialect)
    inserted = insert(table).from_select(varying + common, select(source))
    return inserted.returning(*(table.c[name] for name in returning))


@lru_cache(maxsize=256)
def _upsert(table: Table, varying: Names, common: Names, dialect: str) -> Executable:
    kind = sqlite if dialect == "sqlite" else postgresql
    # Without a condition SQLite takes ON for that of a join.
    source = select(_source(table, varying, common, dialect)).where(true())
    inserted = kind.insert(table).from_select(varying + common, source)
    key = [column.name for column in table.primary_key]
    values = {name: inserted.excluded[name] for name in varying + common if name not in key}
    statement: Executable = inserted.on_conflict_do_update(index_elements=key, set_=values)
    return statement


@lru_cache(maxsize=256)
def _update(table: Table, varying: Names, common: Names, dialect: str) -> Executable:
    source = _source(table, varying, common, dialect)
    values = {name: source.c[name] for name in varying + common if name != "id"}
    return update(table).where(table.c.id == source.c.id).values(values)


def _source(table: Table, varying: Names, common: Names, dialect: str) -> Subquery:
    """Return the rows of the document, and what they have in common, as a table."""
    document = bindparam("rows", type_=Text)
    columns: list[ColumnElement[Any]] = []
    if dialect == "sqlite":
        each = func.json_each(document).table_valued("value")
        for place, name in enumerate(varying):
            columns.append(func.json_extract(each.c.value, literal_column(f"'$[{place}]'")).label(name))
    else:
        each = func.jsonb_array_elements(cast(document, JSONB)).table_valued("value")
        for place, name in enumerate(varying):
            written = each.c.value.op("->>")(literal_column(str(place)))
            columns.append(cast(written, table.c[name].type).label(name))
    for name in common:
        beside = bindparam(_beside(name), type_=table.c[name].type)
        # Without a cast PostgreSQL takes some NULLs for texts; SQLite would take a moment for a number.
        typed = beside if dialect == "sqlite" else cast(beside, beside.type)
        columns.append(typed.label(name))
    return select(*columns).select_from(each).subquery("source")


def _beside(name: str) -> str:
    """Return the parameter of a column that is the same in all rows."""
    return f"every_{name}"
