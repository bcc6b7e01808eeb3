"""When a job is due: pure, by schedules, clocks and names that are passed in."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from pgvigil.timing import Cron, Schedule
from pgvigil.window import Window

# The first ticks after a start come within this many seconds, or a tenth of their interval if that is less.
_START_SPREAD = 10.0
# How late a tick may come by intent: so many seconds, or this share of its interval if that is less.
_JITTER = 10.0
_JITTER_SHARE = 0.05
# Enough for a 29th of February to come twice, also around 2100.
_DAYS_AHEAD = 366 * 13


@dataclass(frozen=True, slots=True)
class Job:
    """One check of one target, and when it is due.

    `last_started` is when it last ran, if it ever did; outside of `window` it is due at its next start.
    """

    target: str
    check: str
    schedule: Schedule
    last_started: datetime | None = None
    window: Window | None = None

    @property
    def id(self) -> str:
        """Name the job within the scheduler."""
        return f"{self.target}/{self.check}"

    def trigger(self, first: datetime) -> BaseTrigger:
        """Return what says when the ticks after the first one are due."""
        if isinstance(self.schedule, Cron):
            return SpreadCronTrigger(self.schedule, self.id, self.window)
        return RhythmTrigger(self.id, first, self.schedule, self.window)


class RhythmTrigger(BaseTrigger):
    """Every `interval` from `anchor` on, each time a little late, by a bit that depends on name and turn.

    The bits do not add up, and turns that have passed are not made up for.
    """

    def __init__(
        self, name: str, anchor: datetime, interval: timedelta, window: Window | None = None
    ) -> None:
        self._window = window
        self._name = name
        self._anchor = anchor
        self._interval = interval

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the first turn after both times."""
        since = max(previous_fire_time or self._anchor, now)
        turn = math.floor((since - self._anchor) / self._interval) + 1
        late = _share(f"{self._name}#{turn}") * min(_JITTER, _JITTER_SHARE * self._interval.total_seconds())
        return _within(
            self._window, self._name, self._anchor + turn * self._interval + timedelta(seconds=late)
        )

    def shifted(self, jump: timedelta) -> RhythmTrigger:
        """Return the same rhythm on a clock that was set by `jump`."""
        return RhythmTrigger(self._name, self._anchor + jump, self._interval, self._window)


class SpreadCronTrigger(BaseTrigger):
    """The times of a cron, all late by seconds that depend on the name: many jobs share one cron."""

    def __init__(self, cron: Cron, name: str, window: Window | None = None) -> None:
        self._window = window
        self._name = name
        self._cron = CronTrigger(timezone=UTC, **cron.fields())
        self._late = timedelta(seconds=_share(name) * _JITTER_SHARE * 60)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return the first time after the previous one; without it, the first one from now on."""
        # Never from before `now`: after a long sleep one run makes up for all that were missed.
        since = max(previous_fire_time + timedelta(microseconds=1), now) if previous_fire_time else now
        due: datetime | None = self._cron.get_next_fire_time(None, since - self._late)
        return _within(self._window, self._name, due + self._late) if due else None


def first_due(job: Job, now: datetime) -> datetime:
    """Return when a job is first due after a start.

    A job keeps its rhythm; one that missed its turn is due at once, but for a spread that depends on its
    name alone, so that many do not start together. One that never ran is due at once too, or at the time that
    its cron says. A last run in the future (the clock was set back) counts as none.
    """
    return _within(job.window, job.id, _first_due(job, now))


def _first_due(job: Job, now: datetime) -> datetime:
    """Return when a job is first due by its schedule alone."""
    # The times of a cron are a minute apart at the least.
    apart = timedelta(minutes=1) if isinstance(job.schedule, Cron) else job.schedule
    spread = _share(job.id) * min(timedelta(seconds=_START_SPREAD), apart / 10)
    if isinstance(job.schedule, Cron):
        since = job.last_started if job.last_started and job.last_started <= now else now
        due = job.trigger(now).get_next_fire_time(since, since)
        return max(due or now, now + spread)
    if job.last_started is None or job.last_started > now:
        return now + spread
    return max(job.last_started + job.schedule, now + spread)


def interval_seconds(schedule: Schedule, now: datetime, window: Window | None = None) -> float:
    """Return the seconds between two ticks; of a cron, the longest that there ever are from `now` on.

    A result is stale when it is older than this, so that a nightly pause of the schedule pages nobody, and
    neither does the time between two windows.
    """
    waits = window.gap.total_seconds() if window and not _always_within(window, schedule) else 0.0
    return waits + _interval_seconds(schedule, now)


def _always_within(window: Window, schedule: Schedule) -> bool:
    """Tell whether no time of a cron is put off by a window."""
    day = datetime(2000, 1, 1, tzinfo=UTC)
    return isinstance(schedule, Cron) and all(
        window.holds(day + timedelta(hours=hour, minutes=minute))
        for hour in schedule.hours
        for minute in schedule.minutes
    )


def _within(window: Window | None, name: str, due: datetime) -> datetime:
    """Return a time, or the start of the next window when it is outside of one; not all at once."""
    if window is None or window.holds(due):
        return due
    return window.next_start(due) + _share(name) * timedelta(seconds=_START_SPREAD)


def _interval_seconds(schedule: Schedule, now: datetime) -> float:
    if not isinstance(schedule, Cron):
        return schedule.total_seconds()
    times = sorted(60 * hour + minute for hour in schedule.hours for minute in schedule.minutes)
    within_a_day = max((late - early for early, late in pairwise(times)), default=0)
    days = [day for day in range(_DAYS_AHEAD) if _falls_on(schedule, now + timedelta(days=day))]
    apart = max((late - early for early, late in pairwise(days)), default=_DAYS_AHEAD)
    overnight = apart * 24 * 60 - times[-1] + times[0]
    return 60.0 * max(within_a_day, overnight)


def _falls_on(cron: Cron, day: datetime) -> bool:
    return day.month in cron.months and day.day in cron.days and day.isoweekday() % 7 in cron.weekdays


def _share(name: str) -> float:
    """Spread names evenly over 0 to 1, the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32
