"""A connection that is lent to one snapshot at a time, and where it waits in between."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from pgvigil.target.connecting import Connection


class Idle:
    """Connections that nobody uses; the one that has waited longest goes first. Safe for threads."""

    def __init__(self) -> None:
        self._connections: deque[Connection] = deque()

    def take(self) -> Connection | None:
        """Return one, if there is one; nobody else gets it before it is put back."""
        try:
            return self._connections.popleft()
        except IndexError:
            return None

    def put(self, connection: Connection) -> None:
        """Keep one until its next use."""
        self._connections.append(connection)

    def close(self) -> None:
        """Close them all."""
        while connection := self.take():
            connection.close()


class Lease:
    """A connection and its place in the budget; both are returned exactly once.

    `idle` is where it waits then, and `release` gives its place to others.
    """

    def __init__(
        self, connection: Connection, idle: Idle, release: Callable[[], None], *, used_before: bool
    ) -> None:
        self.connection = connection
        self.used_before = used_before
        self._idle = idle
        self._release = release
        self._guard = threading.Lock()
        self._claimed = False

    def claim(self) -> bool:
        """Tell whether the caller is the first to want to return it, and thus the one who must."""
        with self._guard:
            first, self._claimed = not self._claimed, True
            return first

    def give_back(self, *, keep: bool) -> None:
        """Let others use the connection; one that broke or may be dirty is thrown away."""
        if keep:
            self._idle.put(self.connection)
        else:
            self.connection.close()
        self._release()

    def detach(self) -> None:
        """Make room in the budget while a thread that hangs still has the connection."""
        self._release()
