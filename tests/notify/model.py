"""An Alertmanager as it is documented to be: alerts by their labels, merged where their times overlap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pgvigil.notify.alerts import Alert
from pgvigil.notify.client import Answer, Outcome

Identity = frozenset[tuple[str, str]]


class Killed(BaseException):
    """What a process would raise that is ended by SIGKILL, if it could raise anything."""


@dataclass(frozen=True)
class Held:
    """An alert that it holds."""

    alert: Alert
    starts: datetime
    ends: datetime


@dataclass
class Model:
    """One Alertmanager. `weather` is what happens to requests; `refuses` picks alerts that it does not take.

    Weather: up; down (no connection); lost (the request is); unanswered (the answer is lost); error (a 503);
    killed, killed_later (the sender is, before or after the request has arrived).
    """

    now: Callable[[], datetime]
    weather: str = "up"
    refuses: Callable[[Alert], bool] = lambda _: False
    accepts_nothing: bool = False
    held: dict[Identity, Held] = field(default_factory=dict)
    requests: list[list[Alert]] = field(default_factory=list)
    began: Counter[Identity] = field(default_factory=Counter)
    ended_unknown: list[Identity] = field(default_factory=list)
    _may_have_come: set[Identity] = field(default_factory=set)

    def __call__(self, alerts: Sequence[Alert]) -> Answer:
        """Take a request, in the present weather."""
        if self.weather == "down":
            return Answer(Outcome.FAILED, heard=False, reason="connection refused")
        if self.weather in ("lost", "killed", "error"):
            self._may_have_come |= {identity(alert["labels"]) for alert in alerts}
        if self.weather == "killed":
            raise Killed
        if self.weather in ("lost", "error"):
            return Answer(Outcome.FAILED, reason="HTTP 503")
        answer = self._receive(alerts)
        if self.weather == "killed_later":
            raise Killed
        if self.weather == "unanswered":
            return Answer(Outcome.FAILED, reason="read timed out")
        return answer

    def restart(self) -> None:
        """Forget everything."""
        self._may_have_come |= self.held.keys()
        self.held.clear()

    def may_have_got(self, identities: Iterable[Identity]) -> None:
        """Do not wonder at the ends of these, although it never knew them."""
        self._may_have_come |= set(identities)

    def firing(self) -> list[Mapping[str, str]]:
        """Return the labels of what is firing now."""
        return [one.alert["labels"] for one in self.held.values() if one.ends > self.now()]

    def _receive(self, alerts: Sequence[Alert]) -> Answer:
        self.requests.append(list(alerts))
        at = self.now().replace(microsecond=0)
        if self.accepts_nothing:
            return Answer(Outcome.REFUSED, at, reason="HTTP 400")
        for alert in alerts:
            if not self.refuses(alert):
                self._put(alert)
        if any(map(self.refuses, alerts)):
            return Answer(Outcome.REFUSED, at, reason="HTTP 400")
        return Answer(Outcome.ACCEPTED, at)

    def _put(self, alert: Alert) -> None:
        key = identity(alert["labels"])
        new = Held(alert, datetime.fromisoformat(alert["startsAt"]), datetime.fromisoformat(alert["endsAt"]))
        assert new.starts <= new.ends
        old = self.held.get(key)
        if new.ends > self.now() and not (old and old.ends > self.now()):
            self.began[key] += 1
        if new.ends <= self.now() and key not in self.held and key not in self._may_have_come:
            self.ended_unknown.append(key)
        self.held[key] = new if old is None else self._merged(old, new)

    def _merged(self, old: Held, new: Held) -> Held:
        if not (old.starts < new.ends < old.ends or old.starts < new.starts < old.ends):
            return new
        over, was_over = new.ends <= self.now(), old.ends <= self.now()
        keeps_old_end = old.ends > new.ends and (was_over or not over)
        return Held(new.alert, min(old.starts, new.starts), old.ends if keeps_old_end else new.ends)


def identity(labels: Mapping[str, str]) -> Identity:
    return frozenset(labels.items())


@dataclass
class FakeClock:
    """A clock that is moved by hand; the wall's may be set wrong."""

    true: datetime
    wrong: timedelta = timedelta()
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.true + self.wrong

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.true += timedelta(seconds=seconds)
        self.seconds += seconds


@dataclass
class Counted:
    """What was counted, by Alertmanager."""

    accepted_alerts: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    waits: dict[str, Callable[[], int]] = field(default_factory=dict)

    @property
    def waiting(self) -> dict[str, int]:
        return {name: count() for name, count in self.waits.items()}

    def accepted(self, alertmanager: str, alerts: int) -> None:
        self.accepted_alerts[alertmanager] += alerts

    def failed(self, alertmanager: str) -> None:
        self.failures[alertmanager] += 1

    def pending(self, alertmanager: str, count: Callable[[], int]) -> None:
        self.waits[alertmanager] = count
