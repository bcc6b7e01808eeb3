"""The door to what is accepted as right of subjects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection

from pgvigil.check import State
from pgvigil.incident import Mark, accepted
from pgvigil.store import accepting
from pgvigil.store.accepting import Acceptance
from pgvigil.store.database import Database
from pgvigil.store.recording import live_incidents, save
from pgvigil.store.view import Delta, SubjectKey

Commit: TypeAlias = Callable[[Callable[[Connection], tuple[Acceptance, Delta]]], Acceptance]


class Acceptances:
    """Lists and changes what is accepted; `commit` carries out a person's word.

    Every method raises StoreError, as those of the store do.
    """

    def __init__(self, database: Database, commit: Commit) -> None:
        self._database = database
        self._commit = commit

    def accepted(self, target: str, check: str) -> dict[str, State]:
        """Return what is accepted of a check, by subject."""
        with self._database.reading() as connection:
            return accepting.accepted_states(connection, target, check)

    def all(self, target: str | None = None, check: str | None = None) -> list[Acceptance]:
        """Return of what something is accepted, by target, check and subject."""
        with self._database.reading() as connection:
            return accepting.list_acceptances(connection, target, check)

    def find(self, key: SubjectKey) -> Acceptance | None:
        """Return what is accepted of a subject, None where nothing can be."""
        with self._database.reading() as connection:
            return accepting.find(connection, key)

    def accept(self, key: SubjectKey, *, who: str, at: datetime, seen: str | None = None) -> Acceptance:
        """Accept what the last completed run saw; the incidents that it closes say so in their history.

        Raises UsageError when that is accepted already, or is no longer what `seen` stands for.
        """

        def work(connection: Connection) -> tuple[Acceptance, Delta]:
            acceptance = accepting.accept(connection, key, who, at, seen)
            known = live_incidents(connection, *key[:2], [key[2]])
            save(connection, accepted(known, Mark(who, at)), known)
            return acceptance, Delta()

        return self._commit(work)
