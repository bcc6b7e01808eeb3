"""A run's snapshots, one at a time, and how long they keep the server busy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from pgvigil.target import Snapshot
from pgvigil.unchanged import Unchanged


class Snapshots:
    """One snapshot at a time: begun when something is asked, and asked at its end whether it can be believed.

    `begin` returns a new one, and leaves in the stack what lets go of it; `go_on` raises once the run is
    over. For one thread at a time; `current` may be read by any.
    """

    def __init__(
        self, begin: Callable[[ExitStack], Snapshot], go_on: Callable[[], None], unchanged: Unchanged
    ) -> None:
        self.current: Snapshot | None = None
        self.last_seconds = 0.0
        """How long the server took for what was asked last."""
        self.busy_seconds = 0.0
        """For how long the server was kept busy since the last rest, without waiting for a session."""
        self.unchanged = unchanged
        self._begin = begin
        self._go_on = go_on
        self._stack = ExitStack()

    @contextmanager
    def asking(self) -> Iterator[Snapshot]:
        """Give the block the snapshot, and take the time."""
        snapshot = self._begun()
        began = time.monotonic()
        try:
            yield snapshot
        finally:
            self.last_seconds = time.monotonic() - began
            self.busy_seconds += self.last_seconds

    def end(self) -> None:
        """Let go of the snapshot; raises ChangedError when what was read in it says nothing."""
        if self.current is None:
            return
        began = time.monotonic()
        try:
            self.unchanged.end(self.current)
        finally:
            self.busy_seconds += time.monotonic() - began
            self.let_go()

    def let_go(self) -> None:
        """Let go of the snapshot, if there is one, whatever was read in it."""
        self._stack.close()
        self.current = None

    def rested(self) -> float:
        """Return for how long the server was kept busy since the last rest, and count anew."""
        busy, self.busy_seconds = self.busy_seconds, 0.0
        return busy

    def _begun(self) -> Snapshot:
        if self.current is None:
            try:
                self.current = self._begin(self._stack)
                # Abandoned while it waited for a session, it is given back by nobody else.
                self._go_on()
            except BaseException:
                self.let_go()
                raise
        return self.current
