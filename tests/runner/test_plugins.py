"""Whatever a plugin does is the outcome of its own run: never a pass, and never the end of another run."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import FrozenInstanceError, replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.check import Discovery, Examined, Outcome, Params, Severity, Skipped, Subject
from pgvigil.errors import PluginError, QueryFailedError, TargetError
from pgvigil.runner import Runner
from pgvigil.target import Limits, Target
from tests.runner.plugins import CLEAN, EMPTY, Plugin, faulty, finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.check import Context
    from pgvigil.run import Run

ONE = Subject("one")


def run_of(runner: Runner, check: Plugin, subject: Subject = ONE) -> Run:
    run = runner.run(check, subject, EMPTY)
    assert run is not None
    return run


def still_works(runner: Runner) -> bool:
    """Whether both of the budget's connections are there for others."""
    checks = [Plugin(lambda context, _: faulty(finding(count=context.fetch("SELECT 7 AS n")[0]["n"])))] * 2
    runs = [run_of(runner, check) for check in checks]
    return all(run.outcome is Outcome.FAIL and run.findings[0].count == 7 for run in runs)


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


def test_a_plugin_that_recurses_for_ever_is_an_error_about_itself(runner: Runner) -> None:
    run = run_of(runner, Plugin(lambda *_: endless()))
    assert run.outcome is Outcome.ERROR
    assert "RecursionError" in str(run.error)


def test_the_error_of_a_crash_is_one_short_line(runner: Runner) -> None:
    def crash(context: Context, subject: Subject) -> Examined:
        raise ValueError("first\nsecond\0 " + "x" * 10_000)

    error = run_of(runner, Plugin(crash)).error
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
def test_nonsense_is_an_error_that_says_so(runner: Runner, verdict: Any) -> None:
    run = run_of(runner, Plugin(lambda *_: verdict))
    assert run.outcome is Outcome.ERROR
    assert "check plugin broke its contract" in str(run.error)
    assert run.findings == ()
    assert len(str(run.error)) < 300


def test_details_that_hold_themselves_are_an_error(runner: Runner) -> None:
    details: dict[str, Any] = {}
    details["self"] = details
    run = run_of(runner, Plugin(lambda *_: faulty(finding(details=details))))
    assert run.outcome is Outcome.ERROR


def test_a_fault_is_not_lost_for_what_its_text_holds(runner: Runner) -> None:
    fault = finding(
        sample=({"key": "a\0b\ud800" + "x" * 5_000, "nan": float("nan"), "inf": float("-inf")},),
        details={"nested": ("a", [1.5, None, True], {"deep": "\udfff"})},
        evidence_sql="SELECT '\0'",
    )
    run = run_of(runner, Plugin(lambda *_: Examined(findings=(fault,), strategy="s" * 5_000)))
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


def test_what_a_plugin_keeps_hold_of_cannot_change_its_run(runner: Runner) -> None:
    details = {"rows": [1]}
    run = run_of(runner, Plugin(lambda *_: faulty(finding(details=details))))
    details["rows"].append(2)
    assert run.findings[0].details == {"rows": [1]}


def test_info_is_a_note_and_the_run_passes(runner: Runner) -> None:
    run = run_of(runner, Plugin(lambda *_: faulty(finding(severity=Severity.INFO))))
    assert run.outcome is Outcome.PASS
    assert len(run.findings) == 1


def test_the_settings_decide_severity_and_confirmations(runner: Runner) -> None:
    params = Params(severity={"on*": Severity.CRITICAL}, confirm=4)
    run = run_of(runner, Plugin(lambda *_: faulty(finding(severity=Severity.INFO)), params=params))
    assert (run.outcome, run.findings[0].severity, run.confirm) == (Outcome.FAIL, Severity.CRITICAL, 4)


def test_a_plugin_without_settings_is_an_error_about_itself(runner: Runner) -> None:
    check = Plugin(lambda *_: faulty())
    del check.params
    assert run_of(runner, check).outcome is Outcome.ERROR


def test_an_unexaminable_subject_is_skipped_with_its_reason(runner: Runner) -> None:
    run = run_of(runner, Plugin(), Subject("one", unexaminable="a foreign table"))
    assert (run.outcome, run.error) == (Outcome.SKIPPED, "a foreign table")


def test_the_catalog_cannot_be_changed(runner: Runner) -> None:
    def meddle(context: Context, subject: Subject) -> Examined:
        with pytest.raises(FrozenInstanceError):
            context.catalog.tables = ()  # type: ignore[misc]
        context.catalog.database = "other"  # type: ignore[misc]
        return CLEAN

    run = run_of(runner, Plugin(meddle))
    assert run.outcome is Outcome.ERROR
    assert EMPTY.database == "test"


def test_a_payload_may_be_anything(runner: Runner) -> None:
    lock = threading.Lock()
    check = Plugin(lambda _, subject: CLEAN if subject.payload is lock else None)
    assert run_of(runner, check, Subject("one", payload=lock)).outcome is Outcome.PASS


# Queries


def swallowing(query: Any, params: Any = None) -> Callable[[Context, Subject], Examined]:
    def run(context: Context, subject: Subject) -> Examined:
        with contextlib.suppress(Exception):
            context.fetch(query, params)
        return CLEAN

    return run


@pytest.mark.parametrize(
    ("query", "params"),
    [
        ("SELECT * FROM missing", None),
        ("SELECT 1/0", None),
        ("not sql", None),
        ("SELECT %(a)s", {}),
        ("SELECT %(a)s", {"a": "\ud800"}),
        ("SELECT %(a)s", {"a": object()}),
        ("", None),
        ("CREATE TABLE t ()", None),
        ("SET LOCAL statement_timeout = 0", None),
        ("COMMIT", None),
        ("ROLLBACK AND CHAIN", None),
        ("SELECT 1; SELECT 2", None),
        (None, None),
        (1, None),
    ],
)
def test_a_swallowed_failure_is_never_clean(runner: Runner, query: Any, params: Any) -> None:
    run = run_of(runner, Plugin(swallowing(query, params)))
    assert run.outcome is Outcome.ERROR
    assert still_works(runner)


def test_a_swallowed_timeout_is_a_timeout(database: str) -> None:
    slow = Target("slow", database, Limits(statement_timeout=0.1))
    run = run_of(Runner(slow), Plugin(swallowing("SELECT pg_sleep(30)")))
    slow.close()
    assert run.outcome is Outcome.TIMEOUT
    assert "statement_timeout is 0.1 s" in str(run.error)


def test_a_failure_decides_over_what_the_plugin_raises_for_it(runner: Runner) -> None:
    def run(context: Context, subject: Subject) -> Examined:
        try:
            context.fetch("SELECT * FROM missing")
        except TargetError as error:
            raise SystemExit("my own story") from error
        return CLEAN

    assert 'relation "missing" does not exist' in str(run_of(runner, Plugin(run)).error)


def test_nothing_more_can_be_asked_after_a_failure(runner: Runner, database: str) -> None:
    answers: list[object] = []

    def run(context: Context, subject: Subject) -> Examined:
        for query in ("COMMIT", "CREATE TABLE written ()", "SELECT 1 AS n"):
            try:
                answers.append(context.fetch(query))
            except TargetError:
                answers.append("refused")
        return CLEAN

    assert run_of(runner, Plugin(run)).outcome is Outcome.ERROR
    assert answers == ["refused"] * 3
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT to_regclass('public.written')").fetchone() == (None,)


@pytest.mark.parametrize(
    "query",
    [
        "COMMIT; CREATE TABLE public.written ()",
        "ROLLBACK; CREATE TABLE public.written (); SELECT 1",
        "SELECT 1; COMMIT; BEGIN; CREATE TABLE public.written (); COMMIT",
        "COMMIT AND CHAIN; CREATE TABLE public.written ()",
        "SET TRANSACTION READ WRITE; CREATE TABLE public.written ()",
        "DO 'BEGIN CREATE TABLE public.written (); END'",
        "SELECT set_config('transaction_read_only', 'off', true)",
    ],
)
def test_no_query_leaves_the_read_only_transaction(runner: Runner, database: str, query: str) -> None:
    run = run_of(runner, Plugin(swallowing(query)))
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT to_regclass('public.written')").fetchone() == (None,)
    assert run.outcome is Outcome.ERROR
    assert still_works(runner)


def test_two_queries_of_a_run_see_one_snapshot(runner: Runner, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("CREATE TABLE t AS SELECT 1 AS id")
    seen: list[int] = []

    def run(context: Context, subject: Subject) -> Examined:
        for number in (2, 3):
            seen.append(context.fetch("SELECT count(*) AS n FROM public.t")[0]["n"])
            admin_conn.execute("INSERT INTO t VALUES (%s)", [number])
        return CLEAN

    assert run_of(runner, Plugin(run)).outcome is Outcome.PASS
    assert seen == [1, 1]
    assert admin_conn.execute("SELECT count(*) FROM t").fetchone() == (3,)


# What outlives its run


def test_a_context_is_closed_with_its_run(runner: Runner) -> None:
    kept: list[Context] = []

    def keep(context: Context, subject: Subject) -> Examined:
        context.fetch("SELECT 1")
        kept.append(context)
        return CLEAN

    assert run_of(runner, Plugin(keep)).outcome is Outcome.PASS
    with pytest.raises(QueryFailedError, match="the run of this context is over"):
        kept[0].fetch("SELECT 1")
    with pytest.raises(QueryFailedError, match="is over"):
        kept[0].pause()


def test_threads_of_a_plugin_share_its_snapshot_and_end_with_it(
    runner: Runner, admin_conn: psycopg.Connection
) -> None:
    seen: list[int] = []
    refused = threading.Event()

    def work(context: Context) -> None:
        try:
            while True:
                seen.append(context.fetch("SELECT pg_backend_pid() AS pid")[0]["pid"])
        except QueryFailedError:
            refused.set()

    def run(context: Context, subject: Subject) -> Examined:
        pid = context.fetch("SELECT pg_backend_pid() AS pid")[0]["pid"]
        threading.Thread(target=work, args=[context], daemon=True).start()
        while len(seen) < 5:
            time.sleep(0.001)
        return faulty(finding(count=pid))

    found = run_of(runner, Plugin(run))
    assert refused.wait(10)
    assert set(seen) == {found.findings[0].count}
    assert still_works(runner)


# What never comes back


def test_a_plugin_that_hangs_is_given_up_and_not_called_again_meanwhile(impatient: Runner) -> None:
    go_on, calls = threading.Event(), []

    def hang(context: Context, subject: Subject) -> Examined:
        calls.append(subject.name)
        go_on.wait(60)
        return CLEAN

    check = Plugin(hang)
    first = run_of(impatient, check)
    assert first.outcome is Outcome.TIMEOUT
    assert first.error == "check plugin did not return within 0.3 s and was given up"
    assert run_of(impatient, check).error == "an earlier run of check plugin still hangs"
    assert calls == ["one"]
    go_on.set()
    deadline = time.monotonic() + 10
    while run_of(impatient, check).outcome is not Outcome.PASS:
        assert time.monotonic() < deadline, "a plugin that came back is called again"
        time.sleep(0.02)


def test_a_plugin_that_hangs_in_a_transaction_loses_its_connection(
    impatient: Runner, admin_conn: psycopg.Connection
) -> None:
    come_back, outcome = threading.Event(), []

    def hang(context: Context, subject: Subject) -> Examined:
        context.fetch("SELECT 1")
        come_back.wait(60)
        try:
            context.fetch("SELECT 1")
        except TargetError as error:
            outcome.append(error)
        return CLEAN

    for name in ("a", "b"):
        assert run_of(impatient, Plugin(hang), Subject(name)).outcome is Outcome.TIMEOUT
    assert still_works(impatient)
    query = """\
        SELECT count(*) FROM pg_stat_activity
        WHERE state = 'idle in transaction' AND datname = current_database()"""
    deadline = time.monotonic() + 10
    while admin_conn.execute(query).fetchone() != (0,):
        assert time.monotonic() < deadline, "its transaction holds back vacuum"
        time.sleep(0.02)
    come_back.set()
    while len(outcome) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_plugin_given_up_before_its_first_query_gets_no_connection(impatient: Runner) -> None:
    come_back, refused = threading.Event(), threading.Event()

    def hang(context: Context, subject: Subject) -> Examined:
        come_back.wait(60)
        try:
            context.fetch("SELECT 1")
        except TargetError:
            refused.set()
        return CLEAN

    assert run_of(impatient, Plugin(hang)).outcome is Outcome.TIMEOUT
    come_back.set()
    assert refused.wait(10)


def test_a_query_that_never_ends_is_ended_by_the_server(database: str) -> None:
    target = Target("main", database, Limits(connections=1, statement_timeout=0.2))
    runner = Runner(target)
    run = run_of(runner, Plugin(lambda context, _: context.fetch("SELECT pg_sleep(600)")))
    assert run.outcome is Outcome.TIMEOUT
    assert still_works(runner)
    target.close()


def test_hanging_subjects_do_not_collect_threads(impatient: Runner) -> None:
    go_on, calls = threading.Event(), []

    def hang(context: Context, subject: Subject) -> Examined:
        calls.append(subject.name)
        go_on.wait(60)
        return CLEAN

    check = Plugin(hang)
    runs = [run_of(impatient, check, Subject(f"s{number}")) for number in range(20)]
    go_on.set()
    assert {run.outcome for run in runs} == {Outcome.TIMEOUT}
    assert len(calls) == 4
    assert runs[-1].error == "4 earlier runs of check plugin still hang"


# Stopping


def test_a_cancelled_run_says_nothing_at_all(runner: Runner) -> None:
    started = threading.Event()
    runs: list[Run | None] = []

    def sleep(context: Context, subject: Subject) -> Examined:
        context.fetch("SELECT 1")
        started.set()
        context.fetch("SELECT pg_sleep(60)")
        return CLEAN

    thread = threading.Thread(target=lambda: runs.append(runner.run(Plugin(sleep), ONE, EMPTY)))
    thread.start()
    assert started.wait(10)
    runner.target.stop()
    thread.join(10)
    assert runs == [None]


@pytest.mark.parametrize("reaction", [CLEAN, Skipped("stopped"), None, SystemExit("x"), ValueError("x")])
def test_a_cancelled_run_says_nothing_whatever_the_plugin_makes_of_it(runner: Runner, reaction: Any) -> None:
    started = threading.Event()
    runs: list[Run | None] = []

    def swallow(context: Context, subject: Subject) -> Any:
        started.set()
        with contextlib.suppress(TargetError):
            context.fetch("SELECT pg_sleep(60)")
        if isinstance(reaction, BaseException):
            raise reaction
        return reaction

    thread = threading.Thread(target=lambda: runs.append(runner.run(Plugin(swallow), ONE, EMPTY)))
    thread.start()
    assert started.wait(10)
    runner.target.stop()
    thread.join(10)
    assert runs == [None]


def test_a_plugin_that_hangs_does_not_hold_up_a_stop(runner: Runner) -> None:
    started, go_on = threading.Event(), threading.Event()
    runs: list[Run | None] = []

    def hang(context: Context, subject: Subject) -> Examined:
        started.set()
        go_on.wait(60)
        return CLEAN

    thread = threading.Thread(target=lambda: runs.append(runner.run(Plugin(hang), ONE, EMPTY)))
    thread.start()
    assert started.wait(10)
    runner.target.stop()
    thread.join(30)
    go_on.set()
    assert runs == [None]


def test_a_pause_ends_a_run_that_does_not_ask_anything(runner: Runner) -> None:
    started = threading.Event()
    runs: list[Run | None] = []

    def compute(context: Context, subject: Subject) -> Examined:
        while True:
            started.set()
            context.pause()

    thread = threading.Thread(target=lambda: runs.append(runner.run(Plugin(compute), ONE, EMPTY)))
    thread.start()
    assert started.wait(10)
    runner.target.stop()
    thread.join(10)
    assert runs == [None]


# Discovery

WRONG_DISCOVERIES: dict[str, Any] = {
    "None": None,
    "a tuple": (Subject("one"),),
    "subjects None": Discovery(None),  # type: ignore[arg-type]
    "a name for a subject": ["one"],
    "a subject twice": [Subject("one"), Subject("two"), Subject("one")],
    "a name that is no text": [Subject(1)],  # type: ignore[arg-type]
    "an empty name": [Subject("")],
    "an absurd name": [Subject("x" * 100_000)],
    "NUL in a name": [Subject("a\0")],
    "half a character in a name": [Subject("a\ud800")],
    "confirmed by nothing": [Subject("one", confirm=0)],
    "confirmed by text": [Subject("one", confirm="2")],  # type: ignore[arg-type]
    "unexaminable for a number": [Subject("one", unexaminable=3)],  # type: ignore[arg-type]
}


@pytest.mark.parametrize("found", WRONG_DISCOVERIES.values(), ids=WRONG_DISCOVERIES)
def test_a_discovery_that_breaks_the_contract_is_refused(runner: Runner, found: Any) -> None:
    made = Discovery(tuple(found)) if isinstance(found, list) else found
    with pytest.raises(PluginError, match="check plugin broke its contract"):
        runner.discover(Plugin(discover=lambda _: made), EMPTY)


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, RecursionError, MemoryError])
def test_a_discovery_that_crashes_is_refused(runner: Runner, error: type[BaseException]) -> None:
    def crash(catalog: object) -> object:
        raise error

    with pytest.raises(PluginError, match=f"check plugin crashed in discover: {error.__name__}"):
        runner.discover(Plugin(discover=crash), EMPTY)


def test_a_discovery_that_hangs_is_given_up(impatient: Runner) -> None:
    go_on = threading.Event()
    check = Plugin(discover=lambda _: go_on.wait(60))
    for reason in ("did not return within 0.3 s", "still hangs"):
        with pytest.raises(PluginError, match=reason):
            impatient.discover(check, EMPTY)
    go_on.set()
