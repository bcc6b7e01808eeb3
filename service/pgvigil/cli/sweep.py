"""`pgvigil check`: one sweep of one target, its report on stdout, its verdict as the exit status."""

from __future__ import annotations

import sys
import threading
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pgvigil import logs
from pgvigil.assembly import build_watch
from pgvigil.check import Outcome, Severity
from pgvigil.cli import report, source
from pgvigil.cli.interrupt import InterruptedSweepError, Interruption, interruptible
from pgvigil.cli.output import counted, reader_may_leave
from pgvigil.cli.paper import Paper
from pgvigil.cli.progress import progress_bar
from pgvigil.config import Config
from pgvigil.errors import PgvigilError, TargetError
from pgvigil.once import Report, check_once
from pgvigil.registry import Registry
from pgvigil.watch import Watch

Format = Literal["text", "json", "junit"]


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for on the command line."""

    config: Path | None
    dsn: str | None
    target: str | None
    checks: tuple[str, ...]
    subjects: tuple[str, ...]
    output: Format
    fail_on: Literal["critical", "warning", "info"]
    evidence: bool
    explain: bool


def run(request: Request) -> int:
    """Sweep, report, and return the exit status; raises InterruptedSweepError after the report of a part."""
    logs.configure("error", "auto")
    config = source.read(request.config, request.dsn, target=request.target)
    name = source.choose(config, request.target)
    found, interrupted = _swept(_Watches(config), name, request)
    fail_on = Severity(request.fail_on)
    status = found.exit_status(fail_on)
    try:
        with reader_may_leave():
            _print_report(found, request, fail_on)
    except OSError as error:
        sys.stderr.write(f"pgvigil: the report cannot be written: {error.strerror}\n")
        status = status or TargetError.exit_status
    for warning in found.warnings:
        sys.stderr.write(f"pgvigil: warning: {warning}\n")
    if interrupted is not None:
        raise interrupted
    if not found.runs:
        checks = ", ".join(found.checks)
        sys.stderr.write(f"pgvigil: nothing to examine in database {found.database} for {checks}\n")
    return status


def _swept(watches: _Watches, name: str, request: Request) -> tuple[Report, InterruptedSweepError | None]:
    """Sweep a target, and return what was seen and, if that is a part, why; a failure is told to programs."""
    interruption = Interruption()
    try:
        watch = watches.begin(name)
        # What a plugin prints must not end up in the report.
        with (
            progress_bar() as progress,
            redirect_stdout(sys.stderr),
            interruptible(watches.stop) as interruption,
        ):
            found = check_once(
                watch,
                checks=request.checks,
                subjects=request.subjects,
                progress=progress,
                find=watches.find,
            )
    except TargetError as error:
        interrupted = interruption.error("no subject was known yet")
        _print_failure(request.output, name, interrupted or error)
        if interrupted is not None:
            raise interrupted from error
        raise
    finally:
        watches.close()
    judged = found.count(Outcome.PASS, Outcome.FAIL)
    interrupted = interruption.error(f"{judged} of {counted(len(found.runs), 'subject')} were judged")
    return replace(found, interrupted=str(interrupted or "")), interrupted


class _Watches:
    """The targets that a sweep looks at, its own first. Somebody waits for the answer: none rests."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._registry = Registry.load()
        self._guard = threading.Lock()
        self._begun: dict[str, Watch] = {}

    def begin(self, name: str) -> Watch:
        """Return the watch of a target; raises ConfigError about the settings of a check."""
        with self._guard:
            if name not in self._begun:
                self._begun[name] = build_watch(self._config, name, self._registry, urgent=True)
            return self._begun[name]

    def find(self, name: str) -> Watch | None:
        """Return the watch of another target, None when there is none of that name."""
        return self.begin(name) if name in self._config.targets else None

    def stop(self) -> None:
        """Cancel what runs, on all of them at once, within two seconds."""
        with self._guard:
            stops = [threading.Thread(target=watch.stop, daemon=True) for watch in self._begun.values()]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()

    def close(self) -> None:
        """Close all connections."""
        for watch in self._begun.values():
            watch.target.close()


def _print_report(found: Report, request: Request, fail_on: Severity) -> None:
    """Write the report to stdout."""
    if request.output == "text":
        report.print_text(found, Paper(), evidence=request.evidence, explain=request.explain)
    elif request.output == "json":
        sys.stdout.write(report.to_json(found) + "\n")
    else:
        sys.stdout.write(report.to_junit(found, fail_on, explain=request.explain) + "\n")


def _print_failure(output: Format, target: str, error: PgvigilError) -> None:
    """Let programs read as well that there was nothing to see; the line on stderr follows."""
    if output == "json":
        sys.stdout.write(report.failure_to_json(target, error) + "\n")
    elif output == "junit":
        sys.stdout.write(report.failure_to_junit(target, error) + "\n")
