"""The state store: what pgvigil knows, over restarts.

`Store` is the only door. Whoever only looks (metrics, console, API) gets frozen records.
"""

from pgvigil.store.accepting import Acceptance
from pgvigil.store.delivering import Delivery, Labels
from pgvigil.store.discovering import Synced
from pgvigil.store.noting import Note
from pgvigil.store.reading import Filter, History, StoredRun
from pgvigil.store.recording import Recorded
from pgvigil.store.retention import Pruned, Retention
from pgvigil.store.status import (
    CheckStatus,
    Coverage,
    CoverageState,
    Deployment,
    SubjectStatus,
    TargetStatus,
)
from pgvigil.store.store import Store
from pgvigil.store.view import LiveIncident, View

__all__ = [
    "Acceptance",
    "CheckStatus",
    "Coverage",
    "CoverageState",
    "Delivery",
    "Deployment",
    "Filter",
    "History",
    "Labels",
    "LiveIncident",
    "Note",
    "Pruned",
    "Recorded",
    "Retention",
    "Store",
    "StoredRun",
    "SubjectStatus",
    "Synced",
    "TargetStatus",
    "View",
]
