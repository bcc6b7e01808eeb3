"""The pulse of a run: by what it is known to get on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Pulse:
    """Tells that a run gets on: its time begins anew with every beat, and stands still while it rests.

    Safe for several threads: those of a run that reads two targets rest on their own.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._last = time.monotonic()
        self._resting = 0
        self._patience = 0.0

    def beat(self) -> None:
        """Let the time begin anew."""
        self._last = time.monotonic()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Let the time of the block not count: what it waits for ends by itself. Its end is a beat."""
        with self._guard:
            self._resting += 1
        try:
            yield
        finally:
            with self._guard:
                self._resting -= 1
                self.beat()

    def allow(self, seconds: float) -> None:
        """Let the run take as long from beat to beat, if that is longer than it may by itself."""
        self._patience = max(self._patience, seconds)

    def patience(self, timeout: float) -> float:
        """Return how long the run may take from beat to beat, with a timeout of its own."""
        return max(timeout, self._patience)

    def left(self, timeout: float) -> float:
        """Return how many seconds are left of that, all of them while the run rests."""
        patience = self.patience(timeout)
        return patience if self._resting else self._last + patience - time.monotonic()
