"""Several queries in one snapshot at once, over as many sessions as a target's budget has to spare."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from pgvigil.check import Query, Row
from pgvigil.errors import TargetError
from pgvigil.target import Snapshot, Target
from pgvigil.unchanged import Unchanged

_CANCEL_SECONDS = 1.0


class SideBySide:
    """Fetches through a snapshot's own session, and through others that see the same."""

    def __init__(
        self, target: Target, purpose: str, own: Snapshot, sessions: set[Snapshot], unchanged: Unchanged
    ) -> None:
        self._target = target
        self._purpose = purpose
        self._own = own
        self._sessions = sessions
        self._unchanged = unchanged
        self._guard = threading.Lock()
        self._waiting: deque[tuple[int, Query]] = deque()
        self._answers: dict[int, list[Row]] = {}
        self._failure: BaseException | None = None
        self._begun: set[threading.Thread] = set()
        self.busy_seconds = 0.0
        """For how long the other sessions kept the server busy, together."""

    def fetch(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Return the rows of each query; raises a failure, once none of them is under way."""
        self._waiting.extend(enumerate(queries))
        shared = self._own.share()
        spare = min(len(queries), self._target.limits.connections) - 1 if shared else 0
        helpers = [
            threading.Thread(target=self._help, args=(shared,), name="side by side", daemon=True)
            for _ in range(spare)
        ]
        for helper in helpers:
            helper.start()
        self._work(self._own)
        for helper in helpers:
            # Who is still without a session, as a pooler lets it wait for ours, finds nothing left to do.
            if helper in self._begun:
                helper.join()
        if self._failure is not None:
            raise self._failure
        return [self._answers[number] for number in range(len(queries))]

    def _help(self, shared: str) -> None:
        # Who gets no session leaves the work to the others: the run's own can do all of it.
        with suppress(TargetError), self._target.beside(shared, self._purpose) as snapshot:
            # Behind one name there may be another server, to which the same word stands for another snapshot.
            if snapshot is None or snapshot.server != self._own.server:
                return
            self._begun.add(threading.current_thread())
            self._sessions.add(snapshot)
            began = time.monotonic()
            try:
                self._work(snapshot)
                self._conclude(snapshot)
            finally:
                self._sessions.discard(snapshot)
                with self._guard:
                    self.busy_seconds += time.monotonic() - began

    def _work(self, snapshot: Snapshot) -> None:
        """Fetch one query after the other, until none waits or one has failed."""
        while self._failure is None:
            try:
                number, query = self._waiting.popleft()
            except IndexError:
                return
            try:
                self._answers[number] = snapshot.fetch(query)
            except Exception as error:  # noqa: BLE001 -- raised by whoever waits for all
                self._fail(error, snapshot)

    def _conclude(self, snapshot: Snapshot) -> None:
        """End another session's snapshot; what it read first may have been changed before that."""
        if self._failure is None:
            try:
                self._unchanged.end(snapshot)
            except Exception as error:  # noqa: BLE001 -- raised by whoever waits for all
                self._fail(error, snapshot)

    def _fail(self, error: Exception, snapshot: Snapshot) -> None:
        """Note the first failure, and cancel what the others still do: nobody will have their answers."""
        with self._guard:
            if self._failure is not None:
                return
            self._failure = error
        for other in {self._own, *self._sessions} - {snapshot}:
            other.abort(_CANCEL_SECONDS)
