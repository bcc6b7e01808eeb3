"""What may be taken from a target, and what was taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgvigil.pressure import Pauses
from pgvigil.underway import Underway


@dataclass(frozen=True, slots=True)
class StandbyUsage:
    """How a target's standby is read: `lag_seconds` was waited for it last, `reads` counts runs by server.

    `usable` and `lag_seconds` are None until it was first asked. `why` is why it could not be read last time,
    empty when it could. With `fallback` the primary is read then, else nothing. `unread_seconds` is for how
    long it had been tried in vain when it was tried last; None before the first try.
    """

    usable: bool | None
    lag_seconds: float | None
    reads: Mapping[str, int]
    why: str = ""
    fallback: bool = True
    unread_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What pgvigil may take from a target, and what it took since it began to watch it.

    `connections` and `duty_cycle` are the budget's. `busy_seconds` adds up over all sessions. `pauses` are
    those in which it made way for others, `underway` the runs that go on, `slots_dropped` counts how often
    its slot kept too much or was lost. `standby` is None where none is to be read.
    """

    connections: int
    duty_cycle: float
    busy_seconds: float
    recovery_conflicts: int
    pauses: Pauses = field(default_factory=Pauses)
    underway: tuple[Underway, ...] = ()
    slots_dropped: int = 0
    standby: StandbyUsage | None = None
