"""`pgvigil check`: one sweep of one target, its report on stdout, its verdict as the exit status."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pgvigil import logs
from pgvigil.check import Severity
from pgvigil.cli import report, source
from pgvigil.cli.output import reader_may_leave
from pgvigil.cli.progress import progress_bar
from pgvigil.errors import PgvigilError, TargetError
from pgvigil.once import Report, check_once
from pgvigil.registry import Registry
from pgvigil.watching import build_watch

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


def run(request: Request) -> int:
    """Sweep, report, and return the exit status."""
    logs.configure("error", "auto")
    config = source.read(request.config, request.dsn, target=request.target)
    name = source.choose(config, request.target)
    # A person or a pipeline waits for the answer: no rests between the runs.
    watch = build_watch(config, name, Registry.load(), duty_cycle=1.0)
    try:
        # What a plugin prints must not end up in the report.
        with progress_bar() as progress, redirect_stdout(sys.stderr):
            found = check_once(watch, checks=request.checks, subjects=request.subjects, progress=progress)
    except TargetError as error:
        _print_failure(request.output, name, error)
        raise
    finally:
        watch.target.close()
    fail_on = Severity(request.fail_on)
    status = found.exit_status(fail_on)
    try:
        with reader_may_leave():
            _print_report(found, request, fail_on)
    except OSError as error:
        sys.stderr.write(f"pgvigil: the report cannot be written: {error.strerror}\n")
        status = status or TargetError.exit_status
    if not found.runs:
        checks = ", ".join(found.checks)
        sys.stderr.write(f"pgvigil: nothing to examine in database {found.database} for {checks}\n")
    return status


def _print_report(found: Report, request: Request, fail_on: Severity) -> None:
    """Write the report to stdout."""
    if request.output == "text":
        report.print_text(found, report.Paper(), evidence=request.evidence)
    elif request.output == "json":
        sys.stdout.write(report.to_json(found) + "\n")
    else:
        sys.stdout.write(report.to_junit(found, fail_on) + "\n")


def _print_failure(output: Format, target: str, error: PgvigilError) -> None:
    """Let programs read as well that there was nothing to see; the line on stderr follows."""
    if output == "json":
        sys.stdout.write(report.failure_to_json(target, error) + "\n")
    elif output == "junit":
        sys.stdout.write(report.failure_to_junit(target, error) + "\n")
