"""Another session that does DDL in the middle of a run, and what the run may say then.

That is the truth of its snapshot, or nothing; and where it said nothing the next run tells how things are.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager, nullcontext
from functools import reduce
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
import pytest

from pgvigil.target import Snapshot

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from random import Random

    from pgvigil.run import Run
    from tests.checks.hostile_ddl import World

_ASKS = ("fetch", "fetch_each", "fetch_and_end")

# The run itself may hold the lock: then the DDL can't be done at that moment, and nothing has happened.
_REFUSED = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


class Intruder:
    """Watches what snapshots are asked, from whatever thread, and does its DDL in one transaction.

    `asked` counts the questions of a run: the last one of a snapshot is whether it can be believed.
    """

    def __init__(self, database: str) -> None:
        self.asked = 0
        self.did = False
        self.conn: psycopg.Connection[Any] = psycopg.connect(database, autocommit=True)
        self._guard = threading.Lock()
        self._ddl = ""
        self._at: int | None = None

    @contextmanager
    def lurking(self, ddl: str = "", at: int | None = None) -> Iterator[None]:
        """Do the DDL before the question `at`, counted from 1; with 0 before the block, with None never."""
        self.asked, self.did, self._ddl, self._at = 0, False, ddl, at
        if at == 0:
            self._do()
        with pytest.MonkeyPatch.context() as patch:
            for name in _ASKS:
                patch.setattr(Snapshot, name, self._before(getattr(Snapshot, name)))
            yield

    def _before(self, ask: Any) -> Any:
        def asked(*given: Any, **named: Any) -> Any:
            with self._guard:
                self.asked += 1
                if self.asked == self._at:
                    self._do()
            return ask(*given, **named)

        return asked

    def _do(self) -> None:
        try:
            self.conn.execute(f"BEGIN; SET LOCAL lock_timeout = '15ms'; {self._ddl}; COMMIT".encode())
            self.did = True
        except _REFUSED:
            self.conn.execute("ROLLBACK")


Faults = Counter[Any]
"""The rows at fault, by what names them; None for a row that is shown without a key."""


class Stage(Protocol):
    """A world in a database, an intruder there, and runs of one check on one subject.

    `codes` are those of the findings that count rows; `in_chunks` says that each chunk of a run has a
    snapshot of its own.
    """

    codes: frozenset[str]
    world: World
    intruder: Intruder
    in_chunks: bool

    def build(self) -> None:
        """Make the world anew."""

    def run(self, meanwhile: AbstractContextManager[None]) -> Run | None:
        """Look at the subject, with something going on once the catalog was read; None when there is none."""

    def truth(self) -> Faults | None:
        """Return what is at fault now; None when there is no such subject."""

    def fault(self, row: Mapping[str, Any]) -> Hashable:
        """Return what names a row of a finding's sample."""


def sweep(stage: Stage, dice: Random) -> Counter[str]:
    """Do all that may be done to a world at some moments of a run; return what came of it, and how often."""
    came: Counter[str] = Counter()
    stage.build()
    assert said(stage, stage.run(stage.intruder.lurking())) == stage.truth()
    moments = range(stage.intruder.asked + 1)
    for name, ddl in stage.world.ddl.items():
        # In one snapshot most can be done only before anything was read.
        for at in {dice.choice(moments)} if stage.in_chunks else {1, dice.choice(moments)}:
            result = disturb(stage, name, ddl, at)
            came[result] += 1
            if result != "refused":
                stage.build()
    return came


def disturb(stage: Stage, name: str, ddl: str, at: int) -> str:
    """Do DDL at one moment of a run, hold what the run says against the truth, and tell what came of it."""
    before = stage.truth()
    run = stage.run(stage.intruder.lurking(ddl, at))
    told, after = said(stage, run), stage.truth()
    context = f"{name} at {at}: {run and (run.outcome, run.error, run.explain)}, was {before}, is {after}"
    assert run is None or "crashed" not in (run.error or ""), context
    if not stage.intruder.did:
        assert told is not None, context
        assert are_so(told, before), context
        return "refused"
    if told is None:
        again = said(stage, stage.run(nullcontext()))
        assert again == after or (again is not None and are_so(again, after)), f"{context}, then {again}"
        return "silent"
    truths = (after,) if at == 0 else (before, after) if stage.in_chunks else (before,)
    assert are_so(told, *truths), f"{context}, but {told} was said"
    return "said"


def said(stage: Stage, run: Run | None) -> Faults | None:
    """Return the faults that a run tells of; None when it tells nothing."""
    if run is None or not run.outcome.completed:
        return None
    findings = [finding for finding in run.findings if finding.code in stage.codes]
    rows: list[Mapping[str, Any]] = [row for finding in findings for row in finding.sample]
    faults: Faults = Counter()
    for row in rows:
        faults[stage.fault(row)] += row.get("copies", 1)
    assert faults.total() == sum(finding.count for finding in findings)
    return faults


def are_so(told: Faults, *truths: Faults | None) -> bool:
    """Tell whether each row is told of as it was in one of these states of the world."""
    states = [truth for truth in truths if truth is not None]
    if not states:
        return False
    least, most = reduce(Counter.__and__, states), reduce(Counter.__or__, states)
    if None in told:
        return least.total() <= told.total() <= most.total()
    return least <= told <= most
