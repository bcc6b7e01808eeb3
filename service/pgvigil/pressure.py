"""The pressure on a target: what others do on its server, and whether pgvigil makes way for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from pgvigil.config import Pause
from pgvigil.errors import (
    BusyError,
    QueryFailedError,
    QueryTimeoutError,
    RecoveryConflictError,
    TargetError,
)
from pgvigil.logs import get_logger
from pgvigil.sensor import Signal, Signals

_FRESH_SECONDS = 2.0
"""For how long an answer of the server holds while pgvigil works."""
_AGAIN_SECONDS = 1.0
"""How often a pause asks whether it is over."""
_TOLD_SECONDS = 10.0
"""Shorter pauses are not logged: a busy server may be at a limit many times a minute."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pauses:
    """The pauses of a target since it is watched. All but `overruled` are by signal, of those with a limit.

    `paused` tells what holds pgvigil at this moment, `seconds` for how long each did, `visible` whether it
    can be seen at all. `overruled` counts the pauses that were ended because they had lasted long enough.
    """

    paused: Mapping[Signal, bool] = field(default_factory=dict)
    seconds: Mapping[Signal, float] = field(default_factory=dict)
    visible: Mapping[Signal, bool] = field(default_factory=dict)
    overruled: int = 0


class Pressure:
    """Holds a target's runs while one of the signals is beyond its limit.

    `ask` returns the signals; it is called at most every two seconds, every second during a pause, by one
    thread at a time. A signal that cannot be seen holds nothing. `monotonic` is in seconds.
    """

    def __init__(
        self,
        name: str,
        limits: Pause,
        ask: Callable[[], Signals],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._limits = _limits(limits)
        self._longest = limits.longest.total_seconds()
        self._ask = ask
        self._monotonic = monotonic
        self._asking = threading.Lock()
        self._beyond: frozenset[Signal] = frozenset()
        self._invisible: frozenset[Signal] = frozenset()
        self._seconds = dict.fromkeys(self._limits, 0.0)
        self._overruled = 0
        self._fresh_until = self._overruled_until = float("-inf")
        self._waiting = 0
        self._pause: _Pause | None = None

    def hold(self, stopping: threading.Event) -> None:
        """Return when pgvigil may go on, at once when `stopping` is set. Holds no session while it waits."""
        if not self._limits or stopping.is_set() or not self._is_high(entering=True):
            return
        try:
            while not stopping.wait(_AGAIN_SECONDS) and self._is_high():
                pass
        finally:
            with self._asking:
                self._waiting -= 1
                if not self._waiting:
                    self._end_pause()

    def pauses(self) -> Pauses:
        """Return the pauses up to now, without waiting for the server."""
        pausing = self._pause is not None
        return Pauses(
            paused={signal: pausing and signal in self._beyond for signal in self._limits},
            seconds=dict(self._seconds),
            visible={signal: signal not in self._invisible for signal in self._limits},
            overruled=self._overruled,
        )

    def _is_high(self, *, entering: bool = False) -> bool:
        """Tell whether to wait; who enters a pause counts as waiting from then on."""
        with self._asking:
            now = self._monotonic()
            if now < self._overruled_until:
                return False
            if now >= self._fresh_until:
                self._look()
            high = bool(self._beyond) and not self._lasted_too_long()
            if high and entering:
                self._waiting += 1
                self._pause = self._pause or _Pause(self._monotonic())
            return high

    def _look(self) -> None:
        """Ask for the signals, and count the time since the last look for what held pgvigil until now."""
        signals: Signals | None
        try:
            signals = self._ask()
        except BusyError:
            # Sessions that are at work may wait for each other: what was seen before has to do.
            signals = None
        except (QueryTimeoutError, RecoveryConflictError):
            signals = {}
        except QueryFailedError:
            # Not PostgreSQL itself, or one without its usual views: nothing of it can be seen.
            signals = dict.fromkeys(self._limits)
        except TargetError:
            # Whoever waited gets the reason at first hand, and tells it: nothing goes silent here.
            signals = {}
        now = self._monotonic()
        self._count_seconds(now)
        if signals is not None:
            self._beyond = frozenset(_beyond(signals, self._limits))
        self._fresh_until = now + (_AGAIN_SECONDS if self._beyond else _FRESH_SECONDS)
        if signals:
            self._note_invisible(signal for signal in self._limits if signals.get(signal) is None)
        if self._pause is not None and self._beyond:
            self._pause.tell(self._name, self._beyond, now)

    def _count_seconds(self, now: float) -> None:
        if self._pause is not None:
            for signal in self._beyond:
                self._seconds[signal] += now - self._pause.counted_at
            self._pause.counted_at = now

    def _note_invisible(self, signals: Iterable[Signal]) -> None:
        before, self._invisible = self._invisible, frozenset(signals)
        if news := self._invisible - before:
            log.warning(
                "cannot see what a limit is about, and does not pause for it",
                target=self._name,
                limits=sorted(f"budget.pause.{signal}" for signal in news),
                remedy="; ".join(sorted({signal.unseen("the role") for signal in news})),
            )

    def _lasted_too_long(self) -> bool:
        """End a pause that has lasted long enough, and go on for as long: nobody is silent for ever."""
        if self._pause is None:
            return False
        now = self._monotonic()
        if now - self._pause.began < self._longest:
            return False
        self._overruled += 1
        self._overruled_until = now + self._longest
        log.warning(
            "goes on although others keep the server busy: the pause was long enough",
            target=self._name,
            reasons=sorted(self._beyond),
            seconds=round(self._longest),
            remedy="find out what keeps the server busy, or raise the limit in budget.pause",
        )
        self._end_pause()
        return True

    def _end_pause(self) -> None:
        if self._pause is None:
            return
        now = self._monotonic()
        self._count_seconds(now)
        if self._pause.told:
            log.info("the pause is over", target=self._name, seconds=round(now - self._pause.began))
        self._pause = None


class _Pause:
    """A pause that goes on: since when, and up to when its seconds were counted."""

    def __init__(self, began: float) -> None:
        self.began = self.counted_at = began
        self.told = False

    def tell(self, target: str, reasons: Iterable[Signal], now: float) -> None:
        """Log once that the pause has begun, unless it may be a short one."""
        if not self.told and now - self.began >= _TOLD_SECONDS:
            self.told = True
            log.info(
                "pauses: others keep the server busy",
                target=target,
                reasons=sorted(reasons),
                since_seconds=round(now - self.began),
            )


def _limits(pause: Pause) -> dict[Signal, float]:
    """Return the limits that there are; durations in seconds."""
    limits: dict[Signal, float | None] = {
        Signal.ACTIVE_SESSIONS: pause.active_sessions,
        Signal.LOCK_WAITS: pause.lock_waits,
        Signal.REPLICA_LAG: _seconds(pause.replica_lag),
        Signal.OLDEST_SNAPSHOT: _seconds(pause.oldest_snapshot),
        Signal.CONNECTIONS_LEFT: pause.connections_left,
        Signal.LOAD: pause.load,
    }
    return {signal: limit for signal, limit in limits.items() if limit is not None}


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _beyond(signals: Signals, limits: Mapping[Signal, float]) -> Iterable[Signal]:
    for signal, limit in limits.items():
        seen = signals.get(signal)
        if seen is not None and (seen < limit if signal is Signal.CONNECTIONS_LEFT else seen > limit):
            yield signal
