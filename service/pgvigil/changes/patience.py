"""Bounds how long a run's snapshot, which VACUUM has to mind, is held for what is still to be read."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Patience:
    """Lets a thread of its own read, and waits for it so long at the most. Safe for several threads."""

    def __init__(self) -> None:
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="changes")
        self._behind = False

    def done(self, read: Callable[[], None], seconds: float) -> bool:
        """Tell whether something was read in time. It is read on else, for those that come later.

        Until it is, or somebody has caught up, nobody else waits. Raises what `read` raises.
        """
        if self._behind:
            return False
        reading = self._reader.submit(self._read, read)
        try:
            reading.result(seconds)
        except TimeoutError:
            self._behind = True
            reading.cancel()
            return False
        return True

    def caught_up(self) -> None:
        """Hear that there is nothing to wait for."""
        self._behind = False

    def _read(self, read: Callable[[], None]) -> None:
        read()
        self._behind = False
