"""Incidents: the life of a finding over runs."""

from pgvigil.incident.model import Event, EventKind, Incident, Mark, Resolution, State, Transition
from pgvigil.incident.step import accepted, acknowledge, mute, step, unmute, vanished

__all__ = [
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
    "step",
    "unmute",
    "vanished",
]
