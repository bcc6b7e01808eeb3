"""The door to what Alertmanagers were told of incidents."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection

from pgvigil.incident import Incident
from pgvigil.store import delivering
from pgvigil.store.database import Database
from pgvigil.store.delivering import Delivery, Labels
from pgvigil.store.view import Delta

Commit: TypeAlias = Callable[[Callable[[Connection], tuple[None, Delta]]], None]


class Outbox:
    """What each Alertmanager may hold as firing; `commit` carries out what is written, as the leader.

    Every method raises StoreError, as those of the store do.
    """

    def __init__(self, database: Database, commit: Commit) -> None:
        self._database = database
        self._commit = commit

    def delivered(self, alertmanager: str) -> list[str]:
        """Return the ids of the incidents that an Alertmanager may hold as firing."""
        with self._database.reading() as connection:
            return delivering.delivered(connection, alertmanager)

    def deliveries(self, alertmanager: str, incident_ids: Collection[str]) -> list[Delivery]:
        """Return incidents, those that exist, with what an Alertmanager may hold of them."""
        with self._database.reading() as connection:
            return delivering.deliveries(connection, alertmanager, incident_ids)

    def recurrences(self, alertmanager: str, incidents: Collection[Incident]) -> list[Delivery]:
        """Return the open incidents of the same faults as these, which are over."""
        with self._database.reading() as connection:
            return delivering.recurrences(connection, alertmanager, incidents)

    def deliver(self, alertmanager: str, labels: Mapping[str, Sequence[Labels]], at: datetime) -> None:
        """Commit under which labels an Alertmanager may hold incidents, by their ids, as firing."""
        self._commit(lambda connection: (None, delivering.write(connection, alertmanager, labels, at)))

    def keep(self, configured: Collection[str]) -> None:
        """Forget what all other Alertmanagers were told."""
        self._commit(lambda connection: (None, delivering.keep(connection, configured)))
