"""DDL in the middle of a run: each strategy of `orphan_rows` tells the truth of its snapshot, or nothing."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, nullcontext
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.check import Pace
from pgvigil.runner import RunLimits, Runner
from pgvigil.target import Limits, Target
from pgvigil_checks import orphan_rows
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams, judge, reference_of
from pgvigil_checks.orphans import STRATEGIES, Plan, gather_facts, paths, walk
from pgvigil_checks.references import Reference
from tests.checks.hostile_ddl import WORLDS
from tests.checks.intruder import Intruder, disturb, sweep

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from pgvigil.check import Context, Subject, Verdict
    from pgvigil.run import Run
    from tests.checks.intruder import Faults

RELATION = "public.child(a) -> public.parent(id)"
WALKS = ("walk_key", "walk_key with bits", "walk_values")
TRUTH = """
    SELECT n FROM child AS c
    WHERE a IS NOT NULL AND NOT EXISTS (SELECT FROM parent AS p WHERE p.id = c.a) ORDER BY n
"""
CASES = [
    *(("plain", strategy) for strategy in (*STRATEGIES, *WALKS)),
    *(("declared", strategy) for strategy in ("hash", "dense", "walk_values")),
    *(("partitioned", strategy) for strategy in ("hash", "loose", "merge", "walk_key", "walk_values")),
    ("inherited", "hash"),
]


class Forced(OrphanRows):
    """Looks at relations by one strategy where it fits, whatever the planner would choose."""

    strategy = "hash"

    def run(self, context: Context, subject: Subject) -> Verdict:
        reference = reference_of(context, subject.payload)
        if self.strategy in WALKS or not isinstance(reference, Reference):
            return super().run(context, subject)
        facts, strategy = gather_facts(context, reference), STRATEGIES[self.strategy]
        if not strategy.fits(facts):
            strategy = STRATEGIES["hash"]
        return judge(context, reference, Plan(facts, ((strategy, 0.0), (STRATEGIES["hash"], 1.0))))


class Relation:
    """A world in a database, and runs of one strategy on its relation."""

    codes = frozenset({"orphans"})

    def __init__(self, database: str, world: str, strategy: str) -> None:
        self.world = WORLDS[world]
        self.strategy = strategy
        self.in_chunks = strategy in WALKS
        self.intruder = Intruder(database)
        self.target = Target("test", database, Limits(connections=2, lock_timeout=0.3))
        self._runner = Runner(
            self.target, RunLimits(sample=1000, chunk_seconds=1.0 if self.in_chunks else None)
        )
        self._check = Forced(OrphanRowsParams.model_validate({"relations": [RELATION]}))
        self._check.strategy = strategy

    def build(self) -> None:
        self.intruder.conn.execute(self.world.given.encode())
        if self.strategy.startswith("walk_key"):
            self.intruder.conn.execute("DROP INDEX child_a")

    def run(self, meanwhile: AbstractContextManager[None]) -> Run | None:
        catalog = self.target.read_catalog()
        subjects = {subject.name: subject for subject in self._check.discover(catalog).subjects}
        if RELATION not in subjects:
            return None
        with meanwhile:
            run = self._runner.run(self._check, subjects[RELATION], catalog)
        assert run is not None
        return run

    def truth(self) -> Faults | None:
        """Return what a few lines of SQL find."""
        try:
            return Counter(n for (n,) in self.intruder.conn.execute(TRUTH))
        except psycopg.Error:
            return None

    def fault(self, row: Mapping[str, Any]) -> Hashable:
        return row.get("n")


@contextmanager
def relation(database: str, world: str, strategy: str) -> Iterator[Relation]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "_FEWEST_ROWS", 0)
        patch.setattr(paths, "_WORTH", float("inf") if strategy == "walk_key" else 0.5)
        patch.setattr(walk, "_FIRST_ROWS", 25)
        patch.setattr(Pace, "took", lambda *_: None)
        patch.setattr(orphan_rows, "_SHORT", -1)
        made = Relation(database, world, strategy)
        yield made
        made.intruder.conn.close()
        made.target.close()


@pytest.mark.slow
@pytest.mark.parametrize(("world", "strategy"), CASES)
def test_what_is_said_while_somebody_does_ddl_is_true(
    world: str, strategy: str, emptied_database: str
) -> None:
    with relation(emptied_database, world, strategy) as stage:
        stage.build()
        run = stage.run(nullcontext())
        assert run is not None
        assert run.strategy == strategy.removesuffix(" with bits")
        came = sweep(stage, Random(f"{world} {strategy}"))
    assert came["silent"] > len(stage.world.ddl) / 8, came
    assert came["said"] > len(stage.world.ddl) / 8, came


@pytest.mark.parametrize(
    ("ddl", "at"), [("child replaced", 0), ("child made anew", 0), ("child replaced", 1)]
)
def test_a_table_that_is_gone_when_its_size_is_asked_is_unknown_and_no_fault_of_the_check(
    ddl: str, at: int, emptied_database: str
) -> None:
    with relation(emptied_database, "plain", "bitmap") as stage:
        stage.build()
        assert disturb(stage, ddl, stage.world.ddl[ddl], at) == "silent"
