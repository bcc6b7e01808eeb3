"""The door to what is proposed to people."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection

from pgvigil.proposal import Offer, Proposal, ProposalState
from pgvigil.store import proposing
from pgvigil.store.database import Database
from pgvigil.store.proposing import Called, Proposed
from pgvigil.store.view import Delta

T = TypeVar("T")

Commit: TypeAlias = Callable[[Callable[[Connection], tuple[Any, Delta]]], Any]


class Proposals:
    """Lists proposals, and takes offers and decisions; `commit` carries out what is written.

    Every method raises StoreError, as those of the store do.
    """

    def __init__(self, database: Database, commit: Commit) -> None:
        self._database = database
        self._commit = commit
        self._failures: dict[str, str] = {}

    def looked(self, target: str, *, failure: str | None = None) -> None:
        """Note that proposals were looked for, and why that failed; it is not kept beyond this process."""
        if failure is None:
            self._failures.pop(target, None)
        else:
            self._failures[target] = failure

    def failures(self) -> dict[str, str]:
        """Return why the last look for proposals failed, by target, where it did."""
        return dict(self._failures)

    def all(self, target: str | None = None, states: Collection[str] | None = None) -> list[Proposal]:
        """Return proposals by target and kind, the most probable first; `states` are ProposalState."""
        with self._database.reading() as connection:
            return proposing.list_proposals(connection, target, states)

    def find(self, proposal: str) -> Proposal | None:
        """Return a proposal, None when there is none of this id."""
        with self._database.reading() as connection:
            return proposing.find(connection, proposal)

    def adopted(self) -> dict[str, tuple[Proposal, ...]]:
        """Return what is adopted, by target, in the order in which it was."""
        found: dict[str, tuple[Proposal, ...]] = {}
        with self._database.reading() as connection:
            for one in proposing.adopted(connection):
                found[one.target] = (*found.get(one.target, ()), one)
        return found

    def propose(
        self,
        target: str,
        offers: Iterable[Offer],
        *,
        source: str,
        at: datetime,
        known: Collection[str] | None = None,
    ) -> Proposed:
        """Propose what is not decided yet.

        `known` are the subjects that are declared or configured anyway: proposals of the same are superseded,
        and what the source proposed before and does no longer is taken back. With None the offers are added.
        """
        offers = list(offers)
        done: Proposed = self._commit(
            lambda connection: (proposing.propose(connection, target, offers, source, at, known), Delta())
        )
        return done

    def follow(self, target: str, called: Called) -> list[str]:
        """Give what was rejected on a target the names that it has now; return the new ones."""
        done: list[str] = self._commit(
            lambda connection: (proposing.follow(connection, target, called), Delta())
        )
        return done

    def adopt(self, proposal: str, *, who: str, at: datetime, why: str = "") -> Proposal:
        """Let a proposal be examined as if it were configured; raises UsageError."""
        return self._decide(proposal, ProposalState.ADOPTED, who, at, why)

    def reject(self, proposal: str, *, who: str, at: datetime, why: str = "") -> Proposal:
        """Never propose it again, and end its examination; raises UsageError."""
        return self._decide(proposal, ProposalState.REJECTED, who, at, why)

    def _decide(self, proposal: str, decision: ProposalState, who: str, at: datetime, why: str) -> Proposal:
        decided: Proposal = self._commit(
            lambda connection: (proposing.decide(connection, proposal, decision, who, at, why), Delta())
        )
        return decided
