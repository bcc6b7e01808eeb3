"""The gate: whether sweeps of a target may go on at this time of day."""

from __future__ import annotations

from collections.abc import Callable

from pgvigil.asked import Asked
from pgvigil.clock import Clock, SystemClock
from pgvigil.window import Window


class Gate:
    """Open within the target's daily window, and to whatever somebody asked for; without one always.

    A sweep that finds it closed is broken off, to go on in the next window.
    """

    def __init__(self, window: Window | None = None, clock: Clock | None = None) -> None:
        self._window = window
        self._clock = clock or SystemClock()
        self._asked = Asked()

    def ask(self, check: str) -> None:
        """Let the next tick of a check to begin pass at any time: a person asks for it."""
        self._asked.ask(check)

    def for_tick(self, check: str) -> Callable[[], bool]:
        """Return what tells whether a tick that begins now may go on."""
        asked = self._asked.take(check)
        return lambda: asked or self._is_open()

    def _is_open(self) -> bool:
        return self._window is None or self._window.holds(self._clock.now())
