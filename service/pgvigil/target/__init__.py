"""A target: one watched database, reached through safe sessions only."""

from pgvigil.target.connecting import Limits
from pgvigil.target.session import Snapshot
from pgvigil.target.standby import Mark, Reading, Standby
from pgvigil.target.target import Target
from pgvigil.target.wal import last_record_end

__all__ = ["Limits", "Mark", "Reading", "Snapshot", "Standby", "Target", "last_record_end"]
