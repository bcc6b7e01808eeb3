"""A target: its connections within the budget, its catalog, and the way to stop all of it at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from pgvigil.catalog import Catalog, Scope, read_catalog
from pgvigil.errors import CancelledError, ConfigError, TargetUnreachableError
from pgvigil.target.session import Connection, Limits, Snapshot, connect
from pgvigil.target.translate import unreachable

_POLL_SECONDS = 0.1
_CANCEL_SECONDS = 1.0
_STOP_SECONDS = 1.5


class Target:
    """One watched database.

    Sessions come from a pool of at most `limits.connections`; who finds them all busy waits. The pool
    connects when a session is asked for, so that a failure carries the server's own reason at once.
    """

    def __init__(self, name: str, dsn: str, limits: Limits | None = None) -> None:
        _check_dsn(name, dsn)
        self.name = name
        self.limits = limits or Limits()
        self._dsn = dsn
        self._slots = threading.Semaphore(self.limits.connections)
        self._stopping = threading.Event()
        self._ended = threading.Condition()
        self._active: dict[Snapshot, _Lease] = {}
        self._pool = QueuePool(
            lambda: cast("Any", self._connect()),
            pool_size=self.limits.connections,
            max_overflow=0,
            reset_on_return=None,
        )

    @contextmanager
    def snapshot(self, purpose: str = "") -> Iterator[Snapshot]:
        """Open a safe session for the block: read-only, one snapshot. Raises TargetError.

        `purpose` shows in pg_stat_activity, behind `pgvigil`.
        """
        snapshot, lease = self._begun(f"pgvigil {purpose}".strip())
        try:
            yield snapshot
        finally:
            self._end(snapshot, lease)

    def abandon(self, snapshot: Snapshot) -> None:
        """Take a snapshot's connection away from a thread that hangs, so that others can work."""
        with self._ended:
            lease = self._active.get(snapshot)
        if lease is not None and lease.claim():
            snapshot.abort(_CANCEL_SECONDS)
            snapshot.disconnect()
            lease.detach()
            self._forget(snapshot)

    def read_catalog(self, scope: Scope | None = None) -> Catalog:
        """Read the catalog in one snapshot."""
        with self.snapshot("catalog") as snapshot:
            return read_catalog(partial(snapshot.fetch, most_rows=None), scope)

    @property
    def stopping(self) -> bool:
        """Whether the target was stopped."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Cancel what runs and refuse what comes: returns within two seconds, whatever the network does."""
        self._stopping.set()
        with self._ended:
            active = list(self._active)
        for snapshot in active:
            threading.Thread(target=snapshot.abort, args=(_CANCEL_SECONDS,), daemon=True).start()
        with self._ended:
            self._ended.wait_for(lambda: not self._active, timeout=_STOP_SECONDS)
            stubborn = list(self._active)
        for snapshot in stubborn:
            snapshot.disconnect()

    def close_idle(self) -> None:
        """Close the pool's connections, unless some are at work: idle ones are in the way of others' DDL."""
        with self._ended:
            if not self._active:
                self._pool.dispose()

    def close(self) -> None:
        """Stop, and close the pool's idle connections."""
        self.stop()
        self._pool.dispose()

    def _raise_if_stopping(self) -> None:
        if self._stopping.is_set():
            raise CancelledError(f"target {self.name}: cancelled, pgvigil is stopping")

    def _begun(self, application_name: str) -> tuple[Snapshot, _Lease]:
        """Return a snapshot on a pooled connection. It can be stopped before it has begun.

        Pooled connections that died since their last use (the server was restarted) are replaced; a fresh one
        that fails says something about the server.
        """
        while True:
            lease = self._lease()
            snapshot = Snapshot(self.name, lease.connection, self.limits)
            with self._ended:
                self._active[snapshot] = lease
            try:
                self._raise_if_stopping()
                snapshot.begin(application_name)
            except BaseException as error:
                self._end(snapshot, lease)
                if isinstance(error, TargetUnreachableError) and lease.used_before:
                    continue
                raise
            return snapshot, lease

    def _lease(self) -> _Lease:
        """Wait for a place in the budget, and return a connection."""
        while not self._slots.acquire(timeout=_POLL_SECONDS):
            self._raise_if_stopping()
        try:
            self._raise_if_stopping()
            return _Lease(self._pool.connect(), self._slots.release)
        except psycopg.Error as error:
            self._slots.release()
            self._raise_if_stopping()
            raise unreachable(self.name, error) from error
        except BaseException:
            self._slots.release()
            raise

    def _connect(self) -> Connection:
        """Connect on a thread of its own: a stop need not wait for a network or resolver without answer."""
        attempt: Future[Connection] = Future()
        threading.Thread(target=_settle, args=(attempt, self._dsn, self.limits), daemon=True).start()
        while True:
            try:
                return attempt.result(_POLL_SECONDS)
            except TimeoutError:
                if self._stopping.is_set():
                    attempt.add_done_callback(_close)
                    self._raise_if_stopping()

    def _end(self, snapshot: Snapshot, lease: _Lease) -> None:
        clean = snapshot.end()
        if lease.claim():
            lease.give_back(keep=clean and not self.stopping)
            self._forget(snapshot)
        else:  # abandoned: nobody else will close it
            lease.connection.close()

    def _forget(self, snapshot: Snapshot) -> None:
        with self._ended:
            self._active.pop(snapshot, None)
            self._ended.notify_all()


class _Lease:
    """A connection lent from the pool and its place in the budget; both are returned exactly once."""

    def __init__(self, lent: PoolProxiedConnection, release: Callable[[], None]) -> None:
        self.connection = cast("Connection", lent.dbapi_connection)
        self._lent = lent
        self._release = release
        self._guard = threading.Lock()
        self._claimed = False

        self.used_before = bool(lent.info.get("used"))
        lent.info["used"] = True

    def claim(self) -> bool:
        """Tell whether the caller is the first to want to return it, and thus the one who must."""
        with self._guard:
            first, self._claimed = not self._claimed, True
            return first

    def give_back(self, *, keep: bool) -> None:
        """Return the connection to the pool; one that broke or may be dirty is thrown away."""
        if not keep:
            self._lent.invalidate()
        self._lent.close()
        self._release()

    def detach(self) -> None:
        """Make room in pool and budget while a thread that hangs still has the connection."""
        self._lent.detach()
        self._release()


def _check_dsn(name: str, dsn: str) -> None:
    """Refuse a DSN that cannot work. No reason quotes it: parts of it may be the password."""
    try:
        settings = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        raise ConfigError(
            f"target {name}: the DSN is neither a libpq connection string nor a postgresql:// URI"
        ) from None
    ports = str(settings.get("port") or "").split(",")
    if "@" in str(settings.get("host") or "") or not all(port.isdecimal() for port in ports if port):
        raise ConfigError(
            f"target {name}: the DSN's host or port is none; in a URI the password's @ : / are %40 %3A %2F"
        )


def _settle(attempt: Future[Connection], dsn: str, limits: Limits) -> None:
    try:
        attempt.set_result(connect(dsn, limits))
    except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
        attempt.set_exception(error)


def _close(attempt: Future[Connection]) -> None:
    if attempt.exception() is None:
        attempt.result().close()
