"""Builds the sample database: schemas, rows, keys, statistics, in one transaction."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from pgvigil.errors import UsageError
from pgvigil.sample.session import session, statement
from pgvigil.sample.table import Table
from pgvigil.sample.world import World
from pgvigil.sample.zones import SCHEMAS, TABLES

# Everything that is checked or indexed comes after the rows: faster, and the load needs no order of tables.
_AFTER_LOAD = ("keys", "indexes", "views")
# About a second of loading.
_ROWS_BETWEEN_LINES = 100_000


def build(dsn: str, *, scale: int = 1, seed: int = 1, progress: Callable[[str], None] | None = None) -> None:
    """Build the healthy sample in the empty database at `dsn`.

    Rows depend on `scale` (1 is about 48 thousand, 1000 about 48 million) and `seed` alone, to the byte. All
    of it is one transaction: a build that fails or is stopped leaves nothing behind. `progress` hears a line
    for every step. The schema `public` is dropped: the team keeps nothing in it.

    Raises UsageError when the database is not empty or not in UTF-8, or the scale is not positive, and the
    errors of the session.
    """
    if scale < 1:
        raise UsageError(f"the scale of the sample is a whole number from 1 up, not {scale}")
    tell = progress or _silence
    with session(dsn) as connection:
        _require_utf8(connection)
        _require_empty(connection)
        connection.execute("DROP SCHEMA IF EXISTS public")
        for schema in SCHEMAS:
            tell(f"creating the tables of {schema}")
            connection.execute(statement(f"zones/{schema}.sql"))
        world = World(seed, scale)
        for table in TABLES:
            _load(connection, world, table, tell)
        for part in _AFTER_LOAD:
            tell(f"creating the {part}")
            connection.execute(statement(f"zones/{part}.sql"))
        connection.execute(statement("sql/advance_sequences.sql"))
        tell("collecting statistics")
        connection.execute("ANALYZE")


def _load(connection: psycopg.Connection, world: World, table: Table, tell: Callable[[str], None]) -> None:
    total = table.count(world)
    with connection.cursor().copy(table.copy_statement()) as copy:
        for loaded, row in enumerate(table.each(world)):
            if loaded % _ROWS_BETWEEN_LINES == 0:
                tell(f"loading {table.name}: {loaded:,} of {total:,} rows")
            copy.write_row(row)


def _require_utf8(connection: psycopg.Connection) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise UsageError(
            f"the sample has names in many languages and needs a database in UTF8, not {encoding}: "
            "createdb --encoding=UTF8 --template=template0"
        )


def _require_empty(connection: psycopg.Connection) -> None:
    found = connection.execute(statement("sql/occupied.sql")).fetchone()
    if found:
        raise UsageError(
            f"the sample needs an empty database, and {connection.info.dbname} holds {found[0]}: "
            "give it a new one (createdb)"
        )


def _silence(_line: str) -> None:
    """Nobody listens."""
