"""What was written to a target, told by a logical replication slot that is read by SQL functions."""

from pgvigil.changes.changes import Changes
from pgvigil.changes.note import MEMORY, Asking, Note
from pgvigil.changes.slot import Slot, slot_name
from pgvigil.changes.state import Namesake, SlotState

__all__ = ["MEMORY", "Asking", "Changes", "Namesake", "Note", "Slot", "SlotState", "slot_name"]
