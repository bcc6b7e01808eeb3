"""The two sides of a pair: asked at the same time, each in a short snapshot of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeAlias, TypeVar

from psycopg import sql

from pgvigil.check import Context, Peer, Row, State, load_sql
from pgvigil_checks.changes import changed_constraints_query, why_changed
from pgvigil_checks.table_drift_model import EntityPair

T = TypeVar("T")
Query: TypeAlias = "sql.SQL | sql.Composed"
_SLICE_SECONDS = 0.1


class ChangedError(Exception):
    """A table is not what the catalog meant, so that what was read of it says nothing. Says which one."""


class Both:
    """Asks both sides, the left one through the run's own context, the right one through its peer.

    After each question both let go of their snapshots and rest, and `state` is kept; a table that was changed
    under its snapshot raises ChangedError instead.
    """

    def __init__(
        self,
        context: Context,
        peer: Peer,
        pair: EntityPair,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.by_index = False
        """Whether rows are to be found by indexes alone: what is asked for is a small part of the tables."""
        self.state: State = context.resumed
        self.done = 0.0
        self.seconds = 0.0
        """How long the slower side took for the last question."""
        self.target = context.target
        self._context = context
        self.peer = peer
        self._pair = pair
        self._changes = {
            "left": changed_constraints_query(pair.left),
            "right": changed_constraints_query(pair.right),
        }
        self._sleep = sleep

    def ask(self, left: Sequence[Query], right: Sequence[Query]) -> tuple[list[list[Row]], list[list[Row]]]:
        """Return the rows of each side's queries, which are run side by side.

        Raises TargetError, and ChangedError.
        """
        seconds = {"left": 0.0, "right": 0.0}

        def of_right() -> list[list[Row]]:
            if not right:
                return []
            rows = self._fetch(self.peer, right, seconds, "right")
            self.peer.renew()
            return rows

        def of_left() -> list[list[Row]]:
            rows = self._fetch(self._context, left, seconds, "left") if left else []
            self._context.checkpoint(self.state, self.done)
            return rows

        answers = together(of_left, of_right)
        self.seconds = max(seconds.values())
        return answers

    def each(self, queries: Mapping[str, Query]) -> dict[str, list[Row]]:
        """Return the rows of one query of each side, by side."""
        left, right = self.ask(*([queries[side]] if side in queries else [] for side in ("left", "right")))
        return {"left": left[0] if left else [], "right": right[0] if right else []}

    def wait(self, seconds: float) -> None:
        """Wait without a session on either side; raises CancelledError when pgvigil is stopping."""
        while seconds > 0:
            self._context.pause()
            self._sleep(min(seconds, _SLICE_SECONDS))
            seconds -= _SLICE_SECONDS

    def _fetch(
        self, asked: Context | Peer, queries: Sequence[Query], seconds: dict[str, float], side: str
    ) -> list[list[Row]]:
        if self.by_index:
            asked.fetch(load_sql("pgvigil_checks", "planning_by_index.sql"))
        answers = []
        for query in queries:
            answers.append(asked.fetch(query))
            seconds[side] += asked.last_seconds
        otherwise = why_changed(asked.fetch(self._changes[side]))
        if otherwise is not None:
            there = f"target {self._pair.right_target}: " if side == "right" else ""
            raise ChangedError(f"{there}{otherwise.reason}")
        return answers


def together(here: Callable[[], T], there: Callable[[], T]) -> tuple[T, T]:
    """Return what both return, the second of which works on a thread of its own; raises the first failure.

    When the one here fails the other is left behind: it ends with the run.
    """
    future: Future[T] = Future()
    helper = threading.Thread(target=_settle, args=(future, there), name="other database", daemon=True)
    helper.start()
    first = here()
    return first, future.result()


def _settle(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        future.set_result(work())
    # Whatever ends this thread: else who waits for the future would wait for ever.
    except BaseException as error:  # noqa: BLE001 -- `Future.result` raises it again
        future.set_exception(error)
