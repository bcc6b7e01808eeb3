"""The runner: executes a check on one subject inside a safe session, and always comes back with a run.

Whatever a plugin does (raise, hang, return nonsense) becomes the outcome of its run and stops nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Self

import structlog

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Examined, Finding, Outcome, Query, Row, Severity, Skipped, Subject, Verdict
from pgvigil.clock import Clock, SystemClock
from pgvigil.errors import (
    CancelledError,
    PgvigilError,
    QueryTimeoutError,
    RecoveryConflictError,
    TargetError,
)
from pgvigil.run import Run
from pgvigil.target import Snapshot, Target

_RECOVERY_ATTEMPTS = 3

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The part of a budget that the runner enforces.

    `sample` bounds a finding's sample keys. `run_timeout` (seconds) is when a run that does not come back is
    given up: far above the statement timeout, it only ever meets a plugin that hangs.
    """

    sample: int = 20
    run_timeout: float = 600.0


class Runner:
    """Runs checks against one target; may be used by several threads."""

    def __init__(self, target: Target, limits: RunLimits | None = None, clock: Clock | None = None) -> None:
        self.target = target
        self.limits = limits or RunLimits()
        self.recovery_conflicts = 0
        self._clock = clock or SystemClock()
        self._guard = threading.Lock()
        self._hanging: dict[tuple[str, str], threading.Thread] = {}

    def run(self, check: Check[Any], subject: Subject, catalog: Catalog) -> Run | None:
        """Execute one run; None when it was cancelled, since then it says nothing at all."""
        started_at, started = self._clock.now(), self._clock.monotonic()
        result = self._execute(check, subject, catalog)
        if result is None:
            return None
        return Run(
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
            confirm=check.params.confirm or subject.confirm,
            measures=result.examined.measures,
        )

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

    def _execute(self, check: Check[Any], subject: Subject, catalog: Catalog) -> _Result | None:
        if subject.unexaminable is not None:
            return _Result(Outcome.SKIPPED, subject.unexaminable)
        key = (check.name, subject.name)
        with self._guard:
            hanging = self._hanging.get(key)
            if hanging is not None and hanging.is_alive():
                return _Result(Outcome.TIMEOUT, f"an earlier run of check {check.name} still hangs")
            self._hanging.pop(key, None)
        attempt = _Attempt(self, check, subject, catalog)
        attempt.thread.start()
        attempt.thread.join(self.limits.run_timeout)
        if not attempt.thread.is_alive():
            return attempt.result
        with self._guard:
            self._hanging[key] = attempt.thread
        attempt.abandon()
        error = f"check {check.name} did not return within {self.limits.run_timeout:g} s and was given up"
        return _Result(Outcome.TIMEOUT, error)

    def count_recovery_conflict(self) -> None:
        """Count a query that a standby broke off."""
        with self._guard:
            self.recovery_conflicts += 1


@dataclass(frozen=True, slots=True)
class _Result:
    outcome: Outcome
    error: str | None = None
    examined: Examined = field(default_factory=Examined)


class _Attempt:
    """One execution on a thread of its own, so that a plugin that never returns can be given up."""

    def __init__(self, runner: Runner, check: Check[Any], subject: Subject, catalog: Catalog) -> None:
        self.result: _Result | None = None
        self._runner = runner
        self._check = check
        self._subject = subject
        self._catalog = catalog
        self._context: _RunContext | None = None
        name = f"run {check.name}"
        self.thread = threading.Thread(target=self._go, name=name, daemon=True)

    def abandon(self) -> None:
        """Give up on the thread, and take its connection away."""
        if self._context is not None:
            self._context.abandon()

    def _go(self) -> None:
        try:
            self.result = self._judge(self._verdict())
        except CancelledError as error:
            stopping = self._runner.target.stopping
            self.result = None if stopping else _Result(Outcome.ERROR, str(error))
        except QueryTimeoutError as error:
            self.result = _Result(Outcome.TIMEOUT, str(error))
        except PgvigilError as error:
            self.result = _Result(Outcome.ERROR, str(error))
        except (Exception, SystemExit) as error:
            log.warning("check crashed", check=self._check.name, subject=self._subject.name, exc_info=True)
            self.result = _Result(Outcome.ERROR, f"check {self._check.name} crashed: {_brief(error)}")

    def _verdict(self) -> Verdict:
        for _ in range(_RECOVERY_ATTEMPTS - 1):
            try:
                return self._once()
            except RecoveryConflictError:
                self._runner.count_recovery_conflict()
        return self._once()

    def _once(self) -> Verdict:
        runner = self._runner
        with _RunContext(runner.target, self._check.name, self._catalog, runner.limits.sample) as context:
            self._context = context
            verdict = self._check.run(context, self._subject)
            context.raise_if_failed()
            return verdict

    def _judge(self, verdict: Verdict) -> _Result:
        if isinstance(verdict, Skipped):
            return _Result(Outcome.SKIPPED, verdict.reason)
        nonsense = _nonsense(verdict, self._runner.limits.sample)
        if nonsense:
            return _Result(Outcome.ERROR, f"check {self._check.name} broke its contract: {nonsense}")
        params = self._check.params
        findings = tuple(
            replace(finding, severity=params.severity_of(self._subject.name, finding.severity))
            for finding in verdict.findings
        )
        # A note does not make a subject unsound: it is reported, and the run passes.
        failed = any(finding.severity is not Severity.INFO for finding in findings)
        return _Result(Outcome.FAIL if failed else Outcome.PASS, None, replace(verdict, findings=findings))


class _RunContext:
    """What a check sees of the target; the transaction begins with the first query."""

    def __init__(self, target: Target, purpose: str, catalog: Catalog, sample: int) -> None:
        self.catalog = catalog
        self.sample = sample
        self._target = target
        self._purpose = purpose
        self._snapshot: Snapshot | None = None
        self._failure: TargetError | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def fetch(self, query: Query, params: Mapping[str, Any] | None = None) -> list[Row]:
        if self._snapshot is None:
            self._snapshot = self._stack.enter_context(self._target.snapshot(self._purpose))
        try:
            return self._snapshot.fetch(query, params)
        except TargetError as error:
            self._failure = error
            raise

    def raise_if_failed(self) -> None:
        """Raise the error of a query that the check swallowed: its verdict can't be complete."""
        if self._failure is not None:
            raise self._failure

    def pause(self) -> None:
        if self._snapshot is not None:
            self._snapshot.raise_if_aborted()

    def abandon(self) -> None:
        if self._snapshot is not None:
            self._target.abandon(self._snapshot)


def _nonsense(verdict: object, sample: int) -> str:
    """Say what is wrong with a verdict; plugins are not all type-checked."""
    if not isinstance(verdict, Examined):
        return f"run returned {type(verdict).__name__}, not Examined or Skipped"
    if not isinstance(verdict.rows_examined, int) or verdict.rows_examined < 0:
        return "rows_examined is not a count"
    codes = set()
    for finding in verdict.findings:
        if not isinstance(finding, Finding):
            return f"a finding is a {type(finding).__name__}"
        if not isinstance(finding.severity, Severity):
            return f"finding {finding.code} has no severity of the contract"
        if isinstance(finding.count, bool) or not isinstance(finding.count, int) or finding.count < 1:
            return f"finding {finding.code} has count {finding.count!r}"
        if len(finding.sample) > sample:
            return f"finding {finding.code} has {len(finding.sample)} sample keys, more than {sample}"
        if finding.code in codes:
            return f"two findings have the code {finding.code}"
        codes.add(finding.code)
    return ""


def _brief(error: BaseException) -> str:
    """Return an exception as one short line; its own text may quote row contents, so it is cut short."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".rstrip(": ")
