"""SQLite under the store: a file that nobody takes away unnoticed, and a lock that is waited for in slices.

WAL, so that readers never wait; `synchronous = FULL`, because an incident that paged somebody and an
acknowledgement that a person gave must outlive a power cut too, and one fsync a run is less than the run
itself costs. Writers take their lock at the start of the transaction: a lock that is asked for in the middle
cannot be waited for.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from pgvigil.logs import get_logger

log = get_logger(__name__)

# A wait inside SQLite cannot be ended from outside; so it is one of many short ones.
_SLICE_SECONDS = 0.2
# Others' transactions are shorter: of what waits longer somebody may want to know why.
_SILENT_SECONDS = 0.7


class StoreFile:
    """The file behind the connections; `path` is None until one was opened, and for a database in memory."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self._opened: tuple[int, int] | None = None

    def remember(self, path: Path) -> None:
        """Note which file it is that the first connection has opened."""
        if self.path is None:
            self.path, self._opened = path, identity(path)

    @property
    def lost(self) -> bool:
        """Whether the path leads to another file by now, or to none: what is written is lost then."""
        return self.path is not None and identity(self.path) != self._opened


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells the file at a path from every other, by whatever name; None when there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def sqlite_engine(url: URL, wait_seconds: float, file: StoreFile, closing: Event) -> Engine:
    """Prepare the connections to a store on SQLite; `closing` ends the wait for a locked one."""
    _make_private(url)
    # The whole of a database in memory is its one connection.
    sizes: dict[str, Any] = {"pool_size": 1, "max_overflow": 0} if _in_memory(url) else {}
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_timeout=wait_seconds,
        connect_args={"timeout": wait_seconds, "check_same_thread": False},
        **sizes,
    )
    event.listen(engine, "connect", partial(_prepare, file))
    event.listen(engine, "begin", partial(_begin, wait_seconds, file, closing))
    return engine


def _in_memory(url: URL) -> bool:
    return url.database in (None, "", ":memory:")


def _make_private(url: URL) -> None:
    """Make a new file that only its owner may read: samples of keys are in it. SQLite's others follow it."""
    if not _in_memory(url) and not url.query:
        # Whatever is wrong with the place, SQLite says it next.
        with suppress(OSError):
            Path(str(url.database)).touch(mode=0o600)


def _prepare(file: StoreFile, connection: Any, _record: object) -> None:
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
    # SQLite's own word on where it is: a URL can spell one file in many ways.
    _, _, path = connection.execute("PRAGMA database_list").fetchone()
    if path:
        file.remember(Path(os.path.realpath(path)))


def _begin(wait_seconds: float, file: StoreFile, closing: Event, connection: Connection) -> None:
    if not connection.get_execution_options().get("pgvigil_writes"):
        connection.exec_driver_sql("BEGIN")
        return
    began = time.monotonic()
    deadline, told = began + wait_seconds, False
    try:
        while not _locked(connection, min(_SLICE_SECONDS, wait_seconds)):
            if not told and time.monotonic() > began + _SILENT_SECONDS:
                why = "another process writes to it"
                log.warning("waiting for the state store", file=str(file.path), reason=why, most=wait_seconds)
                told = True
            if closing.is_set() or time.monotonic() >= deadline:
                # Once more, for the error that SQLite has for it.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(wait_seconds * 1000)}")


def _locked(connection: Connection, seconds: float) -> bool:
    """Begin to write; False when another process was writing all this time."""
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorname", "") != "SQLITE_BUSY":
            raise
        return False
    return True
