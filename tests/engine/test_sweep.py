"""The sweep keeps to the budget, examines every subject once, and ends when it is told to."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.check import Outcome, Subject
from pgvigil.errors import TargetUnreachableError
from pgvigil.governor import Governor
from pgvigil.runner import Runner
from pgvigil.sweep import sweep
from pgvigil.target import Limits, Target
from tests.engine.world import World, watch_of
from tests.runner.plugins import CLEAN, EMPTY, Plugin, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.check import Context
    from pgvigil.run import Run

# Nothing listens there; these checks never ask.
NOWHERE = "host=127.0.0.1 port=1"


def runner_with(connections: int) -> Runner:
    return Runner(Target("main", NOWHERE, Limits(connections=connections)))


def swept(*arguments: Any) -> Iterator[Run]:
    """Yield the runs of a sweep one by one."""
    with closing(sweep(*arguments)) as runs:
        for some in runs:
            yield from some


def subjects(count: int) -> list[Subject]:
    return [Subject(f"s{number}") for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 500])
@pytest.mark.parametrize("connections", [1, 3])
def test_every_subject_is_examined_once(count: int, connections: int) -> None:
    check = Plugin()
    runs = list(swept(runner_with(connections), Governor(connections), check, subjects(count), EMPTY))
    assert sorted(run.subject for run in runs) == sorted(one.name for one in subjects(count))


def test_as_many_at_a_time_as_there_are_connections() -> None:
    guard, together, most = threading.Lock(), 0, 0
    meeting = threading.Barrier(3)

    def run(context: Context, subject: Subject) -> Any:
        nonlocal together, most
        with guard:
            together += 1
            most = max(most, together)
        meeting.wait(30)
        with guard:
            together -= 1
        return CLEAN

    runs = list(swept(runner_with(3), Governor(3), Plugin(run), subjects(30), EMPTY))
    assert len(runs) == 30
    assert most == 3


def test_all_checks_together_never_take_more_connections_than_the_budget(
    world_of: Callable[..., World], database: str, admin_conn: psycopg.Connection
) -> None:
    def run(context: Context, subject: Subject) -> Any:
        context.fetch("SELECT pg_sleep(0.005)")
        return CLEAN

    names = [f"s{number}" for number in range(20)]
    checks = [named(f"check{number}", run, names) for number in range(5)]
    world = world_of(watch_of(database, *checks, limits=Limits(connections=2)))
    ticks = [threading.Thread(target=world.tick, args=[check.name]) for check in checks]
    for tick in ticks:
        tick.start()
    ours = """
        SELECT count(*) FROM pg_stat_activity
        WHERE application_name LIKE 'pgvigil%' AND datname = current_database()"""
    most = 0
    while any(tick.is_alive() for tick in ticks):
        found = admin_conn.execute(ours).fetchone()
        assert found is not None
        most = max(most, found[0])
    assert 1 <= most <= 2
    assert all(set(world.states(check.name).values()) == {"passed"} for check in checks)


def test_a_stop_lets_no_further_run_begin() -> None:
    governor, calls = Governor(), []

    def run(context: Context, subject: Subject) -> Any:
        calls.append(subject.name)
        if len(calls) == 5:
            governor.stop()
        return CLEAN

    runs = list(swept(runner_with(1), governor, Plugin(run), subjects(100), EMPTY))
    assert len(calls) == len(runs) == 5


def test_a_sweep_that_nobody_reads_to_its_end_begins_no_further_run() -> None:
    seen, closed, calls = threading.Event(), threading.Event(), []

    def run(context: Context, subject: Subject) -> Any:
        calls.append(subject.name)
        if len(calls) > 1:
            seen.set()
            closed.wait(30)
        return CLEAN

    runs = swept(runner_with(1), Governor(), Plugin(run), subjects(100), EMPTY)
    next(runs)
    assert seen.wait(30)
    runs.close()
    closed.set()
    deadline = time.monotonic() + 30
    while any(thread.name == "sweep plugin" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert len(calls) == 2


def test_many_targets_and_checks_take_a_bounded_number_of_threads(world_of: Callable[..., World]) -> None:
    most, guard = 0, threading.Lock()
    before = threading.active_count()

    def run(context: Context, subject: Subject) -> Any:
        nonlocal most
        with guard:
            most = max(most, threading.active_count() - before)
        return CLEAN

    runners = [runner_with(2) for _ in range(10)]
    found: list[Any] = []
    sweeps = [
        threading.Thread(
            target=lambda r=r: found.extend(swept(r, Governor(2), Plugin(run), subjects(200), EMPTY))
        )
        for r in runners
    ]
    for each in sweeps:
        each.start()
    for each in sweeps:
        each.join()
    assert len(found) == 2_000
    # Of each: the tick, two workers, and for each worker the run and perhaps one that is just ending.
    assert most <= 10 * (1 + 2 + 2 * 2)


# The governor


class Waits(threading.Event):
    """Notes how long it was asked to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.append(timeout)
        return self.is_set()


@pytest.mark.parametrize(
    ("duty_cycle", "busy", "rest"),
    [(0.5, 2.0, 2.0), (0.2, 1.0, 4.0), (0.2, 10.0, 40.0), (0.1, 1.0, 9.0), (0.2, 100.0, 60.0)],
)
def test_rests_are_in_proportion_to_the_work(duty_cycle: float, busy: float, rest: float) -> None:
    governor = Governor(1, duty_cycle)
    waits = governor._stopping = Waits()
    governor.rest(busy)
    assert waits.asked == [pytest.approx(rest)]


def test_who_may_work_all_the_time_never_rests() -> None:
    governor = Governor(1, 1.0)
    waits = governor._stopping = Waits()
    governor.rest(1_000.0)
    assert waits.asked == []


def test_a_stop_ends_every_rest() -> None:
    governor = Governor(3, 0.001)
    rests = [threading.Thread(target=governor.rest, args=[1_000.0]) for _ in range(3)]
    for rest in rests:
        rest.start()
    governor.stop()
    for rest in rests:
        rest.join(30)
    assert not any(rest.is_alive() for rest in rests)


def test_a_rest_is_for_the_time_in_which_the_server_was_busy_and_no_other(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(context: Context, subject: Subject) -> Any:
        time.sleep(0.2)
        if subject.name == "busy":
            context.fetch("SELECT pg_sleep(0.1)")
        return CLEAN

    rests: dict[str, float] = {}
    monkeypatch.setattr(Governor, "rest", lambda _, busy: rests.update({f"turn {len(rests)}": busy}))
    with closing(Target("main", database, Limits(connections=1))) as target:
        found = [Subject("idle"), Subject("busy")]
        runs = list(swept(Runner(target), Governor(1, 0.2), Plugin(run), found, EMPTY))
    assert rests["turn 0"] == 0
    assert 0.1 <= rests["turn 1"] <= runs[1].duration_seconds - 0.2


def test_a_turn_is_given_on_only_after_its_rest_and_in_the_order_of_asking() -> None:
    governor, resting, rested, order = Governor(1, 0.5), threading.Event(), threading.Event(), []

    def rest(_: float | None) -> bool:
        resting.set()
        return rested.wait(30)

    governor._stopping.wait = rest  # type: ignore[method-assign]
    assert governor.begin()
    ending = threading.Thread(target=governor.end, args=[1.0])
    ending.start()
    assert resting.wait(30)

    def ask(number: int) -> None:
        if governor.begin():
            order.append(number)
            governor.end(0.0)

    asking = [threading.Thread(target=ask, args=[number]) for number in range(5)]
    for number, thread in enumerate(asking):
        thread.start()
        while len(governor._queue) <= number:
            time.sleep(0.001)
    assert order == []
    rested.set()
    for thread in (ending, *asking):
        thread.join(30)
    assert order == [0, 1, 2, 3, 4]


def test_a_stop_ends_the_wait_for_a_turn() -> None:
    governor, answers = Governor(1), []
    assert governor.begin()
    asking = threading.Thread(target=lambda: answers.append(governor.begin()))
    asking.start()
    governor.stop()
    asking.join(30)
    assert answers == [False]


def test_several_checks_of_a_target_share_its_turns() -> None:
    guard, together, most = threading.Lock(), 0, 0

    def run(context: Context, subject: Subject) -> Any:
        nonlocal together, most
        with guard:
            together += 1
            most = max(most, together)
        time.sleep(0.005)
        with guard:
            together -= 1
        return CLEAN

    runner, governor = runner_with(2), Governor(2)
    found: list[Any] = []

    def examine(number: int) -> None:
        found.extend(swept(runner, governor, named(f"check{number}", run), subjects(20), EMPTY))

    sweeps = [threading.Thread(target=examine, args=[number]) for number in range(4)]
    for each in sweeps:
        each.start()
    for each in sweeps:
        each.join(60)
    assert len(found) == 80
    assert most == 2


# A target that is lost


def test_a_target_that_is_lost_ends_the_sweep_and_leaves_no_subject_without_a_run() -> None:
    calls = []

    def run(context: Context, subject: Subject) -> Any:
        calls.append(subject.name)
        context.fetch("SELECT 1")
        return CLEAN

    runs: list[Run] = []
    with pytest.raises(TargetUnreachableError, match="cannot connect"):
        runs.extend(swept(runner_with(2), Governor(2), Plugin(run), subjects(500), EMPTY))
    assert sorted(run.subject for run in runs) == sorted(one.name for one in subjects(500))
    assert {run.outcome for run in runs} == {Outcome.ERROR}
    assert len(calls) <= 4
