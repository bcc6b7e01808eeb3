"""Which changes of a schema a deployment announced, as far as the runs before this one know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256

from pgvigil.check import JsonValue, State

# Of the lost and of the changed: all of them together are some ten kilobytes of the memory of a run.
_MOST_REMEMBERED = 3000
_KEY = 8

# A pipeline may mark what it has deployed when it is done with it.
_LATE_RUNS = 2

_ANNOUNCED = 0
_TOO_LATE = _LATE_RUNS + 2


class News:
    """Tells what was announced, and remembers it: what is announced once stays so for as long as it is seen.

    `memory` of the run before holds the changes by the number of runs in a row that saw them unannounced.
    `deployed_seconds` is how long ago the last deployment was marked; it announces what is first seen
    within `window` seconds after it, and what the two runs before it saw. Of more changes than a memory
    takes it is all or none: one more, or one less, makes them new.
    """

    def __init__(self, memory: State, deployed_seconds: float | None, window: float) -> None:
        self._before = {
            keys[at : at + _KEY]: int(runs)
            for runs, keys in memory.items()
            if isinstance(keys, str) and runs.isdigit()
            for at in range(0, len(keys), _KEY)
        }
        self._deployed = deployed_seconds is not None and deployed_seconds <= window
        self._now: dict[str, int] = {}

    @property
    def memory(self) -> dict[str, JsonValue]:
        """What the next run is to know."""
        by_runs: defaultdict[int, list[str]] = defaultdict(list)
        for key, runs in self._now.items():
            by_runs[runs].append(key)
        return {str(runs): "".join(sorted(keys)) for runs, keys in by_runs.items()}

    def announced(self, changes: Iterable[object]) -> bool:
        """Tell whether all of the changes were announced, by their texts."""
        texts = sorted({str(change) for change in changes})
        if len(texts) > _MOST_REMEMBERED:
            texts = ["\n".join(texts)]
        told = [self._announced(text) for text in texts]
        return all(told)

    def _announced(self, change: str) -> bool:
        key = sha256(change.encode()).hexdigest()[:_KEY]
        runs = self._before.get(key, 1)
        if key in self._before and runs != _ANNOUNCED:
            runs = min(runs + 1, _TOO_LATE)
        if self._deployed and runs <= _LATE_RUNS + 1:
            runs = _ANNOUNCED
        self._now[key] = runs
        return runs == _ANNOUNCED
