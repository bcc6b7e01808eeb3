"""A token bucket: so many at once, and one more each interval."""

from __future__ import annotations

import time
from collections.abc import Callable


class Bucket:
    """Holds `burst` tokens and fills by one each `interval` seconds. Not for several threads."""

    def __init__(self, interval: float, burst: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._interval = interval
        self._burst = burst
        self._monotonic = monotonic
        self._tokens = float(burst)
        self._at = monotonic()

    def take(self) -> bool:
        """Take a token; False when there is none."""
        now = self._monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) / self._interval)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
