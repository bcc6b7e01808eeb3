"""Any history of incidents, any weather: in the end Alertmanagers hold what is open, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from pgvigil.check import Finding, Outcome, Severity
from tests.incident.life import finding
from tests.notify.model import Killed
from tests.notify.world import RESEND, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.store import LiveIncident

# A busy machine is no fault of the notifier's.
unhurried = settings(deadline=None)

NAMES = ("one", "two")
SUBJECTS = ("public.a", "public.b")
WEATHER = ("up", "up", "down", "lost", "unanswered", "error", "killed", "killed_later")


@dataclass(frozen=True)
class Step:
    """Something that happens, and how to write it when a test fails."""

    words: str
    happen: Callable[[World], object]


def seen(subject: str, found: list[Finding], outcome: Outcome) -> Step:
    words = f"{subject} {outcome} {[(one.code, str(one.severity)) for one in found]}"
    found = found if outcome.completed else []
    return Step(words, lambda world: world.see(*found, subject=subject, outcome=outcome))


def told(kind: str, pick: int, minutes: int) -> Step:
    def say(world: World) -> None:
        live = sorted(world.store.view().incidents.values(), key=lambda one: (one.subject, one.code))
        if live:
            say_of(world, live[pick % len(live)])

    def say_of(world: World, one: LiveIncident) -> None:
        now = world.clock.now()
        if kind == "unmute":
            world.store.unmute(one.id, who="ada", at=now)
        else:
            until = now + timedelta(minutes=minutes) if minutes else None
            mark = {"mute": world.store.mute, "acknowledge": world.store.acknowledge}[kind]
            mark(one.id, who="ada", at=now, until=until)

    return Step(f"{kind} {pick} for {minutes} min", say)


def gone(subject: str) -> Step:
    rest = [one for one in SUBJECTS if one != subject]
    return Step(
        f"{subject} is gone",
        lambda world: world.store.sync_subjects("games", "orphan_rows", rest, world.clock.now(), 60),
    )


def work(seconds: float) -> Step:
    def go_on(world: World) -> None:
        try:
            world.go_on(seconds)
        except Killed:
            for model in world.models.values():
                model.weather = "up" if model.weather.startswith("killed") else model.weather
            world.restart(**world.form.labels)

    return Step(f"{seconds} s pass", go_on)


def weather(name: str, kind: str) -> Step:
    return Step(f"{name} is {kind}", lambda world: setattr(world.models[name], "weather", kind))


def clock(minutes: int) -> Step:
    return Step(
        f"clock {minutes} min wrong", lambda world: setattr(world.clock, "wrong", timedelta(minutes=minutes))
    )


severities = st.sampled_from(list(Severity))
findings = st.dictionaries(st.sampled_from(["orphans", "partial_nulls"]), severities).map(
    lambda faults: [finding(code, 1, severity) for code, severity in faults.items()]
)
runs = st.builds(
    seen, st.sampled_from(SUBJECTS), findings, st.sampled_from([Outcome.FAIL, Outcome.PASS, Outcome.TIMEOUT])
)
people = st.builds(
    told,
    st.sampled_from(["mute", "unmute", "acknowledge"]),
    st.integers(0, 3),
    st.sampled_from([0, 1, 30]),
)
time = st.builds(work, st.sampled_from([0.05, 0.5, 3, 30, 90]))
ends = st.builds(gone, st.sampled_from(SUBJECTS))
outages = st.builds(weather, st.sampled_from(NAMES), st.sampled_from(WEATHER))
alertmanager_restarts = st.sampled_from(NAMES).map(
    lambda name: Step(f"{name} restarts", lambda world: world.models[name].restart())
)
restarts = st.sampled_from(["", "data"]).map(
    lambda team: Step(f"restart as {team!r}", lambda world: world.restart(**({"team": team} if team else {})))
)
jumps = st.builds(clock, st.sampled_from([-120, -1, 0, 1, 120]))

fair = st.one_of(runs, runs, runs, people, time, time, ends)
foul = st.one_of(fair, fair, time, outages, alertmanager_restarts, restarts)
strange = st.one_of(foul, foul, jumps)


def histories(steps: st.SearchStrategy[Step]) -> st.SearchStrategy[list[Step]]:
    return st.lists(steps, max_size=30)


def faults(world: World, name: str) -> Counter[tuple[str, str]]:
    return Counter((labels["subject"], labels["code"]) for labels in world.firing(name))


def clear_up(world: World) -> None:
    """Let everything work from now on, for a while."""
    for model in world.models.values():
        model.weather = "up"
    world.clock.wrong = timedelta()
    world.go_on(3 * RESEND)


@unhurried
@given(histories(foul))
def test_in_the_end_every_alertmanager_holds_what_is_open_and_not_muted(history: list[Step]) -> None:
    with World(*NAMES) as world:
        for step in history:
            step.happen(world)
            for name in NAMES:
                assert max(faults(world, name).values(), default=1) == 1, "one fault is one alert"
        clear_up(world)
        assert world.in_step()
        for model in world.models.values():
            assert model.ended_unknown == [], "what was never told is not told to be over"


@unhurried
@given(histories(strange), st.sampled_from([-7200, -30, -0.5, 0.5, 30, 7200]))
def test_it_does_so_whatever_the_clocks_say(history: list[Step], skew: float) -> None:
    with World(*NAMES, skew=timedelta(seconds=skew)) as world:
        for step in history:
            step.happen(world)
        clear_up(world)
        assert world.in_step()


@unhurried
@given(
    st.lists(
        st.one_of(runs, runs, time, outages, restarts.filter(lambda step: "data" not in step.words)),
        max_size=30,
    )
)
def test_an_alert_begins_at_most_as_often_as_its_fault_did(history: list[Step]) -> None:
    """Neither a lost answer nor a restart makes a second page of one incident."""
    with World(*NAMES) as world:
        for step in history:
            step.happen(world)
        clear_up(world)
        causes = Counter(
            history.incident.subject
            for one in world.store.incidents()
            if (history := world.store.incident(one.id))
            for event in history.events
            if event.kind in ("opened", "escalated", "eased")
        )
        for model in world.models.values():
            begun: Counter[str] = Counter()
            for alert, times in model.began.items():
                begun[dict(alert)["subject"]] += times
            assert begun <= causes
