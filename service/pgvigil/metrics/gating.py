"""By what a target's results stand without a new look, and how old the oldest whole look is."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily

from pgvigil.changes import Note as Changed
from pgvigil.check import State
from pgvigil.pressure import Pauses
from pgvigil.run import Run
from pgvigil.store import Note
from pgvigil.usage import StandbyUsage

Changes = Literal["none", "position", "logical"]
CHANGES: tuple[Changes, ...] = ("none", "position", "logical")
"""How it may be known that nothing was written, the poorest first."""

CheckKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class GateState:
    """What spares runs on a target: as configured, and as it is.

    `in_force` is None before the first tick; `why` says in one line why it is less than configured, empty
    where it is not. `full_every` is after how many seconds everything is looked at again, None for every
    tick. `retained` and `retention` are the bytes of WAL that the slot kept when last seen, and may keep;
    None without a slot.
    """

    configured: Changes
    in_force: Changes | None
    why: str = ""
    full_every: float | None = None
    retained: int | None = None
    retention: int | None = None

    @property
    def as_configured(self) -> bool:
        """Whether nothing is amiss, as far as is known."""
        return self.in_force is None or CHANGES.index(self.in_force) >= CHANGES.index(self.configured)


@dataclass(frozen=True, slots=True)
class Guest:
    """How pgvigil behaves on a target at the moment: what spares runs, what it makes way for.

    `oldest_look` is when the subject was examined as a whole that was so the longest ago (Unix time).
    """

    gate: GateState
    pauses: Pauses
    oldest_look: float | None
    standby: StandbyUsage | None = None
    """How its standby is read; None where none is configured."""

    @property
    def pausing(self) -> list[str]:
        """The limits of `budget.pause` that hold pgvigil now."""
        return [str(signal) for signal, held in self.pauses.paused.items() if held]

    @property
    def blind(self) -> list[str]:
        """The limits that hold nothing, as the role cannot see what they are about."""
        return [str(signal) for signal, seen in self.pauses.visible.items() if not seen]


class Looks:
    """When each subject was last looked at as a whole, not only at what was written. Safe for threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._at: dict[CheckKey, dict[str, float]] = {}

    def known(self, key: CheckKey, subjects: Collection[str], notes: Mapping[str, Note]) -> None:
        """Take what was noted of the subjects that a check has now, and forget all others of it."""
        noted = ((name, notes[name]) for name in subjects if name in notes)
        looked = _looked_at((name, note.memory, note.examined_at) for name, note in noted)
        with self._guard:
            self._at[key] = looked

    def observe(self, key: CheckKey, runs: Iterable[Run]) -> None:
        """Hear of runs of a check that ended."""
        completed = (run for run in runs if run.outcome.completed)
        looked = _looked_at((run.subject, run.memory, run.started_at) for run in completed)
        with self._guard:
            self._at.setdefault(key, {}).update(looked)

    def forget(self, key: CheckKey) -> None:
        """Forget a check."""
        with self._guard:
            self._at.pop(key, None)

    def oldest(self) -> dict[CheckKey, float]:
        """Return when the subject was looked at whose look is the oldest, by check (Unix time)."""
        with self._guard:
            return {key: min(each.values()) for key, each in self._at.items() if each}


def gating(states: Mapping[str, GateState], looks: Looks) -> Iterator[Metric]:
    """Yield the metrics."""
    in_force = GaugeMetricFamily(
        "pgvigil_changes_in_force",
        "1 for how it is known that nothing was written: position, logical, or none.",
        labels=["target", "changes"],
    )
    as_configured = GaugeMetricFamily(
        "pgvigil_changes_as_configured",
        "1 when that is what is configured, 0 when it is less.",
        labels=["target", "configured"],
    )
    full_every = GaugeMetricFamily(
        "pgvigil_full_every_seconds",
        "The longest that a result stands without a new look.",
        labels=["target"],
    )
    retained = GaugeMetricFamily(
        "pgvigil_slot_retained_bytes", "WAL that the target's slot kept when last seen.", labels=["target"]
    )
    retention = GaugeMetricFamily(
        "pgvigil_slot_retention_bytes", "WAL above which pgvigil drops the target's slot.", labels=["target"]
    )
    for target, state in states.items():
        if state.in_force is not None:
            for changes in CHANGES:
                in_force.add_metric([target, changes], changes == state.in_force)
            as_configured.add_metric([target, state.configured], state.as_configured)
        if state.full_every is not None:
            full_every.add_metric([target], state.full_every)
        if state.retained is not None and state.retention is not None:
            retained.add_metric([target], state.retained)
            retention.add_metric([target], state.retention)
    yield from (in_force, as_configured, full_every, retained, retention)
    oldest = GaugeMetricFamily(
        "pgvigil_oldest_full_look_timestamp_seconds",
        "When the subject was examined as a whole that was so the longest ago.",
        labels=["target", "check"],
    )
    for key, at in looks.oldest().items():
        oldest.add_metric(key, at)
    yield oldest


def _looked_at(examined: Iterable[tuple[str, State, datetime | None]]) -> dict[str, float]:
    """Return when subjects were last looked at as a whole, by their memories and when they were examined."""
    at: dict[str, float] = {}
    for subject, memory, examined_at in examined:
        changed = Changed.read(memory) if memory else None
        if changed is not None:
            at[subject] = changed.full_at
        elif examined_at is not None:
            at[subject] = examined_at.timestamp()
    return at
