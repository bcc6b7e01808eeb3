"""The context of a run: what a check sees of the target, for as long as the run goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Self

from pgvigil.catalog import Catalog
from pgvigil.check import Query, Row
from pgvigil.errors import CancelledError, QueryFailedError, TargetError
from pgvigil.target import Snapshot, Target


def restless(_busy: float) -> None:
    """Take no rest: somebody waits."""


class RunContext:
    """One read-only snapshot at a time, begun with the first query after a checkpoint and gone with the run.

    The first failure is final: every later query repeats it, as a transaction that failed once can't say
    anything any more. Safe for the threads of a plugin, also for those that outlive its run.
    """

    def __init__(
        self,
        target: Target,
        purpose: str,
        catalog: Catalog,
        *,
        sample: int,
        chunk_seconds: float | None = None,
        rest: Callable[[float], None] = restless,
    ) -> None:
        self.catalog = catalog
        self.sample = sample
        self.chunk_seconds = chunk_seconds
        self.last_seconds = 0.0
        self.busy_seconds = 0.0
        """For how long the server was kept busy since the last rest; waiting for a session is not in it."""
        self._rest = rest
        self._target = target
        self._purpose = purpose
        self._snapshot: Snapshot | None = None
        self._failure: TargetError | None = None
        self._over = False
        self._lock = threading.Lock()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._over = True
        with self._lock:
            self._stack.close()

    def fetch(self, query: Query, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Return all rows of a query, in the run's snapshot; raises TargetError."""
        with self._lock:
            self._raise_if_over()
            try:
                return self._ask(self._begun(), query, params)
            except Exception as error:
                self._failure = _as_target_error(error)
                raise

    def checkpoint(self) -> None:
        """End the snapshot and rest; raises TargetError when pgvigil is stopping."""
        self.pause()
        if self.chunk_seconds is None:
            return
        with self._lock:
            self._stack.close()
            self._snapshot = None
            busy, self.busy_seconds = self.busy_seconds, 0.0
        self._rest(busy)
        self.pause()

    def pause(self) -> None:
        """Hold the run for as long as the governor wants, and end it when pgvigil is stopping."""
        with self._lock:
            self._raise_if_over()
            if self._target.stopping:
                self._failure = CancelledError(f"target {self._target.name}: cancelled, pgvigil is stopping")
                raise self._failure

    def raise_if_failed(self) -> None:
        """Raise the first failure, if there was one, even when the check made light of it."""
        if self._failure is not None:
            raise self._failure

    def abandon(self) -> None:
        """Take the connection away from a check that hangs, and refuse it another."""
        self._over = True
        if self._snapshot is not None:
            self._target.abandon(self._snapshot)

    def _ask(self, snapshot: Snapshot, query: Query, params: Mapping[str, Any] | None) -> list[Row]:
        began = time.monotonic()
        try:
            return snapshot.fetch(query, params)
        finally:
            self.last_seconds = time.monotonic() - began
            self.busy_seconds += self.last_seconds

    def _begun(self) -> Snapshot:
        if self._snapshot is None:
            self._snapshot = self._stack.enter_context(self._target.snapshot(self._purpose))
            # It may have been abandoned while it waited for a connection: then nobody else gives it back.
            if self._over:
                self._stack.close()
                self._raise_if_over()
        return self._snapshot

    def _raise_if_over(self) -> None:
        self.raise_if_failed()
        if self._over:
            raise QueryFailedError(f"target {self._target.name}: the run of this context is over")


def _as_target_error(error: Exception) -> TargetError:
    """Return the failure of a query that did not even reach the server as one of the target."""
    if isinstance(error, TargetError):
        return error
    return QueryFailedError(f"the query could not be sent: {type(error).__name__}")
