"""Locks that the system itself lifts when their holder dies: the proof that nobody else leads."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, LiteralString, Protocol, cast

from pgvigil.check import load_sql
from pgvigil.errors import StoreError
from pgvigil.store.database import Database
from pgvigil.store.sqlite import identity

if TYPE_CHECKING:
    from pgvigil.store.postgres import Line


# What whoever asks about the lock just now may still take before his session is broken, and after.
_RELEASE_SECONDS = 0.4

# Signs of life in the time after which a holder that gives none has lost the lock.
_BEATS = 10


class LeaderLock(Protocol):
    """What only one of all the processes on a store can hold."""

    def take(self) -> bool:
        """Take the lock, or keep it; False when somebody else has it."""
        ...

    def held(self) -> bool:
        """Whether it is ours."""
        ...

    def release(self) -> None:
        """Lift it, if it is ours."""
        ...


def leader_lock(database: Database, holder: str) -> LeaderLock:
    """Return the lock that fits the database; `holder` is how others shall know this process."""
    return FileLock(database) if database.is_sqlite else SessionLock(database, holder)


class FileLock:
    """A lock on a file beside a SQLite database.

    The file stays when the lock is lifted: were it deleted, two processes could each hold "the" file. When
    somebody else deletes it, the lock counts for nothing any more.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Take the lock; raises StoreError when it is taken: there is no standing by for a file."""
        if not self.held():
            self.release()
            self._file = _locked(cast("Path", self._path))
        return True

    def held(self) -> bool:
        """Whether the lock is ours, on the file that others see; that of a database in memory is."""
        if self._path is None:
            return True
        return self._file is not None and _is_at(self._path, self._file)

    def release(self) -> None:
        """Lift the lock."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def _path(self) -> Path | None:
        path = self._database.path
        return Path(f"{path}.lock") if path else None


def _is_at(path: Path, file: IO[str]) -> bool:
    mine = os.fstat(file.fileno())
    return identity(path) == (mine.st_dev, mine.st_ino)


def _locked(path: Path) -> IO[str]:
    try:
        file = path.open("a+", encoding="ascii", errors="replace")
    except OSError as error:
        raise StoreError(f"state store: cannot open its lock file {path}: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
    except BlockingIOError as error:
        with file:
            raise StoreError(_taken(path, file)) from error
    except OSError as error:
        with suppress(OSError):
            file.close()
        raise StoreError(f"state store: cannot lock {path}: {error.strerror}") from error
    if not _is_at(path, file):  # Deleted between the two: others will lock the next one.
        file.close()
        return _locked(path)
    return file


def _taken(path: Path, file: IO[str]) -> str:
    file.seek(0)
    holder = file.readline().strip() or "unknown"
    return (
        f"state store: another pgvigil (process {holder}) writes it and holds {path}; "
        "stop that one, or point `state` elsewhere"
    )


class SessionLock:
    """An advisory lock on PostgreSQL, held by a session that does nothing else.

    While it is held, its session asks the server for a sign of life all the time. When there was none for as
    long as an answer may take, the holder is paused or cut off, and whoever wants the lock ends that session.
    """

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder
        self._session: Line | None = None
        self._taken = False
        # Whoever asks whether the lock is held must not meet a release half way.
        self._guard = threading.Lock()

    def take(self) -> bool:
        """Take the lock, or keep it; False when another session has it."""
        with self._guard, self._database.errors():
            if self._holds():
                return True
            self._session = self._session or self._connect()
            try:
                self._taken = _ask(self._session, _TRY_LOCK)
                if not self._taken:
                    self._session.execute(_END_SILENT_LEADER, [self._session.patience])
            except Exception:
                self._drop()
                raise
            if self._taken:
                beat = threading.Thread(target=self._beat, args=(self._session,), name="beat", daemon=True)
                beat.start()
            return self._taken

    def held(self) -> bool:
        """Whether the session that took the lock is still there; asks the server."""
        with self._guard:
            return self._holds()

    def release(self) -> None:
        """Lift the lock, with its session, also when the server does not answer."""
        if not self._guard.acquire(timeout=_RELEASE_SECONDS):
            self._database.cut()
            if not self._guard.acquire(timeout=_RELEASE_SECONDS):
                return  # A session is being opened; whoever does will see that he was released.
        try:
            self._unlock()
            self._drop()
        finally:
            self._guard.release()

    def _beat(self, session: Line) -> None:
        """Show that this process runs, for as long as the session holds the lock."""
        # On a thread of its own: a daemon that works hard and asks for nothing else is not a paused one.
        while self.held() and self._session is session:
            time.sleep(session.patience / _BEATS)

    def _holds(self) -> bool:
        if not self._taken or self._session is None:
            return False
        try:
            return _ask(self._session, "SELECT true")
        except self._database.driver_error:
            self._drop()
            return False

    def _connect(self) -> Line:
        proxy = self._database.engine.raw_connection()
        session = cast("Line", proxy.dbapi_connection)
        # Out of the pool, which would connect anew behind our back: the lock would be gone, and nobody told.
        proxy.detach()
        session.autocommit = True
        session.execute(_PREPARE_SESSION, [f"pgvigil leader, {self._holder}"])
        if not _direct(session):
            session.close()
            raise StoreError(
                f"state store {self._database.label}: is reached through a connection pooler, which cannot "
                "hold the leader's lock; give `state` the address of the server itself"
            )
        return session

    def _unlock(self) -> None:
        """Let the next one have the lock at once; to end a session takes the server a moment."""
        if self._session is not None and self._taken:
            self._session.patience = _RELEASE_SECONDS
            with suppress(self._database.driver_error):
                self._session.execute("SELECT pg_advisory_unlock_all()")

    def _drop(self) -> None:
        self._taken = False
        if self._session is not None:
            with suppress(self._database.driver_error):
                self._session.close()
            self._session = None


def _direct(session: Line) -> bool:
    """Tell whether it is the server that we talk to: a pooler makes up process ids of its own."""
    row = session.execute("SELECT pg_backend_pid()").fetchone()
    return row is not None and row[0] == session.info.backend_pid


def _ask(session: Line, query: LiteralString) -> bool:
    row = session.execute(query).fetchone()
    return row is not None and bool(row[0])


# Stores in two schemas of one database are two stores.
_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('pgvigil leader of ' || current_schema(), 0))"

_END_SILENT_LEADER = load_sql("pgvigil.store.sql", "end_silent_leader.sql")

# A server that cannot reach its client any more shall notice within half a minute, not within two hours.
_PREPARE_SESSION = """
    SELECT set_config('application_name', %s, false), set_config('tcp_keepalives_idle', '10', false),
           set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false)
"""
