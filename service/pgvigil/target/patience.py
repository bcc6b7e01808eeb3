"""Bounds in time for what nothing else ends, such as waiting for an answer over a network that is gone.

There is one before every query, and hardly one is ever reached: so asking for it costs next to nothing, and
what is asked for is looked after by one thread for all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_LOOK_SECONDS = 0.1
# With nothing to look after the thread ends; not at once, as the next query is mostly near.
_IDLE_LOOKS = 50


class Patience:
    """Calls what was not done in time, a tenth of a second late at the worst. Safe for several threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._bounds: dict[object, tuple[float, Callable[[], None]]] = {}
        self._looking = False

    @contextmanager
    def bound(self, seconds: float, expire: Callable[[], None]) -> Iterator[None]:
        """Call `expire` when the block takes longer, and never after it; it must not wait."""
        bound = object()
        try:
            with self._guard:
                self._bounds[bound] = (time.monotonic() + seconds, expire)
                if not self._looking:
                    threading.Thread(target=self._look, name="patience", daemon=True).start()
                    self._looking = True
            yield
        finally:
            with self._guard:
                self._bounds.pop(bound, None)

    def _look(self) -> None:
        idle = 0
        while True:
            time.sleep(_LOOK_SECONDS)
            with self._guard:
                idle = 0 if self._bounds else idle + 1
                if idle > _IDLE_LOOKS:
                    self._looking = False
                    return
                now = time.monotonic()
                # Within the guard: at its end a block has expired or has not, it never does so halfway.
                for bound, (deadline, expire) in list(self._bounds.items()):
                    if deadline <= now:
                        del self._bounds[bound]
                        # One that fails must not cost the others theirs.
                        with suppress(Exception):
                            expire()
