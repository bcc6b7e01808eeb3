"""Ctrl-C and SIGTERM while a sweep goes on: it is stopped, and what it has seen by then is still told."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType

from pgvigil.errors import PgvigilError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class InterruptedSweepError(PgvigilError):
    """A signal has ended a sweep before its end; the exit status is the shells' own for that signal."""

    def __init__(self, by: signal.Signals, message: str) -> None:
        self.exit_status = 128 + by
        super().__init__(f"interrupted by {by.name}: {message}")


class Interruption:
    """Which signal came first, if one did."""

    by: signal.Signals | None = None

    def error(self, message: str) -> InterruptedSweepError | None:
        """Return what says that the sweep was interrupted, None when it was not."""
        return None if self.by is None else InterruptedSweepError(self.by, message)


@contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[Interruption]:
    """Call `stop`, on a thread of its own, at the first SIGINT or SIGTERM within the block.

    A second one does what it always does. What the process was started to ignore, as a shell's background
    jobs are to ignore SIGINT, it goes on to ignore.
    """
    interruption = Interruption()
    # A handler may come in between anywhere: this queue alone is safe to put into there, no lock is.
    said: SimpleQueue[bool] = SimpleQueue()
    before = {one: signal.getsignal(one) for one in _SIGNALS}

    def interrupted(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, before[signal.Signals(number)])
        interruption.by = interruption.by or signal.Signals(number)
        said.put(True)

    def wait() -> None:
        if said.get():
            stop()

    stopper = threading.Thread(target=wait, name="interruption", daemon=True)
    stopper.start()
    heeded = [one for one in _SIGNALS if before[one] is not signal.SIG_IGN]
    for one in heeded:
        signal.signal(one, interrupted)
    try:
        yield interruption
    finally:
        for one in heeded:
            signal.signal(one, before[one])
        said.put(False)
        stopper.join()
