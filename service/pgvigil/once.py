"""One sweep, now: what `pgvigil check` does, without schedule and store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Finding, Outcome, Severity, Subject
from pgvigil.clock import Clock, SystemClock
from pgvigil.context import Assistance
from pgvigil.errors import PluginError, TargetUnreachableError, UsageError
from pgvigil.patterns import matches
from pgvigil.peer import Peers
from pgvigil.routing import INSTEAD, routed_sweep
from pgvigil.run import Run
from pgvigil.sight import Sight
from pgvigil.watch import WHOLE_CHECK, Watch

NOT_REACHED = "the sweep was stopped before this subject"
"""The error of a run that was not made, as the sweep was stopped."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one sweep saw. `database` and `server_version` are those of the target.

    `checks` are all that took part, also those that found nothing to look at. `warnings` tell in a line each
    what went otherwise than usual. `interrupted` says what broke the sweep off, empty when nothing did.
    """

    target: str
    database: str
    server_version: str
    started_at: datetime
    finished_at: datetime
    checks: tuple[str, ...]
    runs: tuple[Run, ...]
    warnings: tuple[str, ...] = ()
    interrupted: str = ""

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


Progress = Callable[[str, float, int], None]
"""Told of a check's name, how many subjects are done (parts of those under way count), and of how many."""


def _nobody(_target: str) -> Watch | None:
    return None


def check_once(
    watch: Watch,
    *,
    checks: Sequence[str] = (),
    subjects: Sequence[str] = (),
    progress: Progress | None = None,
    clock: Clock | None = None,
    find: Callable[[str], Watch | None] = _nobody,
) -> Report:
    """Sweep a target once. `checks` and `subjects` (globs) narrow it down.

    `find` returns the watch of another target, for what compares two databases.

    Raises TargetError when the catalog can't be read, ConfigError when a setting does not fit it, UsageError
    when the narrowing leaves nothing.
    """
    clock = clock or SystemClock()
    started_at = clock.now()
    catalog = watch.target.read_catalog(watch.scope)
    peers = Peers(watch.target, find)
    plan, runs = _plan(watch, checks, subjects, catalog)
    lost: TargetUnreachableError | None = None
    for check, chosen in plan:
        found: dict[str, Run] = {}
        try:
            for run in () if lost else _examined(watch, check, chosen, catalog, peers, progress):
                found[run.subject] = run
        except TargetUnreachableError as error:
            lost = error
        runs += [found.get(subject.name) or _cut_short(watch, check, subject, lost) for subject in chosen]
    return Report(
        target=watch.target.name,
        database=catalog.database,
        server_version=catalog.release,
        started_at=started_at,
        finished_at=clock.now(),
        checks=tuple(checks) or tuple(name for name, one in watch.checks.items() if not one.needs_store),
        runs=tuple(runs),
        warnings=(*_failed_batches(watch), *_read_instead(runs)),
    )


def _failed_batches(watch: Watch) -> Iterator[str]:
    """Yield by check that batches failed: it took longer for that, and nothing is missing."""
    for check, (count, first) in watch.runner.failed_batches.items():
        batches, its = ("a batch", "its") if count == 1 else (f"{count} batches", "their")
        yield f"{check}: {batches} failed, so {its} subjects were looked at again: {first}"


def _read_instead(runs: Iterable[Run]) -> Iterator[str]:
    """Yield why subjects were read on the primary that a standby was to tell of."""
    lines = (run.explain.rpartition("\n")[2] for run in runs)
    reasons = Counter(line.removeprefix(INSTEAD) for line in lines if line.startswith(INSTEAD))
    for reason, count in reasons.items():
        subjects = "a subject was" if count == 1 else f"{count} subjects were"
        yield f"{subjects} {INSTEAD}{reason}"


def _examined(
    watch: Watch,
    check: Check[Any],
    chosen: Sequence[Subject],
    catalog: Catalog,
    peers: Peers,
    progress: Progress | None,
) -> Iterator[Run]:
    """Yield the runs of a check as they complete, and tell the progress, also that of a long run."""
    done = 0

    def tell(*_: object) -> None:
        if progress:
            shares = sum((one.done or 0.0) * one.subjects for one in watch.runner.board.runs())
            progress(check.name, done + shares, len(chosen))

    tell()
    assistance = Assistance(save=tell)
    assist = peers.assisting(lambda _: assistance)
    for runs in routed_sweep(watch, check, chosen, Sight(catalog, None), assist):
        done += len(runs)
        tell()
        yield from runs


def _plan(
    watch: Watch, checks: Sequence[str], patterns: Sequence[str], catalog: Catalog
) -> tuple[list[tuple[Check[Any], list[Subject]]], list[Run]]:
    """Return the subjects to examine, and a failed run of every check that could not find its own."""
    unknown = sorted(set(checks) - set(watch.checks))
    if unknown:
        raise UsageError(
            f"no check {unknown[0]} on target {watch.target.name}; there are {_listed(watch.checks)}"
        )
    for name in checks:
        if watch.checks[name].needs_store:
            raise UsageError(f"check {name} compares with what a daemon has kept: see `pgvigil run`")
    for error in watch.misplaced(catalog):
        raise error
    plan, failed = [], []
    for name, check in watch.checks.items():
        if check.needs_store or (checks and name not in checks):
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
    run = watch.runner.failed(check.name, subject.name, NOT_REACHED)
    return replace(run, outcome=Outcome.SKIPPED)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
