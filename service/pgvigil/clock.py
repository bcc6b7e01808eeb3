"""Time, as something that is passed in: the spine can be driven by a clock of the test's own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

# Linux' monotonic clock stands still while the machine is suspended; its boot clock goes on.
_STEADY: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Return the wall clock's time, aware, in UTC; it may jump."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only grow, for durations and deadlines."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the time of day in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the seconds since the machine booted, those that it slept included where that is known."""
        return time.clock_gettime(_STEADY)
