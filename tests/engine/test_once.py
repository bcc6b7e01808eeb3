"""One sweep on demand: its report adds up, and its exit status never calls the unknown clean."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.check import Discovery, Examined, Outcome, Problem, Severity, Skipped, Subject
from pgvigil.errors import ConfigError, TargetError, UsageError
from pgvigil.once import check_once
from pgvigil.target import Limits
from pgvigil.watch import WHOLE_CHECK
from tests.engine.world import dead_dsn, watch_of
from tests.runner.plugins import CLEAN, Plugin, faulty, finding, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.check import Context
    from pgvigil.embedded import Server
    from pgvigil.watch import Watch


def test_a_target_lost_in_the_middle_leaves_every_subject_unknown(own_server: Server) -> None:
    calls = []

    def run(context: Context, subject: Subject) -> Any:
        calls.append(subject.name)
        if len(calls) == 2:
            own_server.stop("immediate")
        context.fetch("SELECT 1")
        return CLEAN

    names = [f"s{number}" for number in range(50)]
    checks = [named(f"check{number}", run, names) for number in range(3)]
    watch = watch_of(own_server.dsn(), *checks, limits=Limits(connections=1))
    try:
        report = check_once(watch)
    finally:
        watch.target.close()
    assert report.coverage() == {"known": 150, "passed": 1, "failed": 0, "unknown": 149}
    assert len(calls) == 2
    assert report.exit_status(Severity.INFO) == 3


WARN = faulty(finding(severity=Severity.WARNING))
CRIT = faulty(finding(severity=Severity.CRITICAL))
INFO = faulty(finding(severity=Severity.INFO))
LOST = Skipped("cannot")


@pytest.fixture
def watching(database: str) -> Iterator[Callable[..., Watch]]:
    watches: list[Watch] = []

    def make(*checks: Plugin, **more: Any) -> Watch:
        watches.append(watch_of(database, *checks, **more))
        return watches[-1]

    yield make
    for watch in watches:
        watch.target.close()


def giving(*verdicts: Any) -> Plugin:
    """Return a check whose subjects end so, one after the other."""
    by_name = {f"s{number}": verdict for number, verdict in enumerate(verdicts)}
    return Plugin(lambda _, subject: by_name[subject.name], by_name)


@pytest.mark.parametrize(
    ("verdicts", "fail_on", "status"),
    [
        ((CLEAN, CLEAN), "warning", 0),
        ((), "warning", 3),
        ((CLEAN, WARN), "warning", 1),
        ((CLEAN, CRIT), "warning", 1),
        ((CLEAN, WARN), "critical", 0),
        ((CLEAN, CRIT), "critical", 1),
        ((INFO,), "warning", 0),
        ((INFO,), "info", 1),
        ((LOST,), "warning", 3),
        ((CLEAN, None), "warning", 3),
        ((LOST, WARN), "warning", 1),
        ((LOST, WARN), "critical", 3),
        ((None, INFO), "info", 1),
    ],
)
def test_the_exit_status(
    watching: Callable[..., Watch], verdicts: tuple[Any, ...], fail_on: str, status: int
) -> None:
    report = check_once(watching(giving(*verdicts)))
    assert report.exit_status(Severity(fail_on)) == status


def test_the_coverage_is_the_sum_of_the_runs(watching: Callable[..., Watch]) -> None:
    report = check_once(
        watching(giving(CLEAN, WARN, LOST, None, INFO, CRIT), named("other", subjects=["a", "b"]))
    )
    assert report.coverage() == {"known": 8, "passed": 4, "failed": 2, "unknown": 2}
    assert report.count(*Outcome) == len(report.runs) == 8
    assert [run.subject for run in report.runs] == ["s0", "s1", "s2", "s3", "s4", "s5", "a", "b"]
    assert [found.severity.value for _, found in report.findings] == ["critical", "warning", "info"]


def test_a_check_that_cannot_discover_is_unknown_and_stops_no_other(watching: Callable[..., Watch]) -> None:
    def crash(catalog: object) -> Any:
        raise SystemExit(0)

    report = check_once(watching(Plugin(discover=crash), named("other", lambda *_: WARN, ["a"])))
    assert [(run.check, run.subject, run.outcome.value) for run in report.runs] == [
        ("plugin", WHOLE_CHECK, "error"),
        ("other", "a", "fail"),
    ]
    assert report.exit_status(Severity.WARNING) == 1
    assert report.exit_status(Severity.CRITICAL) == 3


def test_checks_and_subjects_narrow_it_down(watching: Callable[..., Watch]) -> None:
    watch = watching(Plugin(subjects=["public.a", "public.b"]), named("other", subjects=["public.a", "x.a"]))
    report = check_once(watch, subjects=["public.a"])
    assert [(run.check, run.subject) for run in report.runs] == [
        ("plugin", "public.a"),
        ("other", "public.a"),
    ]
    report = check_once(watch, checks=["other"], subjects=["x.*", "x.a"])
    assert [(run.check, run.subject) for run in report.runs] == [("other", "x.a")]


def test_what_is_not_there_cannot_be_asked_for(watching: Callable[..., Watch]) -> None:
    watch = watching(Plugin(subjects=["public.a"]))
    with pytest.raises(UsageError, match="no check typo on target main; there are plugin"):
        check_once(watch, checks=["typo"])
    with pytest.raises(UsageError, match="no subject matches typo"):
        check_once(watch, subjects=["typo"])


def test_narrowing_never_hides_a_check_that_could_not_discover(watching: Callable[..., Watch]) -> None:
    report = check_once(watching(Plugin(discover=lambda _: None)), subjects=["public.a"])
    assert report.exit_status(Severity.WARNING) == 3


def test_a_setting_that_does_not_fit_is_a_configuration_error(watching: Callable[..., Watch]) -> None:
    found = Discovery((), (Problem(("relations", 0), "there is no table a.b", "a.b(id) -> c.d(id)"),))
    with pytest.raises(ConfigError, match=r"there is no table a\.b"):
        check_once(watching(Plugin(discover=lambda _: found)))


def test_a_target_that_is_down_is_an_error(database: str) -> None:
    watch = watch_of(dead_dsn(database), Plugin())
    with pytest.raises(TargetError, match="cannot connect"):
        check_once(watch)
    assert TargetError.exit_status == 3


def test_what_a_stop_left_unexamined_is_unknown(watching: Callable[..., Watch]) -> None:
    def run(context: Context, subject: Subject) -> Any:
        if subject.name == "s1":
            threading.Thread(target=watch.stop).start()
            context.fetch("SELECT pg_sleep(60)")
        return CLEAN

    limits = Limits(connections=1, statement_timeout=60.0)
    watch = watching(Plugin(run, ["s0", "s1", "s2", "s3"]), limits=limits)
    report = check_once(watch)
    assert report.coverage() == {"known": 4, "passed": 1, "failed": 0, "unknown": 3}
    assert report.exit_status(Severity.WARNING) == 3


def test_progress_counts_up_to_the_number_of_subjects(watching: Callable[..., Watch]) -> None:
    told: list[tuple[str, int, int]] = []
    check_once(watching(giving(CLEAN, None, WARN)), progress=lambda *step: told.append(step))
    # What is ready at the same moment is told in one step.
    assert (told[0], told[-1]) == (("plugin", 0, 3), ("plugin", 3, 3))
    assert told == sorted(set(told))


def test_the_report_names_the_database_and_its_version(
    watching: Callable[..., Watch], pg_version: int
) -> None:
    report = check_once(watching(Plugin(lambda *_: Examined(rows_examined=7))))
    assert report.server_version.split(".")[0] == str(pg_version)
    assert report.database.startswith("test_")
    assert report.started_at <= report.finished_at
    assert report.runs[0].rows_examined == 7
