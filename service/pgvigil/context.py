"""The context of a run: what a check sees of the target, for as long as the run goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeAlias

from pgvigil.catalog import Catalog, Table
from pgvigil.check import Peer, Query, Row, State, Subject, Touched
from pgvigil.errors import BrokenOffError, CancelledError, PeerError, QueryFailedError, TargetError
from pgvigil.footing import Footing
from pgvigil.pulse import Pulse
from pgvigil.sidebyside import SideBySide
from pgvigil.snapshots import Snapshots
from pgvigil.target import Snapshot, Target
from pgvigil.unchanged import Unchanged

Fetch: TypeAlias = Callable[[Query], list[Row]]


def _unsaved(_state: State, _done: float) -> None:
    """Keep nothing: a run without a store begins anew."""


def _restless(_busy: float) -> None:
    """Take no rest: somebody waits."""


def _unknown(_fetch: Fetch, _table: Table) -> Touched | None:
    """Know of no changes, so that everything is looked at."""
    return None


class OpenPeer(Peer, Protocol):
    """A peer as the context of a run holds it."""

    @property
    def failure(self) -> TargetError | None:
        """The first failure, which is the run's as well."""
        ...

    def conclude(self) -> None:
        """End the peer's snapshot as the context ends its own."""
        ...

    def close(self) -> None:
        """Let go of the peer for good."""
        ...

    def abandon(self) -> None:
        """Take the peer's connection away from a check that hangs, and refuse it another."""
        ...


def _nothing() -> State | None:
    """Know of nothing that was accepted: a run without a store compares with nothing."""
    return None


def _none() -> Collection[str]:
    """Know of no subject of which something was accepted."""
    return ()


def _no_peer(target: str, _purpose: str, _pulse: Pulse) -> OpenPeer:
    raise PeerError(f"there is no target {target} to compare with")


def _alone(_subject: Subject) -> Assistance:
    return ALONE


@dataclass(frozen=True, slots=True)
class Assistance:
    """What a run is given beside its target: what earlier runs left, and whom it tells how far it is.

    `memory`, `resumed`, `deployed_seconds` and `touched` are as the context has them, and so is what
    `accepted` and `accepted_subjects` return; `touched` gets what fetches in the run's snapshot. `footing` is
    what the context's `position` is made of. `peer` opens the target of a name, for the purpose that its
    server is shown. `save` keeps a checkpoint's state, `rest` holds the run after so many seconds of work,
    and breaks it off by a BrokenOffError. `pulse` is what shows that it gets on. For a batch all this is the
    batch's own, and `each` returns what one subject is given.
    """

    memory: State = field(default_factory=dict)
    resumed: State = field(default_factory=dict)
    accepted: Callable[[], State | None] = _nothing
    accepted_subjects: Callable[[], Collection[str]] = _none
    deployed_seconds: float | None = None
    footing: Footing | None = None
    save: Callable[[State, float], None] = _unsaved
    rest: Callable[[float], None] = _restless
    touched: Callable[[Fetch, Table], Touched | None] = _unknown
    peer: Callable[[str, str, Pulse], OpenPeer] = _no_peer
    pulse: Pulse = field(default_factory=Pulse)
    each: Callable[[Subject], Assistance] = _alone


ALONE: Assistance = Assistance()
"""No store, no governor, nothing known: a run that is its first and last one."""


class RunContext:
    """One read-only snapshot at a time, begun with the first query after a checkpoint and gone with the run.

    The first failure is final: every later query repeats it, as a transaction that failed once can't say
    anything any more. Safe for the threads of a plugin, also for those that outlive its run. `subjects` are
    what is looked at; of nothing that was read a verdict is believed before `conclude`.
    """

    def __init__(
        self,
        target: Target,
        purpose: str,
        catalog: Catalog,
        *,
        sample: int,
        subjects: Sequence[Subject] = (),
        chunk_seconds: float | None = None,
        assistance: Assistance = ALONE,
    ) -> None:
        self.target = target.name
        self.catalog = catalog
        self.sample = sample
        self.chunk_seconds = chunk_seconds
        self.memory = assistance.memory
        self.resumed = assistance.resumed
        self.deployed_seconds = assistance.deployed_seconds
        self.servers: set[str] = set()
        """Since when the servers run that were read from: one, unless a name leads to several."""
        self._assistance = assistance
        self._target = target
        self._purpose = purpose
        self._snapshots = Snapshots(self._begin, self._raise_if_over, Unchanged(lambda: catalog, subjects))
        self._sessions: set[Snapshot] = set()
        self._peers: dict[str, OpenPeer] = {}
        self.failure: TargetError | None = None
        """The first failure on the run's own target."""
        self._over = False
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._over = True
        with self._lock:
            self._snapshots.let_go()
        for peer in self._peers.values():
            peer.close()

    @property
    def last_seconds(self) -> float:
        """How long the server took for what was fetched last."""
        return self._snapshots.last_seconds

    @property
    def busy_seconds(self) -> float:
        """For how long the server was kept busy since the last rest, without waiting for a session."""
        return self._snapshots.busy_seconds

    @property
    def position(self) -> str:
        """What stands for where the target was before the run; empty where that is not known."""
        footing = self._assistance.footing
        return footing.under(self.servers) if footing else ""

    @property
    def accepted(self) -> State | None:
        """What is accepted as right of the subject, None where nothing is; raises StoreError."""
        return self._assistance.accepted()

    @property
    def accepted_subjects(self) -> Collection[str]:
        """The subjects of the check of which something is accepted; raises StoreError."""
        return self._assistance.accepted_subjects()

    def fetch(self, query: Query, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Return all rows of a query, in the run's snapshot; raises TargetError."""
        with self._asking() as snapshot:
            return snapshot.fetch(query, params)

    def fetch_each(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Return the rows of each query, sent together; raises TargetError."""
        with self._asking() as snapshot:
            return snapshot.fetch_each(queries)

    def fetch_split(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Return the rows of each query, fetched side by side in one snapshot; raises TargetError."""
        with self._asking() as snapshot:
            if len(queries) < 2 or self._target.limits.connections < 2:
                return [snapshot.fetch(query) for query in queries]
            unchanged = self._snapshots.unchanged
            side_by_side = SideBySide(self._target, self._purpose, snapshot, self._sessions, unchanged)
            answers = side_by_side.fetch(queries)
        # The others kept the server as busy as the run's own session did.
        self._snapshots.busy_seconds += side_by_side.busy_seconds
        return answers

    def checkpoint(self, state: State | None = None, done: float = 0.0) -> None:
        """End the snapshot, keep the state, and rest; raises TargetError when pgvigil is stopping."""
        self.pause()
        if self.chunk_seconds is None:
            return
        self._end_snapshot()
        with self._lock:
            busy = self._snapshots.rested()
        self._assistance.pulse.beat()
        self._assistance.save(state or {}, done)
        self._rest(busy)
        self.pause()

    def conclude(self) -> None:
        """End the last snapshots of the run; raises ChangedError when what was read in them says nothing."""
        self._end_snapshot()
        for peer in self._peers.values():
            peer.conclude()

    def touched(self, table: Table) -> Touched | None:
        """Return what was written to a table since the last completed run, None when that is not known."""
        return self._assistance.touched(self.fetch, table)

    def peer(self, target: str) -> Peer:
        """Return the other target of that name, the same for all of the run; raises TargetError."""
        with self._lock:
            self._raise_if_over()
            if target not in self._peers:
                try:
                    self._peers[target] = self._assistance.peer(target, self._purpose, self._assistance.pulse)
                except TargetError as error:
                    self.failure = error
                    raise
            return self._peers[target]

    def pause(self) -> None:
        """Hold the run for as long as the governor wants, and end it when pgvigil is stopping."""
        with self._lock:
            self._raise_if_over()
            if self._target.stopping:
                self.failure = CancelledError(f"target {self._target.name}: cancelled, pgvigil is stopping")
                raise self.failure

    def raise_if_failed(self) -> None:
        """Raise the first failure, if there was one, even when the check made light of it."""
        failures = (self.failure, *(peer.failure for peer in self._peers.values()))
        failure = next(filter(None, failures), None)
        if failure is not None:
            raise failure

    def abandon(self) -> None:
        """Take the connection away from a check that hangs, and refuse it another."""
        self._over = True
        for snapshot in (self._snapshots.current, *self._sessions):
            if snapshot is not None:
                self._target.abandon(snapshot)
        for peer in list(self._peers.values()):
            peer.abandon()

    def _rest(self, busy: float) -> None:
        try:
            with self._assistance.pulse.resting():
                self._assistance.rest(busy)
        except BrokenOffError as error:
            self.failure = error
            raise

    def _end_snapshot(self) -> None:
        with self._noting_failures():
            self._snapshots.end()

    @contextmanager
    def _asking(self) -> Iterator[Snapshot]:
        """Give the block the run's snapshot; how long it takes is noted, and its failure is the run's."""
        with self._noting_failures(), self._snapshots.asking() as snapshot:
            yield snapshot

    @contextmanager
    def _noting_failures(self) -> Iterator[None]:
        with self._lock:
            self._raise_if_over()
            try:
                yield
            except Exception as error:
                self.failure = _as_target_error(error)
                raise

    def _begin(self, stack: ExitStack) -> Snapshot:
        snapshot = stack.enter_context(self._target.snapshot(self._purpose))
        self.servers.add(snapshot.server)
        return snapshot

    def _raise_if_over(self) -> None:
        self.raise_if_failed()
        if self._over:
            raise QueryFailedError(f"target {self._target.name}: the run of this context is over")


def _as_target_error(error: Exception) -> TargetError:
    """Return the failure of a query that did not even reach the server as one of the target."""
    if isinstance(error, TargetError):
        return error
    return QueryFailedError(f"the query could not be sent: {type(error).__name__}")
