"""The schedule: when a tick of each check of each target is due.

APScheduler with jobs in memory; what was due while pgvigil was not running is known from the store's last
runs. Ticks that could not happen in time are counted, never queued up behind each other.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_SUBMITTED, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from pgvigil.timing import Cron, Schedule

_MOST_THREADS = 64
# The first ticks after a start come within this many seconds, or a tenth of their interval if that is less.
_START_SPREAD = 10.0
# Enough for a 29th of February to come twice, also around 2100.
_DAYS_AHEAD = 366 * 13


@dataclass(frozen=True, slots=True)
class Job:
    """One check of one target, and when it is due. `last_started` is when it last ran, if it ever did."""

    target: str
    check: str
    schedule: Schedule
    last_started: datetime | None = None

    @property
    def id(self) -> str:
        """Name the job within the scheduler."""
        return f"{self.target}/{self.check}"


class Scheduler:
    """Calls `tick(target, check)` on threads of its own whenever a job is due."""

    def __init__(
        self, jobs: Iterable[Job], tick: Callable[[str, str], None], missed: Callable[[str, str, str], None]
    ) -> None:
        self._jobs = {job.id: job for job in jobs}
        self._tick = tick
        self._missed = missed
        self._due: dict[str, datetime] = {}
        self._idle = threading.Condition()
        self._running = 0
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(max(1, min(_MOST_THREADS, len(self._jobs))))},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.add_listener(self._submitted, EVENT_JOB_SUBMITTED)
        self._scheduler.add_listener(self._overrun, EVENT_JOB_MAX_INSTANCES)

    def start(self, now: datetime) -> None:
        """Begin; what was missed while nobody watched is due within seconds, spread out."""
        for job in self._jobs.values():
            self._scheduler.add_job(
                self._run,
                trigger=trigger(job),
                args=(job,),
                id=job.id,
                next_run_time=first_due(job, now),
            )
        self._scheduler.start()

    def stop(self, timeout: float) -> bool:
        """Let no tick begin any more, and wait for those that run; False when they did not end in time."""
        self._scheduler.shutdown(wait=False)
        with self._idle:
            return self._idle.wait_for(lambda: self._running == 0, timeout)

    @property
    def next_due(self) -> dict[str, datetime]:
        """When each job is due next, by id."""
        return {job.id: job.next_run_time for job in self._scheduler.get_jobs() if job.next_run_time}

    def _run(self, job: Job) -> None:
        with self._idle:
            self._running += 1
        try:
            self._tick(job.target, job.check)
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()

    def _submitted(self, event: JobSubmissionEvent) -> None:
        """Count the ticks that were folded into this one, because the machine slept or was too busy."""
        job, due = self._jobs[event.job_id], event.scheduled_run_times[-1]
        before = self._due.get(job.id)
        self._due[job.id] = due
        if before is None or isinstance(job.schedule, Cron):
            return
        folded = round((due - before) / job.schedule) - 1
        for _ in range(folded):
            self._missed(job.target, job.check, "late")

    def _overrun(self, event: JobSubmissionEvent) -> None:
        """Count a tick that was due while the one before it was still running."""
        job = self._jobs[event.job_id]
        self._due[job.id] = event.scheduled_run_times[-1]
        self._missed(job.target, job.check, "overrun")


def trigger(job: Job) -> BaseTrigger:
    """Make the trigger; intervals are jittered a little so that thousands do not stay in step."""
    if isinstance(job.schedule, Cron):
        return CronTrigger(timezone=UTC, **job.schedule.fields())
    seconds = job.schedule.total_seconds()
    return IntervalTrigger(seconds=seconds, timezone=UTC, jitter=min(seconds / 20, _START_SPREAD) or None)


def first_due(job: Job, now: datetime) -> datetime | None:
    """Return when a job is first due after a start.

    A job keeps the rhythm it had; one that never ran, or missed its turn, is due at once but for a spread
    that depends on its name alone, so that many do not start together. A last run in the future (the clock
    was set back) counts as none.
    """
    spread = timedelta(seconds=_share(job.id) * min(_START_SPREAD, interval_seconds(job.schedule, now) / 10))
    if isinstance(job.schedule, Cron):
        since = job.last_started if job.last_started and job.last_started <= now else now
        due = trigger(job).get_next_fire_time(since, since + timedelta(microseconds=1))
        return max(due, now + spread) if due else None
    if job.last_started is None or job.last_started > now:
        return now + spread
    return max(job.last_started + job.schedule, now + spread)


def interval_seconds(schedule: Schedule, now: datetime) -> float:
    """Return the seconds between two ticks; of a cron, the longest that there ever are from `now` on.

    A result is stale when it is older than this, so that a nightly pause of the schedule pages nobody.
    """
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
