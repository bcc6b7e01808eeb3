"""The door to the target: what a check can do while it runs, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pgvigil.catalog import Catalog
from pgvigil.check.model import Query, Row


class Context(Protocol):
    """A check's only door to the target: one subject, one budget, and one read-only snapshot at a time.

    Unless the check calls `checkpoint`, all of a run is one snapshot.
    """

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

    def fetch(self, query: Query, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Return all rows of a query, in the run's snapshot.

        Raises a `pgvigil.errors.TargetError`; a check lets it through: the run becomes `error` or `timeout`.
        """
        ...

    def pause(self) -> None:
        """Offer the governor a moment to hold the run, between two queries of one snapshot."""
        ...

    def checkpoint(self) -> None:
        """End the snapshot between two chunks of a scan, and rest; what follows sees a new one.

        Does no more than `pause` where `chunk_seconds` is None.
        """
        ...
