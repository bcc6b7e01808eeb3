"""The governor: may a run go now, and how long must pgvigil rest after it, to be a good guest."""

from __future__ import annotations

import threading

_LONGEST_REST = 60.0


class Governor:
    """Keeps one target's duty cycle: the share of the time in which a worker may keep the server busy.

    A worker that was busy for `t` seconds rests for `t * (1 / duty_cycle - 1)`: what it took, it gives
    back. One minute is the most, so that a single run that hung for long does not silence a check for hours.
    """

    def __init__(self, duty_cycle: float = 1.0) -> None:
        self._rest_per_second = 1.0 / duty_cycle - 1.0
        self._stopping = threading.Event()

    @property
    def stopping(self) -> bool:
        """Whether no further run may begin."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Let no further run begin, and end every rest."""
        self._stopping.set()

    def rest(self, busy: float) -> None:
        """Rest after `busy` seconds of work; returns early when stopped."""
        pause = min(busy * self._rest_per_second, _LONGEST_REST)
        if pause > 0:
            self._stopping.wait(pause)
