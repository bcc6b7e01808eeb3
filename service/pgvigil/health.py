"""Health: since when something does not work without which nothing that pgvigil shows is certain."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class Duty(StrEnum):
    """What has to work, in the words for when it does not; the most serious first."""

    RECORD = "results are not being recorded"
    SURVEY = "targets and subjects are not being recorded"
    KEEP_HOUSE = "the state store is not being looked after"


@dataclass(frozen=True, slots=True)
class _Trouble:
    since: datetime
    reason: str


class Health:
    """Remembers, in memory alone, which duties fail; safe for several threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._troubles: dict[Duty, _Trouble] = {}

    def failed(self, duty: Duty, at: datetime, reason: str) -> bool:
        """Note that a duty failed, with the last reason; tells whether it had worked before."""
        with self._guard:
            before = self._troubles.get(duty)
            self._troubles[duty] = _Trouble(before.since if before else at, reason)
            return before is None

    def works(self, duty: Duty) -> bool:
        """Note that a duty was fulfilled; tells whether it had failed before."""
        with self._guard:
            return self._troubles.pop(duty, None) is not None

    @property
    def trouble(self) -> str:
        """What does not work, since when, and why, as one line; empty when all works."""
        with self._guard:
            for duty in Duty:
                if trouble := self._troubles.get(duty):
                    since = trouble.since.astimezone(UTC)
                    return f"{duty} since {since:%Y-%m-%d %H:%M:%S} UTC: {trouble.reason}"
        return ""
