"""The sweep: one tick's walk over the subjects of one check, several at a time, within the budget."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from typing import Any

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Subject
from pgvigil.errors import TargetUnreachableError
from pgvigil.governor import Governor
from pgvigil.run import Run
from pgvigil.runner import Runner


def sweep(
    runner: Runner, governor: Governor, check: Check[Any], subjects: Iterable[Subject], catalog: Catalog
) -> Iterator[Run]:
    """Run the check on every subject, and yield the runs as they complete.

    As many workers as the target's budget has connections. Ends early, without runs for the rest, when the
    governor is stopped: what was not examined must not look as if it were. When the iterator is closed before
    its end, no further run begins.

    When the target is lost, the rest is not tried one by one: all of it gets a failed run at once, and then
    TargetUnreachableError is raised.
    """
    going_on = _Sweep(runner, governor, check, subjects, catalog)
    try:
        yield from going_on.runs()
        if going_on.lost and not governor.stopping:
            for subject in going_on.waiting:
                yield runner.failed(check.name, subject.name, str(going_on.lost))
            raise going_on.lost
    finally:
        going_on.over = True


class _Sweep:
    """The subjects that wait, and the workers that take one after the other."""

    def __init__(
        self,
        runner: Runner,
        governor: Governor,
        check: Check[Any],
        subjects: Iterable[Subject],
        catalog: Catalog,
    ) -> None:
        self.waiting = deque(subjects)
        self.lost: TargetUnreachableError | None = None
        self.over = False
        self._runner = runner
        self._governor = governor
        self._check = check
        self._catalog = catalog
        self._done: SimpleQueue[Run | None] = SimpleQueue()
        self._asking = threading.Lock()

    def runs(self) -> Iterator[Run]:
        """Let the workers go, and yield the runs until the last of them has ended."""
        working = 0
        for _ in range(min(self._runner.target.limits.connections, len(self.waiting))):
            threading.Thread(target=self._work, name=f"sweep {self._check.name}", daemon=True).start()
            working += 1
        while working:
            run = self._done.get()
            if run is None:
                working -= 1
            else:
                yield run

    def _work(self) -> None:
        try:
            while self._take_turn():
                pass
        finally:
            self._done.put(None)

    def _take_turn(self) -> bool:
        """Examine one subject and rest; False when there was none, or no turn."""
        if not self._governor.begin():
            return False
        busy = 0.0
        try:
            subject = self._next()
            if subject is not None:
                busy = self._examine(subject)
        finally:
            self._governor.end(busy)
        return subject is not None

    def _next(self) -> Subject | None:
        try:
            return None if self.lost or self.over else self.waiting.popleft()
        except IndexError:
            return None

    def _examine(self, subject: Subject) -> float:
        """Put the subject's run where it is waited for; return for how long the server was busy with it."""
        execution = self._runner.execute(self._check, subject, self._catalog, self._governor.breathe)
        if execution is None:
            return 0.0
        self._done.put(execution.run)
        if not execution.unreachable:
            return execution.busy_seconds
        with self._asking:
            # One broken connection is no target that is down: a fresh one tells.
            self.lost = self.lost or self._runner.lost()
        return 0.0
