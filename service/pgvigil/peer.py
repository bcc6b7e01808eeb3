"""A run's door to another target: what compares two databases, within the budgets of both."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from pgvigil.catalog import Catalog, read_catalog
from pgvigil.check import Query, Row, Subject
from pgvigil.context import Assistance
from pgvigil.errors import (
    BusyError,
    CancelledError,
    ChangedError,
    PeerError,
    QueryFailedError,
    TargetError,
    TargetUnreachableError,
)
from pgvigil.footing import Footing
from pgvigil.position import position_in
from pgvigil.pulse import Pulse
from pgvigil.snapshots import Snapshots
from pgvigil.sweep import Assist
from pgvigil.target import Snapshot, Target
from pgvigil.unchanged import Unchanged
from pgvigil.watch import Watch

T = TypeVar("T")

PATIENCE_SECONDS = 15.0
"""How long a run waits for a session of another target. Two targets that compare with each other, and each
wait for the other's last session, get out of it by this."""


class Peers:
    """The other targets that the runs of one sweep may ask. Each one's catalog is read once.

    `now` is when the sweep began; None where nothing of earlier ones is to be relied on.
    """

    def __init__(self, own: Target, find: Callable[[str], Watch | None], now: datetime | None = None) -> None:
        self._own = own
        self._find = find
        self._now = now
        self._guard = threading.Lock()
        self._catalogs: dict[str, Catalog] = {}

    def assisting(self, assist: Assist, footing: Footing | None = None, anew: Container[str] = ()) -> Assist:
        """Return what assists a run as before, opens these to it, and tells it what its own side rests on.

        The runs of the subjects that `anew` names are to rely on nothing of earlier ones.
        """

        def assisted(subjects: Sequence[Subject]) -> Assistance:
            if any(subject.name in anew for subject in subjects):
                return replace(assist(subjects), peer=partial(self.open, anew=True), footing=None)
            return replace(assist(subjects), peer=self.open, footing=footing)

        return assisted

    def open(self, target: str, purpose: str, pulse: Pulse, *, anew: bool = False) -> PeerTarget:
        """Return the door to a target; raises PeerError when there is none of that name, or no other one."""
        watch = None if target == self._own.name else self._find(target)
        if watch is None:
            raise PeerError(f"target {self._own.name}: there is no other target {target} to compare with")
        now = None if anew else self._now
        return PeerTarget(watch, self._own, purpose, partial(self._catalog, target), pulse, now)

    def _catalog(self, target: str, read: Callable[[], Catalog]) -> Catalog:
        with self._guard:
            found = self._catalogs.get(target)
        if found is None:
            found = read()
            with self._guard:
                self._catalogs[target] = found
        return found


class PeerTarget:
    """One run's door to another target: one snapshot at a time, in a session of that target's budget.

    It takes none of that target's turns, which whoever has one might be waiting for the run's own target for.
    The first failure is final, as the context's is. Safe for several threads.
    """

    def __init__(
        self,
        watch: Watch,
        own: Target,
        purpose: str,
        known: Callable[[Callable[[], Catalog]], Catalog],
        pulse: Pulse,
        now: datetime | None = None,
    ) -> None:
        self.failure: TargetError | None = None
        self._watch = watch
        self._target = watch.target
        self._own = own
        self._purpose = purpose
        self._known = known
        self._pulse = pulse
        # A query of the other target may take as long as that one's budget allows.
        pulse.allow(watch.runner.limits.run_timeout)
        self._now = now
        self._footing: Footing | None = None
        self._servers: set[str] = set()
        self._catalog: Catalog | None = None
        self._snapshots = Snapshots(self._begin, self._raise_if_over, Unchanged(lambda: self._catalog))
        self._over = False
        self._lock = threading.Lock()

    @property
    def last_seconds(self) -> float:
        """How long the other server took for what was fetched last."""
        return self._snapshots.last_seconds

    @property
    def catalog(self) -> Catalog:
        """The other target's catalog; raises TargetError."""
        self._catalog = self._known(lambda: self._ask(self._read_catalog))
        return self._catalog

    @property
    def position(self) -> str:
        """What stands for where the target was before it was first asked this; raises TargetError."""
        if self._now is not None:
            self.conclude()
            self._footing = self._watch.footing(self._ask(position_in), self._now)
            with self._lock:
                self._snapshots.let_go()
            # Asked again it would tell of a later moment than that of what was read meanwhile.
            self._now = None
        return self._footing.under(self._servers) if self._footing else ""

    def fetch(self, query: Query, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Return all rows of a query, in the peer's snapshot; raises TargetError."""
        return self._ask(lambda snapshot: snapshot.fetch(query, params))

    def renew(self) -> None:
        """Let go of the snapshot and its session, and rest as the other target's governor wants."""
        self.conclude()
        with self._lock:
            busy = self._snapshots.rested()
        with self._pulse.resting():
            self._watch.governor.breathe(busy)

    def conclude(self) -> None:
        """End the snapshot; raises ChangedError when what was read in it says nothing."""
        with self._translating_failures():
            self._snapshots.end()

    def close(self) -> None:
        """Let go of the peer for good; a query that is under way is one that nobody waits for any more."""
        self._over = True
        if self._lock.locked():
            self.abandon()
        with self._lock:
            self._snapshots.let_go()
        self._watch.governor.account(self._snapshots.busy_seconds)
        self._target.close_idle()

    def abandon(self) -> None:
        """Take the connection away from a check that hangs, and refuse it another."""
        self._over = True
        snapshot = self._snapshots.current
        if snapshot is not None:
            self._target.abandon(snapshot)

    def _read_catalog(self, snapshot: Snapshot) -> Catalog:
        return read_catalog(partial(snapshot.fetch, most_rows=None), self._watch.scope)

    def _ask(self, work: Callable[[Snapshot], T]) -> T:
        with self._translating_failures(), self._snapshots.asking() as snapshot:
            return work(snapshot)

    @contextmanager
    def _translating_failures(self) -> Iterator[None]:
        with self._lock:
            self._raise_if_over()
            try:
                yield
            except Exception as error:
                self.failure = self._translated(error)
                raise self.failure from error

    def _begin(self, stack: ExitStack) -> Snapshot:
        snapshot = self._session(stack)
        self._servers.add(snapshot.server)
        stack.enter_context(self._own.taking_along(snapshot))
        return snapshot

    def _session(self, stack: ExitStack) -> Snapshot:
        """Wait for a session of the other target's budget, for a while."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            if self._own.stopping:
                raise CancelledError(f"target {self._own.name}: cancelled, pgvigil is stopping")
            self._raise_if_over()
            try:
                return stack.enter_context(self._target.snapshot(self._purpose, wait=False))
            except BusyError:
                if time.monotonic() > deadline:
                    raise PeerError(
                        f"target {self._target.name} has no session to spare for target {self._own.name}:"
                        f" all {self._target.limits.connections} of its budget were at work"
                        f" for {PATIENCE_SECONDS:g} s"
                    ) from None

    def _translated(self, error: Exception) -> TargetError:
        """Return a failure as one that leaves the run's own target out of it."""
        if isinstance(error, TargetUnreachableError):
            return PeerError(str(error))
        if isinstance(error, CancelledError) and not self._own.stopping:
            return PeerError(f"target {self._target.name} was stopped while it was compared with")
        if isinstance(error, ChangedError):
            return ChangedError(f"target {self._target.name}: {error}")
        if isinstance(error, QueryFailedError) and not str(error).startswith(f"target {self._target.name}"):
            return type(error)(f"target {self._target.name}: {error}", sqlstate=error.sqlstate)
        if isinstance(error, TargetError):
            return error
        return QueryFailedError(f"target {self._target.name}: {type(error).__name__}")

    def _raise_if_over(self) -> None:
        if self.failure is not None:
            raise self.failure
        if self._over:
            raise QueryFailedError(f"target {self._target.name}: the run that compares with it is over")
