"""A target: its connections within the budget, its catalog, and the way to stop all of it at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from pgvigil.catalog import Catalog, Scope, read_catalog
from pgvigil.errors import CancelledError, ConfigError
from pgvigil.target.session import Connection, Limits, Snapshot, begin, connect
from pgvigil.target.translate import query_error, unreachable

_CANCEL_SECONDS = 1.0


class Target:
    """One watched database.

    Sessions come from a pool of at most `limits.connections`; who finds them all busy waits. The pool
    connects in the caller's thread, so that a failure carries the server's own reason at once.
    """

    def __init__(self, name: str, dsn: str, limits: Limits | None = None) -> None:
        try:
            conninfo_to_dict(dsn)
        except psycopg.ProgrammingError:
            # The reason would quote parts of the DSN, maybe the password.
            raise ConfigError(
                f"target {name}: the DSN is neither a libpq connection string nor a postgresql:// URI"
            ) from None
        self.name = name
        self.limits = limits or Limits()
        self._slots = threading.Semaphore(self.limits.connections)
        self._stopping = threading.Event()
        self._guard = threading.Lock()
        self._active: dict[Snapshot, _Lease] = {}
        self._pool = QueuePool(
            lambda: cast("Any", connect(dsn, self.limits)),
            pool_size=self.limits.connections,
            max_overflow=0,
            reset_on_return=None,
        )

    @contextmanager
    def snapshot(self, purpose: str = "") -> Iterator[Snapshot]:
        """Open a safe session for the block: read-only, one snapshot. Raises TargetError.

        `purpose` shows in pg_stat_activity, behind `pgvigil`.
        """
        lease = self._lease(f"pgvigil {purpose}".strip())
        snapshot = Snapshot(self.name, lease.connection, self.limits)
        with self._guard:
            self._active[snapshot] = lease
        try:
            self._raise_if_stopping()
            yield snapshot
        finally:
            with self._guard:
                self._active.pop(snapshot, None)
            lease.give_back()

    def abandon(self, snapshot: Snapshot) -> None:
        """Take a snapshot's connection away from a thread that hangs, so that others can work."""
        with self._guard:
            lease = self._active.pop(snapshot, None)
        snapshot.disconnect()
        if lease is not None:
            lease.abandon()

    def read_catalog(self, scope: Scope | None = None) -> Catalog:
        """Read the catalog in one snapshot."""
        with self.snapshot("catalog") as snapshot:
            return read_catalog(snapshot.fetch, scope)

    @property
    def stopping(self) -> bool:
        """Whether the target was stopped."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Cancel what runs and refuse what comes: returns within two seconds, whatever the network does."""
        self._stopping.set()
        with self._guard:
            active = list(self._active)
        threads = [
            threading.Thread(target=snapshot.abort, args=(_CANCEL_SECONDS,), daemon=True)
            for snapshot in active
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_CANCEL_SECONDS)
        with self._guard:
            stubborn = [snapshot for snapshot in active if snapshot in self._active]
        for snapshot in stubborn:
            snapshot.disconnect()

    def close(self) -> None:
        """Stop, and close the pool's idle connections."""
        self.stop()
        self._pool.dispose()

    def _raise_if_stopping(self) -> None:
        if self._stopping.is_set():
            raise CancelledError(f"target {self.name}: cancelled, pgvigil is stopping")

    def _lease(self, application_name: str) -> _Lease:
        """Wait for a place in the budget, and return a connection inside a fresh transaction."""
        while not self._slots.acquire(timeout=0.1):
            self._raise_if_stopping()
        try:
            self._raise_if_stopping()
            return _Lease(self._begun(application_name), self._slots.release)
        except BaseException:
            self._slots.release()
            raise

    def _begun(self, application_name: str) -> PoolProxiedConnection:
        """Return a pooled connection on which BEGIN succeeded.

        Pooled connections that died since their last use (the server was restarted) are replaced; a fresh one
        that fails says something about the server.
        """
        while True:
            try:
                lent = self._pool.connect()
            except psycopg.Error as error:
                raise unreachable(self.name, error) from error
            connection = cast("Connection", lent.dbapi_connection)
            fresh = not lent.info.get("used")
            try:
                begin(connection, self.limits, application_name)
            except psycopg.Error as error:
                lost = connection.closed
                lent.invalidate()
                lent.close()
                if lost and not fresh:
                    continue
                raise query_error(
                    self.name, error, statement_timeout=self.limits.statement_timeout, lost=lost
                ) from error
            lent.info["used"] = True
            return lent


class _Lease:
    """A connection lent from the pool and its place in the budget; both are returned exactly once."""

    def __init__(self, lent: PoolProxiedConnection, release: Callable[[], None]) -> None:
        self.connection = cast("Connection", lent.dbapi_connection)
        self._lent = lent
        self._release = release
        self._guard = threading.Lock()
        self._returned = False

    def give_back(self) -> None:
        """End the transaction; a connection that broke or may be dirty is thrown away."""
        with suppress(psycopg.Error):
            self.connection.execute("ROLLBACK")
        if not self._first():
            self.connection.close()
            return
        if self.connection.closed or self.connection.info.transaction_status != TransactionStatus.IDLE:
            self._lent.invalidate()
        self._lent.close()
        self._release()

    def abandon(self) -> None:
        """Make room in pool and budget while the thread that has the connection still hangs."""
        if self._first():
            self._lent.detach()
            self._release()

    def _first(self) -> bool:
        with self._guard:
            first, self._returned = not self._returned, True
            return first
