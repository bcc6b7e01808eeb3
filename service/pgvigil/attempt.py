"""An attempt: one execution of a check on a subject inside a safe session, and what it came to.

Whatever a plugin does (raise, return nonsense) becomes a result and stops nothing else.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Examined, Outcome, Severity, Skipped, Subject, Verdict
from pgvigil.context import Assistance, RunContext
from pgvigil.contract import BreachError, sound_verdict
from pgvigil.errors import (
    BrokenOffError,
    CancelledError,
    ChangedError,
    LockTimeoutError,
    PgvigilError,
    QueryTimeoutError,
    RecoveryConflictError,
    TargetUnreachableError,
)
from pgvigil.lockholders import lock_holders
from pgvigil.logs import get_logger
from pgvigil.pulse import Pulse
from pgvigil.target import Target

_RECOVERY_ATTEMPTS = 3

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The part of a budget that the runner enforces.

    `sample` bounds a finding's sample keys. `run_timeout` (seconds) is when a run that neither comes back nor
    to a checkpoint is given up: far above the statement timeout, it only ever meets a plugin that hangs.
    `chunk_seconds` is how long one chunk of a long scan should take, each in a snapshot of its own; None: a
    run is one snapshot.
    """

    sample: int = 20
    run_timeout: float = 600.0
    chunk_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What an attempt came to; `unreachable` says that it failed for want of a session."""

    outcome: Outcome
    error: str | None = None
    examined: Examined = field(default_factory=Examined)
    confirm: int = 1
    unreachable: bool = False


class Attempt:
    """One execution of a check on a subject; `conflicted` is told of each query that a standby broke off."""

    def __init__(
        self,
        target: Target,
        limits: RunLimits,
        check: Check[Any],
        subject: Subject,
        catalog: Catalog,
        assistance: Assistance,
        conflicted: Callable[[], None],
    ) -> None:
        self.pulse = Pulse()
        self._target = target
        self._limits = limits
        self._conflicted = conflicted
        self._assistance = replace(assistance, pulse=self.pulse)
        self._check = check
        self._subject = subject
        self._catalog = catalog
        self._contexts: list[RunContext] = []

    @property
    def busy_seconds(self) -> float:
        """For how long the server was kept busy since the last rest."""
        return sum(context.busy_seconds for context in self._contexts)

    @property
    def servers(self) -> frozenset[str]:
        """Since when the servers run that were read from."""
        return frozenset(server for context in self._contexts for server in context.servers)

    def abandon(self) -> None:
        """Give up on the thread that executes this, and take its connection away."""
        if self._contexts:
            self._contexts[-1].abandon()

    def result(self) -> Result | None:
        """Execute the check; whatever it raises becomes a result. None when it was cancelled."""
        check = self._check.name
        try:
            return judged(self._check, self._subject, sound_verdict(self._verdict(), self._limits.sample))
        except BrokenOffError:
            return None
        except CancelledError as error:
            return None if self._target.stopping else Result(Outcome.ERROR, str(error))
        except ChangedError as error:
            return Result(Outcome.SKIPPED, str(error))
        except QueryTimeoutError as error:
            return Result(Outcome.TIMEOUT, f"{error}{self._who_is_in_the_way(error)}")
        except PgvigilError as error:
            lost = isinstance(error, TargetUnreachableError)
            return Result(Outcome.ERROR, str(error), unreachable=lost)
        except BreachError as error:
            return Result(Outcome.ERROR, f"check {check} broke its contract: {error}")
        # A plugin may raise SystemExit too: that is its crash, and must not end the thread unseen.
        except BaseException as error:  # noqa: BLE001 -- it becomes the run's outcome, and is logged
            result = Result(Outcome.ERROR, f"check {check} crashed: {brief(error)}")
            # Without the error's own text: it may quote row contents, and logs go far.
            where = "".join(traceback.format_tb(error.__traceback__))
            kind = type(error).__name__
            log.warning("check crashed", check=check, subject=self._subject.name, error=kind, where=where)
            return result

    def _who_is_in_the_way(self, error: QueryTimeoutError) -> str:
        # That of another target is none of this one's.
        if not isinstance(error, LockTimeoutError) or error is not self._contexts[-1].failure:
            return ""
        told = lock_holders(self._target, self._subject.reads or self._subject.rows)
        return f": {told}" if told else ""

    def _verdict(self) -> object:
        for _ in range(_RECOVERY_ATTEMPTS - 1):
            with suppress(RecoveryConflictError):
                return self._once()
        return self._once()

    def _once(self) -> object:
        try:
            return self._told()
        except RecoveryConflictError:
            self._conflicted()
            raise

    def _told(self) -> object:
        with RunContext(
            self._target,
            self._check.name,
            self._catalog,
            sample=self._limits.sample,
            subjects=(self._subject,),
            chunk_seconds=self._limits.chunk_seconds,
            assistance=self._assistance,
        ) as context:
            self._contexts.append(context)
            try:
                verdict: object = self._check.run(context, self._subject)
            finally:
                # A failed query decides, whatever the check made of it: a verdict or another error.
                context.raise_if_failed()
            context.conclude()
            return verdict


def judged(check: Check[Any], subject: Subject, verdict: Verdict) -> Result:
    """Return what a sound verdict comes to by the check's settings."""
    if isinstance(verdict, Skipped):
        return Result(Outcome.SKIPPED, verdict.reason)
    params = check.params
    confirm = params.confirm or subject.confirm
    if not verdict.findings:
        return Result(Outcome.PASS, None, verdict, confirm)
    # How bad a fault is may be set; what is none stays a note.
    findings = tuple(
        finding
        if finding.severity is Severity.INFO
        else replace(finding, severity=params.severity_of(subject.name, finding.severity))
        for finding in verdict.findings
    )
    # A note does not make a subject unsound: it is reported, and the run passes.
    failed = any(finding.severity is not Severity.INFO for finding in findings)
    return Result(
        Outcome.FAIL if failed else Outcome.PASS, None, replace(verdict, findings=findings), confirm
    )


def brief(error: BaseException) -> str:
    """Return an exception as one short line; its own text may quote row contents, so it is cut short."""
    try:
        text = " ".join(str(error).split())[:200]
    # The exception is the plugin's, and so is its __str__, which may fail as well.
    except Exception:  # noqa: BLE001 -- the kind of the exception is told all the same
        text = ""
    return f"{type(error).__name__}: {text}".rstrip(": ").replace("\0", "\ufffd")
