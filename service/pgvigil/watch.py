"""A target under watch, and what of it is looked at in which order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pgvigil.catalog import Catalog, Scope
from pgvigil.check import Check, Discovery, Problem, Subject
from pgvigil.clock import Clock, SystemClock
from pgvigil.config import KeyPath
from pgvigil.errors import ConfigError
from pgvigil.footing import Footing
from pgvigil.gate import Gate
from pgvigil.governor import Governor
from pgvigil.patterns import matches
from pgvigil.position import Position
from pgvigil.runner import Runner
from pgvigil.target import Target
from pgvigil.usage import StandbyUsage, Usage

if TYPE_CHECKING:
    from pgvigil.changes import Changes
    from pgvigil.store import View


class Server(StrEnum):
    """Where a run was read, on a target that has a standby to read."""

    PRIMARY = "primary"
    STANDBY = "standby"


class Reads:
    """Counts the runs of a target by where they were read; safe for several threads."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.conflicts = 0
        """The queries on the standby that replay has broken off."""
        self.unread_seconds: float | None = None
        """How long the standby had been tried in vain at the last try, 0 when it was read; None before."""
        self._clock = clock or SystemClock()
        self._tried_since: float | None = None
        self._guard = threading.Lock()
        self._by_server = dict.fromkeys(Server, 0)

    def read(self, server: Server) -> None:
        """Count a run."""
        with self._guard:
            self._by_server[server] += 1

    def conflicted(self, conflicts: int) -> None:
        """Count queries that replay has broken off."""
        with self._guard:
            self.conflicts += conflicts

    def tried(self, *, in_vain: bool) -> None:
        """Note that rows were to be read on the standby, and whether none of them could be."""
        now = self._clock.monotonic()
        with self._guard:
            if not in_vain:
                self._tried_since = None
            elif self._tried_since is None:
                self._tried_since = now
            self.unread_seconds = 0.0 if self._tried_since is None else now - self._tried_since

    def by_server(self) -> dict[str, int]:
        """Return the runs by where they were read."""
        with self._guard:
            return {server.value: count for server, count in self._by_server.items()}


WHOLE_CHECK = "*"
"""The subject that stands for a check whose subjects could not be found; it is unknown until they can."""


@dataclass(frozen=True)
class Watch:
    """A target under watch: how it is reached, what is checked, and within which bounds.

    `intervals` holds the seconds between two ticks by check, `gate` tells at which time of day there are any.
    `complain` makes the error, with file and line, about the setting at a path in the target's section.
    """

    target: Target
    runner: Runner
    governor: Governor
    checks: Mapping[str, Check[Any]]
    scope: Scope
    intervals: Mapping[str, float]
    complain: Callable[[KeyPath, str], ConfigError]
    full_every: float | None = None
    """After how many seconds a subject is looked at again although nothing was written; None: every tick."""
    gate: Gate = field(default_factory=Gate)
    changes: Changes | None = None
    """Tells what was written; None where it is not to be known."""
    reads: Reads = field(default_factory=Reads)

    def misfit(self, check: str, problem: Problem) -> ConfigError:
        """Return the error about a setting of a check that does not fit the catalog."""
        return self.complain(("checks", check, *problem.path), problem.message)

    def misplaced(self, catalog: Catalog) -> list[ConfigError]:
        """Return an error for each schema that is to be watched and does not exist."""
        return [
            self.complain(("schemas", "include", position), f"no schema matches {pattern!r}")
            for position, pattern in catalog.unmatched_includes()
        ]

    def nowhere(self, catalog: Catalog) -> list[ConfigError]:
        """Return what is doubtful about schemas that settings name and that there are not.

        They may be to come, or gone for good: nothing is wrong by that.
        """
        scope = self.scope
        named = (
            (("schemas", "exclude"), scope.exclude),
            (("schemas", "deprecated"), scope.deprecated),
            (("zones",), scope.zones),
        )
        return [
            self.complain((*path, position), f"no schema matches {pattern!r}")
            for path, patterns in named
            for position, pattern in enumerate(patterns)
            if not any(matches(schema, pattern) for schema in catalog.schemas)
        ]

    def footing(self, position: Position | None, now: datetime) -> Footing | None:
        """Return what runs rest on that begin at a position; None where nothing is to be relied on."""
        # With several servers in one DSN a run may see another one than that whose position was read.
        if position is None or not self.full_every or self.target.has_several_hosts:
            return None
        return Footing.at(position, self.target.name, now, self.full_every)

    def usage(self) -> Usage:
        """Return what the target's budget allows, and what was taken of it."""
        return Usage(
            connections=self.target.limits.connections,
            duty_cycle=self.governor.duty_cycle,
            busy_seconds=self.governor.busy_seconds,
            recovery_conflicts=self.runner.recovery_conflicts + self.reads.conflicts,
            pauses=self.governor.pauses,
            slots_dropped=self.changes.dropped if self.changes else 0,
            underway=self.runner.board.runs(),
            standby=self._standby_usage(),
        )

    def _standby_usage(self) -> StandbyUsage | None:
        standby = self.target.standby
        if standby is None:
            return None
        return StandbyUsage(
            standby.usable,
            standby.lag_seconds,
            self.reads.by_server(),
            standby.obstacle,
            standby.fallback,
            self.reads.unread_seconds,
        )

    def stop(self) -> None:
        """Let nothing new begin and cancel what runs, within two seconds."""
        self.governor.stop()
        if self.changes is not None:
            self.changes.stop()
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


def incomplete(view: View, key: tuple[str, str]) -> Iterator[str]:
    """Yield the subjects of a check whose last run did not complete: in a batch they would fail all of it."""
    for of, status in view.subjects.items():
        if of[:2] == key and status.outcome is not None and not status.outcome.completed:
            yield of[2]
