"""The small memories of a sender: when to try again, the Alertmanager's clock, what to say again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeAlias

from pgvigil.notify.alerts import Alert, Moment
from pgvigil.store import Labels

_FIRST_SECONDS = 0.25
_LONGEST_SECONDS = 15.0
_ECHO_SECONDS = 900.0
_MOST_ECHOES = 2000

Identity: TypeAlias = tuple[tuple[str, str], ...]
"""Labels, as a key."""


class Backoff:
    """Grows the time until the next attempt while attempts fail."""

    def __init__(self) -> None:
        self._next = 0.0

    @property
    def failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._next > 0

    def failed(self) -> float:
        """Note that an attempt failed; return the seconds until the next one."""
        self._next = min(2 * self._next, _LONGEST_SECONDS) or _FIRST_SECONDS
        return self._next

    def works(self) -> None:
        """Note that an attempt succeeded."""
        self._next = 0.0


class TheirClock:
    """Follows the Alertmanager's clock, which decides when an alert is over."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def heard(self, theirs: datetime, ours: datetime) -> None:
        """Note the time of an answer, which is known to the second."""
        ahead = theirs - ours
        self._ahead = ahead if abs(ahead) > timedelta(seconds=1) else timedelta()

    def moment(self, ours: datetime) -> Moment:
        """Return our time and theirs."""
        return Moment(ours, ours + self._ahead)


class Echo:
    """Ends that were accepted, to be said again for a quarter of an hour.

    An Alertmanager that restarts has forgotten alerts, also those whose end it had yet to tell; and a request
    that was given up may reach it later than the one after it.
    """

    def __init__(self) -> None:
        self._ends: dict[Identity, tuple[Alert, float]] = {}

    def add(self, end: Alert, now: float) -> None:
        """Remember an end; the oldest is forgotten when there are too many."""
        self._ends[_identity(end["labels"])] = end, now + _ECHO_SECONDS
        if len(self._ends) > _MOST_ECHOES:
            del self._ends[next(iter(self._ends))]

    def silence(self, labels: Labels) -> None:
        """Forget the end of what is firing again."""
        self._ends.pop(_identity(labels), None)

    def identities(self, now: float) -> list[Identity]:
        """Return which ends are to be said again."""
        self._ends = {key: (end, until) for key, (end, until) in self._ends.items() if until > now}
        return list(self._ends)

    def alerts(self, identities: Iterable[Identity]) -> list[Alert]:
        """Return those of these ends that have not been silenced."""
        return [self._ends[key][0] for key in identities if key in self._ends]


def _identity(labels: Labels) -> Identity:
    return tuple(sorted(labels.items()))
