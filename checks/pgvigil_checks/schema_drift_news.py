"""Which changes of a schema a deployment announced, as far as the runs before this one know."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from pgvigil.check import JsonValue, State

# The memory of a run is a few kilobytes.
_MOST_REMEMBERED = 500

# A pipeline may mark what it has deployed when it is done with it.
_LATE_RUNS = 2

_ANNOUNCED = 0


class News:
    """Tells what was announced, and remembers it: what is announced once stays so for as long as it is seen.

    `memory` of the run before holds each change with the number of runs in a row that saw it unannounced.
    `deployed_seconds` is how long ago the last deployment was marked; it announces what is first seen
    within `window` seconds after it, and what the two runs before it saw.
    """

    def __init__(self, memory: State, deployed_seconds: float | None, window: float) -> None:
        self._before = {key: runs for key, runs in memory.items() if isinstance(runs, int)}
        self._deployed = deployed_seconds is not None and deployed_seconds <= window
        self.memory: dict[str, JsonValue] = {}
        """What the next run is to know."""

    def announced(self, changes: Iterable[object]) -> bool:
        """Tell whether all of the changes were announced, by their texts."""
        told = [self._announced(str(change)) for change in changes]
        return all(told)

    def _announced(self, change: str) -> bool:
        key = sha256(change.encode()).hexdigest()[:16]
        runs = self._before.get(key, 1)
        if key in self._before and runs != _ANNOUNCED:
            runs += 1
        if self._deployed and runs <= _LATE_RUNS + 1:
            runs = _ANNOUNCED
        if len(self.memory) < _MOST_REMEMBERED:
            self.memory[key] = runs
        return runs == _ANNOUNCED
