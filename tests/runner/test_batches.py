"""Several subjects together: each verdict as if alone, and what fails takes nobody else's."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from pgvigil.check import Check, Context, Discovery, Examined, Outcome, Params, Skipped, Subject
from pgvigil.context import ALONE, Assistance
from pgvigil.errors import BrokenOffError, QueryFailedError
from pgvigil.runner import RunLimits, Runner
from tests.runner.plugins import CLEAN, EMPTY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pgvigil.check import Batch, Verdict
    from pgvigil.target import Target

SUBJECTS = tuple(Subject(f"s{number}", number) for number in range(5))


class Batched(Check[Params]):
    """Looks at all of its subjects together."""

    name = "batched"

    def __init__(
        self, run: Callable[[Context, Subject], Any], many: Callable[..., Any] | None = None
    ) -> None:
        super().__init__(Params())
        self._run, self._many = run, many

    def discover(self, catalog: object) -> Discovery:
        return Discovery(SUBJECTS)

    def run(self, context: Context, subject: Subject) -> Verdict:
        verdict: Verdict = self._run(context, subject)
        return verdict

    def batches(self, subjects: Sequence[Subject]) -> Sequence[Sequence[Subject]]:
        return (subjects,)

    def run_many(self, context: Batch, subjects: Sequence[Subject]) -> Mapping[str, Verdict]:
        answer: Mapping[str, Verdict] = (
            self._many(context, subjects) if self._many else super().run_many(context, subjects)
        )
        return answer


def counting(context: Context, subject: Subject) -> Verdict:
    """Ask twice, the second time by what was answered."""
    first = context.fetch(f"SELECT {subject.payload} AS n")[0]["n"]
    second, xact = context.fetch_each([f"SELECT {first} + 1 AS n", "SELECT now()::text AS at"])
    return Examined(rows_examined=second[0]["n"], explain=xact[0]["at"])


def test_side_by_side_in_one_snapshot_each_gets_its_own_answers(runner: Runner) -> None:
    several = runner.execute_together(Batched(counting), SUBJECTS, EMPTY)
    assert several is not None
    assert [run.rows_examined for run in several.runs] == [1, 2, 3, 4, 5]
    assert len({run.explain for run in several.runs}) == 1
    assert {run.outcome for run in several.runs} == {Outcome.PASS}
    assert several.alone == ()
    assert several.busy_seconds > 0
    wall = sum(run.duration_seconds for run in several.runs)
    assert all(run.duration_seconds == pytest.approx(wall / 5) for run in several.runs)


def crashing(context: Context, subject: Subject) -> Any:
    context.fetch("SELECT 1")
    return CLEAN if 1 // subject.payload < 2 else None


def breaching(context: Context, subject: Subject) -> Any:
    context.fetch("SELECT 1")
    return CLEAN if subject.payload else "nonsense"


def declining(context: Context, subject: Subject) -> Any:
    return CLEAN if subject.payload else None


@pytest.mark.parametrize("run", [crashing, breaching, declining])
def test_who_fails_by_itself_is_left_to_a_run_of_its_own(runner: Runner, run: Callable[..., Any]) -> None:
    several = runner.execute_together(Batched(run), SUBJECTS, EMPTY)
    assert several is not None
    assert [subject.name for subject in several.alone] == ["s0"]
    assert [run.subject for run in several.runs] == ["s1", "s2", "s3", "s4"]


def failing(context: Context, subject: Subject) -> Any:
    try:
        context.fetch(f"SELECT 1 / {subject.payload}")
    finally:
        if subject.payload == 1:  # whatever is tried then
            context.fetch("SELECT 1")
    return CLEAN


@pytest.mark.parametrize(
    "check",
    [
        Batched(counting, lambda *_: "nonsense"),
        Batched(counting, lambda *_: {"stranger": CLEAN}),
        Batched(counting, lambda *_: 1 // 0),
        Batched(counting, lambda context, _: context.fetch("SELECT nonsense") and {}),
        Batched(counting, lambda context, _: {"s0": context.of(SUBJECTS[0]).fetch("DELETE FROM t")}),
    ],
)
def test_a_batch_that_fails_leaves_all_of_its_subjects_alone(runner: Runner, check: Batched) -> None:
    several = runner.execute_together(check, SUBJECTS, EMPTY)
    assert several is not None
    assert several.runs == ()
    assert several.alone == SUBJECTS


@pytest.mark.parametrize("each", [1, 3], ids=["by one query", "by one of several"])
def test_a_query_that_fails_costs_the_others_no_more_than_to_begin_together_again(
    runner: Runner, each: int
) -> None:
    def run(context: Context, subject: Subject) -> Verdict:
        context.fetch_each([f"SELECT {n}" for n in range(subject.payload)])
        context.fetch_each(["SELECT 1"] * (each - 1) + [f"SELECT 1 / {subject.payload - 3}"])
        return CLEAN

    several = runner.execute_together(Batched(run), SUBJECTS, EMPTY)
    assert several is not None
    assert several.runs == ()
    assert [subject.name for subject in several.alone] == ["s3"]
    assert [subject.name for subject in several.again] == ["s0", "s1", "s2", "s4"]
    several = runner.execute_together(Batched(failing), SUBJECTS, EMPTY)
    assert several is not None
    assert [subject.name for subject in several.alone] == ["s0"]


def test_a_failure_that_run_many_makes_light_of_counts(runner: Runner) -> None:
    def many(context: Batch, subjects: Sequence[Subject]) -> dict[str, Verdict]:
        try:
            context.fetch("SELECT nonsense")
        except QueryFailedError:
            return {subject.name: CLEAN for subject in subjects}
        return {}

    several = runner.execute_together(Batched(counting, many), SUBJECTS, EMPTY)
    assert several is not None
    assert several.alone == SUBJECTS


def test_a_batch_that_hangs_is_given_up(target: Target) -> None:
    over = threading.Event()
    runner = Runner(target, RunLimits(run_timeout=0.3))
    several = runner.execute_together(Batched(counting, lambda *_: over.wait(30) and {}), SUBJECTS, EMPTY)
    over.set()
    assert several is not None
    assert several.alone == SUBJECTS


def test_what_belongs_to_one_subject_is_its_own(runner: Runner) -> None:
    def run(context: Context, subject: Subject) -> Verdict:
        context.checkpoint({"never": "kept"})
        return Examined(rows_examined=int(str(context.memory["rows"])), explain=str(context.resumed))

    def each(subject: Subject) -> Assistance:
        return replace(ALONE, memory={"rows": 10 * subject.payload}, resumed={"of": "a walk"})

    saved: list[object] = []
    assistance = Assistance(each=each, save=lambda *what: saved.append(what))
    several = runner.execute_together(Batched(run), SUBJECTS, EMPTY, assistance)
    assert several is not None
    assert [run.rows_examined for run in several.runs] == [0, 10, 20, 30, 40]
    assert {run.explain for run in several.runs} == {"{}"}
    assert saved == []


def walking(context: Batch, subjects: Sequence[Subject]) -> Mapping[str, Verdict]:
    done = int(str(context.resumed.get("done", 0)))
    for number in range(done, 3):
        context.fetch("SELECT 1")
        context.checkpoint({"done": number + 1}, number / 3)
    return {subject.name: Examined(rows_examined=3 - done) for subject in subjects}


def test_a_batch_takes_checkpoints_and_goes_on_from_them(target: Target) -> None:
    runner, saved = Runner(target, RunLimits(chunk_seconds=0.02)), []

    def rest(_: float) -> None:
        if len(saved) == 2:
            raise BrokenOffError("later")

    first = Assistance(save=lambda state, _: saved.append(state), rest=rest)
    assert runner.execute_together(Batched(counting, walking), SUBJECTS, EMPTY, first) is None
    several = runner.execute_together(
        Batched(counting, walking), SUBJECTS, EMPTY, Assistance(resumed=saved[-1])
    )
    assert several is not None
    assert {run.rows_examined for run in several.runs} == {1}


def test_a_skipped_subject_is_skipped(runner: Runner) -> None:
    several = runner.execute_together(Batched(lambda *_: Skipped("for a reason")), SUBJECTS, EMPTY)
    assert several is not None
    assert {(run.outcome, run.error) for run in several.runs} == {(Outcome.SKIPPED, "for a reason")}


@pytest.mark.parametrize(
    "batches",
    [
        lambda _: None,
        lambda subjects: (subjects[1:],),
        lambda subjects: (subjects, subjects),
        lambda subjects: ((), subjects),
        lambda _: (("s0",),),
        lambda subjects: iter(lambda: subjects, None),
        lambda _: 1 // 0,
    ],
)
def test_batches_that_are_none_leave_each_alone(runner: Runner, batches: Callable[..., Any]) -> None:
    check = Batched(counting)
    check.batches = batches  # type: ignore[method-assign]
    assert runner.batches(check, SUBJECTS) == [(subject,) for subject in SUBJECTS]
    assert runner.batches(Batched(counting), SUBJECTS) == [SUBJECTS]


def test_a_batch_that_fails_says_in_the_log_where_and_why_but_not_what_a_plugin_quotes(
    runner: Runner,
) -> None:
    def crash(*_: object) -> Any:
        raise ValueError("secret row")

    with capture_logs() as lines:
        runner.execute_together(Batched(counting, crash), SUBJECTS, EMPTY)
    (line,) = lines
    assert line["target"] == runner.target.name
    assert line["subjects"].startswith(SUBJECTS[0].name)
    assert (line["log_level"], line["error"]) == ("warning", "ValueError")
