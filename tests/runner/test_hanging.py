"""A plugin that never comes back is given up, and holds up neither others nor a stop."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.check import Examined, Outcome, Skipped, Subject
from pgvigil.errors import TargetError
from pgvigil.runner import Runner
from pgvigil.target import Limits, Target
from tests.runner.plugins import CLEAN, EMPTY, ONE, Plugin, run_of, still_works

if TYPE_CHECKING:
    from pgvigil.check import Context
    from pgvigil.run import Run


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
