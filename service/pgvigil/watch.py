"""A target under watch, and what of it is looked at in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pgvigil.catalog import Catalog, Scope
from pgvigil.check import Check, Discovery, Problem, Subject
from pgvigil.config import KeyPath
from pgvigil.errors import ConfigError
from pgvigil.governor import Governor
from pgvigil.metrics import Usage
from pgvigil.runner import Runner
from pgvigil.store import View
from pgvigil.target import Target

WHOLE_CHECK = "*"
"""The subject that stands for a check whose subjects could not be found; it is unknown until they can."""


@dataclass(frozen=True)
class Watch:
    """A target under watch: how it is reached, what is checked, and within which bounds.

    `intervals` holds the seconds between two ticks by check. `complain` makes the error, with file and line,
    about the setting at a path in the target's section.
    """

    target: Target
    runner: Runner
    governor: Governor
    checks: Mapping[str, Check[Any]]
    scope: Scope
    intervals: Mapping[str, float]
    complain: Callable[[KeyPath, str], ConfigError]

    def misfit(self, check: str, problem: Problem) -> ConfigError:
        """Return the error about a setting of a check that does not fit the catalog."""
        return self.complain(("checks", check, *problem.path), problem.message)

    def misplaced(self, catalog: Catalog) -> list[ConfigError]:
        """Return an error for each schema that is to be watched and does not exist."""
        return [
            self.complain(("schemas", "include", position), f"no schema matches {pattern!r}")
            for position, pattern in catalog.unmatched_includes()
        ]

    def usage(self) -> Usage:
        """Return what the target's budget allows, and what was taken of it."""
        return Usage(
            connections=self.target.limits.connections,
            duty_cycle=self.governor.duty_cycle,
            busy_seconds=self.governor.busy_seconds,
            recovery_conflicts=self.runner.recovery_conflicts,
        )

    def stop(self) -> None:
        """Let nothing new begin and cancel what runs, within two seconds."""
        self.governor.stop()
        self.target.stop()


def with_reasons(watch: Watch, check: Check[Any], discovery: Discovery) -> Iterator[Subject]:
    """Yield the subjects; what a setting asked for in vain tells in which line it did."""
    reasons = {problem.subject: str(watch.misfit(check.name, problem)) for problem in discovery.problems}
    for subject in discovery.subjects:
        if subject.unexaminable and subject.name in reasons:
            yield replace(subject, unexaminable=reasons[subject.name])
        else:
            yield subject


def missing(watch: Watch, catalog: Catalog) -> Iterator[Subject]:
    """Yield what stands for the schemas that are to be watched and are not there: never silently nothing."""
    errors = watch.misplaced(catalog)
    if errors:
        yield Subject(WHOLE_CHECK, unexaminable="; ".join(map(str, errors)))


def left_out_first(view: View, key: tuple[str, str], subjects: Sequence[Subject]) -> Sequence[Subject]:
    """Put first what the last sweep of a check did not come to, if it was broken off.

    Else, where every sweep is broken off, the last subjects would never be examined.
    """
    last = view.checks.get(key)
    began = last.discovered_at if last else None
    if last is None or began is None or (last.swept_at is not None and last.swept_at >= began):
        return subjects
    known = {of[2]: status.finished_at for of, status in view.subjects.items() if of[:2] == key}

    def examined(subject: Subject) -> bool:
        finished = known.get(subject.name)
        return finished is not None and finished >= began

    return sorted(subjects, key=examined)
