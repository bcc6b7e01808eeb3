"""DDL in the middle of a comparison: each way of `table_drift` tells the truth of a snapshot, or nothing."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.check import Pace
from pgvigil.context import Assistance
from pgvigil.peer import Peers
from pgvigil.runner import RunLimits, Runner
from pgvigil.target import Limits, Target
from pgvigil_checks import table_drift_split
from pgvigil_checks.table_drift import TableDrift
from pgvigil_checks.table_drift_settings import TableDriftParams
from tests.checks.across.between import OTHER, hurry
from tests.checks.hostile_ddl import WORLDS
from tests.checks.intruder import Intruder, said, sweep
from tests.databases import fresh_database
from tests.engine.world import watch_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from pgvigil.embedded import Server
    from pgvigil.run import Run
    from tests.checks.intruder import Faults

PAIR = {"left": "public.child", "right": "public.parent", "key": {"n": "id"}}
# Children have keys up to 60, parents up to 20, and the spare column tells the latter apart.
WAYS = ("full_join", "full_join_split", "across from the left", "across from the right")


class Comparison:
    """A world in a database, and comparisons there; or with the same world in another one."""

    codes = frozenset({"drift"})

    def __init__(self, here: str, world: str, way: str, there: str | None) -> None:
        self.world = WORLDS[world]
        self.in_chunks = there is not None
        self.target = Target("test", here, Limits(connections=2, lock_timeout=0.3))
        self.other = watch_of(there or here, name=OTHER)
        self.intruder = Intruder(there if there and way.endswith("right") else here)
        self._elsewhere = Intruder(here if there and way.endswith("right") else there or here)
        self._runner = Runner(self.target, RunLimits(1000, chunk_seconds=1.0 if there else None))
        pair = {**PAIR, "right_target": OTHER} if there else PAIR
        self._check = TableDrift(TableDriftParams.model_validate({"pairs": [pair]}))

    def close(self) -> None:
        self.intruder.conn.close()
        self._elsewhere.conn.close()
        self.target.close()
        self.other.target.close()

    def build(self) -> None:
        for one in (self.intruder, self._elsewhere):
            one.conn.execute(self.world.given.encode())

    def run(self, meanwhile: AbstractContextManager[None]) -> Run | None:
        catalog = self.target.read_catalog()
        discovery = self._check.discover(catalog)
        if discovery.problems:
            return None
        (subject,) = discovery.subjects
        peers = Peers(self.target, {OTHER: self.other}.get)
        with meanwhile:
            execution = self._runner.execute(
                self._check, subject, catalog, replace(Assistance(), peer=peers.open)
            )
        assert execution is not None
        return execution.run

    def truth(self) -> Faults | None:
        """Return what a run says while nobody disturbs it, which other tests hold against plain Python."""
        return said(self, self.run(nullcontext()))

    def fault(self, row: Mapping[str, Any]) -> Hashable:
        return row.get("drift"), row.get("n", row.get("id"))


@pytest.fixture
def comparison(
    request: pytest.FixtureRequest,
    emptied_database: str,
    pg_server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Comparison]:
    world, way = request.param
    hurry(monkeypatch)
    monkeypatch.setattr(Pace, "took", lambda *_: None)
    if way == "full_join_split":
        monkeypatch.setattr(table_drift_split, "not_worthwhile", lambda _pair: None)
    with ExitStack() as stack:
        there = stack.enter_context(fresh_database(pg_server)) if way.startswith("across") else None
        made = Comparison(emptied_database, world, way, there)
        stack.callback(made.close)
        yield made


CASES = [("plain", way) for way in WAYS] + [(world, WAYS[1]) for world in ("partitioned", "inherited")]


@pytest.mark.slow
@pytest.mark.parametrize("comparison", CASES, indirect=True, ids=" ".join)
def test_what_is_said_while_somebody_does_ddl_is_true(
    comparison: Comparison, request: pytest.FixtureRequest
) -> None:
    came = sweep(comparison, Random(request.node.callspec.id))
    assert came["silent"] > len(comparison.world.ddl) / 8, came
    assert came["said"] > len(comparison.world.ddl) / 8, came
