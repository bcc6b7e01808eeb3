"""Where an incident stands with people at a moment: the word that metrics and console show for it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pgvigil.incident import Mark, State


class Standing(StrEnum):
    """What people have to do with an incident, the most urgent first.

    A suspect stays one whatever was said of it: it notifies nobody until it opens. `open` is what nobody has
    acknowledged or muted.
    """

    OPEN = "open"
    SUSPECT = "suspect"
    ACKNOWLEDGED = "acknowledged"
    MUTED = "muted"
    RESOLVED = "resolved"


class Marked(Protocol):
    """What an incident is judged by."""

    @property
    def state(self) -> State:
        """Where it is in its life."""
        ...

    @property
    def acknowledged(self) -> Mark | None:
        """Who takes care of it."""
        ...

    @property
    def muted(self) -> Mark | None:
        """Who silenced it."""
        ...


def standing(incident: Marked, now: datetime) -> Standing:
    """Return where an incident stands; a mark whose time is over no longer counts."""
    if incident.state is not State.OPEN:
        return Standing(incident.state.value)
    if incident.muted is not None and incident.muted.holds(now):
        return Standing.MUTED
    if incident.acknowledged is not None and incident.acknowledged.holds(now):
        return Standing.ACKNOWLEDGED
    return Standing.OPEN
