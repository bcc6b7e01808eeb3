"""A session on the sample database, with errors in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import LiteralString

import psycopg

from pgvigil.errors import QueryFailedError, TargetUnreachableError


@contextmanager
def session(dsn: str, *, lock_timeout: str = "0") -> Iterator[psycopg.Connection]:
    """One transaction: committed when the block ends, rolled back when it raises.

    A statement waits so long for a lock, by default for ever.

    Raises TargetUnreachableError when there is no connection to be had and QueryFailedError when the server
    refuses a statement; both in one line, without the password.
    """
    try:
        connection = psycopg.connect(dsn, application_name="pgvigil sample")
    except psycopg.Error as error:
        raise TargetUnreachableError(
            f"cannot connect to the sample database: {_first_line(error)}"
        ) from error
    try:
        with connection:
            connection.execute("SET LOCAL search_path TO pg_catalog")
            connection.execute("SET LOCAL TimeZone TO 'UTC'")
            connection.execute("SELECT set_config('lock_timeout', %s, true)", [lock_timeout])
            yield connection
    except psycopg.Error as error:
        raise QueryFailedError(
            f"the sample database refused a statement: {_first_line(error)}", sqlstate=error.sqlstate
        ) from error


def statement(path: str) -> LiteralString:
    """Read a `.sql` file of this package. Its text is part of the program, never made of data."""
    return files(__package__).joinpath(path).read_text(encoding="utf-8")


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
