"""The lines of test_decoding, read back: names and values of any kind, as a real server writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from pgvigil.changes.lines import Change, Kind, Line
from pgvigil.errors import QueryFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.embedded import Server

pytestmark = [pytest.mark.contrib]

_NASTY = """ab_ "':.,[]()-\n\t\\%é{}0A$="""
_NAMES = st.text(alphabet=_NASTY, min_size=1, max_size=12) | st.sampled_from(
    ("null", "new-tuple:", "select", "old-key:", "INSERT:", "a]:null", " (no-tuple-data)", ": TRUNCATE:")
)
_TEXTS = st.text(alphabet=_NASTY + "\u20ac\U0001f600", max_size=30) | st.sampled_from(
    ("null", "'", "''", "a' b[text]:'c", " new-tuple:", "unchanged-toast-datum", "x" * 3000)
)
_TYPES = {
    "integer": st.integers(-(2**31), 2**31 - 1).map(str),
    "bigint": st.integers(-(2**63), 2**63 - 1).map(str),
    "numeric": st.sampled_from(("NaN", "0.10", "-1e300", "123456789012345678901234567890")),
    "double precision": st.sampled_from(("NaN", "-Infinity", "1e-300", "0.1")),
    "boolean": st.sampled_from(("t", "f")),
    "bit varying": st.text(alphabet="01", max_size=9),
    "text": _TEXTS,
    "character(5)": st.text(alphabet="ab'\" ", max_size=5),
    "bytea": st.binary(max_size=9).map(lambda data: "\\x" + data.hex()),
    "text[]": st.lists(_TEXTS, max_size=3).map(
        lambda each: (
            "{" + ",".join('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in each) + "}"
        )
    ),
    "jsonb": st.sampled_from(('{"a": [1, "]: \'"]}', "null", "[]")),
    "uuid": st.uuids().map(str),
    "timestamp with time zone": st.sampled_from(
        ("infinity", "2001-02-03 04:05:06+00", "0044-03-15 00:00:00+00 BC")
    ),
    '"a""]:b"."t ]:x"': st.sampled_from(("it's", "]:null")),
}


@st.composite
def _tables(draw: st.DrawFn) -> tuple[str, str, dict[str, str], list[list[str | None]]]:
    schema, name = draw(_NAMES), draw(_NAMES)
    columns = draw(st.dictionaries(_NAMES, st.sampled_from(sorted(_TYPES)), min_size=1, max_size=6))
    rows = [
        [draw(st.none() | _TYPES[kind]) for kind in columns.values()] for _ in range(draw(st.integers(1, 3)))
    ]
    return schema, name, columns, rows


@pytest.fixture(scope="module")
def conn(server: Server) -> Iterator[psycopg.Connection]:
    """A connection to a database that has a slot, and an enum whose names are as bad as they get."""
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        conn.execute("""CREATE SCHEMA "a""]:b"; CREATE TYPE "a""]:b"."t ]:x" AS ENUM ('it''s', ']:null')""")
        conn.execute("SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'")
        conn.execute("SELECT pg_create_logical_replication_slot('lines', 'test_decoding')")
        yield conn
        conn.execute("SELECT pg_drop_replication_slot('lines')")


def _lines(conn: psycopg.Connection) -> list[Line]:
    query = "SELECT data FROM pg_logical_slot_get_changes('lines', NULL, NULL) WHERE data LIKE 'table%'"
    return [Line.read(row[0]) for row in conn.execute(query)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=_tables())
def test_rows_of_any_name_and_value_come_back(
    conn: psycopg.Connection, table: tuple[str, str, dict[str, str], list[list[str | None]]]
) -> None:
    schema, name, columns, rows = table
    where = sql.Identifier(schema, name)
    definitions = [
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in columns.items()
    ]
    shown = [_shown(column, kind) for column, kind in columns.items()]
    with conn.transaction(force_rollback=False):
        conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        conn.execute(sql.SQL("CREATE TABLE {} ({})").format(where, sql.SQL(", ").join(definitions)))
        conn.execute(sql.SQL("ALTER TABLE {} REPLICA IDENTITY FULL").format(where))
    try:
        _lines(conn)
        for row in rows:
            values = [
                sql.SQL("{}::{}").format(sql.Literal(text), sql.SQL(kind))
                for text, kind in zip(row, columns.values(), strict=True)
            ]
            conn.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(where, sql.SQL(", ").join(values)))
        wanted = _as_written(
            conn.execute(sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(shown), where)).fetchall(),
            columns,
        )
        conn.execute(
            sql.SQL("UPDATE {} SET {} = {}").format(where, *[sql.Identifier(next(iter(columns)))] * 2)
        )
        conn.execute(sql.SQL("DELETE FROM {}").format(where))
        conn.execute(sql.SQL("TRUNCATE {}").format(where))
        lines = _lines(conn)
    finally:
        conn.execute(sql.SQL("DROP TABLE {}").format(where))
        if schema != 'a"]:b':
            conn.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
    assert {line.tables for line in lines} == {((schema, name),)}
    changes = [line.change() for line in lines]
    there = [{key: text for key, text in row.items() if text is not None} for row in wanted]
    assert [one.new for one in changes if one.kind is Kind.INSERT] == wanted
    assert [one.new for one in changes if one.kind is Kind.UPDATE] == wanted
    # A row of NULLs alone leaves nothing to tell it by.
    assert [one.old or {} for one in changes if one.kind is Kind.UPDATE] == there
    assert [one.old or {} for one in changes if one.kind is Kind.DELETE] == there
    assert [one for one in changes if one.kind is Kind.TRUNCATE] == [Change(Kind.TRUNCATE)]


def _shown(column: str, kind: str) -> sql.Composed:
    # A cast would strip the blanks that are part of it.
    text = "nullif(format('|%s', {}), '|')" if kind.startswith("character") else "'|' || {}::text"
    return sql.SQL(f"substr({text}, 2)").format(sql.Identifier(column))


def _as_written(rows: list[tuple[str | None, ...]], columns: dict[str, str]) -> list[dict[str, str | None]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_an_update_tells_the_old_key_and_what_it_left_alone(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE big (id int PRIMARY KEY, other int, load text)")
    conn.execute("ALTER TABLE big ALTER load SET STORAGE EXTERNAL")
    conn.execute("INSERT INTO big VALUES (1, 1, repeat('x', 100000))")
    _lines(conn)
    conn.execute("UPDATE big SET other = NULL")
    conn.execute("UPDATE big SET id = 2")
    conn.execute("DELETE FROM big")
    changes = [line.change() for line in _lines(conn)]
    assert changes == [
        Change(Kind.UPDATE, new={"id": "1", "other": None}),
        Change(Kind.UPDATE, new={"id": "2", "other": None}, old={"id": "1"}),
        Change(Kind.DELETE, old={"id": "2"}),
    ]


def test_lines_of_a_table_are_read_alike_whatever_came_before_them(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE shaped (a text, b bit(3), c int)")
    conn.execute("INSERT INTO shaped VALUES ('x', B'101', 1)")
    conn.execute("INSERT INTO shaped VALUES (' b[bit]:B''1'' c[integer]:2', NULL, NULL)")
    conn.execute("INSERT INTO shaped VALUES ('null', B'000', -3)")
    conn.execute("ALTER TABLE shaped DROP b")
    conn.execute("INSERT INTO shaped VALUES ('unchanged-toast-datum', 4)")
    conn.execute("ALTER TABLE shaped ALTER c TYPE text")
    conn.execute("INSERT INTO shaped VALUES (NULL, '''')")
    there = [line.change().new for line in _lines(conn) if line.tables == (("public", "shaped"),)]
    assert there == [
        {"a": "x", "b": "101", "c": "1"},
        {"a": " b[bit]:B'1' c[integer]:2", "b": None, "c": None},
        {"a": "null", "b": "000", "c": "-3"},
        {"a": "unchanged-toast-datum", "c": "4"},
        {"a": None, "c": "'"},
    ]


def test_what_has_no_replica_identity_is_deleted_without_a_key(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE bare (id int)")
    conn.execute("INSERT INTO bare VALUES (1)")
    _lines(conn)
    conn.execute("UPDATE bare SET id = 2")
    conn.execute("DELETE FROM bare")
    assert [line.change() for line in _lines(conn)] == [
        Change(Kind.UPDATE, new={"id": "2"}),
        Change(Kind.DELETE),
    ]


def test_a_truncation_names_all_its_tables(conn: psycopg.Connection) -> None:
    conn.execute('CREATE TABLE one (id int); CREATE TABLE "two, x: y" (id int)')
    _lines(conn)
    conn.execute('TRUNCATE one, "two, x: y" RESTART IDENTITY')
    [line] = _lines(conn)
    assert line.kind is Kind.TRUNCATE
    assert sorted(line.tables) == [("public", "one"), ("public", "two, x: y")]


@pytest.mark.parametrize(
    "text",
    [
        "table public.t INSERT: id[integer]:1",
        "table t: INSERT: id[integer]:1",
        "table public.t: MERGE: id[integer]:1",
        "table public.t: INSERT: id[integer]:",
        "table public.t: INSERT: id[integer]:1 and more",
        "table public.t: INSERT: id[text]:'open",
        "table public.t: UPDATE: old-key: id[integer]:1",
    ],
)
def test_a_line_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(QueryFailedError):
        Line.read(text).change()
