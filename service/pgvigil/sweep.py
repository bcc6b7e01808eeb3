"""The sweep: one tick's walk over the subjects of one check, several at a time, within the budget."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import replace
from queue import SimpleQueue
from typing import Any, TypeAlias

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Subject
from pgvigil.context import ALONE, Assistance
from pgvigil.errors import BrokenOffError, TargetUnreachableError
from pgvigil.governor import Governor
from pgvigil.run import Run
from pgvigil.runner import Runner

Assist: TypeAlias = Callable[[Sequence[Subject]], Assistance]
"""Returns what the run of one subject, or that of a batch, is given; who rests is the sweep's own matter."""

_MOST_READY = 1_000


def _unassisted(_subjects: Sequence[Subject]) -> Assistance:
    return ALONE


def _always() -> bool:
    return True


def sweep(  # noqa: PLR0913, PLR0917 -- who examines what, how, and for how long
    runner: Runner,
    governor: Governor,
    check: Check[Any],
    subjects: Iterable[Subject],
    catalog: Catalog,
    assist: Assist = _unassisted,
    may_go_on: Callable[[], bool] = _always,
    alone: Container[str] = (),
) -> Iterator[Sequence[Run]]:
    """Run the check on every subject, in batches where it wants that, and yield the runs as they complete.

    Those that are there already are yielded together. As many workers as the target's budget has
    connections. Ends early, without runs for the rest, when the governor is stopped: what was not examined
    must not look as if it were. When the iterator is closed before its end, no further run begins. The
    subjects that `alone` names are in no batch.

    When the target is lost, the rest is not tried one by one: all of it gets a failed run at once, and then
    TargetUnreachableError is raised. When it may not go on, as is asked before each run and at checkpoints,
    the rest is left as it is, and BrokenOffError is raised.
    """
    batches = _batches(runner, check, list(subjects), alone)
    going_on = _Sweep(runner, governor, check, batches, catalog, assist, may_go_on)
    try:
        yield from going_on.runs()
        if going_on.lost and not governor.stopping:
            left = [subject for batch in going_on.waiting for subject in batch]
            yield [runner.failed(check.name, subject.name, str(going_on.lost)) for subject in left]
            raise going_on.lost
        if going_on.broken_off and not governor.stopping:
            raise BrokenOffError(f"target {runner.target.name}: the sweep is to go on later")
    finally:
        going_on.over = True


def _batches(
    runner: Runner, check: Check[Any], subjects: Sequence[Subject], alone: Container[str]
) -> list[tuple[Subject, ...]]:
    """Return the subjects in batches, in the order in which the first of each was to be looked at."""
    fit = [one for one in subjects if one.unexaminable is None and one.name not in alone]
    batches = runner.batches(check, fit) if fit else []
    together = {one.name for batch in batches for one in batch}
    batches += [(one,) for one in subjects if one.name not in together]
    place = {one.name: number for number, one in enumerate(subjects)}
    return sorted(batches, key=lambda batch: min(place[one.name] for one in batch))


class _Sweep:
    """The batches that wait, most of them of one subject, and the workers that take one after the other."""

    def __init__(
        self,
        runner: Runner,
        governor: Governor,
        check: Check[Any],
        batches: Iterable[tuple[Subject, ...]],
        catalog: Catalog,
        assist: Assist,
        may_go_on: Callable[[], bool],
    ) -> None:
        self.waiting = deque(batches)
        self.lost: TargetUnreachableError | None = None
        self.over = False
        self.broken_off = False
        self._runner = runner
        self._governor = governor
        self._check = check
        self._catalog = catalog
        self._assist = assist
        self._may_go_on = may_go_on
        self._done: SimpleQueue[Sequence[Run] | None] = SimpleQueue()
        self._asking = threading.Lock()

    def runs(self) -> Iterator[Sequence[Run]]:
        """Let the workers go, and yield the runs until the last of them has ended."""
        working = 0
        for _ in range(min(self._runner.target.limits.connections, len(self.waiting))):
            threading.Thread(target=self._work, name=f"sweep {self._check.name}", daemon=True).start()
            working += 1
        while working:
            ready: list[Run] = []
            for runs in self._ready():
                working -= runs is None
                ready += runs or ()
            if ready:
                yield ready

    def _ready(self) -> Iterator[Sequence[Run] | None]:
        """Wait for what a worker has to say, and yield all that was said by then."""
        said = self._done.get()
        yield said
        count = len(said or ())
        while count < _MOST_READY and not self._done.empty():
            said = self._done.get()
            yield said
            count += len(said or ())

    def _work(self) -> None:
        try:
            while self._take_turn():
                pass
        finally:
            self._done.put(None)

    def _take_turn(self) -> bool:
        """Examine one batch and rest; False when there was none, or no turn."""
        if not self._governor.begin():
            return False
        busy = 0.0
        try:
            batch = self._next()
            if batch is not None:
                busy = self._examine(batch) if len(batch) == 1 else self._examine_together(batch)
        finally:
            self._governor.end(busy)
        return batch is not None

    def _next(self) -> tuple[Subject, ...] | None:
        try:
            if self.lost or self.over:
                return None
            if self.waiting and not self._may_go_on():
                self.broken_off = True
                return None
            return self.waiting.popleft()
        except IndexError:
            return None

    def _rest(self, busy: float) -> None:
        """Rest at a checkpoint, and break the run off there when it may not go on."""
        self._governor.breathe(busy)
        if not self._may_go_on():
            self.broken_off = True
            raise BrokenOffError(f"target {self._runner.target.name}: the run is to go on later")

    def _examine(self, batch: tuple[Subject, ...]) -> float:
        """Put the subject's run where it is waited for; return for how long the server was busy with it."""
        assistance = replace(self._assist(batch), rest=self._rest)
        execution = self._runner.execute(self._check, batch[0], self._catalog, assistance)
        if execution is None:
            return 0.0
        self._done.put((execution.run,))
        if not execution.unreachable:
            return execution.busy_seconds
        with self._asking:
            # One broken connection is no target that is down: a fresh one tells.
            self.lost = self.lost or self._runner.lost()
        return 0.0

    def _examine_together(self, batch: tuple[Subject, ...]) -> float:
        """Do the same with several; those without an answer are the next to be examined."""
        assistance = replace(self._assist(batch), rest=self._rest)
        several = self._runner.execute_together(self._check, batch, self._catalog, assistance)
        if several is None:
            return 0.0
        self._done.put(several.runs)
        self.waiting.extendleft((subject,) for subject in reversed(several.alone))
        if several.again:
            self.waiting.appendleft(several.again)
        return several.busy_seconds
