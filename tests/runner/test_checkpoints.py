"""Scans in chunks: each chunk sees a snapshot of its own, and is followed by a rest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Discovery, Examined, Outcome, Pace, Params, Subject
from pgvigil.context import Assistance
from pgvigil.governor import Governor
from pgvigil.runner import RunLimits, Runner
from pgvigil.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.check import Context, Verdict

EMPTY = Catalog(160000, "test", in_recovery=False, tables=(), foreign_keys=())
COUNT = "SELECT count(*) AS rows FROM public.t"


class Scan(Check[Params]):
    """Counts the rows of a table before and after a checkpoint, between which somebody writes."""

    name = "scan"

    def __init__(self, between: Callable[[], Any]) -> None:
        super().__init__(Params())
        self.between = between
        self.seen: list[int] = []

    def discover(self, catalog: Catalog) -> Discovery:
        return Discovery((Subject("public.t"),))

    def run(self, context: Context, subject: Subject) -> Verdict:
        self.seen = [context.fetch(COUNT)[0]["rows"]]
        self.between()
        context.checkpoint()
        self.seen.append(context.fetch(COUNT)[0]["rows"])
        assert context.last_seconds > 0
        return Examined(rows_examined=sum(self.seen))


@pytest.fixture
def table(database: str) -> Iterator[tuple[Target, Callable[[], Any]]]:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE public.t (id int)")
        target = Target("main", database)
        yield target, lambda: conn.execute("INSERT INTO public.t VALUES (1)")
        target.close()


@pytest.mark.parametrize(("chunk_seconds", "seen"), [(0.02, [0, 1]), (None, [0, 0])])
def test_a_checkpoint_begins_a_new_snapshot_unless_all_is_to_be_one(
    table: tuple[Target, Callable[[], Any]], chunk_seconds: float | None, seen: list[int]
) -> None:
    target, write = table
    scan = Scan(write)
    runner = Runner(target, RunLimits(chunk_seconds=chunk_seconds))
    run = runner.run(scan, Subject("public.t"), EMPTY)
    assert run is not None
    assert run.outcome is Outcome.PASS, run.error
    assert scan.seen == seen


def test_the_governor_hears_of_all_the_work_once(table: tuple[Target, Callable[[], Any]]) -> None:
    target, write = table
    governor = Governor(1, 1.0)
    rested: list[float] = []

    def rest(busy: float) -> None:
        rested.append(busy)
        governor.breathe(busy)

    execution = Runner(target, RunLimits(chunk_seconds=0.02)).execute(
        Scan(write), Subject("public.t"), EMPTY, Assistance(rest=rest)
    )
    assert execution is not None
    assert len(rested) == 1
    assert rested[0] > 0
    assert governor.busy_seconds == rested[0]
    assert execution.busy_seconds > 0
    assert governor.begin()
    governor.end(execution.busy_seconds)
    assert governor.busy_seconds == pytest.approx(rested[0] + execution.busy_seconds)


def test_no_session_is_held_while_the_run_rests(table: tuple[Target, Callable[[], Any]]) -> None:
    target, write = table
    snapshots: list[int] = []

    def rest(_busy: float) -> None:
        with psycopg.connect(target._dsn) as conn:
            query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgvigil scan'"
            held = conn.execute(
                f"{query} AND xact_start IS NOT NULL AND datname = current_database()"
            ).fetchone()
            assert held is not None
            snapshots.append(held[0])

    assert Runner(target, RunLimits(chunk_seconds=0.02)).execute(
        Scan(write), Subject("public.t"), EMPTY, Assistance(rest=rest)
    )
    assert snapshots == [0]


class Patient(Scan):
    """Takes its time between checkpoints, and hangs after the last one if it is told to."""

    def __init__(self, chunks: int, last: float) -> None:
        super().__init__(lambda: None)
        self.chunks = chunks
        self.last = last

    def run(self, context: Context, subject: Subject) -> Verdict:
        for _ in range(self.chunks):
            time.sleep(0.2)
            context.checkpoint()
        time.sleep(self.last)
        return Examined()


@pytest.mark.parametrize(
    ("check", "chunk_seconds", "outcome"),
    [
        (Patient(6, 0.0), 0.02, Outcome.PASS),
        (Patient(2, 3.0), 0.02, Outcome.TIMEOUT),
        (Patient(6, 0.0), None, Outcome.TIMEOUT),
    ],
    ids=["gets on", "hangs", "without chunks"],
)
def test_a_run_is_given_up_by_the_time_since_its_last_checkpoint(
    check: Patient, chunk_seconds: float | None, outcome: Outcome
) -> None:
    nowhere = Target("main", "host=127.0.0.1 port=1")
    runner = Runner(nowhere, RunLimits(run_timeout=0.7, chunk_seconds=chunk_seconds))
    run = runner.run(check, Subject("public.t"), EMPTY)
    assert run is not None
    assert run.outcome is outcome


def test_a_pace_finds_the_size_that_takes_as_long_as_wanted() -> None:
    pace = Pace(0.02, first=10)
    for _ in range(20):
        pace.took(pace.size * 1e-5)
    assert pace.size == pytest.approx(2000, rel=0.01)
    pace.took(1.0)
    assert pace.size == pytest.approx(200, rel=0.01)


def test_a_pace_stays_within_its_bounds() -> None:
    pace = Pace(0.02, first=10, largest=50)
    for _ in range(20):
        pace.took(0.0)
    assert pace.size == 50
    for _ in range(20):
        pace.took(100.0)
    assert pace.size == 1
    assert Pace(0.02, first=0).size == 1


def test_without_a_bound_everything_is_one_chunk() -> None:
    pace = Pace(None, first=10, largest=70)
    assert pace.size == 70
    pace.took(100.0)
    assert pace.size == 70
