"""Runs a check on a database as the daemon does: real target, real catalog, real runner."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pgvigil.catalog import Scope
from pgvigil.context import ALONE, Assistance
from pgvigil.runner import RunLimits, Runner
from pgvigil.target import Limits, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pgvigil.check import Check, Finding, Problem, State, Subject
    from pgvigil.run import Run


@dataclass(frozen=True)
class Runs:
    """What a check said of a database: its runs by subject, and the problems of its settings."""

    by_subject: Mapping[str, Run]
    problems: tuple[Problem, ...] = ()

    def __getitem__(self, subject: str) -> Run:
        return self.by_subject[subject]

    @property
    def only(self) -> Run:
        """The one run that there is."""
        (run,) = self.by_subject.values()
        return run

    @property
    def findings(self) -> dict[tuple[str, str], Finding]:
        """All findings by subject and code."""
        return {(run.subject, f.code): f for run in self.by_subject.values() for f in run.findings}


@dataclass(frozen=True)
class Examiner:
    """Examines a database with one check, as often as asked to, over one pool of connections."""

    target: Target
    runner: Runner
    scope: Scope = field(default_factory=Scope)
    accepted: Mapping[str, State] = field(default_factory=dict)

    def examine(self, check: Check[Any], *subjects: str) -> Runs:
        """Run the check on these subjects, or on all that it discovers; no subject may be missing."""
        catalog = self.target.read_catalog(self.scope)
        discovery = check.discover(catalog)
        found = {subject.name: subject for subject in discovery.subjects}
        assert len(found) == len(discovery.subjects), "a subject was found twice"
        runs = {}
        for name in subjects or found:
            execution = self.runner.execute(check, found[name], catalog, self._assist(found[name]))
            assert execution is not None, "the run was cancelled"
            runs[name] = execution.run
        return Runs(runs, discovery.problems)

    def together(self, check: Check[Any]) -> Runs:
        """Look at all that the check discovers in one batch; what that leaves has no run."""
        catalog = self.target.read_catalog(self.scope)
        discovery = check.discover(catalog)
        fit = [subject for subject in discovery.subjects if subject.unexaminable is None]
        each = replace(ALONE, each=self._assist)
        several = self.runner.execute_together(check, fit, catalog, each) if fit else None
        return Runs({run.subject: run for run in several.runs} if several else {}, discovery.problems)

    def accepting(self, runs: Runs) -> Examiner:
        """Return one to which what these runs have seen is accepted."""
        seen = {name: run.seen for name, run in runs.by_subject.items() if run.seen is not None}
        return replace(self, accepted=seen)

    def _assist(self, subject: Subject) -> Assistance:
        return Assistance(
            accepted=lambda: self.accepted.get(subject.name),
            accepted_subjects=self.accepted.keys,
        )


def examiner(
    database: str, *, scope: Scope | None = None, sample: int = 20, limits: Limits | None = None
) -> Examiner:
    """Return an examiner of a database; whoever asks closes its target."""
    target = Target("test", database, limits)
    return Examiner(target, Runner(target, RunLimits(sample=sample)), scope or Scope())


def examine(
    check: Check[Any],
    database: str,
    *subjects: str,
    scope: Scope | None = None,
    sample: int = 20,
    limits: Limits | None = None,
) -> Runs:
    """Run the check once on these subjects of a database, or on all that it discovers there."""
    examining = examiner(database, scope=scope, sample=sample, limits=limits)
    try:
        return examining.examine(check, *subjects)
    finally:
        examining.target.close()
