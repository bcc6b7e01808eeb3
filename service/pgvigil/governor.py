"""The governor: may a run go now, and how long must pgvigil rest after it, to be a good guest."""

from __future__ import annotations

import threading
from collections import deque

from pgvigil.pressure import Pauses, Pressure

_LONGEST_REST = 60.0


class Governor:
    """Keeps one target's duty cycle: the share of the time in which pgvigil may keep the server busy.

    All checks of the target share its turns, one for each connection of the budget, in the order in which
    they ask. A turn in which the server was busy for `t` seconds is followed by `t * (1 / duty_cycle - 1)`
    of rest before it is given on: what was taken is given back. One minute is the most, so that a single run
    that hung for long does not silence a target for hours.

    While the `pressure` of others is too high, nobody who got a turn begins, and who offers to rest is held.
    """

    def __init__(self, turns: int = 1, duty_cycle: float = 1.0, pressure: Pressure | None = None) -> None:
        self.duty_cycle = duty_cycle
        self.busy_seconds = 0.0
        """For how long runs have kept the server busy, in all turns together."""
        self._pressure = pressure
        self._stopping = threading.Event()
        self._change = threading.Condition()
        self._free = turns
        self._queue: deque[object] = deque()

    @property
    def stopping(self) -> bool:
        """Whether no further run may begin."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Let no further run begin, and end every rest."""
        self._stopping.set()
        with self._change:
            self._change.notify_all()

    def begin(self) -> bool:
        """Wait for a turn; False, without one, when stopped. Whoever got one ends it."""
        me = object()
        with self._change:
            self._queue.append(me)
            self._change.wait_for(lambda: self.stopping or (self._free > 0 and self._queue[0] is me))
            self._queue.remove(me)
            if self.stopping:
                return False
            self._free -= 1
            self._change.notify_all()
        if self.hold():
            return True
        self._give_on()
        return False

    def end(self, busy: float) -> None:
        """Rest after a turn in which the server was busy for so many seconds, and give it on."""
        try:
            self.account(busy)
            self.rest(busy)
        finally:
            self._give_on()

    def account(self, busy: float) -> None:
        """Count for how long the server was kept busy."""
        with self._change:
            self.busy_seconds += busy

    def breathe(self, busy: float) -> None:
        """Rest within a turn in which the server was busy for so many seconds since the last rest.

        And for as long as the pressure of others is too high: whoever calls this holds no session.
        """
        self.account(busy)
        self.rest(busy)
        self.hold()

    def hold(self) -> bool:
        """Wait while the pressure of others is too high; False, at once, when stopped."""
        if self._pressure is not None:
            self._pressure.hold(self._stopping)
        return not self.stopping

    @property
    def pauses(self) -> Pauses:
        """The pauses that the pressure of others has caused."""
        return self._pressure.pauses() if self._pressure else Pauses()

    def rest(self, busy: float) -> None:
        """Rest after `busy` seconds of work; returns early when stopped."""
        pause = min(busy * (1.0 / self.duty_cycle - 1.0), _LONGEST_REST)
        if pause > 0:
            self._stopping.wait(pause)

    def _give_on(self) -> None:
        with self._change:
            self._free += 1
            self._change.notify_all()
