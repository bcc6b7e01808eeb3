"""The context of a batch: several subjects that are looked at together, in one session and snapshot."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from greenlet import getcurrent, greenlet

from pgvigil.catalog import Catalog, Table
from pgvigil.check import Context, Peer, Query, Row, State, Subject, Touched, Verdict
from pgvigil.context import Assistance, RunContext
from pgvigil.errors import QueryFailedError, RecoveryConflictError

Look: TypeAlias = Callable[[Context, Subject], Verdict | None]

_MOST_TOGETHER = 500
"""How many queries are sent together at the most: all of their answers are held in memory."""


class BatchContext(RunContext):
    """A context of several subjects; what is its own is that of a run."""

    at_fault: str | None = None
    """The subject whose query failed, and all with it, where that is known."""

    def of(self, subject: Subject) -> Context:
        """Return the context of one subject, which shares this one's session."""
        return Part(self, self._assistance.each(subject))

    def side_by_side(self, look: Look, subjects: Iterable[Subject]) -> dict[str, Verdict]:
        """Look at each subject in its own context; what they fetch next is sent together."""
        verdicts: dict[str, Verdict] = {}
        side = _SideBySide(self, verdicts)
        for subject in subjects:
            side.begin(look, Part(self, self._assistance.each(subject), side), subject)
        while side.waiting:
            self.pause()
            side.answer()
        return verdicts

    def blame(self, asked: Iterable[tuple[str, int]], error: BaseException) -> None:
        """Note whose query has failed of those that were sent together; each subject sent so many."""
        # What a standby breaks off is nobody's fault.
        if not isinstance(error, QueryFailedError) or isinstance(error, RecoveryConflictError):
            return
        snapshot = self._snapshots.current
        answered = snapshot.answered if snapshot else 0
        for name, count in asked:
            answered -= count
            if answered < 0:
                self.at_fault = name
                return


class Part:
    """The context of one subject of a batch."""

    chunk_seconds: float | None = None

    def __init__(self, batch: BatchContext, assistance: Assistance, side: _SideBySide | None = None) -> None:
        self.target: str = batch.target
        self.catalog: Catalog = batch.catalog
        self.sample: int = batch.sample
        self.memory: State = assistance.memory
        self.resumed: State = {}
        self.deployed_seconds: float | None = assistance.deployed_seconds
        self._assistance = assistance
        self._batch = batch
        self._side = side

    @property
    def accepted(self) -> State | None:
        """What is accepted as right of the subject."""
        return self._assistance.accepted()

    @property
    def accepted_subjects(self) -> Collection[str]:
        """The subjects of the check of which something is accepted."""
        return self._assistance.accepted_subjects()

    @property
    def position(self) -> str:
        """What stands for where the target was before the batch."""
        return self._batch.position

    @property
    def last_seconds(self) -> float:
        """How long the server took for what the batch fetched last."""
        return self._batch.last_seconds

    def fetch(self, query: Query, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Return all rows of a query, in the batch's snapshot; raises TargetError."""
        if params is None and self._side is not None and self._side.is_running_this:
            return self._side.ask((query,))[0]
        return self._batch.fetch(query, params)

    def fetch_each(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Return the rows of each query, sent together; raises TargetError."""
        if self._side is not None and self._side.is_running_this:
            return self._side.ask(queries)
        return self._batch.fetch_each(queries)

    def fetch_split(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Return the rows of each query; within a batch one session does it all."""
        return self.fetch_each(queries)

    # Context says what it is called with; a batch is over too soon to be gone on with.
    def checkpoint(self, state: State | None = None, done: float = 0.0) -> None:  # noqa: ARG002 -- as Context
        """Take none: the snapshot is that of others too."""
        self.pause()

    def pause(self) -> None:
        """End the batch when pgvigil is stopping."""
        self._batch.pause()

    def touched(self, table: Table) -> Touched | None:
        """Return what was written to a table since the subject's last completed run."""
        return self._assistance.touched(self.fetch, table)

    def peer(self, target: str) -> Peer:
        """Return the other target of that name."""
        return self._batch.peer(target)


class _SideBySide:
    """Calls that each go on as far as their next query, and all of whose queries are sent together.

    Each is a greenlet: plain code that stops within `fetch` and goes on there once the answer has come.
    """

    def __init__(self, batch: BatchContext, verdicts: dict[str, Verdict]) -> None:
        self.waiting: list[tuple[greenlet, str, Sequence[Query]]] = []
        self._batch = batch
        self._verdicts = verdicts
        self._hub = getcurrent()

    @property
    def is_running_this(self) -> bool:
        """Whether the caller is one of the calls, and no thread of a plugin."""
        return getcurrent().parent is self._hub

    def ask(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Stop the call until its queries were answered."""
        self._batch.raise_if_failed()
        answers: list[list[Row]] = self._hub.switch(queries)
        return answers

    def begin(self, look: Look, part: Part, subject: Subject) -> None:
        """Begin a call, and let it go as far as its first query."""
        call = greenlet(look)
        self._go(call, subject.name, partial(call.switch, part, subject))

    def answer(self) -> None:
        """Send what the calls wait for, and let each go as far as its next query."""
        waiting, self.waiting = self.waiting, []
        while waiting:
            some, waiting = waiting[:_MOST_TOGETHER], waiting[_MOST_TOGETHER:]
            try:
                answers = iter(self._batch.fetch_each([query for _, _, asked in some for query in asked]))
            except BaseException as error:
                self._batch.blame(((name, len(asked)) for _, name, asked in some), error)
                self._end([*some, *waiting, *self.waiting], error)
                raise
            for call, name, asked in some:
                rows = [next(answers) for _ in asked]
                self._go(call, name, partial(call.switch, rows))

    def _go(self, call: greenlet, name: str, step: Callable[[], Any]) -> None:
        try:
            said = step()
        # What a plugin raises of one subject must not take the others' verdicts. It has none here, so that a
        # run of it alone follows, which tells the error.
        except BaseException:  # noqa: BLE001 -- not swallowed: the run alone raises it again
            # But a failed query, and a stop, are the end of all.
            self._batch.raise_if_failed()
            return
        if not call.dead:
            self.waiting.append((call, name, said))
        elif said is not None:
            self._verdicts[name] = said

    def _end(self, waiting: Iterable[tuple[greenlet, str, Sequence[Query]]], error: BaseException) -> None:
        """Let every call see the failure, as if the query had been its own, and put away what it holds."""
        for call, _, _ in waiting:
            # What fails all is raised by whoever asked.
            with suppress(BaseException):
                call.throw(error)
