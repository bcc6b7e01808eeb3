"""Threads that are used again: a new one for every call costs more than many a call does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Calls: TypeAlias = "SimpleQueue[Callable[[], Callable[[], None]]]"
"""What a thread is to do next. Each returns what tells the one who waits of its end."""

# For how long a thread waits for its next call before it ends.
_IDLE_SECONDS = 1.0


class Workers:
    """Threads that do one call after the other, as many as there are calls at a time. Thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._idle: list[Calls] = []

    def do(self, name: str, future: Future[T], work: Callable[[], T]) -> None:
        """Fulfil a future on a thread that does nothing else. Raises RuntimeError when there can be none."""
        with self._guard:
            calls = self._idle.pop() if self._idle else None
        if calls is None:
            calls = SimpleQueue()
            threading.Thread(target=self._go, args=(calls,), name=name, daemon=True).start()
        calls.put(lambda: _done(name, future, work))

    def _go(self, calls: Calls) -> None:
        while True:
            try:
                call = calls.get(timeout=_IDLE_SECONDS)
            except Empty:
                with self._guard:
                    # Who took it off the list has a call for it.
                    if calls in self._idle:
                        self._idle.remove(calls)
                        return
                continue
            tell = call()
            # Free before anybody is told: the next call then finds this thread, and needs no other.
            with self._guard:
                self._idle.append(calls)
            tell()


def _done(name: str, future: Future[T], work: Callable[[], T]) -> Callable[[], None]:
    threading.current_thread().name = name
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 -- whatever it is, it is raised where the call was made
        return partial(future.set_exception, error)
    return partial(future.set_result, result)
