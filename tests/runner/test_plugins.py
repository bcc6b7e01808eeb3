"""Whatever a plugin raises or returns is the outcome of its own run: never a pass by mistake."""

from __future__ import annotations

import threading
from dataclasses import FrozenInstanceError, replace
from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.check import Examined, Outcome, Params, Severity, Skipped, Subject
from pgvigil.runner import Runner
from tests.runner.plugins import CLEAN, EMPTY, Plugin, faulty, finding, run_of, still_works

if TYPE_CHECKING:
    from pgvigil.check import Context


class NoTextError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text either")


class LonelyError(BaseException):
    pass


def endless(depth: int = 0) -> int:
    return endless(depth + 1) + 1


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad"),
        SystemExit(0),
        KeyboardInterrupt(),
        GeneratorExit(),
        MemoryError(),
        StopIteration(),
        TimeoutError("mine"),
        NoTextError(),
        LonelyError("alone"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_plugin_that_raises_is_an_error_about_itself(runner: Runner, error: BaseException) -> None:
    def crash(context: Context, subject: Subject) -> Examined:
        raise error

    run = run_of(runner, Plugin(crash))
    assert run.outcome is Outcome.ERROR
    assert run.error is not None
    assert run.error.startswith(f"check plugin crashed: {type(error).__name__}")
    assert run.findings == ()
    assert still_works(runner)


def test_a_plugin_that_recurses_for_ever_is_an_error_about_itself(lone_runner: Runner) -> None:
    run = run_of(lone_runner, Plugin(lambda *_: endless()))
    assert run.outcome is Outcome.ERROR
    assert "RecursionError" in str(run.error)


def test_the_error_of_a_crash_is_one_short_line(lone_runner: Runner) -> None:
    def crash(context: Context, subject: Subject) -> Examined:
        raise ValueError("first\nsecond\0 " + "x" * 10_000)

    error = run_of(lone_runner, Plugin(crash)).error
    assert error is not None
    assert "\n" not in error
    assert "\0" not in error
    assert len(error) < 300


NONSENSE: dict[str, Any] = {
    "None": None,
    "True": True,
    "a list": [finding()],
    "a class": Examined,
    "findings None": Examined(findings=None),  # type: ignore[arg-type]
    "findings text": Examined(findings="clean"),  # type: ignore[arg-type]
    "findings of a generator": Examined(findings=iter(())),  # type: ignore[arg-type]
    "a finding None": Examined(findings=(None,)),  # type: ignore[arg-type]
    "rows None": Examined(rows_examined=None),  # type: ignore[arg-type]
    "rows negative": Examined(rows_examined=-1),
    "rows True": Examined(rows_examined=True),
    "rows beyond any store": Examined(rows_examined=2**63),
    "strategy None": Examined(strategy=None),  # type: ignore[arg-type]
    "measures None": Examined(measures=None),  # type: ignore[arg-type]
    "measures of text": Examined(measures={"left_only": "3"}),  # type: ignore[dict-item]
    "a memory of pages": Examined(memory={"keys": list(range(20_000))}),
    "a memory of one long text": Examined(memory={"key": "k" * 70_000}),
    "a negative measure": Examined(measures={"left_only": -3}),
    "count zero": faulty(finding(count=0)),
    "count negative": faulty(finding(count=-5)),
    "count True": faulty(finding(count=True)),
    "count a float": faulty(finding(count=1.0)),  # type: ignore[arg-type]
    "count NaN": faulty(finding(count=float("nan"))),  # type: ignore[arg-type]
    "count beyond any store": faulty(finding(count=2**63)),
    "code None": faulty(finding(code=None)),  # type: ignore[arg-type]
    "code empty": faulty(finding(code="")),
    "code absurdly long": faulty(finding(code="x" * 10_000)),
    "code with NUL": faulty(finding(code="a\0b")),
    "code with half a character": faulty(finding(code="a\ud800b")),
    "codes twice": faulty(finding(), finding()),
    "severity text": faulty(finding(severity="warning")),  # type: ignore[arg-type]
    "title None": faulty(replace(finding(), title=None)),  # type: ignore[arg-type]
    "title empty": faulty(replace(finding(), title=" ")),
    "sample None": faulty(finding(sample=None)),
    "sample of text": faulty(finding(sample=("key",))),
    "sample above the limit": faulty(finding(sample=({"id": 1},) * 4)),
    "sample of objects": faulty(finding(sample=({"id": object()},))),
    "sample of bytes": faulty(finding(sample=({"id": b"1"},))),
    "details None": faulty(finding(details=None)),
    "details of a set": faulty(finding(details={"a": {1}})),
    "details keyed by number": faulty(finding(details={1: 1})),
    "details of gigantic numbers": faulty(finding(details={"a": 10**10_000})),
    "details without end": faulty(finding(details={"a": [0] * 200_000})),
    "too many findings": faulty(*(finding(code=f"c{n}") for n in range(1_001))),
    "skipped for nothing": Skipped(""),
    "skipped for None": Skipped(None),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("verdict", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_an_error_that_says_so(lone_runner: Runner, verdict: Any) -> None:
    run = run_of(lone_runner, Plugin(lambda *_: verdict))
    assert run.outcome is Outcome.ERROR
    assert "check plugin broke its contract" in str(run.error)
    assert run.findings == ()
    assert len(str(run.error)) < 300


def test_details_that_hold_themselves_are_an_error(lone_runner: Runner) -> None:
    details: dict[str, Any] = {}
    details["self"] = details
    run = run_of(lone_runner, Plugin(lambda *_: faulty(finding(details=details))))
    assert run.outcome is Outcome.ERROR


def test_a_fault_is_not_lost_for_what_its_text_holds(lone_runner: Runner) -> None:
    fault = finding(
        sample=({"key": "a\0b\ud800" + "x" * 5_000, "nan": float("nan"), "inf": float("-inf")},),
        details={"nested": ("a", [1.5, None, True], {"deep": "\udfff"})},
        evidence_sql="SELECT '\0'",
    )
    run = run_of(lone_runner, Plugin(lambda *_: Examined(findings=(fault,), strategy="s" * 5_000)))
    assert run.outcome is Outcome.FAIL
    found = run.findings[0]
    key = str(found.sample[0]["key"])
    assert key.startswith("a\ufffdb\ufffdxxx")
    assert len(key) == 1_000
    assert key.endswith("…")
    assert found.sample[0]["nan"] == "NaN"
    assert found.sample[0]["inf"] == "-Infinity"
    assert found.details == {"nested": ["a", [1.5, None, True], {"deep": "\ufffd"}]}
    assert found.evidence_sql == "SELECT '\ufffd'"
    assert len(run.strategy) == 1_000


def test_what_a_plugin_keeps_hold_of_cannot_change_its_run(lone_runner: Runner) -> None:
    details = {"rows": [1]}
    run = run_of(lone_runner, Plugin(lambda *_: faulty(finding(details=details))))
    details["rows"].append(2)
    assert run.findings[0].details == {"rows": [1]}


def test_info_is_a_note_and_the_run_passes(lone_runner: Runner) -> None:
    run = run_of(lone_runner, Plugin(lambda *_: faulty(finding(severity=Severity.INFO))))
    assert run.outcome is Outcome.PASS
    assert len(run.findings) == 1


def test_the_settings_decide_severity_and_confirmations(lone_runner: Runner) -> None:
    params = Params(severity={"on*": Severity.CRITICAL}, confirm=4)
    run = run_of(lone_runner, Plugin(lambda *_: faulty(), params=params))
    assert (run.outcome, run.findings[0].severity, run.confirm) == (Outcome.FAIL, Severity.CRITICAL, 4)


def test_a_severity_is_for_faults_and_makes_no_page_of_a_note(lone_runner: Runner) -> None:
    params = Params(severity={"*": Severity.CRITICAL})
    run = run_of(lone_runner, Plugin(lambda *_: faulty(finding(severity=Severity.INFO)), params=params))
    assert (run.outcome, run.findings[0].severity) == (Outcome.PASS, Severity.INFO)


def test_a_plugin_without_settings_is_an_error_about_itself(lone_runner: Runner) -> None:
    check = Plugin(lambda *_: faulty())
    del check.params
    assert run_of(lone_runner, check).outcome is Outcome.ERROR


def test_an_unexaminable_subject_is_skipped_with_its_reason(lone_runner: Runner) -> None:
    run = run_of(lone_runner, Plugin(), Subject("one", unexaminable="a foreign table"))
    assert (run.outcome, run.error) == (Outcome.SKIPPED, "a foreign table")


def test_the_catalog_cannot_be_changed(lone_runner: Runner) -> None:
    def meddle(context: Context, subject: Subject) -> Examined:
        with pytest.raises(FrozenInstanceError):
            context.catalog.tables = ()  # type: ignore[misc]
        context.catalog.database = "other"  # type: ignore[misc]
        return CLEAN

    run = run_of(lone_runner, Plugin(meddle))
    assert run.outcome is Outcome.ERROR
    assert EMPTY.database == "test"


def test_a_payload_may_be_anything(lone_runner: Runner) -> None:
    lock = threading.Lock()
    check = Plugin(lambda _, subject: CLEAN if subject.payload is lock else None)
    assert run_of(lone_runner, check, Subject("one", payload=lock)).outcome is Outcome.PASS


def test_a_memory_comes_back_whole(lone_runner: Runner) -> None:
    memory = {"keys": "k" * 50_000, "seconds": [1.5, None, True]}
    assert run_of(lone_runner, Plugin(lambda *_: Examined(memory=memory))).memory == memory
