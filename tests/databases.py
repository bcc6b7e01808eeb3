"""Databases for tests: fresh ones, and copies of templates that are built once for a whole run."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.embedded import Server


@contextmanager
def fresh_database(server: Server, template: str = "template1", encoding: str = "") -> Iterator[str]:
    """Make a database for the time of the block and yield its DSN; one of another encoding is empty."""
    of = SQL("TEMPLATE {}").format(Identifier(template))
    if encoding:
        of = SQL("TEMPLATE template0 ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'").format(encoding)
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        conn.execute(SQL("CREATE DATABASE {} {}").format(Identifier(name), of))
    try:
        yield server.dsn(name)
    finally:
        with psycopg.connect(server.dsn(), autocommit=True) as conn:
            conn.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))


def careless(dsn: str) -> psycopg.Connection:
    """Return a session that does not know that its database is in UTF8, and so writes what it is given."""
    encoding = "UPDATE pg_database SET encoding = {} WHERE datname = current_database()"
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(encoding.format(0).encode())
    session = psycopg.connect(dsn, autocommit=True)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(encoding.format(6).encode())
    return session


def template_database(server: Server, key: str, build: Callable[[str], None]) -> str:
    """Return the name of the server's template `key`; the first to ask fills it with `build(dsn)`.

    Others that ask meanwhile, from whatever process, wait. What a failed build leaves is never used.
    """
    name = f"template_{key}"
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        if conn.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            with fresh_database(server) as dsn:
                build(dsn)
                _keep_as_template(conn, str(conninfo_to_dict(dsn)["dbname"]), name)
    return name


def _keep_as_template(conn: psycopg.Connection, name: str, template: str) -> None:
    # CREATE DATABASE refuses a template that somebody is connected to.
    conn.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(Identifier(name)))
    conn.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name])
    conn.execute(SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(name), Identifier(template)))
