"""Random lives of plugins, through the real engine and a real store, held to what must always be true."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgvigil.check import Skipped, Subject
from pgvigil.errors import QueryTimeoutError, TargetUnreachableError
from pgvigil.store import Store
from pgvigil.watch import WHOLE_CHECK
from tests.engine.world import World, watch_of
from tests.runner.plugins import CLEAN, EMPTY, Plugin, faulty, finding

if TYPE_CHECKING:
    from pgvigil.check import Context

COMPLETE = {
    "clean": lambda: CLEAN,
    "faulty": faulty,
    "other fault": lambda: faulty(finding("other", 2)),
    "two faults": lambda: faulty(finding(), finding("other")),
}


def raising(error: BaseException) -> Any:
    def behave() -> Any:
        raise error

    return behave


INCOMPLETE = {
    "crash": raising(ValueError("x")),
    "exit": raising(SystemExit(0)),
    "interrupt": raising(KeyboardInterrupt()),
    "timeout": raising(QueryTimeoutError("late")),
    "unreachable": raising(TargetUnreachableError("gone")),
    "none": lambda: None,
    "negative": lambda: faulty(finding(count=-1)),
    "twice": lambda: faulty(finding(), finding()),
    "not json": lambda: faulty(finding(details={"a": object()})),
    "skipped": lambda: Skipped("cannot"),
}

BEHAVIOURS = COMPLETE | INCOMPLETE
SUBJECTS = ("a", "b", "c", "d")

plans = st.dictionaries(st.sampled_from(SUBJECTS), st.sampled_from(sorted(BEHAVIOURS)))
"""What each subject that there is does at one tick."""

ticks = st.one_of(plans, plans, plans, st.sampled_from(["no discovery", "target down"]))


class Life:
    """One target with one check that does at every tick as planned."""

    def __init__(self, state_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = Store.open(f"sqlite:///{state_file}")
        self.plan: Mapping[str, str] | str = {}
        self.check = Plugin(self._run, discover=self._discover)
        self.watch = watch_of("host=127.0.0.1 port=1", self.check)
        self.doubted = False
        self.world = World(self.store, [self.watch])
        monkeypatch.setattr(self.watch.target, "read_catalog", self._catalog)
        monkeypatch.setattr("pgvigil.changegate.read_position", lambda _target: None)
        # A run that finds the target gone has met a broken connection: asked again, the target answers.
        monkeypatch.setattr(self.watch.runner, "lost", lambda: None)

    def close(self) -> None:
        self.world.close()
        self.store.close()

    def _catalog(self, scope: object) -> Any:
        if self.plan == "target down":
            raise TargetUnreachableError("target main: cannot connect")
        return EMPTY

    def _discover(self, catalog: object) -> Any:
        if self.plan == "no discovery":
            raise RuntimeError(self.plan)
        self.check._discover = None
        self.check.subjects = [Subject(name, confirm=1 + (name == "d")) for name in sorted(self.plan)]
        found = self.check.discover(EMPTY)
        self.check._discover = self._discover
        return found

    def _run(self, context: Context, subject: Subject) -> Any:
        return BEHAVIOURS[self.plan[subject.name]]()  # type: ignore[index]


def live_of(world: World) -> dict[str, str]:
    """Return the live incidents: their subject by their id."""
    return {one.id: one.subject for one in world.store.incidents() if one.live}


def hold(life: Life, before: dict[str, str], states_before: dict[str, str]) -> None:
    """Check what must be true after every tick."""
    world, plan = life.world, life.plan
    states, live = world.states(), live_of(world)
    life.doubted = plan == {} and not life.doubted and bool(states_before.keys() - {WHOLE_CHECK})
    if isinstance(plan, str) or life.doubted:
        # Nobody could look: all that was known still is, nothing is green, nothing is resolved.
        assert set(states) == (set(states_before) or {WHOLE_CHECK})
        assert "passed" not in states.values()
        assert before.items() <= live.items()
    else:
        assert set(states) == set(plan)
        for name, behaviour in plan.items():
            if behaviour in INCOMPLETE:
                assert states[name] == ("failed" if states_before.get(name) == "failed" else "unknown")
                assert all(one in live for one, subject in before.items() if subject == name)
            else:
                assert states[name] == ("passed" if behaviour == "clean" else "failed")
                assert (name in live.values()) == (behaviour != "clean")
    (coverage,) = world.store.coverage("main")
    assert coverage.known == coverage.passed + coverage.failed + coverage.unknown == len(states)


@pytest.fixture(scope="module")
def empty_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with its tables made: that takes longer than a whole life."""
    file = tmp_path_factory.mktemp("state") / "empty.db"
    Store.open(f"sqlite:///{file}").close()
    return file


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(ticks, min_size=1, max_size=6))
def test_nothing_incomplete_is_clean_and_everything_is_counted(
    plan: list[Any], empty_state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TemporaryDirectory() as directory:
        life = Life(shutil.copy(empty_state, directory), monkeypatch)
        try:
            for step in plan:
                before, states_before = live_of(life.world), life.world.states()
                life.plan = step
                life.world.tick()
                hold(life, before, states_before)
            view = life.store.view()
            life.store.reload()
            assert life.store.view() == view
        finally:
            life.close()
