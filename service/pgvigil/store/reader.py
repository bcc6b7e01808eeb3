"""The side of the store that only looks."""

from __future__ import annotations

from datetime import datetime

from pgvigil.incident import Incident
from pgvigil.store import noting, reading
from pgvigil.store.database import Database
from pgvigil.store.noting import Note
from pgvigil.store.reading import ALL, Filter, History, StoredRun
from pgvigil.store.status import CheckStatus, Coverage, Deployment, SubjectStatus, TargetStatus


class Reader:
    """Lists what is committed, a page at a time; every method raises StoreError when it cannot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def targets(self) -> list[TargetStatus]:
        """Return all targets by name."""
        with self._database.reading() as connection:
            return reading.list_targets(connection)

    def checks(self) -> list[CheckStatus]:
        """Return all checks by target and name."""
        with self._database.reading() as connection:
            return reading.list_checks(connection)

    def coverage(self, target: str | None = None) -> list[Coverage]:
        """Return the coverage of every check, also of those without subjects."""
        with self._database.reading() as connection:
            return reading.coverage(connection, target)

    def subjects(self, where: Filter = ALL, *, worst_first: bool = False) -> list[SubjectStatus]:
        """Return subjects by target, check and name, or first by their state; `states` are CoverageState."""
        with self._database.reading() as connection:
            return reading.list_subjects(connection, where, worst_first=worst_first)

    def incidents(self, where: Filter = ALL) -> list[Incident]:
        """Return incidents, the most urgent first; `states` are State."""
        with self._database.reading() as connection:
            return reading.list_incidents(connection, where)

    def incident(self, incident_id: str) -> History | None:
        """Return an incident with its events, None when there is none of that id."""
        with self._database.reading() as connection:
            return reading.history(connection, incident_id)

    def runs(self, where: Filter = ALL) -> list[StoredRun]:
        """Return runs, the last recorded first; `states` are Outcome."""
        with self._database.reading() as connection:
            return reading.list_runs(connection, where)

    def deployments(self, where: Filter = ALL) -> list[Deployment]:
        """Return deployments, the newest first; only the target narrows."""
        with self._database.reading() as connection:
            return reading.list_deployments(connection, where)

    def notes(self, target: str, check: str) -> dict[str, Note]:
        """Return what the runs of a check left behind, by subject."""
        with self._database.reading() as connection:
            return noting.notes(connection, target, check)

    def last_swept(self, target: str, check: str) -> datetime | None:
        """Return when the last sweep of a check began that came to its end, None when none did."""
        with self._database.reading() as connection:
            return reading.last_swept(connection, target, check)
