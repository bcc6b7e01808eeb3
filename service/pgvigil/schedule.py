"""The schedule: when a tick of each check of each target is due.

APScheduler with jobs in memory; what was due while pgvigil was not running is known from the store's last
runs. Ticks that could not happen in time are counted, never queued up behind each other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_SUBMITTED, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from pgvigil.clock import Clock, SystemClock
from pgvigil.due import Job, RhythmTrigger, first_due, interval_seconds

__all__ = ["Job", "Scheduler", "first_due", "interval_seconds"]

_MOST_THREADS = 64
_LOOK_SECONDS = 1.0
_MOMENT = timedelta(milliseconds=20)
# Clocks that are merely steered do not differ by this much between two looks.
_LEAST_JUMP = timedelta(seconds=2)
# As cron does: a clock that is set back by less goes through the same times again, and nothing runs twice.
_REPEATED_HOURS = timedelta(hours=3)


class Scheduler:
    """Calls `tick(target, check)` on threads of its own whenever a job is due.

    `missed(target, check, reason)` is called for each tick that did not happen. The wall clock may be set:
    intervals go on as if it had not been, cron jobs follow it.
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        tick: Callable[[str, str], None],
        missed: Callable[[str, str, str], None],
        clock: Clock | None = None,
    ) -> None:
        self._jobs = {job.id: job for job in jobs}
        self._tick = tick
        self._missed = missed
        self._clock = clock or SystemClock()
        self._offset = self._wall_offset()
        self._due: dict[str, datetime] = {}
        self._idle = threading.Condition()
        self._running: dict[str, bool] = {}
        """The jobs whose tick goes on, and whether another one is to follow at once."""
        self._hurried: set[str] = set()
        self._stopping = threading.Event()
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
            due = first_due(job, now)
            self._scheduler.add_job(
                self._run, trigger=job.trigger(due), args=(job,), id=job.id, next_run_time=due
            )
        self._scheduler.start()
        threading.Thread(target=self._watch_clock, name="clock watch", daemon=True).start()

    def stop(self, timeout: float) -> bool:
        """Let no tick begin any more, and wait for those that run; False when they did not end in time."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        with self._idle:
            return self._idle.wait_for(lambda: not self._running, timeout)

    def hurry(self, target: str, check: str) -> None:
        """Let a tick begin from now on, whatever the schedule; after the one that goes on, if one does.

        What that one has already looked at may have changed since.
        """
        key = f"{target}/{check}"
        with self._idle:
            if key in self._running:
                self._running[key] = True
                return
            self._hurried.add(key)
        self._begin_at(key, self._clock.now())

    def _begin_at(self, key: str, moment: datetime) -> None:
        job = self._scheduler.get_job(key)
        if job is not None and not self._stopping.is_set():
            job.modify(next_run_time=moment)
            self._scheduler.wakeup()

    @property
    def next_due(self) -> dict[str, datetime]:
        """When each job is due next, by id."""
        return {job.id: job.next_run_time for job in self._scheduler.get_jobs() if job.next_run_time}

    def look_at_clock(self) -> None:
        """Follow the wall clock when it was set since the last look, and start what is due by it."""
        offset = self._wall_offset()
        jump, self._offset = offset - self._offset, offset
        if abs(jump) >= _LEAST_JUMP:
            self._follow(jump)
        # The scheduler sleeps until the next job is due by the clock as it was.
        self._scheduler.wakeup()

    def _wall_offset(self) -> timedelta:
        return self._clock.now() - datetime.fromtimestamp(0, UTC) - timedelta(seconds=self._clock.monotonic())

    def _watch_clock(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            self.look_at_clock()

    def _follow(self, jump: timedelta) -> None:
        now = self._clock.now()
        for job in self._scheduler.get_jobs():
            due: datetime = job.next_run_time
            if isinstance(job.trigger, RhythmTrigger):
                job.modify(trigger=job.trigger.shifted(jump), next_run_time=due + jump)
                if job.id in self._due:
                    self._due[job.id] += jump
            elif due < now:
                job.modify(next_run_time=now)
            elif jump < -_REPEATED_HOURS:
                job.modify(next_run_time=job.trigger.get_next_fire_time(None, now))

    def _run(self, job: Job) -> None:
        with self._idle:
            # What was handed to the threads before a stop still comes here after it.
            if self._stopping.is_set():
                return
            self._running[job.id] = False
            self._hurried.discard(job.id)
        try:
            self._tick(job.target, job.check)
            while self._asked_again(job):
                self._tick(job.target, job.check)
        finally:
            with self._idle:
                self._running.pop(job.id, None)
                self._idle.notify_all()

    def _asked_again(self, job: Job) -> bool:
        """Return whether another tick was asked for meanwhile; if not, the job has ended."""
        with self._idle:
            again = self._running[job.id] and not self._stopping.is_set()
            if again:
                self._running[job.id] = False
            else:
                del self._running[job.id]
            return again

    def _submitted(self, event: JobSubmissionEvent) -> None:
        """Count the ticks that were folded into this one, because the machine slept or was too busy."""
        job, due = self._jobs[event.job_id], event.scheduled_run_times[-1]
        before = self._due.get(job.id)
        self._due[job.id] = due
        if before is None or not isinstance(job.schedule, timedelta):
            return
        if job.window is not None and due > job.window.end_of(before):
            return
        folded = round((due - before) / job.schedule) - 1
        for _ in range(folded):
            self._missed(job.target, job.check, "late")

    def _overrun(self, event: JobSubmissionEvent) -> None:
        """Count a tick that was due while the one before it was still running."""
        job = self._jobs[event.job_id]
        if job.id in self._hurried:
            # The tick before it had just ended, and its thread was not yet free.
            self._begin_at(job.id, self._clock.now() + _MOMENT)
            return
        self._due[job.id] = event.scheduled_run_times[-1]
        self._missed(job.target, job.check, "overrun")
