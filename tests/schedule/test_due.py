"""When jobs are due: pure, so that years pass in a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvigil.due import Job, first_due, interval_seconds
from pgvigil.timing import Cron

if TYPE_CHECKING:
    from pgvigil.timing import Schedule

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def job(schedule: Schedule = 5 * MINUTE, last: datetime | None = None, name: str = "main") -> Job:
    return Job(name, "plugin", schedule, last)


def ticks(one: Job, start: datetime, until: datetime) -> list[datetime]:
    """Return when a job ticks when every tick is served at once."""
    first = first_due(one, start)
    trigger = one.trigger(first)
    due: datetime | None = first
    found = []
    while due is not None and due < until:
        found.append(due)
        due = trigger.get_next_fire_time(due, due)
    return found


def test_a_job_that_never_ran_is_due_within_seconds() -> None:
    assert NOW <= first_due(job(), NOW) <= NOW + timedelta(seconds=10)
    assert NOW <= first_due(job(timedelta(seconds=1)), NOW) <= NOW + timedelta(seconds=0.1)


def test_a_job_keeps_its_rhythm_over_a_restart() -> None:
    assert first_due(job(last=NOW - 2 * MINUTE), NOW) == NOW + 3 * MINUTE


def test_a_job_that_missed_its_turn_is_due_within_seconds() -> None:
    for last in (NOW - 6 * MINUTE, NOW - timedelta(days=400)):
        assert NOW <= first_due(job(last=last), NOW) <= NOW + timedelta(seconds=10)


def test_a_last_run_in_the_future_is_not_waited_for() -> None:
    assert first_due(job(last=NOW + timedelta(days=400)), NOW) <= NOW + timedelta(seconds=10)


def test_a_thousand_jobs_do_not_start_together() -> None:
    dues = [first_due(job(name=f"t{number}"), NOW) for number in range(1_000)]
    per_second = [sum(int((due - NOW).total_seconds()) == second for due in dues) for second in range(10)]
    assert max(per_second) < 150
    assert len(set(dues)) > 990


def test_a_thousand_crons_do_not_start_together() -> None:
    cron = Cron.parse("*/5 * * * *")
    dues = [first_due(job(cron, name=f"t{number}"), NOW + MINUTE) for number in range(1_000)]
    assert all(NOW + 5 * MINUTE <= due <= NOW + 5 * MINUTE + timedelta(seconds=3) for due in dues)
    assert len(set(dues)) > 990


def test_the_spread_is_the_same_in_every_process() -> None:
    assert first_due(job(name="games"), NOW) == first_due(job(name="games"), NOW)
    assert first_due(job(name="games"), NOW) != first_due(job(name="other"), NOW)


@pytest.mark.parametrize("interval", [timedelta(seconds=1), 5 * MINUTE, timedelta(days=1)])
def test_lateness_never_adds_up(interval: timedelta) -> None:
    found = ticks(job(interval), NOW, NOW + 1_000 * interval)
    assert len(found) == 1_000
    for number, due in enumerate(found):
        late = due - (found[0] + number * interval)
        assert timedelta(0) <= late <= min(0.05 * interval, timedelta(seconds=10))
    assert len({due - (found[0] + number * interval) for number, due in enumerate(found)}) > 900


def test_turns_that_have_passed_are_not_made_up_for() -> None:
    trigger = job().trigger(NOW)
    late = NOW + 52 * MINUTE
    due = trigger.get_next_fire_time(NOW, late)
    assert NOW + 55 * MINUTE <= due <= NOW + 56 * MINUTE


def test_a_shifted_rhythm_is_the_same_rhythm() -> None:
    trigger = job().trigger(NOW)
    plain = trigger.get_next_fire_time(NOW, NOW)
    assert trigger.shifted(HOUR).get_next_fire_time(NOW + HOUR, NOW + HOUR) == plain + HOUR


def test_a_cron_is_kept_to_the_seconds_of_its_spread() -> None:
    found = ticks(job(Cron.parse("30 4 * * mon-fri")), NOW, NOW + timedelta(days=14))
    assert len(found) == 10
    assert all((due.hour, due.minute) == (4, 30) and due.second < 3 for due in found)
    assert all(due.isoweekday() <= 5 for due in found)


def test_a_cron_that_was_missed_is_due_within_seconds() -> None:
    cron = Cron.parse("30 4 * * *")
    missed = job(cron, last=NOW - timedelta(days=2))
    assert NOW <= first_due(missed, NOW) <= NOW + timedelta(seconds=10)
    kept = job(cron, last=NOW.replace(hour=4, minute=30, second=5))
    assert first_due(kept, NOW).day == 2
    assert first_due(job(cron), NOW).day == 2


def test_a_cron_that_was_missed_many_times_runs_once() -> None:
    trigger = job(Cron.parse("* * * * *")).trigger(NOW)
    due = trigger.get_next_fire_time(NOW, NOW + timedelta(days=365))
    assert due > NOW + timedelta(days=365) - MINUTE


@given(
    interval=st.integers(1, 100_000).map(lambda seconds: timedelta(seconds=seconds)),
    served=st.lists(st.floats(0, 3), min_size=1, max_size=20),
)
def test_whenever_a_tick_is_served_the_next_is_later_and_near(
    interval: timedelta, served: list[float]
) -> None:
    due = first_due(job(interval), NOW)
    trigger = job(interval).trigger(due)
    for delay in served:
        now = due + delay * interval
        following = trigger.get_next_fire_time(due, now)
        assert now < following <= now + 1.06 * interval
        due = following


@pytest.mark.parametrize(
    ("cron", "seconds"),
    [
        ("* * * * *", 60),
        ("*/5 * * * *", 300),
        ("0 9-17 * * *", 16 * 3_600),
        ("30 4 * * *", 86_400),
        ("30 4 * * mon-fri", 3 * 86_400),
        ("0 0 1 * *", 31 * 86_400),
    ],
)
def test_the_interval_of_a_cron_is_the_longest_there_is(cron: str, seconds: int) -> None:
    assert interval_seconds(Cron.parse(cron), NOW) == seconds


def test_the_interval_of_an_interval_is_itself() -> None:
    assert interval_seconds(5 * MINUTE, NOW) == 300
