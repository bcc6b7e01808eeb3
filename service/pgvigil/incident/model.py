"""What an incident is: its states, its marks, its history, and what a step changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pgvigil.check import Finding, Severity, fingerprint


class State(StrEnum):
    """Where an incident is in its life."""

    SUSPECT = "suspect"
    OPEN = "open"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """Why an incident is resolved.

    `healed`: a completed run no longer saw the fault. `vanished`: its subject is gone from the catalog, which
    says nothing about the fault. `unconfirmed`: a suspect that was gone before it could open.
    """

    HEALED = "healed"
    VANISHED = "vanished"
    UNCONFIRMED = "unconfirmed"


class EventKind(StrEnum):
    """What happened to an incident."""

    SUSPECTED = "suspected"
    OPENED = "opened"
    RECONFIRMED = "reconfirmed"
    ESCALATED = "escalated"
    EASED = "eased"
    COULD_NOT_EXAMINE = "could_not_examine"
    SUSPECT_DROPPED = "suspect_dropped"
    RESOLVED = "resolved"
    VANISHED = "vanished"
    ACKNOWLEDGED = "acknowledged"
    MUTED = "muted"
    UNMUTED = "unmuted"
    ACCEPTED = "accepted"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class Mark:
    """A person's word on an incident: who, when, until when (None: until it resolves) and why."""

    who: str
    at: datetime
    until: datetime | None = None
    why: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether the mark still counts."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an incident's history. `who` is the person who caused it, if one did."""

    incident: str
    kind: EventKind
    at: datetime
    text: str
    who: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One fault of one subject, from its first sighting to its resolution.

    `finding` is the last sighting. `sightings` counts the runs that saw the fault, `consecutive` those in a
    row: runs that did not complete are left out of the row, they neither break nor lengthen it.
    `unexamined_since` and `unexamined_reason` are set while the last runs did not complete. `first_seen` is
    never after `last_seen`, nor `resolved_at` before it, even when the clock was set back in between.
    """

    id: str
    target: str
    check: str
    subject: str
    finding: Finding
    state: State
    first_seen: datetime
    last_seen: datetime
    worst_count: int
    sightings: int = 1
    consecutive: int = 1
    opened_at: datetime | None = None
    resolved_at: datetime | None = None
    resolution: Resolution | None = None
    unexamined_since: datetime | None = None
    unexamined_reason: str | None = None
    acknowledged: Mark | None = None
    muted: Mark | None = None

    @property
    def fingerprint(self) -> str:
        """The name of the fault, the same over runs, restarts and recurrences."""
        return fingerprint(self.check, self.subject, self.finding.code)

    @property
    def severity(self) -> Severity:
        """How bad the fault was at its last sighting."""
        return self.finding.severity

    @property
    def count(self) -> int:
        """How many rows or objects were at fault at the last sighting."""
        return self.finding.count

    @property
    def live(self) -> bool:
        """Whether the incident still goes on."""
        return self.state is not State.RESOLVED


@dataclass(frozen=True, slots=True)
class Transition:
    """What a step changed: the incidents that are new or different now, and why, in order."""

    incidents: tuple[Incident, ...] = ()
    events: tuple[Event, ...] = ()
