"""The database under the store: one way in for readers, one for writers, one kind of error out.

SQLite: WAL, so that readers never wait; `synchronous = FULL`, because an incident that paged somebody and
an acknowledgement that a person gave must outlive a power cut too, and one fsync a run is less than the run
itself costs. Writers take their lock at the start of the transaction: a lock that is asked for in the middle
cannot be waited for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from pgvigil.errors import StoreError

if TYPE_CHECKING:
    import sqlite3

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

    def __init__(self, engine: Engine, label: str) -> None:
        self.engine = engine
        self.label = label
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.driver_error: type[Exception] = engine.dialect.loaded_dbapi.Error

    @classmethod
    def of(cls, url: str, wait_seconds: float) -> Database:
        """Prepare the connections to `url`, without opening one yet."""
        parsed = _parse(url)
        label = parsed.set(query={}).render_as_string(hide_password=True)
        if parsed.drivername in _POSTGRES:
            parsed = parsed.set(drivername="postgresql+psycopg")
            return cls(_postgres_engine(parsed, wait_seconds), label)
        _make_private(parsed)
        # The whole of a database in memory is its one connection.
        sizes: dict[str, Any] = {"pool_size": 1, "max_overflow": 0} if _in_memory(parsed) else {}
        engine = create_engine(
            parsed,
            poolclass=QueuePool,
            pool_timeout=wait_seconds,
            connect_args={"timeout": wait_seconds, "check_same_thread": False},
            **sizes,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return cls(engine, label)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only looks."""
        with self.errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that commits at the end of the block, or leaves nothing behind."""
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
        except (SQLAlchemyError, self.driver_error, UnicodeError, OverflowError) as error:
            raise StoreError(f"state store {self.label}: {_reason(error)}") from error

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

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def insert_missing(connection: Connection, table: Table, key: list[str]) -> Any:
    """Return an insert that passes over rows whose key is there already."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing(index_elements=key)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"the state store's URL cannot be understood; {EXAMPLES}") from error
    if parsed.drivername not in _SQLITE + _POSTGRES:
        raise StoreError(f"state store: {parsed.drivername!r} is not supported; {EXAMPLES}")
    return parsed


def _postgres_engine(url: URL, wait_seconds: float) -> Engine:
    # A server that is gone without a word is noticed in seconds, not when TCP gives up after a quarter of
    # an hour. What the URL says has precedence.
    patience = {
        "connect_timeout": max(2, int(wait_seconds)),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        "client_encoding": "utf8",
    }
    connect_args = {name: value for name, value in patience.items() if name not in url.query}
    engine = create_engine(url, pool_pre_ping=True, pool_timeout=wait_seconds, connect_args=connect_args)
    event.listen(engine, "begin", partial(_begin_postgres, milliseconds=int(wait_seconds * 1000)))
    return engine


def _begin_postgres(connection: Connection, milliseconds: int) -> None:
    """Bound the waits on both sides: a writer that is paused must not keep the others waiting for ever."""
    if not connection.get_execution_options().get("pgvigil_writes"):
        return
    connection.exec_driver_sql(
        "SELECT set_config('lock_timeout', %(limit)s, true),"
        " set_config('idle_in_transaction_session_timeout', %(limit)s, true)",
        {"limit": str(milliseconds)},
    )


def _in_memory(url: URL) -> bool:
    return url.database in (None, "", ":memory:")


def _make_private(url: URL) -> None:
    """Make a new file that only its owner may read: samples of keys are in it. SQLite's others follow it."""
    if not _in_memory(url) and not url.query:
        # Whatever is wrong with the place, SQLite says it next.
        with suppress(OSError):
            Path(str(url.database)).touch(mode=0o600)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Transactions are begun by us, so that they cover DDL and take the right lock.
    connection.isolation_level = None
    # In a new file only, where it has an effect: asking for it waits for whoever writes, even in WAL.
    if connection.execute("PRAGMA page_count").fetchone() == (0,):
        # Space that pruning frees can be handed back to the disk.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # A log that grew once is cut back at the next checkpoint.
    connection.execute("PRAGMA journal_size_limit = 16777216")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("pgvigil_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


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
