"""What is shown of runs while they go on."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.check import Check, Discovery, Examined, Params, Subject
from pgvigil.clock import SystemClock
from pgvigil.context import Assistance
from pgvigil.metrics import Counters
from pgvigil.once import check_once
from pgvigil.runner import RunLimits, Runner
from pgvigil.target import Target
from pgvigil.underway import Board, Underway
from pgvigil.usage import Usage
from tests.engine.world import watch_of
from tests.runner.plugins import EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.catalog import Catalog
    from pgvigil.check import Context

CHUNKS = 4
NOWHERE = "host=127.0.0.1 port=1"


class Scan(Check[Params]):
    """Comes to its checkpoints, and shows what is to be seen after each."""

    name = "plugin"

    def __init__(self, look: Callable[[], Any]) -> None:
        super().__init__(Params())
        self.look = look
        self.seen: list[Any] = []

    def discover(self, catalog: Catalog) -> Discovery:
        return Discovery((Subject("big"),))

    def run(self, context: Context, subject: Subject) -> Any:
        self.seen.append(self.look())
        for chunk in range(CHUNKS):
            context.checkpoint({"chunk": chunk}, (chunk + 1) / CHUNKS)
            self.seen.append(self.look())
        return Examined()


def test_a_run_is_on_the_board_while_it_goes_on_with_the_share_that_is_behind() -> None:
    runner = Runner(Target("main", NOWHERE), RunLimits(chunk_seconds=0.02))
    saved: list[float] = []
    scan = Scan(lambda: [(one.check, one.subject, one.done) for one in runner.board.runs()])
    assistance = Assistance(save=lambda _, done: saved.append(done))
    assert runner.execute(scan, Subject("big"), EMPTY, assistance)
    assert scan.seen == [[("plugin", "big", done)] for done in (None, 0.25, 0.5, 0.75, 1.0)]
    assert runner.board.runs() == ()
    assert saved == [0.25, 0.5, 0.75, 1.0], "what a checkpoint keeps is kept as before"


def test_a_run_that_crashes_is_taken_from_the_board() -> None:
    def crash() -> None:
        raise RuntimeError("a bad guest")

    runner = Runner(Target("main", NOWHERE), RunLimits(chunk_seconds=0.02))
    assert runner.execute(Scan(crash), Subject("big"), EMPTY)
    assert runner.board.runs() == ()


@pytest.mark.parametrize(("said", "shown"), [(-1.0, 0.0), (0.5, 0.5), (7.0, 1.0)])
def test_a_share_is_from_nothing_to_all(said: float, shown: float) -> None:
    board = Board("main", SystemClock())
    with board.showing("plugin", "big") as advance:
        advance(said)
        assert [one.done for one in board.runs()] == [shown]


def test_the_board_is_safe_for_many_threads() -> None:
    board = Board("main", SystemClock())

    def work() -> None:
        for _ in range(200):
            with board.showing("plugin", "one") as advance:
                advance(0.5)
                board.runs()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert board.runs() == ()


def test_metrics_show_long_runs_that_tell_how_far_they_are() -> None:
    long = Underway("games", "orphan_rows", "public.a", SystemClock().now(), 10.0, 0.25)
    short, mute = replace(long, seconds=9.9, subject="b"), replace(long, done=None, subject="c")
    counters = Counters()
    counters.watch("games", lambda: Usage(2, 0.2, 1.5, 0, underway=(long, short, mute)))
    samples = [
        (sample.labels, sample.value)
        for metric in counters.collect()
        if metric.name == "pgvigil_run_progress_ratio"
        for sample in metric.samples
    ]
    assert samples == [({"target": "games", "check": "orphan_rows", "subject": "public.a"}, 0.25)]


def test_the_progress_of_one_sweep_moves_within_a_long_run(database: str) -> None:
    told: list[tuple[float, int]] = []
    watch = watch_of(database, Scan(lambda: None))  # type: ignore[arg-type]
    object.__setattr__(watch, "runner", Runner(watch.target, RunLimits(chunk_seconds=0.02)))
    check_once(watch, progress=lambda _, done, total: told.append((done, total)))
    watch.target.close()
    assert told == [(0, 1), (0.25, 1), (0.5, 1), (0.75, 1), (1.0, 1), (1, 1)]
