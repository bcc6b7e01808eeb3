"""One sweep, now: what `pgvigil check` does, without schedule and store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Finding, Outcome, Severity, Subject
from pgvigil.clock import Clock, SystemClock
from pgvigil.engine import server_version
from pgvigil.errors import PluginError, TargetUnreachableError, UsageError
from pgvigil.patterns import matches
from pgvigil.run import Run
from pgvigil.sweep import sweep
from pgvigil.watch import WHOLE_CHECK, Watch


@dataclass(frozen=True, slots=True)
class Report:
    """What one sweep saw. `database` and `server_version` are those of the target.

    `checks` are all that took part, also those that found nothing to look at.
    """

    target: str
    database: str
    server_version: str
    started_at: datetime
    finished_at: datetime
    checks: tuple[str, ...]
    runs: tuple[Run, ...]

    @property
    def findings(self) -> tuple[tuple[Run, Finding], ...]:
        """All findings with the run that saw each, worst first."""
        pairs = [(run, finding) for run in self.runs if run.outcome.completed for finding in run.findings]
        return tuple(sorted(pairs, key=lambda pair: (-pair[1].severity.rank, pair[0].check, pair[0].subject)))

    def count(self, *outcomes: Outcome) -> int:
        """Return how many runs ended so."""
        return sum(run.outcome in outcomes for run in self.runs)

    def coverage(self) -> dict[str, int]:
        """Return the subjects known, passed, failed and unknown."""
        passed, failed = self.count(Outcome.PASS), self.count(Outcome.FAIL)
        known = len(self.runs)
        return {"known": known, "passed": passed, "failed": failed, "unknown": known - passed - failed}

    def exit_status(self, fail_on: Severity) -> int:
        """Return the contract's exit status: findings come before what could not be examined.

        Nothing to examine is no all-clear either: most often it is the wrong database.
        """
        if any(finding.severity.rank >= fail_on.rank for _, finding in self.findings):
            return 1
        return 3 if self.coverage()["unknown"] or not self.runs else 0


Progress = Callable[[str, int, int], None]
"""Told of a check's name, how many of its subjects are done, and how many there are."""


def check_once(
    watch: Watch,
    *,
    checks: Sequence[str] = (),
    subjects: Sequence[str] = (),
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> Report:
    """Sweep a target once. `checks` and `subjects` (globs) narrow it down.

    Raises TargetError when the catalog can't be read, ConfigError when a setting does not fit it, UsageError
    when the narrowing leaves nothing.
    """
    clock = clock or SystemClock()
    started_at = clock.now()
    catalog = watch.target.read_catalog(watch.scope)
    plan, runs = _plan(watch, checks, subjects, catalog)
    lost: TargetUnreachableError | None = None
    for check, chosen in plan:
        if progress:
            progress(check.name, 0, len(chosen))
        found: dict[str, Run] = {}
        try:
            for run in () if lost else sweep(watch.runner, watch.governor, check, chosen, catalog):
                found[run.subject] = run
                if progress:
                    progress(check.name, len(found), len(chosen))
        except TargetUnreachableError as error:
            lost = error
        runs += [found.get(subject.name) or _cut_short(watch, check, subject, lost) for subject in chosen]
    return Report(
        target=watch.target.name,
        database=catalog.database,
        server_version=server_version(catalog),
        started_at=started_at,
        finished_at=clock.now(),
        checks=tuple(checks) or tuple(watch.checks),
        runs=tuple(runs),
    )


def _plan(
    watch: Watch, checks: Sequence[str], patterns: Sequence[str], catalog: Catalog
) -> tuple[list[tuple[Check[Any], list[Subject]]], list[Run]]:
    """Return the subjects to examine, and a failed run of every check that could not find its own."""
    unknown = sorted(set(checks) - set(watch.checks))
    if unknown:
        raise UsageError(
            f"no check {unknown[0]} on target {watch.target.name}; there are {_listed(watch.checks)}"
        )
    for error in watch.misplaced(catalog):
        raise error
    plan, failed = [], []
    for name, check in watch.checks.items():
        if checks and name not in checks:
            continue
        try:
            discovery = watch.runner.discover(check, catalog)
        except PluginError as error:
            failed.append(watch.runner.failed(name, WHOLE_CHECK, str(error)))
            continue
        for problem in discovery.problems:
            raise watch.misfit(name, problem)
        chosen = [one for one in discovery.subjects if _chosen(one.name, patterns)]
        plan.append((check, chosen))
    if not failed:
        _require_matches(patterns, [one.name for _, chosen in plan for one in chosen])
    return plan, failed


def _require_matches(patterns: Sequence[str], names: Sequence[str]) -> None:
    """Raise UsageError when a pattern matches nothing: a misspelt one must not pass for an all-clear."""
    idle = [one for one in patterns if not any(matches(name, one) for name in names)]
    if idle:
        raise UsageError(f"no subject matches {_listed(idle)}; --format json without --subject lists them")


def _chosen(subject: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(matches(subject, pattern) for pattern in patterns)


def _cut_short(watch: Watch, check: Check[Any], subject: Subject, lost: TargetUnreachableError | None) -> Run:
    """Return the run of a subject that the sweep did not reach: unknown, never left out of the count."""
    if lost:
        return watch.runner.failed(check.name, subject.name, str(lost))
    run = watch.runner.failed(check.name, subject.name, "the sweep was stopped before this subject")
    return replace(run, outcome=Outcome.SKIPPED)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
