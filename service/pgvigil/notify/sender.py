"""What is told to one Alertmanager, and when. Without threads: whoever drives it calls `turn`.

What has to be told is the difference between the incidents and what the Alertmanager holds of them. The view
in memory tells where to look; what is sent is read from the store.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pgvigil.clock import Clock
from pgvigil.errors import NotLeaderError, StoreError
from pgvigil.logs import get_logger
from pgvigil.notify.alerts import Alert, Form
from pgvigil.notify.client import Answer, Outcome, Post
from pgvigil.notify.holdings import Holdings
from pgvigil.notify.message import Message
from pgvigil.notify.pace import Backoff, Echo, Identity, TheirClock
from pgvigil.store import Store

BATCH = 64
"""Incidents in one request."""

# A look at twenty thousand incidents takes some ten milliseconds, and commits may come by the hundred.
_LOOK_GAP = 0.1
# Mutes end without a commit.
_LOOK_SECONDS = 2.0
# What was read longer ago is not sent: a machine that was frozen may not lead any more.
_STALE_SECONDS = 10.0
_REFUSED_SECONDS = 600.0

T = TypeVar("T")

log = get_logger(__name__)


class Counts(Protocol):
    """Who counts what is sent, by an Alertmanager's name; called from several threads."""

    def accepted(self, alertmanager: str, alerts: int) -> None:
        """Count alerts that were accepted."""
        ...

    def failed(self, alertmanager: str) -> None:
        """Count a request that failed."""
        ...

    def pending(self, alertmanager: str, count: Callable[[], int]) -> None:
        """Ask this from now on how many incidents wait to be told; it may be asked by any thread."""
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """An Alertmanager: its key in the store, its name in metrics and logs, and the way to it."""

    key: str
    name: str
    post: Post


class _FailedError(Exception):
    """A request failed; nothing more is sent for a while."""


class _StoppedError(Exception):
    """Nothing is sent any more, and what was sent is the next one's to find out."""


class Sender:
    """Keeps one Alertmanager in step with the store, as long as `leading` says so. Used by one thread.

    `resend` is how many seconds after the last time what is firing is sent again.
    """

    def __init__(
        self,
        store: Store,
        address: Address,
        form: Form,
        resend: float,
        leading: Callable[[], bool],
        counts: Counts,
        clock: Clock,
    ) -> None:
        self._store = store
        self._address = address
        self._form = form
        self._resend = resend
        self._leading = leading
        self._counts = counts
        self._clock = clock
        self._backoff = Backoff()
        self._their_clock = TheirClock()
        self._quiet_until = self._looked_at = self._round_at = clock.monotonic() - _LOOK_SECONDS
        self.stopped = False
        """Set from outside: nothing more is sent, counted or written."""
        self._forget()
        counts.pending(address.name, self.pending)

    def _forget(self) -> None:
        """Know nothing of what the Alertmanager holds; the store does."""
        self._holdings: Holdings | None = None
        self._echo = Echo()
        self._refused: dict[str, float] = {}
        self._clear_queues()

    def _clear_queues(self) -> None:
        self._changed: deque[str] = deque()
        self._round: deque[str] = deque()
        self._echoes: deque[Identity] = deque()

    def pending(self) -> int:
        """Return how many incidents wait to be told.

        It is found anew each time, and for any thread: while a request hangs, nobody looks.
        """
        if (holdings := self._holdings) is None:
            return 0
        changed = holdings.changed(self._store.view().incidents, self._clock.now())
        return len({*changed, *self._refused})

    def turn(self) -> float:
        """Send what is most urgent, one request as a rule; return for how many seconds nothing is due."""
        now = self._clock.monotonic()
        if now < self._quiet_until:
            return self._quiet_until - now
        try:
            return self._work(now)
        except NotLeaderError:
            self._forget()
            return _LOOK_SECONDS
        except _StoppedError:
            return 0.0
        except (_FailedError, StoreError) as error:
            return self._failed(str(error))
        except Exception as error:  # noqa: BLE001 -- whatever it is, what is firing has to be said again
            return self._failed(f"pgvigil itself failed: {type(error).__name__}", foreseen=False)

    def _work(self, now: float) -> float:
        looks = now - self._looked_at >= _LOOK_GAP
        if looks:
            self._looked_at = now
            if not self._leading():
                self._forget()
                return _LOOK_SECONDS
            self._look(now)
        if self._holdings is not None:
            self._send_next(self._holdings)
        if self._changed or self._round or self._echoes:
            return 0.0
        # What was committed since the last look may have woken us: it is not slept over.
        next_look = self._looked_at + _LOOK_GAP
        due = max(next_look, min(self._round_at, now + _LOOK_SECONDS)) if looks else next_look
        return max(0.0, due - now)

    def _look(self, now: float) -> None:
        """Find out of which incidents the Alertmanager holds something else than is so."""
        if self._holdings is None:
            self._holdings = Holdings(self._store, self._address.key, self._form)
            self._round_at = now + self._resend
        changed = self._holdings.changed(self._store.view().incidents, self._clock.now())
        self._refused = {name: until for name, until in self._refused.items() if until > now}
        self._changed = deque(name for name in changed if name not in self._refused)
        if now >= self._round_at and not (self._round or self._echoes):
            self._round = deque(name for name in self._holdings.firing() if name not in self._refused)
            self._echoes = deque(self._echo.identities(now))
            self._round_at = now + self._resend

    def _send_next(self, holdings: Holdings) -> None:
        if self._changed:
            self._deliver(holdings, _take(self._changed))
        elif self._round:
            self._deliver(holdings, _take(self._round))
        elif self._echoes:
            self._say_again(_take(self._echoes))

    def _deliver(self, holdings: Holdings, names: Sequence[str]) -> None:
        """Tell what is so of some incidents."""
        begun = self._clock.monotonic()
        messages = holdings.messages(names, self._their_clock.moment(self._clock.now()))
        if self._clock.monotonic() - begun <= _STALE_SECONDS:
            self._send(holdings, messages)

    def _send(self, holdings: Holdings, messages: Sequence[Message]) -> None:
        """Send in one request; when it is refused, in halves, down to those that are refused."""
        if not messages:
            return
        for message in messages:
            for alert in message.fires:
                self._echo.silence(alert["labels"])
        answer = self._ask([alert for message in messages for alert in message.alerts])
        names = [message.incident for message in messages]
        if answer.heard and not (answer.outcome is Outcome.REFUSED and len(messages) == 1):
            # Also when many are refused: Alertmanager takes those that are in order all the same.
            holdings.heard(names)
        if answer.outcome is Outcome.FAILED:
            raise _FailedError(answer.reason)
        if answer.outcome is Outcome.ACCEPTED:
            self._accepted(holdings, messages, answer)
        elif len(messages) == 1:
            self._refuse(holdings, messages[0], answer)
        else:
            half = len(messages) // 2
            self._send(holdings, messages[:half])
            self._send(holdings, messages[half:])

    def _ask(self, alerts: Sequence[Alert]) -> Answer:
        """Send alerts; what is REFUSED is so for the alerts' sake."""
        if not self.stopped:
            answer = self._address.post(alerts)
        if self.stopped:
            raise _StoppedError
        if answer.at is not None:
            self._their_clock.heard(answer.at, self._clock.now())
        if answer.outcome is Outcome.ACCEPTED:
            self._counts.accepted(self._address.name, len(alerts))
            return answer
        self._counts.failed(self._address.name)
        # Any Alertmanager accepts that there is nothing: what does not is none, and no alert is to blame.
        if answer.outcome is Outcome.REFUSED and self._address.post([]).outcome is not Outcome.ACCEPTED:
            return Answer(Outcome.FAILED, answer.at, reason=answer.reason)
        return answer

    def _accepted(self, holdings: Holdings, messages: Sequence[Message], answer: Answer) -> None:
        # An end that lies in the Alertmanager's future has not ended anything: it is said again.
        certain = [one for one in messages if not (one.over_at and answer.at and one.over_at > answer.at)]
        holdings.settle(certain, self._clock.now())
        self._works()
        for message in certain:
            for end in message.ends:
                self._echo.add(end, self._clock.monotonic())

    def _refuse(self, holdings: Holdings, message: Message, answer: Answer) -> None:
        """Leave an incident alone that the Alertmanager does not want to hear of."""
        log.error(
            "an Alertmanager refuses an alert; the others are not held up",
            alertmanager=self._address.name,
            id=message.incident,
            reason=answer.reason,
        )
        if message.severity is None:
            holdings.settle([message], self._clock.now())
        else:
            self._refused[message.incident] = self._clock.monotonic() + _REFUSED_SECONDS

    def _say_again(self, identities: Sequence[Identity]) -> None:
        alerts = self._echo.alerts(identities)
        if alerts:
            answer = self._ask(alerts)
            if answer.outcome is Outcome.FAILED:
                raise _FailedError(answer.reason)

    def _works(self) -> None:
        if self._backoff.failing:
            self._backoff.works()
            # It may have been restarted, and have forgotten all.
            self._round_at = self._clock.monotonic()
            log.info("an Alertmanager is told of incidents again", alertmanager=self._address.name)

    def _failed(self, reason: str, *, foreseen: bool = True) -> float:
        if not self._backoff.failing:
            log.warning(
                "an Alertmanager cannot be told of incidents",
                alertmanager=self._address.name,
                reason=reason,
                exc_info=not foreseen,
            )
        self._clear_queues()
        seconds = self._backoff.failed()
        self._quiet_until = self._clock.monotonic() + seconds
        return seconds


def _take(queue: deque[T]) -> list[T]:
    return [queue.popleft() for _ in range(min(BATCH, len(queue)))]
