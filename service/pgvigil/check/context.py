"""The door to the target: what a check can do while it runs, and no more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from pgvigil.catalog import Catalog, Table
from pgvigil.check.model import JsonValue, Query, Row

State: TypeAlias = Mapping[str, JsonValue]
"""What a check writes down for itself: plain JSON, a few kilobytes."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What was written to one table since the subject's last completed run, by committed transactions.

    `new` holds the rows as they were inserted or updated to, every column by name as the text that PostgreSQL
    writes for it, None for NULL; a column that is missing could not be told (a large value that an update
    left alone). `old` holds what is known of the rows as they were before they were deleted, or before an
    update of what identifies them: the columns of the replica identity, `identity`; how a row was before in
    its other columns is never told, not even whether an update changed them. For a partitioned table it is
    what happened in its partitions.
    """

    new: tuple[Mapping[str, str | None], ...] = ()
    old: tuple[Mapping[str, str | None], ...] = ()
    identity: frozenset[str] = frozenset()


class Peer(Protocol):
    """Another target's side of a run that compares two databases; bounded by that target's own budget."""

    @property
    def catalog(self) -> Catalog:
        """The other target's catalog, read when it is first asked for."""
        ...

    @property
    def last_seconds(self) -> float:
        """How long the server took for what was fetched last."""
        ...

    def fetch(self, query: Query, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Return all rows of a query, in the peer's snapshot; raises TargetError, which ends the run.

        May be called on another thread than the run's own, so that both servers work at once.
        """
        ...

    @property
    def position(self) -> str:
        """What the context's own `position` is of its target; to be asked before anything is fetched."""
        ...

    def renew(self) -> None:
        """Let go of the peer's snapshot, and rest as that target's governor wants."""
        ...


class Context(Protocol):
    """A check's only door to the target: one subject, one budget, and one read-only snapshot at a time.

    Unless the check calls `checkpoint`, all of a run is one snapshot.
    """

    @property
    def target(self) -> str:
        """The name of the target that is examined."""
        ...

    @property
    def catalog(self) -> Catalog:
        """The catalog in which the subject was discovered."""
        ...

    @property
    def sample(self) -> int:
        """How many sample keys a finding may hold at the most."""
        ...

    @property
    def chunk_seconds(self) -> float | None:
        """How long one chunk of a scan should take; None when the whole run is to be one snapshot."""
        ...

    @property
    def last_seconds(self) -> float:
        """How long the server took for what was fetched last."""
        ...

    @property
    def memory(self) -> State:
        """What the last completed run of this subject returned as `Examined.memory`; else empty.

        It is a help, never a proof: the database may have been replaced since.
        """
        ...

    @property
    def position(self) -> str:
        """What stands for where the target was before this run.

        While it is the same as it was to an earlier run, tables that are `Catalog.in_wal` still hold what
        that one read of them. Empty where that is not known or not to be relied on: something was read from
        another server, the last run did not complete, somebody asked that everything be looked at, or it is
        time for that.
        """
        ...

    @property
    def accepted(self) -> State | None:
        """What is accepted as right of this subject, as an earlier run returned it as `Examined.seen`.

        None before any run returned it: what the first one returns is what is accepted until a person
        accepts something else.
        """
        ...

    @property
    def accepted_subjects(self) -> Collection[str]:
        """The subjects of this check of which something is accepted, also those that are no longer there."""
        ...

    @property
    def deployed_seconds(self) -> float | None:
        """How long ago the last deployment to the target was marked; None where none is known."""
        ...

    @property
    def resumed(self) -> State:
        """The state at the last checkpoint of a run of this subject that was broken off; else empty."""
        ...

    def fetch(self, query: Query, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Return all rows of a query, in the run's snapshot.

        Raises a `pgvigil.errors.TargetError`; a check lets it through: the run becomes `error` or `timeout`.
        """
        ...

    def fetch_each(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Return the rows of each query, sent together: one round trip for many small ones."""
        ...

    def fetch_split(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Return the rows of each query, run side by side in the same snapshot.

        In as many sessions as the target's budget has to spare at that moment, which may be one.
        """
        ...

    def pause(self) -> None:
        """Offer the governor a moment to hold the run, between two queries of one snapshot."""
        ...

    def checkpoint(self, state: State | None = None, done: float = 0.0) -> None:
        """End the snapshot between two chunks of a scan, and rest; what follows sees a new one.

        `state` is all that is needed to go on from here: a run that is broken off finds it again as
        `resumed`, also after a restart. `done` is the share of the work that is behind, from 0 to 1.
        """
        ...

    def touched(self, table: Table) -> Touched | None:
        """Return what was written to a table since the last completed run of this subject.

        None when that is not known for certain: then everything has to be looked at. When it is known, every
        transaction that is in it is visible to the run's snapshot, and the table is the same table as then,
        with the same columns and partitions. To be asked before any row of the table is read: the next
        run's answer begins with what this snapshot does not see.
        """
        ...

    def peer(self, target: str) -> Peer:
        """Return the other target of that name; raises TargetError when there is none."""
        ...
