"""The runner: executes a check on one subject inside a safe session, and always comes back with a run.

Whatever a plugin does (raise, hang, return nonsense) becomes the outcome of its run and stops nothing else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pgvigil.attempt import Attempt, Result, RunLimits, brief
from pgvigil.catalog import Catalog
from pgvigil.check import Check, Discovery, Outcome, State, Subject
from pgvigil.clock import Clock, SystemClock
from pgvigil.context import ALONE, Assistance
from pgvigil.contract import BreachError, sound_batches, sound_discovery
from pgvigil.errors import (
    BrokenOffError,
    CancelledError,
    PgvigilError,
    PluginError,
    TargetError,
    TargetUnreachableError,
)
from pgvigil.logs import get_logger
from pgvigil.run import Run
from pgvigil.target import Target
from pgvigil.together import Together
from pgvigil.underway import Board
from pgvigil.watchdog import Watchdog

__all__ = ["Execution", "RunLimits", "Runner", "Several", "discover"]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Execution:
    """A run, and what is left of it to tell.

    `busy_seconds` is for how long the server was busy since the run's last rest, `unreachable` whether it
    failed for want of a session.
    """

    run: Run
    busy_seconds: float
    unreachable: bool


@dataclass(frozen=True, slots=True)
class Several:
    """The runs of a batch; those of its subjects that it did not answer for are left to runs of their own.

    Where all failed for one of them, the others are to be looked at together `again`. `busy_seconds` is as
    that of an execution.
    """

    runs: tuple[Run, ...]
    alone: tuple[Subject, ...]
    again: tuple[Subject, ...]
    busy_seconds: float


class Runner:
    """Runs checks against one target; may be used by several threads."""

    def __init__(self, target: Target, limits: RunLimits | None = None, clock: Clock | None = None) -> None:
        self.target = target
        self.limits = limits or RunLimits()
        self.recovery_conflicts = 0
        self._clock = clock or SystemClock()
        self.board = Board(target.name, self._clock)
        """What goes on at this moment."""
        self.failed_batches: dict[str, tuple[int, str]] = {}
        """How many batches of a check have failed, and which one did first and why."""
        self._guard = threading.Lock()
        self._watchdog = Watchdog(self.limits.run_timeout, lambda: target.stopping)

    def run(self, check: Check[Any], subject: Subject, catalog: Catalog) -> Run | None:
        """Execute one run; None when it was cancelled, since then it says nothing at all."""
        execution = self.execute(check, subject, catalog)
        return execution.run if execution else None

    def execute(
        self, check: Check[Any], subject: Subject, catalog: Catalog, assistance: Assistance = ALONE
    ) -> Execution | None:
        """Execute one run and tell what it took; None when it was cancelled."""
        started_at, started = self._clock.now(), self._clock.monotonic()
        with self.board.showing(check.name, subject.name) as advance:
            attempt = Attempt(
                self.target,
                self.limits,
                check,
                subject,
                catalog,
                _telling(assistance, advance),
                self._count_recovery_conflict,
            )
            result = self._result(check, subject, attempt)
        if result is None:
            return None
        seconds = self._clock.monotonic() - started
        moments = started_at, self._clock.now()
        run = self._run(check, subject, result, moments, seconds, attempt.servers)
        return Execution(run, attempt.busy_seconds, result.unreachable)

    def execute_together(
        self, check: Check[Any], subjects: Sequence[Subject], catalog: Catalog, assistance: Assistance = ALONE
    ) -> Several | None:
        """Execute the runs of a batch; None when it was cancelled or broken off.

        Each began and ended with the batch; of its duration each has an equal share.
        """
        started_at, started = self._clock.now(), self._clock.monotonic()
        name = f"{subjects[0].name} and {len(subjects) - 1} more"
        with self.board.showing(check.name, subjects[0].name, len(subjects)) as advance:
            together = Together(
                self.target,
                self.limits,
                check,
                subjects,
                catalog,
                _telling(assistance, advance),
                self._count_recovery_conflict,
            )
            results = self._results(check, name, together)
        if results is None:
            return None
        moments, seconds = (
            (started_at, self._clock.now()),
            (self._clock.monotonic() - started) / len(subjects),
        )
        servers = together.servers
        runs = tuple(
            self._run(check, one, results[one.name], moments, seconds, servers)
            for one in subjects
            if one.name in results
        )
        left = tuple(one for one in subjects if one.name not in results)
        at_fault = together.at_fault
        alone = tuple(one for one in left if at_fault in (None, one.name))
        again = tuple(one for one in left if at_fault not in (None, one.name))
        return Several(runs, alone, again, together.busy_seconds)

    def batches(self, check: Check[Any], subjects: Sequence[Subject]) -> list[tuple[Subject, ...]]:
        """Return which subjects a check wants to look at together; each alone when it fails to tell."""
        try:
            return self._watchdog.call(
                check.name, None, lambda: sound_batches(check.batches(subjects), subjects)
            )
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            # Its own text is left out, as that of other crashes is.
            log.warning("batches were refused", check=check.name, error=type(error).__name__)
            return [(subject,) for subject in subjects]

    def _run(
        self,
        check: Check[Any],
        subject: Subject,
        result: Result,
        moments: tuple[datetime, datetime],
        seconds: float,
        servers: frozenset[str],
    ) -> Run:
        return Run(
            target=self.target.name,
            check=check.name,
            subject=subject.name,
            outcome=result.outcome,
            started_at=moments[0],
            finished_at=moments[1],
            duration_seconds=seconds,
            rows_examined=result.examined.rows_examined,
            strategy=result.examined.strategy,
            explain=result.examined.explain,
            memory=result.examined.memory,
            seen=result.examined.seen,
            gone=result.examined.gone,
            error=result.error,
            findings=result.examined.findings,
            confirm=result.confirm,
            measures=result.examined.measures,
            servers=servers,
        )

    def _results(self, check: Check[Any], name: str, together: Together) -> dict[str, Result] | None:
        """Return what came of the subjects that the batch answered for; None when it was cancelled."""
        try:
            return self._watchdog.call(check.name, name, together.results, together.abandon, together.pulse)
        except BrokenOffError:
            return None
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            if self.target.stopping:
                return None
            # The text of a plugin's own error may quote row contents.
            ours = isinstance(error, PgvigilError)
            told = " ".join(str(error).split()) if ours else type(error).__name__
            log.log(
                logging.INFO if ours else logging.WARNING,
                "batch failed for one of its subjects: the others are looked at together again"
                if together.at_fault
                else "batch failed: each of its subjects is looked at alone",
                target=self.target.name,
                check=check.name,
                subjects=together.at_fault or name,
                error=told,
            )
            with self._guard:
                count, first = self.failed_batches.get(check.name, (0, f"{name}: {told}"))
                self.failed_batches[check.name] = count + 1, first
            return {}

    def lost(self) -> TargetUnreachableError | None:
        """Ask for a session once more; return why there is none, None when the target answers."""
        try:
            with self.target.snapshot("probe"):
                return None
        except TargetUnreachableError as error:
            return error
        except TargetError:
            return None

    def failed(self, check: str, subject: str, error: str) -> Run:
        """Return the run of a subject that could not even be tried, so that it shows as unknown."""
        now = self._clock.now()
        return Run(
            target=self.target.name,
            check=check,
            subject=subject,
            outcome=Outcome.ERROR,
            started_at=now,
            finished_at=now,
            error=error,
        )

    def discover(self, check: Check[Any], catalog: Catalog) -> Discovery:
        """Find a check's subjects; raises PluginError when it crashes, hangs or returns nonsense.

        A setting that does not fit the catalog is a subject that nobody can examine.
        """
        try:
            return self._watchdog.call(check.name, None, lambda: discover(check, catalog))
        except (TimeoutError, RuntimeError) as error:
            raise PluginError(f"{error} (in discover)") from error

    def _result(self, check: Check[Any], subject: Subject, attempt: Attempt) -> Result | None:
        if subject.unexaminable is not None:
            return Result(Outcome.SKIPPED, subject.unexaminable)
        try:
            return self._watchdog.call(
                check.name, subject.name, attempt.result, attempt.abandon, attempt.pulse
            )
        except TimeoutError as error:
            return Result(Outcome.TIMEOUT, str(error))
        except CancelledError:
            return None
        except RuntimeError as error:
            # No thread could be started for it.
            return Result(Outcome.ERROR, f"check {check.name} could not be started: {error}")

    def _count_recovery_conflict(self) -> None:
        with self._guard:
            self.recovery_conflicts += 1


def discover(check: Check[Any], catalog: Catalog) -> Discovery:
    """Find a check's subjects in this thread; raises PluginError when it crashes or returns nonsense."""
    try:
        discovery = sound_discovery(check.discover(catalog))
    except BreachError as error:
        raise PluginError(f"check {check.name} broke its contract: {error}") from error
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            raise
        raise PluginError(f"check {check.name} crashed in discover: {brief(error)}") from error
    known = {subject.name for subject in discovery.subjects}
    unfit = {problem.subject: problem.message for problem in discovery.problems}
    lost = (Subject(name, unexaminable=message) for name, message in unfit.items() if name not in known)
    return Discovery((*discovery.subjects, *lost), discovery.problems)


def _telling(assistance: Assistance, advance: Callable[[float], None]) -> Assistance:
    """Let a run's checkpoints tell how far it has come, besides what they do."""

    def save(state: State, done: float) -> None:
        advance(done)
        assistance.save(state, done)

    return replace(assistance, save=save)
