"""Incidents: the life of a finding over runs."""

from pgvigil.incident.model import Event, EventKind, Incident, Mark, Resolution, State, Transition
from pgvigil.incident.step import GONE, accepted, acknowledge, mute, renamed, step, unmute, vanished

__all__ = [
    "GONE",
    "Event",
    "EventKind",
    "Incident",
    "Mark",
    "Resolution",
    "State",
    "Transition",
    "accepted",
    "acknowledge",
    "mute",
    "renamed",
    "step",
    "unmute",
    "vanished",
]
