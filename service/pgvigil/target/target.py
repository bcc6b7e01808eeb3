"""A target: its connections within the budget, its catalog, and the way to stop all of it at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict
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
        self._active: set[Snapshot] = set()
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
        with self._slot(), self._checked_out(f"pgvigil {purpose}".strip()) as connection:
            snapshot = Snapshot(self.name, connection, self.limits)
            with self._guard:
                self._active.add(snapshot)
            try:
                snapshot.raise_if_aborted()
                yield snapshot
            finally:
                with self._guard:
                    self._active.discard(snapshot)

    def read_catalog(self, scope: Scope | None = None) -> Catalog:
        """Read the catalog in one snapshot."""
        with self.snapshot("catalog") as snapshot:
            return read_catalog(snapshot.fetch, scope)

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

    @contextmanager
    def _slot(self) -> Iterator[None]:
        while not self._slots.acquire(timeout=0.1):
            self._raise_if_stopping()
        try:
            self._raise_if_stopping()
            yield
        finally:
            self._slots.release()

    def _raise_if_stopping(self) -> None:
        if self._stopping.is_set():
            raise CancelledError(f"target {self.name}: cancelled, pgvigil is stopping")

    @contextmanager
    def _checked_out(self, application_name: str) -> Iterator[Connection]:
        """Lend a connection inside a fresh transaction; one that broke or may be dirty is thrown away."""
        lent, connection = self._begun(application_name)
        try:
            yield connection
        finally:
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")
            if connection.closed or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                lent.invalidate()
            lent.close()

    def _begun(self, application_name: str) -> tuple[PoolProxiedConnection, Connection]:
        """Return a connection on which BEGIN succeeded.

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
            return lent, connection
