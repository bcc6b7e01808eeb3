"""The runner: executes a check on one subject inside a safe session, and always comes back with a run.

Whatever a plugin does (raise, hang, return nonsense) becomes the outcome of its run and stops nothing else.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Discovery, Examined, Outcome, Severity, Skipped, Subject, Verdict
from pgvigil.clock import Clock, SystemClock
from pgvigil.context import RunContext, restless
from pgvigil.contract import BreachError, sound_discovery, sound_verdict
from pgvigil.errors import (
    CancelledError,
    PgvigilError,
    PluginError,
    QueryTimeoutError,
    RecoveryConflictError,
    TargetError,
    TargetUnreachableError,
)
from pgvigil.run import Run
from pgvigil.target import Target
from pgvigil.watchdog import Watchdog

_RECOVERY_ATTEMPTS = 3

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The part of a budget that the runner enforces.

    `sample` bounds a finding's sample keys. `run_timeout` (seconds) is when a run that does not come back is
    given up: far above the statement timeout, it only ever meets a plugin that hangs. `chunk_seconds` is how
    long one chunk of a long scan should take, each in a snapshot of its own; None: a run is one snapshot.
    """

    sample: int = 20
    run_timeout: float = 600.0
    chunk_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """A run, and what is left of it to tell.

    `busy_seconds` is for how long the server was busy since the run's last rest, `unreachable` whether it
    failed for want of a session.
    """

    run: Run
    busy_seconds: float
    unreachable: bool


class Runner:
    """Runs checks against one target; may be used by several threads."""

    def __init__(self, target: Target, limits: RunLimits | None = None, clock: Clock | None = None) -> None:
        self.target = target
        self.limits = limits or RunLimits()
        self.recovery_conflicts = 0
        self._clock = clock or SystemClock()
        self._guard = threading.Lock()
        self._watchdog = Watchdog(self.limits.run_timeout, lambda: target.stopping)

    def run(self, check: Check[Any], subject: Subject, catalog: Catalog) -> Run | None:
        """Execute one run; None when it was cancelled, since then it says nothing at all."""
        execution = self.execute(check, subject, catalog)
        return execution.run if execution else None

    def execute(
        self,
        check: Check[Any],
        subject: Subject,
        catalog: Catalog,
        rest: Callable[[float], None] = restless,
    ) -> Execution | None:
        """Execute one run and tell what it took; None when it was cancelled.

        `rest` holds a run that scans in chunks after so many seconds of work.
        """
        started_at, started = self._clock.now(), self._clock.monotonic()
        attempt = _Attempt(self, check, subject, catalog, rest)
        result = self._result(check, subject, attempt)
        if result is None:
            return None
        run = Run(
            target=self.target.name,
            check=check.name,
            subject=subject.name,
            outcome=result.outcome,
            started_at=started_at,
            finished_at=self._clock.now(),
            duration_seconds=self._clock.monotonic() - started,
            rows_examined=result.examined.rows_examined,
            strategy=result.examined.strategy,
            error=result.error,
            findings=result.examined.findings,
            confirm=result.confirm,
            measures=result.examined.measures,
        )
        return Execution(run, attempt.busy_seconds, result.unreachable)

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

    def _result(self, check: Check[Any], subject: Subject, attempt: _Attempt) -> _Result | None:
        if subject.unexaminable is not None:
            return _Result(Outcome.SKIPPED, subject.unexaminable)
        try:
            return self._watchdog.call(check.name, subject.name, attempt.result, attempt.abandon)
        except TimeoutError as error:
            return _Result(Outcome.TIMEOUT, str(error))
        except CancelledError:
            return None
        except RuntimeError as error:
            # No thread could be started for it.
            return _Result(Outcome.ERROR, f"check {check.name} could not be started: {error}")

    def count_recovery_conflict(self) -> None:
        """Count a query that a standby broke off."""
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
        raise PluginError(f"check {check.name} crashed in discover: {_brief(error)}") from error
    known = {subject.name for subject in discovery.subjects}
    unfit = {problem.subject: problem.message for problem in discovery.problems}
    lost = (Subject(name, unexaminable=message) for name, message in unfit.items() if name not in known)
    return Discovery((*discovery.subjects, *lost), discovery.problems)


@dataclass(frozen=True, slots=True)
class _Result:
    outcome: Outcome
    error: str | None = None
    examined: Examined = field(default_factory=Examined)
    confirm: int = 1
    unreachable: bool = False


class _Attempt:
    """One execution of a check on a subject."""

    def __init__(
        self,
        runner: Runner,
        check: Check[Any],
        subject: Subject,
        catalog: Catalog,
        rest: Callable[[float], None],
    ) -> None:
        self._runner = runner
        self._rest = rest
        self._check = check
        self._subject = subject
        self._catalog = catalog
        self._contexts: list[RunContext] = []

    @property
    def busy_seconds(self) -> float:
        """For how long the server was kept busy since the last rest."""
        return sum(context.busy_seconds for context in self._contexts)

    def abandon(self) -> None:
        """Give up on the thread that executes this, and take its connection away."""
        if self._contexts:
            self._contexts[-1].abandon()

    def result(self) -> _Result | None:
        """Execute the check; whatever it raises becomes a result. None when it was cancelled."""
        check = self._check.name
        try:
            return self._judge(sound_verdict(self._verdict(), self._runner.limits.sample))
        except CancelledError as error:
            return None if self._runner.target.stopping else _Result(Outcome.ERROR, str(error))
        except QueryTimeoutError as error:
            return _Result(Outcome.TIMEOUT, str(error))
        except PgvigilError as error:
            lost = isinstance(error, TargetUnreachableError)
            return _Result(Outcome.ERROR, str(error), unreachable=lost)
        except BreachError as error:
            return _Result(Outcome.ERROR, f"check {check} broke its contract: {error}")
        except BaseException as error:  # noqa: BLE001 -- on this thread nothing but the plugin raises these
            result = _Result(Outcome.ERROR, f"check {check} crashed: {_brief(error)}")
            # Without the error's own text: it may quote row contents, and logs go far.
            where = "".join(traceback.format_tb(error.__traceback__))
            kind = type(error).__name__
            log.warning("check crashed", check=check, subject=self._subject.name, error=kind, where=where)
            return result

    def _verdict(self) -> object:
        for _ in range(_RECOVERY_ATTEMPTS - 1):
            try:
                return self._once()
            except RecoveryConflictError:
                self._runner.count_recovery_conflict()
        return self._once()

    def _once(self) -> object:
        runner = self._runner
        with RunContext(
            runner.target,
            self._check.name,
            self._catalog,
            sample=runner.limits.sample,
            chunk_seconds=runner.limits.chunk_seconds,
            rest=self._rest,
        ) as context:
            self._contexts.append(context)
            try:
                verdict: object = self._check.run(context, self._subject)
            finally:
                # A failed query decides, whatever the check made of it: a verdict or another error.
                context.raise_if_failed()
            return verdict

    def _judge(self, verdict: Verdict) -> _Result:
        if isinstance(verdict, Skipped):
            return _Result(Outcome.SKIPPED, verdict.reason)
        params = self._check.params
        # How bad a fault is may be set; what is none stays a note.
        findings = tuple(
            finding
            if finding.severity is Severity.INFO
            else replace(finding, severity=params.severity_of(self._subject.name, finding.severity))
            for finding in verdict.findings
        )
        # A note does not make a subject unsound: it is reported, and the run passes.
        failed = any(finding.severity is not Severity.INFO for finding in findings)
        examined = replace(verdict, findings=findings)
        confirm = params.confirm or self._subject.confirm
        return _Result(Outcome.FAIL if failed else Outcome.PASS, None, examined, confirm)


def _brief(error: BaseException) -> str:
    """Return an exception as one short line; its own text may quote row contents, so it is cut short."""
    try:
        text = " ".join(str(error).split())[:200]
    except Exception:  # noqa: BLE001 -- the exception is the plugin's, and so is its __str__
        text = ""
    return f"{type(error).__name__}: {text}".rstrip(": ").replace("\0", "\ufffd")
