"""The runs under way: which they are, since when, and how far each has come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from pgvigil.clock import Clock


@dataclass(frozen=True, slots=True)
class Underway:
    """A run that goes on, or those of a batch: the first of its `subjects` is named.

    `done` is the share of its work that is behind, None where nobody knows.
    """

    target: str
    check: str
    subject: str
    started_at: datetime
    seconds: float
    done: float | None
    subjects: int = 1


class Board:
    """Shows the runs of one target while they go on, in memory alone; safe for several threads."""

    def __init__(self, target: str, clock: Clock) -> None:
        self._target = target
        self._clock = clock
        self._entries: set[_Entry] = set()
        self._guard = threading.Lock()

    @contextmanager
    def showing(self, check: str, subject: str, subjects: int = 1) -> Iterator[Callable[[float], None]]:
        """Show a run for the time of the block, which is given what it tells its share of the work to."""
        entry = _Entry(check, subject, subjects, self._clock.now(), self._clock.monotonic())
        with self._guard:
            self._entries.add(entry)
        try:
            yield entry.advance
        finally:
            with self._guard:
                self._entries.discard(entry)

    def runs(self) -> tuple[Underway, ...]:
        """Return what goes on at this moment, the oldest first."""
        now = self._clock.monotonic()
        with self._guard:
            entries = sorted(self._entries, key=lambda entry: entry.began)
        return tuple(
            Underway(
                self._target, one.check, one.subject, one.started_at, now - one.began, one.done, one.subjects
            )
            for one in entries
        )


class _Entry:
    """One run on the board."""

    def __init__(self, check: str, subject: str, subjects: int, started_at: datetime, began: float) -> None:
        self.check = check
        self.subject = subject
        self.subjects = subjects
        self.started_at = started_at
        self.began = began
        self.done: float | None = None

    def advance(self, done: float) -> None:
        """Note the share of the work; what a plugin says is kept between 0 and 1."""
        self.done = min(max(done, 0.0), 1.0)
