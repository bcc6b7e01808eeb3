"""When a pause begins and ends, under a clock of the test's own; the signals are what the test says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from pgvigil.config import Pause
from pgvigil.errors import BusyError, QueryFailedError, TargetUnreachableError
from pgvigil.governor import Governor
from pgvigil.metrics import Counters
from pgvigil.pressure import Pauses, Pressure
from pgvigil.sensor import Signal, Signals
from pgvigil.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

CALM: dict[Signal, float | None] = {
    Signal.ACTIVE_SESSIONS: 0,
    Signal.LOCK_WAITS: 0,
    Signal.REPLICA_LAG: 0.0,
    Signal.OLDEST_SNAPSHOT: 0.0,
    Signal.CONNECTIONS_LEFT: 100,
    Signal.LOAD: 0.0,
}
NO_LIMITS: dict[str, Any] = dict.fromkeys(CALM)


class Bench(threading.Event):
    """A server whose signals change with time; time passes when a pause waits."""

    def __init__(self, signals: Callable[[float], Mapping[Signal, float | None]], **limits: Any) -> None:
        super().__init__()
        self.now = 0.0
        self.asked: list[float] = []
        self._signals = signals
        self.pressure = Pressure("main", Pause(**NO_LIMITS | limits), self.ask, lambda: self.now)

    def ask(self) -> Signals:
        self.asked.append(self.now)
        return {**CALM, **self._signals(self.now)}

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.is_set()

    def hold(self) -> float:
        """Return for how long a run is held."""
        began = self.now
        self.pressure.hold(self)
        return self.now - began


def until(moment: float, **signals: float) -> Callable[[float], Mapping[Signal, float | None]]:
    return lambda now: {Signal(name): value for name, value in signals.items()} if now < moment else {}


@pytest.mark.parametrize(
    ("limits", "below", "beyond"),
    [
        ({"active_sessions": 8}, {"active_sessions": 8}, {"active_sessions": 9}),
        ({"lock_waits": 0}, {"lock_waits": 0}, {"lock_waits": 1}),
        ({"replica_lag": "30s"}, {"replica_lag": 30.0}, {"replica_lag": 30.1}),
        ({"oldest_snapshot": "1h"}, {"oldest_snapshot": 3600.0}, {"oldest_snapshot": 3601.0}),
        ({"connections_left": 5}, {"connections_left": 5}, {"connections_left": 4}),
        ({"load": 0.8}, {"load": 0.8}, {"load": 0.9}),
    ],
)
def test_a_run_is_held_while_a_signal_is_beyond_its_limit(
    limits: dict[str, Any], below: dict[str, float], beyond: dict[str, float]
) -> None:
    assert Bench(until(20.0, **below), **limits).hold() == 0.0
    assert Bench(until(20.0, **beyond), **limits).hold() == 20.0
    assert Bench(until(20.0, **beyond)).hold() == 0.0, "without a limit nothing is too much"


def test_by_default_a_run_is_held_for_waits_for_locks_and_for_the_last_connections() -> None:
    limits = Pause().model_dump(exclude={"longest"}, exclude_none=True)
    assert limits == {"lock_waits": 10, "connections_left": 5}


def test_a_server_is_asked_every_other_second_at_the_most() -> None:
    bench = Bench(until(0.0), lock_waits=0)
    for _ in range(100):
        bench.hold()
        bench.now += 0.125
    assert bench.asked == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]


def test_without_limits_a_server_is_not_asked() -> None:
    bench = Bench(until(100.0, lock_waits=99.0))
    bench.hold()
    assert bench.asked == []


def test_a_pause_is_not_for_ever_and_does_not_come_back_at_once() -> None:
    bench = Bench(lambda _: {Signal.LOCK_WAITS: 50}, lock_waits=10, longest="1m")
    with capture_logs() as logs:
        assert bench.hold() == 60.0
    assert bench.pressure.pauses().overruled == 1
    assert [each["log_level"] for each in logs] == ["info", "warning", "info"]
    asked = len(bench.asked)
    while bench.now < 119.0:
        assert bench.hold() == 0.0
        bench.now += 1.0
    assert len(bench.asked) == asked, "while it does not matter, nobody asks"
    bench.now = 121.0
    assert bench.hold() == 60.0
    assert bench.pressure.pauses().overruled == 2


def test_the_seconds_of_a_pause_are_counted_by_what_held_it() -> None:
    def signals(now: float) -> Mapping[Signal, float | None]:
        return {Signal.LOCK_WAITS: 50 if now < 20 else 0, Signal.LOAD: 2.0 if 10 <= now < 30 else 0.0}

    bench = Bench(signals, lock_waits=10, load=1.0)
    assert bench.hold() == 30.0
    pauses = bench.pressure.pauses()
    assert pauses.seconds == {Signal.LOCK_WAITS: 20.0, Signal.LOAD: 20.0}
    assert pauses.paused == {Signal.LOCK_WAITS: False, Signal.LOAD: False}


def test_a_pause_is_shown_and_told_once_while_it_lasts() -> None:
    seen: list[Pauses] = []

    def signals(now: float) -> Mapping[Signal, float | None]:
        seen.append(bench.pressure.pauses())
        return {Signal.LOCK_WAITS: 50 if now < 100 else 0}

    bench = Bench(signals, lock_waits=10)
    with capture_logs() as logs:
        bench.hold()
    assert all(each.paused[Signal.LOCK_WAITS] for each in seen[1:])
    assert [each["event"] for each in logs] == ["pauses: others keep the server busy", "the pause is over"]
    assert logs[0]["reasons"] == ["lock_waits"]
    assert logs[1]["seconds"] == 100


def test_short_pauses_are_not_told() -> None:
    bench = Bench(lambda now: {Signal.LOCK_WAITS: 50 if now % 10 < 5 else 0}, lock_waits=10)
    with capture_logs() as logs:
        for _ in range(20):
            bench.hold()
            bench.now += 5.0
    assert bench.pressure.pauses().seconds[Signal.LOCK_WAITS] > 50
    assert logs == []


def test_what_cannot_be_seen_holds_nothing_and_is_told_once() -> None:
    bench = Bench(lambda _: {Signal.ACTIVE_SESSIONS: None}, active_sessions=0, lock_waits=10)
    with capture_logs() as logs:
        for _ in range(5):
            assert bench.hold() == 0.0
            bench.now += 10.0
    assert [each["limits"] for each in logs] == [["budget.pause.active_sessions"]]
    assert "GRANT pg_read_all_stats" in logs[0]["remedy"]
    assert bench.pressure.pauses().visible == {Signal.ACTIVE_SESSIONS: False, Signal.LOCK_WAITS: True}


def test_a_server_that_does_not_answer_holds_nothing() -> None:
    def signals(_: float) -> Mapping[Signal, float | None]:
        raise TargetUnreachableError("target main: too many connections")

    bench = Bench(signals, connections_left=5)
    assert bench.hold() == 0.0
    assert bench.asked == [0.0]


def test_a_server_that_has_no_such_views_is_told_of_and_holds_nothing() -> None:
    def signals(_: float) -> Mapping[Signal, float | None]:
        raise QueryFailedError("relation does not exist", sqlstate="42P01")

    bench = Bench(signals, lock_waits=10, connections_left=5)
    with capture_logs() as logs:
        assert bench.hold() == 0.0
        bench.now += 10.0
        assert bench.hold() == 0.0
    assert [each["limits"] for each in logs] == [["budget.pause.connections_left", "budget.pause.lock_waits"]]
    assert logs[0]["remedy"] == "the server does not show it: leave the limit out"
    assert set(bench.pressure.pauses().visible.values()) == {False}


def test_while_no_session_is_to_spare_what_was_seen_before_holds() -> None:
    def signals(now: float) -> Mapping[Signal, float | None]:
        if now < 20.0:
            return {Signal.LOCK_WAITS: 50}
        if now < 40.0:
            raise BusyError("target main: all sessions of the budget are at work")
        return {}

    assert Bench(signals, lock_waits=10).hold() == 40.0


def test_a_stop_ends_a_pause_at_once() -> None:
    stopping = threading.Event()
    pressure = Pressure("main", Pause(lock_waits=0), lambda: {**CALM, Signal.LOCK_WAITS: 5})
    governor = Governor(3, 1.0, pressure)
    answers: list[bool] = []
    asking = [threading.Thread(target=lambda: answers.append(governor.begin())) for _ in range(3)]
    for each in asking:
        each.start()
    while not pressure.pauses().paused[Signal.LOCK_WAITS]:
        stopping.wait(0.01)
    governor.stop()
    for each in asking:
        each.join(1.0)
    assert answers == [False] * 3
    assert not pressure.pauses().paused[Signal.LOCK_WAITS], "nobody is held any more"


def test_metrics_show_the_limits_that_there_are() -> None:
    bench = Bench(until(30.0, lock_waits=50), lock_waits=10, load=1.0)
    bench.hold()
    counters = Counters()
    counters.watch("games", lambda: Usage(2, 0.2, 1.5, 0, bench.pressure.pauses()))
    samples = {
        (sample.name, sample.labels.get("reason")): sample.value
        for metric in counters.collect()
        for sample in metric.samples
        if "pause" in metric.name
    }
    assert samples == {
        ("pgvigil_target_paused", "lock_waits"): 0,
        ("pgvigil_target_paused", "load"): 0,
        ("pgvigil_target_paused_seconds_total", "lock_waits"): 30,
        ("pgvigil_target_paused_seconds_total", "load"): 0,
        ("pgvigil_target_pause_visible", "lock_waits"): 1,
        ("pgvigil_target_pause_visible", "load"): 1,
        ("pgvigil_target_pauses_overruled_total", None): 0,
    }


def test_a_pause_lasts_five_minutes_at_the_most_by_default() -> None:
    assert Pause().longest == timedelta(minutes=5)
