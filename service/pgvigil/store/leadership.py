"""Leadership: of all daemons on one store, one examines and records; the others stand by or are refused.

A lock says who leads. It cannot say so to a leader that is cut off or paused: its lock is lifted, another
takes over, and the first wakes up with a result in its hand. Therefore every new leader raises an epoch in
the store, and a leader's writes compare it inside their own transactions: whoever led before finds a higher
one, and commits nothing.
"""

from __future__ import annotations

import os
import socket
import time
from datetime import UTC, datetime
from math import inf
from threading import Event

from sqlalchemy import Connection, select, update

from pgvigil.errors import NotLeaderError, StoreError
from pgvigil.store.database import Database, insert_missing
from pgvigil.store.locks import leader_lock
from pgvigil.store.schema import leadership

_POLL_SECONDS = 0.5


class Leadership:
    """One daemon's claim to lead on a store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._name = f"process {os.getpid()} on {socket.gethostname()}"
        self._lock = leader_lock(database, self._name)
        self._claimed = False
        self._epoch: int | None = None
        self._released = Event()

    def reserve(self) -> None:
        """Take the lock of a SQLite store before it is read; raises StoreError when another has it."""
        if self._database.is_sqlite:
            # Which file it is a connection tells.
            with self._database.reading():
                self._lock.take()

    def acquire(self, timeout: float | None = 0.0) -> bool:
        """Become the leader; False when another one still leads after `timeout` seconds (None: for ever).

        Raises StoreError when the store cannot be asked, and when it is SQLite and another process leads.
        """
        self._claimed = True
        if self.held:
            return True
        deadline = time.monotonic() + (inf if timeout is None else timeout)
        while not self._lock.take():
            if time.monotonic() >= deadline or self._released.wait(_POLL_SECONDS):
                return False
        if self._released.is_set():
            self._lock.release()
            return False
        try:
            self._epoch = self._raise_epoch()
        except StoreError:
            self._lock.release()
            raise
        return True

    @property
    def held(self) -> bool:
        """Whether this process leads, as far as it can know; asks the server of a PostgreSQL store."""
        return self._epoch is not None and self._lock.held()

    def release(self) -> None:
        """Let another one lead, and end every wait."""
        self._released.set()
        self._epoch = None
        self._lock.release()

    def fence(self, connection: Connection) -> None:
        """Raise NotLeaderError, so that the transaction leaves nothing, unless this process leads.

        A process that never claimed to lead (a test, a tool) may pass. The row stays locked until the
        transaction ends: the next leader's epoch waits for it.
        """
        if not self._claimed:
            return
        row = connection.execute(select(leadership).with_for_update(read=True)).one_or_none()
        if row is not None and row.epoch == self._epoch:
            return
        self._epoch = None
        leader = row.holder if row is not None else "nobody"
        raise NotLeaderError(f"state store {self._database.label}: {leader} leads, not this daemon")

    def _raise_epoch(self) -> int:
        now = datetime.now(UTC)
        with self._database.writing() as connection:
            first = {"id": 1, "epoch": 0, "holder": self._name, "since": now}
            connection.execute(insert_missing(connection, leadership, ["id"]).values(first))
            raised = {"epoch": leadership.c.epoch + 1, "holder": self._name, "since": now}
            statement = update(leadership).values(raised).returning(leadership.c.epoch)
            return int(connection.execute(statement).scalar_one())
