"""What a person asked for: it counts for the next tick of a check, and for no other one."""

from __future__ import annotations

import threading


class Asked:
    """The checks whose next tick was asked for; safe for several threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._checks: set[str] = set()

    def ask(self, check: str) -> None:
        """Note that somebody asks for a check."""
        with self._guard:
            self._checks.add(check)

    def take(self, check: str) -> bool:
        """Tell, once, whether somebody asked for a check."""
        with self._guard:
            asked = check in self._checks
            self._checks.discard(check)
            return asked
