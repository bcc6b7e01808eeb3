"""The watchdog: calls a plugin's code so that a call that never returns can be given up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from pgvigil.errors import CancelledError
from pgvigil.pulse import Pulse
from pgvigil.workers import Workers

T = TypeVar("T")

_LOOK_SECONDS = 0.1
# What a call gets, once pgvigil is stopping, to notice that its queries were cancelled.
_STOP_SECONDS = 2.0
# Threads that were given up can't be ended. A check that collects them is not called any more.
_MOST_HANGING = 4


class Watchdog:
    """Makes calls on threads of their own; safe for several threads.

    `timeout` is how many seconds a call may take since its pulse last beat.
    """

    def __init__(self, timeout: float, stopping: Callable[[], bool]) -> None:
        self._timeout = timeout
        self._stopping = stopping
        self._guard = threading.Lock()
        self._hanging: dict[str, dict[str | None, Future[Any]]] = {}
        self._workers = Workers()

    def call(
        self,
        check: str,
        subject: str | None,
        work: Callable[[], T],
        give_up: Callable[[], None] | None = None,
        pulse: Pulse | None = None,
    ) -> T:
        """Return what `work` returns, and raise what it raises.

        `subject` is None where the call is about the check as a whole. When it does not come back, `give_up`
        is called to take its connection away, and TimeoutError is raised, or CancelledError when that is
        because pgvigil is stopping.
        """
        self._refuse_if_hanging(check, subject)
        future: Future[T] = Future()
        self._workers.do(f"run {check}", future, work)
        pulse = pulse or Pulse()
        if self._finished(future, pulse):
            return future.result()
        with self._guard:
            self._hanging.setdefault(check, {})[subject] = future
        if give_up:
            give_up()
        if self._stopping():
            raise CancelledError(f"check {check} was given up, pgvigil is stopping")
        patience = pulse.patience(self._timeout)
        raise TimeoutError(f"check {check} did not return within {patience:g} s and was given up")

    def _refuse_if_hanging(self, check: str, subject: str | None) -> None:
        with self._guard:
            hanging = {
                name: future for name, future in self._hanging.get(check, {}).items() if not future.done()
            }
            self._hanging[check] = hanging
        if subject in hanging:
            raise TimeoutError(f"an earlier run of check {check} still hangs")
        if len(hanging) >= _MOST_HANGING:
            raise TimeoutError(f"{len(hanging)} earlier runs of check {check} still hang")

    def _finished(self, future: Future[T], pulse: Pulse) -> bool:
        end: float | None = None
        while not future.done():
            if end is None and self._stopping():
                end = time.monotonic() + _STOP_SECONDS
            left = pulse.left(self._timeout) if end is None else end - time.monotonic()
            if left <= 0:
                break
            wait([future], min(_LOOK_SECONDS, left))
        return future.done()
