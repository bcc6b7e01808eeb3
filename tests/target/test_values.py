"""What values of every type look like when they have been fetched."""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from pgvigil.errors import QueryFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.embedded import Server
    from pgvigil.target import Target

VALUES: list[tuple[str, Any]] = [
    ("NULL::int", None),
    ("NULL::text[]", None),
    ("true", True),
    ("'-32768'::int2", -32768),
    ("'-9223372036854775808'::int8", -(2**63)),
    ("'pg_class'::regclass::oid", 1259),
    ("0.1::float4", 0.1),
    ("1e-300::float8", 1e-300),
    ("'-0'::float8", -0.0),
    ("'Infinity'::float8", math.inf),
    ("1.10::numeric", "1.10"),
    ("'NaN'::numeric", "NaN"),
    ("'-Infinity'::numeric", "-Infinity"),
    ("repeat('9', 1000)::numeric", "9" * 1000),
    ("'x'::text", "x"),
    ("''::text", ""),
    ("'ab'::char(4)", "ab  "),
    ("'ø→🎲'::text", "ø→🎲"),
    ("'x'::\"char\"", "x"),
    ("'n'::name", "n"),
    ("'infinity'::timestamptz", "infinity"),
    ("'0044-03-15 BC'::date", "0044-03-15 BC"),
    ("'294276-12-31 23:59:59.999999'::timestamp", "294276-12-31 23:59:59.999999"),
    ("'2024-02-29 12:00+05:45'::timestamptz", "2024-02-29 06:15:00+00"),
    ("'24:00'::time", "24:00:00"),
    ("'1 year 2 mons -3 days 04:05:06.7'::interval", "1 year 2 mons -3 days +04:05:06.7"),
    ("""'{"b": 1, "a": [null, 1.0]}'::jsonb""", '{"a": [null, 1.0], "b": 1}'),
    ("""'{"b":1 }'::json""", '{"b":1 }'),
    (r"'\x00ff'::bytea", r"\x00ff"),
    ("'00000000-0000-0000-0000-00000000000A'::uuid", "00000000-0000-0000-0000-00000000000a"),
    ("'[1,5)'::int4range", "[1,5)"),
    ("'empty'::tstzrange", "empty"),
    ("'{[1,2),[5,6)}'::int4multirange", "{[1,2),[5,6)}"),
    ("'10.0.0.1/8'::inet", "10.0.0.1/8"),
    ("'10.0.0.0/8'::cidr", "10.0.0.0/8"),
    ("B'101'", "101"),
    ("'(1,2)'::point", "(1,2)"),
    ("'a b'::tsvector", "'a' 'b'"),
    ("'16/B374D848'::pg_lsn", "16/B374D848"),
    ("'sad'::public.mood", "sad"),
    ("ROW(1, 'a b')::public.pair", '(1,"a b")'),
    ("ROW(1, NULL)", "(1,)"),
    ("5::public.positive", 5),
    ("'{}'::int[]", []),
    ("'{1,NULL,3}'::int[]", [1, None, 3]),
    ("'{{1,2},{3,4}}'::int8[]", [[1, 2], [3, 4]]),
    ('\'{a,NULL,"NULL","b,c"}\'::text[]', ["a", None, "NULL", "b,c"]),
    ("'{infinity,0044-03-15 BC}'::date[]", ["infinity", "0044-03-15 BC"]),
    ("'{NaN,1.10}'::numeric[]", ["NaN", "1.10"]),
    (r"ARRAY['\xff'::bytea]", [r"\xff"]),
    ("""ARRAY['{"a": 1}'::jsonb]""", ['{"a": 1}']),
    ("ARRAY['[1,5)'::int4range]", ["[1,5)"]),
    ("ARRAY['00000000-0000-0000-0000-000000000001'::uuid]", ["00000000-0000-0000-0000-000000000001"]),
    # Types that only this database knows come as text, whatever they are.
    ("ARRAY['sad'::public.mood]", "{sad}"),
    ("ARRAY[ROW(1, 'a')::public.pair]", '{"(1,a)"}'),
    ("ARRAY[5::public.positive]", "{5}"),
]


@pytest.mark.every_pg
def test_values_are_plain(target: Target, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TYPE mood AS ENUM ('sad'); CREATE TYPE pair AS (a int, b text)")
    admin_conn.execute("CREATE DOMAIN positive AS int CHECK (VALUE > 0)")
    expressions = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(sql.SQL(text), sql.Identifier(f"c{number}"))
        for number, (text, _) in enumerate(VALUES)
    )
    with target.snapshot() as snapshot:
        (row,) = snapshot.fetch(sql.SQL("SELECT {}").format(expressions))
    for (text, expected), value in zip(VALUES, row.values(), strict=True):
        assert (value, type(value)) == (expected, type(expected)), text
    assert math.copysign(1, row["c8"]) == -1


def test_nan_stays_a_number(target: Target) -> None:
    with target.snapshot() as snapshot:
        assert math.isnan(snapshot.fetch("SELECT 'NaN'::float8 AS v")[0]["v"])


@pytest.fixture
def encoded(pg_server: Server) -> Iterator[Callable[[str], str]]:
    """`encoded(encoding)`: the DSN of a database in another encoding."""
    names: list[str] = []

    def create(encoding: str) -> str:
        names.append(f"encoded_{secrets.token_hex(6)}")
        with psycopg.connect(pg_server.dsn(), autocommit=True) as conn:
            conn.execute(
                sql.SQL("CREATE DATABASE {} ENCODING {} LOCALE 'C' TEMPLATE template0").format(
                    sql.Identifier(names[-1]), encoding
                )
            )
        return pg_server.dsn(names[-1])

    yield create
    with psycopg.connect(pg_server.dsn(), autocommit=True) as conn:
        for name in names:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_other_encodings_are_read(
    encoded: Callable[[str], str], open_target: Callable[..., Target], encoding: str
) -> None:
    dsn = encoded(encoding)
    with psycopg.connect(dsn, autocommit=True, client_encoding="UTF8") as conn:
        conn.execute('CREATE TABLE "zürich" (straße text); INSERT INTO "zürich" VALUES (\'Größe\')')
    target = open_target(dsn)
    with target.snapshot("größe →") as snapshot:
        query = sql.SQL("SELECT * FROM {} WHERE {} = {}").format(
            sql.Identifier("public", "zürich"), sql.Identifier("straße"), "Größe"
        )
        assert snapshot.fetch(query) == [{"straße": "Größe"}]
    assert [str(table) for table in target.read_catalog().tables] == ['public."zürich"']


def test_bytes_that_are_no_text_are_an_error_and_not_another_text(
    encoded: Callable[[str], str], open_target: Callable[..., Target]
) -> None:
    dsn = encoded("SQL_ASCII")
    with psycopg.connect(dsn, autocommit=True, client_encoding="SQL_ASCII") as conn:
        conn.execute(b"CREATE TABLE t AS SELECT '\xfc'::text AS v")
    with (
        open_target(dsn).snapshot() as snapshot,
        pytest.raises(QueryFailedError, match="invalid byte sequence"),
    ):
        snapshot.fetch("SELECT v FROM public.t")
