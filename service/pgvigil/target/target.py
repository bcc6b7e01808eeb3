"""A target: its connections within the budget, its catalog, and the way to stop all of it at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pgvigil.catalog import Catalog, Scope, catalog_queries, made_catalog
from pgvigil.errors import BusyError, CancelledError, ConfigError, TargetUnreachableError
from pgvigil.target.connecting import Connection, Limits, connect
from pgvigil.target.lease import Idle, Lease
from pgvigil.target.session import Snapshot
from pgvigil.target.translate import unreachable

if TYPE_CHECKING:
    from pgvigil.target.standby import Standby

_POLL_SECONDS = 0.1
_CANCEL_SECONDS = 1.0
_STOP_SECONDS = 1.5


class Target:
    """One watched database; `standby` is what may be read instead, and stops and closes together with it.

    There are at most `limits.connections` sessions; who finds them all busy waits. Who finds none that is
    idle connects, so that a failure carries the server's own reason at once.
    """

    kind = "target"  # what errors call it, before its name

    def __init__(
        self, name: str, dsn: str, limits: Limits | None = None, standby: Standby | None = None
    ) -> None:
        self.name = name
        _check_dsn(self.label, dsn)
        self.limits = limits or Limits()
        self.standby = standby
        self._dsn = dsn
        self._slots = threading.Semaphore(self.limits.connections)
        self._stopping = threading.Event()
        self._ended = threading.Condition()
        self._active: dict[Snapshot, Lease] = {}
        self._along: set[Snapshot] = set()
        self._idle = Idle()

    @contextmanager
    def snapshot(self, purpose: str = "", *, wait: bool = True) -> Iterator[Snapshot]:
        """Open a safe session for the block: read-only, one snapshot. Raises TargetError.

        `purpose` shows in pg_stat_activity, behind `pgvigil`. Without `wait` a BusyError is raised when the
        budget has no session to spare for more than a moment.
        """
        snapshot, lease = self._begun(f"pgvigil {purpose}".strip(), partial(self._lease, wait=wait))
        try:
            yield snapshot
        finally:
            self._end(snapshot, lease)

    @contextmanager
    def beside(self, shared: str, purpose: str = "") -> Iterator[Snapshot | None]:
        """Open another session on a snapshot that is shared; None when the budget has none to spare now."""
        if not self._slots.acquire(blocking=False):
            yield None
            return
        snapshot, lease = self._begun(f"pgvigil {purpose}".strip(), self._connected, shared)
        try:
            yield snapshot
        finally:
            self._end(snapshot, lease)

    @contextmanager
    def taking_along(self, snapshot: Snapshot) -> Iterator[None]:
        """For the time of the block, let a stop cancel another target's snapshot as well."""
        with self._ended:
            self._along.add(snapshot)
        try:
            self._raise_if_stopping()
            yield
        finally:
            with self._ended:
                self._along.discard(snapshot)
                self._ended.notify_all()

    def abandon(self, snapshot: Snapshot) -> None:
        """Take a snapshot's connection away from a thread that hangs, so that others can work."""
        with self._ended:
            lease = self._active.get(snapshot)
        if lease is not None and lease.claim():
            snapshot.abort(_CANCEL_SECONDS)
            snapshot.disconnect()
            lease.detach()
            self._forget(snapshot)

    @property
    def label(self) -> str:
        """What errors about it begin with."""
        return f"{self.kind} {self.name}"

    @property
    def address(self) -> str:
        """All that the DSN says, but for the password."""
        said = conninfo_to_dict(self._dsn)
        return repr(sorted((name, value) for name, value in said.items() if name != "password"))

    @property
    def has_several_hosts(self) -> bool:
        """Whether the DSN names more than one server, so that two sessions may be of two of them."""
        said = conninfo_to_dict(self._dsn)
        return any("," in str(said.get(name, "")) for name in ("host", "hostaddr", "port"))

    def read_catalog(self, scope: Scope | None = None) -> Catalog:
        """Read the catalog in one snapshot, which is over before anything is made of what was read."""
        with self.snapshot("catalog") as snapshot:
            answers = snapshot.fetch_last(catalog_queries())
        return replace(made_catalog(answers, scope), server=snapshot.server)

    @property
    def stopping(self) -> bool:
        """Whether the target was stopped."""
        return self._stopping.is_set()

    def wait_stopping(self, seconds: float) -> None:
        """Wait, and no longer than until the target is stopped; raises CancelledError then."""
        self._stopping.wait(seconds)
        self._raise_if_stopping()

    def stop(self) -> None:
        """Cancel what runs and refuse what comes: returns within two seconds, whatever the network does."""
        self._stopping.set()
        if self.standby is not None:
            threading.Thread(target=self.standby.stop, daemon=True).start()
        with self._ended:
            active = [*self._active, *self._along]
        for snapshot in active:
            threading.Thread(target=snapshot.abort, args=(_CANCEL_SECONDS,), daemon=True).start()
        with self._ended:
            self._ended.wait_for(lambda: not self._active and not self._along, timeout=_STOP_SECONDS)
            stubborn = [*self._active, *self._along]
        for snapshot in stubborn:
            snapshot.disconnect()

    def close_idle(self) -> None:
        """Close the idle connections, unless some are at work: idle ones are in the way of others' DDL."""
        with self._ended:
            if not self._active:
                self._idle.close()
        if self.standby is not None:
            self.standby.close_idle()

    def close(self) -> None:
        """Stop, and close the idle connections."""
        self.stop()
        self._idle.close()
        if self.standby is not None:
            self.standby.close()

    def _raise_if_stopping(self) -> None:
        if self._stopping.is_set():
            raise CancelledError(f"{self.label}: cancelled, pgvigil is stopping")

    def _begun(
        self, application_name: str, borrow: Callable[[], Lease], shared: str | None = None
    ) -> tuple[Snapshot, Lease]:
        """Return a snapshot. It can be stopped before it has begun.

        Idle connections that died since their last use (the server was restarted) are replaced; a fresh one
        that fails says something about the server.
        """
        while True:
            lease = borrow()
            snapshot = Snapshot(self.label, lease.connection, self.limits)
            with self._ended:
                self._active[snapshot] = lease
            try:
                self._raise_if_stopping()
                snapshot.begin(application_name, shared)
            except BaseException as error:
                self._end(snapshot, lease)
                if isinstance(error, TargetUnreachableError) and lease.used_before and shared is None:
                    continue
                raise
            return snapshot, lease

    def _lease(self, *, wait: bool) -> Lease:
        """Wait for a place in the budget, and return a connection."""
        while not self._slots.acquire(timeout=_POLL_SECONDS):
            self._raise_if_stopping()
            if not wait:
                raise BusyError(f"{self.label}: all sessions of the budget are at work")
        return self._connected()

    def _connected(self) -> Lease:
        """Return a connection for a place in the budget that was taken; without one it is given back."""
        try:
            self._raise_if_stopping()
            idle = self._idle.take()
            connection = idle or self._connect()
            return Lease(connection, self._idle, self._slots.release, used_before=idle is not None)
        except psycopg.Error as error:
            self._slots.release()
            self._raise_if_stopping()
            raise unreachable(self.label, error) from error
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

    def _end(self, snapshot: Snapshot, lease: Lease) -> None:
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


def _check_dsn(label: str, dsn: str) -> None:
    """Refuse a DSN that cannot work. No reason quotes it: parts of it may be the password."""
    try:
        settings = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        raise ConfigError(
            f"{label}: the DSN is neither a libpq connection string nor a postgresql:// URI"
        ) from None
    ports = str(settings.get("port") or "").split(",")
    if "@" in str(settings.get("host") or "") or not all(port.isdecimal() for port in ports if port):
        raise ConfigError(
            f"{label}: the DSN has a port that is no number, or a host with an @: in a URI write @ : / "
            "of the password as %40 %3A %2F"
        )


def _settle(attempt: Future[Connection], dsn: str, limits: Limits) -> None:
    try:
        attempt.set_result(connect(dsn, limits))
    except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
        attempt.set_exception(error)


def _close(attempt: Future[Connection]) -> None:
    if attempt.exception() is None:
        attempt.result().close()
