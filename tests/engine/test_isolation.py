"""A plugin that misbehaves is an error about itself; what else there is to examine is examined."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.check import Discovery, Problem, Skipped, Subject
from pgvigil.target import Limits
from pgvigil.watch import WHOLE_CHECK
from tests.engine.world import World, watch_of
from tests.runner.plugins import CLEAN, Plugin, faulty, finding, named

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.check import Context


def crash(*_: Any) -> Any:
    raise SystemExit("the plugin had enough")


def test_one_subject_that_crashes_stops_no_other(world_of: Callable[..., World], database: str) -> None:
    def run(context: Context, subject: Subject) -> Any:
        if subject.name == "bad":
            crash()
        return {"odd": None, "red": faulty()}.get(subject.name, CLEAN)

    names = ["bad", "odd", "red", *(f"fine {number}" for number in range(10))]
    world = world_of(watch_of(database, Plugin(run, names), named("other", subjects=["x"])))
    world.tick()
    world.tick("other")
    states = world.states()
    assert states.pop("bad") == "unknown"
    assert states.pop("odd") == "unknown"
    assert states.pop("red") == "failed"
    assert set(states.values()) == {"passed"}
    assert world.outcomes()["bad"] == "error"
    assert world.states("other") == {"x": "passed"}


@pytest.mark.parametrize("bad", [crash, lambda _: None, lambda _: Discovery((Subject("a"), Subject("a")))])
def test_a_check_that_cannot_discover_is_unknown_and_stops_no_other(
    world_of: Callable[..., World], database: str, bad: Callable[..., Any]
) -> None:
    world = world_of(watch_of(database, Plugin(discover=bad), named("other", subjects=["x"])))
    world.tick()
    world.tick("other")
    assert world.states() == {WHOLE_CHECK: "unknown"}
    assert world.outcomes() == {WHOLE_CHECK: "error"}
    assert world.states("other") == {"x": "passed"}
    assert world.up()


def test_known_subjects_turn_unknown_when_discovery_fails_and_come_back(
    world_of: Callable[..., World], database: str
) -> None:
    check = Plugin(lambda _, subject: faulty() if subject.name == "red" else CLEAN, ["red", "green"])
    world = world_of(watch_of(database, check))
    world.tick()
    check._discover = crash
    world.tick()
    # What was red stays red while nobody can look.
    assert world.states() == {"red": "failed", "green": "unknown"}
    assert set(world.outcomes().values()) == {"error"}
    assert world.live() == ["open"]
    check._discover = None
    world.tick()
    assert world.states() == {"red": "failed", "green": "passed"}


def test_the_stand_in_for_a_check_goes_when_its_subjects_are_found(
    world_of: Callable[..., World], database: str
) -> None:
    check = Plugin(subjects=["a"], discover=crash)
    world = world_of(watch_of(database, check))
    world.tick()
    check._discover = None
    world.tick()
    assert world.states() == {"a": "passed"}


def test_a_setting_that_does_not_fit_is_an_unknown_subject(
    world_of: Callable[..., World], database: str
) -> None:
    problem = Problem(("relations", 0), "there is no table a.b", "a.b(id) -> c.d(id)")
    found = Discovery((Subject("fine"),), (problem, Problem(("relations", 1), "again", "fine")))
    world = world_of(watch_of(database, Plugin(discover=lambda _: found)))
    world.tick()
    assert world.states() == {"fine": "passed", "a.b(id) -> c.d(id)": "unknown"}
    assert world.outcomes()["a.b(id) -> c.d(id)"] == "skipped"


@pytest.mark.parametrize(
    "incomplete", ["error", "timeout", "skipped", "nonsense", "undiscovered", "abandoned"]
)
def test_a_run_that_did_not_complete_resolves_nothing_and_is_not_clean(
    world_of: Callable[..., World], database: str, incomplete: str
) -> None:
    mode = "fail"

    def run(context: Context, subject: Subject) -> Any:
        if mode == "error":
            context.fetch("SELECT * FROM missing")
        if mode == "timeout":
            context.fetch("SELECT pg_sleep(60)")
        if mode == "abandoned":
            time.sleep(3)
        verdicts = {"fail": faulty(finding(count=3)), "skipped": Skipped("cannot"), "nonsense": 42}
        return verdicts.get(mode, CLEAN)

    limits = Limits(connections=1, statement_timeout=0.2)
    watch = watch_of(database, Plugin(run), limits=limits, run_timeout=1.5)
    world = world_of(watch)
    world.tick()
    assert (world.states(), world.live()) == ({"one": "failed"}, ["open"])
    mode = incomplete
    if incomplete == "undiscovered":
        watch.checks["plugin"]._discover = crash  # type: ignore[attr-defined]
    world.tick()
    world.tick()
    assert world.outcomes()["one"] in ("error", "timeout", "skipped")
    assert (world.states(), world.live()) == ({"one": "failed"}, ["open"])
    status = world.store.view().subjects["main", "plugin", "one"]
    assert dict(status.violations) == {"critical": 0, "warning": 3}


def test_a_run_that_did_not_complete_takes_the_green_from_a_subject(
    world_of: Callable[..., World], database: str
) -> None:
    verdict: Any = CLEAN
    world = world_of(watch_of(database, Plugin(lambda *_: verdict)))
    world.tick()
    assert world.states() == {"one": "passed"}
    verdict = None
    world.tick()
    assert world.states() == {"one": "unknown"}


def test_a_new_subject_is_unknown_until_it_is_examined(world_of: Callable[..., World], database: str) -> None:
    seen: list[dict[str, str]] = []

    def run(context: Context, subject: Subject) -> Any:
        seen.append(world.states())
        return CLEAN

    check = Plugin(run, ["old"])
    world = world_of(watch_of(database, check))
    world.tick()
    check.subjects = [Subject("old"), Subject("new")]
    world.tick()
    assert seen[0] == {"old": "unknown"}
    assert seen[1] == {"old": "passed", "new": "unknown"}


def test_a_subject_that_is_gone_is_gone_and_its_incident_is_closed_as_vanished(
    world_of: Callable[..., World], database: str
) -> None:
    check = Plugin(lambda *_: faulty(), ["goes", "stays"])
    world = world_of(watch_of(database, check))
    world.tick()
    check.subjects = [Subject("stays")]
    world.tick()
    assert world.states() == {"stays": "failed"}
    resolutions = {each.subject: each.resolution for each in world.store.incidents()}
    assert resolutions == {"goes": "vanished", "stays": None}


def test_a_table_dropped_before_its_run_is_an_error_and_then_gone(
    world_of: Callable[..., World], database: str, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("CREATE TABLE a (); CREATE TABLE b ()")

    def run(context: Context, subject: Subject) -> Any:
        if subject.name == "public.a":
            admin_conn.execute("DROP TABLE IF EXISTS b")
        context.fetch("SELECT count(*) FROM public.a" if subject.name == "public.a" else "TABLE public.b")
        return CLEAN

    def discover(catalog: Any) -> Discovery:
        return Discovery(tuple(sorted((Subject(str(t)) for t in catalog.tables), key=lambda s: s.name)))

    world = world_of(watch_of(database, Plugin(run, discover=discover), limits=Limits(connections=1)))
    world.tick()
    assert world.outcomes() == {"public.a": "pass", "public.b": "error"}
    assert world.states() == {"public.a": "passed", "public.b": "unknown"}
    world.tick()
    assert world.states() == {"public.a": "passed"}


def test_findings_are_open_after_as_many_runs_as_the_subject_asks(
    world_of: Callable[..., World], database: str
) -> None:
    world = world_of(watch_of(database, Plugin(lambda *_: faulty(), [Subject("one", confirm=2)])))
    world.tick()
    assert world.live() == ["suspect"]
    world.tick()
    assert world.live() == ["open"]
