"""Which values come back as they were, once they have been text on the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.catalog import FAITHFUL_ENCODINGS, TableName
from pgvigil.target import Target
from tests.databases import fresh_database

if TYPE_CHECKING:
    from pgvigil.embedded import Server

COLUMNS = """
    a text, b varchar(9), c char(9), d name, e "char", f text[], g "char"[], h made, i odd, j shown, k odd[],
    l int, m numeric, n uuid, o bytea, p timestamptz, q int[], r inet, s bit varying(9), t number, u bool,
    v float8, w timestamp, x date, y int4range, z letters, za regclass
"""
TEXTS = {"a", "b", "c", "d", "f", "j"}
NEVER = {"e", "g", "h", "i", "k", "z", "za"}


@pytest.mark.parametrize("encoding", ["UTF8", "LATIN1", "WIN1252", "EUC_JP", "SQL_ASCII"])
def test_texts_come_back_in_some_encodings_and_numbers_in_all(pg_server: Server, encoding: str) -> None:
    with fresh_database(pg_server, encoding=encoding) as dsn:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("""
                CREATE DOMAIN number AS int;
                CREATE DOMAIN letters AS "char"[];
                CREATE TYPE made AS (a "char");
                CREATE TYPE odd AS RANGE (subtype = "char");
                CREATE TYPE shown AS ENUM ('yes');
            """)
            conn.execute(f"CREATE TABLE t ({COLUMNS})".encode())
        target = Target("test", dsn)
        try:
            catalog = target.read_catalog()
        finally:
            target.close()
    table = catalog.table(TableName("public", "t"))
    assert table
    assert catalog.encoding == encoding
    lost = {column.name for column in table.columns if not column.faithful}
    assert lost == (NEVER if encoding in FAITHFUL_ENCODINGS else NEVER | TEXTS)


@pytest.mark.parametrize("encoding", sorted(FAITHFUL_ENCODINGS - {"UTF8"}))
def test_every_character_of_a_faithful_encoding_comes_back(pg_server: Server, encoding: str) -> None:
    came_back = 0
    with psycopg.connect(pg_server.dsn(), autocommit=True) as conn:
        for byte in range(1, 256):
            try:
                row = conn.execute(
                    "SELECT convert(convert(%(byte)s, %(its)s, 'UTF8'), 'UTF8', %(its)s) = %(byte)s",
                    {"byte": bytes([byte]), "its": encoding},
                ).fetchone()
            except psycopg.errors.UntranslatableCharacter:
                continue  # an error, not another character
            assert row == (True,), hex(byte)
            came_back += 1
    assert came_back > 200
