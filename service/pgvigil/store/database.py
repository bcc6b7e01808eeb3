"""The database under the store: one way in for readers, one for writers, one kind of error out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import URL, Connection, Engine, Table, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, SQLAlchemyError

from pgvigil.errors import StoreError, UnfitError
from pgvigil.store.postgres import Lines, postgres_engine
from pgvigil.store.sqlite import StoreFile, sqlite_engine

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

BATCH = 1000
"""Rows that one statement is about."""

_VACUUM_PAGES = 4096

EXAMPLES = "write sqlite:///pgvigil.db or postgresql+psycopg://user@host/database"

_SQLITE = ("sqlite", "sqlite+pysqlite")
_POSTGRES = ("postgresql", "postgresql+psycopg")

_ADVICE = {
    "SQLITE_FULL": "free space on its disk; until then no result can be recorded",
    "SQLITE_IOERR": "look after its disk: it may be full, over a quota, or failing",
    "SQLITE_BUSY": "another process keeps it locked; end that process, or try again",
    "SQLITE_CANTOPEN": "check that its directory exists and is writable",
    "SQLITE_READONLY": "make the file and its directory writable",
    "SQLITE_NOTADB": "the file is something else; point `state` elsewhere",
    "UNREACHABLE": "check that its server runs, and the address and password in `state`",
    "UNFIT": "a check reports what cannot be stored; it breaks its contract",
    "SQLITE_CORRUPT": "restore it from a backup, or move it away to start afresh",
}


class Database:
    """Connections to the state store; `label` names it without its secrets."""

    def __init__(self, url: URL, wait_seconds: float) -> None:
        self.label = url.set(query={}).render_as_string(hide_password=True)
        self.is_sqlite = url.drivername in _SQLITE
        self._closing = Event()
        self._file = StoreFile()
        self._lines = Lines()
        self.engine = self._engine(url, wait_seconds)
        self.driver_error: type[Exception] = self.engine.dialect.loaded_dbapi.Error

    @classmethod
    def of(cls, url: str, wait_seconds: float) -> Database:
        """Prepare the connections to `url`, without opening one yet."""
        return cls(_parse(url), wait_seconds)

    def _engine(self, url: URL, wait_seconds: float) -> Engine:
        if self.is_sqlite:
            return sqlite_engine(url, wait_seconds, self._file, self._closing)
        return postgres_engine(url.set(drivername="postgresql+psycopg"), wait_seconds, self._lines)

    @property
    def path(self) -> Path | None:
        """The file of a SQLite database that was connected to; None for all others."""
        return self._file.path

    def raise_if_lost(self) -> None:
        """Raise StoreError when the store was closed, or its file was taken away under it."""
        if self._closing.is_set():
            raise StoreError(f"state store {self.label}: was closed, as pgvigil is stopping")
        if self._file.lost:
            raise StoreError(
                f"state store {self.label}: the store's file was removed or replaced while pgvigil runs, and "
                "nothing can be recorded; put the file back, or restart pgvigil to go on with what is there"
            )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only looks."""
        self.raise_if_lost()
        with self.errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that commits at the end of the block, or leaves nothing behind."""
        self.raise_if_lost()
        with (
            self.errors(),
            self.engine.connect().execution_options(pgvigil_writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn whatever the database says into one line that a person can act on."""
        try:
            yield
        # The last two: a name or a number that no database can hold, from a careless plugin.
        except (DataError, IntegrityError, UnicodeError, OverflowError) as error:
            raise UnfitError(f"state store {self.label}: {_reason(error)}") from error
        except (SQLAlchemyError, self.driver_error) as error:
            raise StoreError(f"state store {self.label}: {_reason(error)}") from error
        # Rows that do not fit: an unknown state, JSON without a field. What is written is no such error.
        except (ValueError, KeyError) as error:
            raise UnfitError(
                f"state store {self.label}: holds what this version of pgvigil cannot read ({error}); "
                "if a newer one has written it, upgrade this one"
            ) from error

    def pragma(self, connection: Connection, name: str) -> int:
        """Return the number that a SQLite pragma tells."""
        return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())

    def hand_back(self) -> None:
        """Give SQLite's free pages back to the disk, a slice at a time so that writers get in between."""
        with self.reading() as connection:
            free = self.pragma(connection, "freelist_count")
        # Below SQLAlchemy, whose transactions neither pragma can run in; and as scripts, as Python carries
        # only those out to their end: executed, the first one frees a single page.
        with self.errors(), closing(self.engine.raw_connection()) as raw:
            file = cast("sqlite3.Connection", raw.driver_connection)
            for _ in range(0, free, _VACUUM_PAGES):
                file.executescript(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})")
            file.executescript("PRAGMA wal_checkpoint(TRUNCATE)")

    def begin_closing(self) -> None:
        """Refuse all that is asked from now on, and end the waits for a locked file."""
        self._closing.set()

    def cut(self) -> None:
        """Break the connections to a server, under whoever waits for its answer."""
        self._lines.cut()

    def close(self) -> None:
        """Close every connection."""
        self.begin_closing()
        self.engine.dispose()


def insert_missing(connection: Connection, table: Table, key: list[str]) -> Any:
    """Return an insert that passes over rows whose key is there already."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing(index_elements=key)


def batches(items: Iterable[T]) -> Iterator[Sequence[T]]:
    """Yield what may go into one statement: both databases bound the number of parameters."""
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"the state store's URL cannot be understood; {EXAMPLES}") from error
    if parsed.drivername not in _SQLITE + _POSTGRES:
        raise StoreError(f"state store: {parsed.drivername!r} is not supported; {EXAMPLES}")
    return parsed


def _kind(cause: BaseException) -> str:
    """Return what advice there is for an error that has no SQLite code."""
    if isinstance(cause, UnicodeError | OverflowError):
        return "UNFIT"
    # A refused or broken connection has no SQLSTATE: the server could not be asked for one.
    return "UNREACHABLE" if getattr(cause, "sqlstate", "") is None else ""


def _reason(error: Exception) -> str:
    """Return the driver's own first line: SQLAlchemy's holds statements and their values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(cause).strip().splitlines()
    reason = lines[0] if lines else type(cause).__name__
    name = getattr(cause, "sqlite_errorname", None) or _kind(cause)
    advice = next((text for code, text in _ADVICE.items() if name.startswith(code)), None)
    return f"{reason}: {advice}" if advice else reason
