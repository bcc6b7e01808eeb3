"""Which server a sweep reads from: the target itself, or a standby that has replayed all that it had written.

What a standby sees is as new as its primary was when the sweep began, so that a verdict may be told from
the one as from the other. Only what rows in the WAL decide is read there: locks, settings and the rows of
unlogged tables are the primary's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from itertools import chain
from typing import Any

from pgvigil.check import Check, Outcome, Subject
from pgvigil.errors import CancelledError, StandbyError, TargetError, TargetUnreachableError
from pgvigil.position import Position, read_position
from pgvigil.reads import on_standby, reads_rows
from pgvigil.run import Run
from pgvigil.runner import Runner
from pgvigil.sight import Sight
from pgvigil.sweep import Assist, sweep
from pgvigil.target import Mark, Reading, Standby
from pgvigil.watch import Server, Watch

INSTEAD = "read on the primary instead: "
"""What explains a run that the standby was to tell of, before the reason why it could not."""

_NOTHING = "nothing was read, as standby.fallback is none"

Runs = Iterator[Sequence[Run]]


def routed_sweep(
    watch: Watch,
    check: Check[Any],
    subjects: Sequence[Subject],
    sight: Sight,
    assist: Assist,
    may_go_on: Callable[[], bool] = lambda: True,
    alone: Container[str] = (),
) -> Runs:
    """Sweep over subjects, each read where it may be; yields and raises what `sweep` does.

    Where the target was replaced since the sight of it no standby is read.
    """

    def swept(runner: Runner, some: Iterable[Subject]) -> Runs:
        return sweep(runner, watch.governor, check, some, sight.catalog, assist, may_go_on, alone)

    if watch.target.standby is None:
        yield from swept(watch.runner, subjects)
        return
    there = [one for one in subjects if on_standby(one, sight.catalog)]
    names = {one.name for one in there}
    here = [one for one in subjects if one.name not in names]
    routed = _Routed(watch, watch.target.standby, check.name, swept)
    parts = [routed.on_primary(here), routed.on_standby(there, sight.position)]
    # What was left out by the last sweep comes first.
    if subjects and subjects[0].name in names:
        parts.reverse()
    yield from chain.from_iterable(parts)
    yield from routed.on_primary([one for one in there if one.name in routed.again])
    if not there:
        routed.look_again(sight.position)


def reach(watch: Watch, standby: Standby, since: Position | None = None) -> Reading:
    """Return the standby of a target as it sees all that the target has written; raises TargetError.

    It is a StandbyError, or one of a query, unless the primary cannot be reached.
    """
    return standby.reach(_mark(watch, standby, since))


def _mark(watch: Watch, standby: Standby, since: Position | None) -> Mark:
    """Return where the primary is now; raises TargetError."""
    now = read_position(watch.target)
    if now is None:
        raise StandbyError(f"{standby.label}: the primary does not tell its position in the WAL")
    if now.mark is None:
        raise StandbyError(f"{standby.label}: the target's own dsn leads to a standby, not to a primary")
    if since is not None and (since.server, _timeline(since)) != (now.server, _timeline(now)):
        raise StandbyError(f"{standby.label}: the primary was restarted or replaced meanwhile")
    return now.mark


def _timeline(position: Position) -> int | None:
    return position.mark.timeline if position.mark else None


class _Routed:
    """One sweep over two servers; `again` holds why a subject is to be read on the primary, by name."""

    def __init__(
        self,
        watch: Watch,
        standby: Standby,
        check: str,
        swept: Callable[[Runner, Iterable[Subject]], Runs],
    ) -> None:
        self.again: dict[str, str] = {}
        self._watch = watch
        self._standby = standby
        self._check = check
        self._swept = swept

    def on_standby(self, subjects: Sequence[Subject], since: Position | None) -> Runs:
        """Sweep on the standby; what it does not answer is noted for the primary, or fails."""
        if not subjects:
            return
        try:
            reading = self._reached(since)
        except CancelledError:
            return
        except TargetError as error:
            if self._standby.fallback:
                self.again.update(dict.fromkeys((one.name for one in subjects), str(error)))
            else:
                yield [self._failed(subject, self._unread(str(error))) for subject in subjects]
            return
        runner = copy(self._watch.runner)
        runner.target, runner.recovery_conflicts = reading, 0
        told = False
        try:
            for runs in self._swept(runner, subjects):
                here = [self._answer(run) for run in runs if not self._postponed(run)]
                # Whatever the standby has told of says so.
                told = told or any(run.explain for run in here)
                yield here
        finally:
            self._watch.reads.conflicted(runner.recovery_conflicts)
            if told or reading.gone or runner.recovery_conflicts:
                self._watch.reads.tried(in_vain=not told)

    def look_again(self, since: Position | None) -> None:
        """Where nothing is to be read on a standby that could not be, find out whether it can be again."""
        if self._standby.usable is False and not self._watch.governor.stopping:
            with suppress(TargetError):
                if self._standby.look(_mark(self._watch, self._standby, since)):
                    self._watch.reads.tried(in_vain=False)

    def on_primary(self, subjects: Sequence[Subject]) -> Runs:
        """Sweep on the primary; without a fallback it is asked for nothing that reads rows."""
        # These are rows of unlogged tables, behind views, or of one side of a comparison of two databases.
        refused = [] if self._standby.fallback else [one for one in subjects if reads_rows(one)]
        if refused:
            reason = f"{self._standby.label}: no standby can tell; {_NOTHING}"
            yield [self._failed(subject, reason) for subject in refused]
        names = {one.name for one in refused}
        may = [one for one in subjects if one.name not in names]
        for runs in self._swept(self._watch.runner, may) if may else ():
            yield [self._told(run, Server.PRIMARY, self.again.get(run.subject, "")) for run in runs]

    def _reached(self, since: Position | None) -> Reading:
        """Wait for the standby; raises TargetError."""
        try:
            return reach(self._watch, self._standby, since)
        except (CancelledError, TargetUnreachableError):
            # It is the primary that does not answer, and the standby was not asked.
            raise
        except TargetError as error:
            self._standby.found(str(error))
            self._watch.reads.tried(in_vain=True)
            raise

    def _postponed(self, run: Run) -> bool:
        """Tell whether the primary is to be asked; not for what took too long already."""
        postponed = run.outcome is Outcome.ERROR and self._standby.fallback
        if postponed:
            self.again[run.subject] = run.error or ""
        return postponed

    def _answer(self, run: Run) -> Run:
        """Return what the standby says; of nothing, when it went away meanwhile."""
        if run.outcome is Outcome.ERROR and (run.error or "").startswith(self._standby.label):
            return replace(run, error=self._unread(run.error or ""))
        return self._told(run, Server.STANDBY)

    def _unread(self, error: str) -> str:
        """Say that the primary was not read either, when it was the standby that could not be."""
        return f"{error}; {_NOTHING}" if error.startswith(self._standby.label) else error

    def _failed(self, subject: Subject, reason: str) -> Run:
        return self._watch.runner.failed(self._check, subject.name, reason)

    def _told(self, run: Run, server: Server, why: str = "") -> Run:
        """Count a run by its server, and let it say which it was."""
        self._watch.reads.read(server)
        said = f"{INSTEAD}{why}" if why else f"read on the {server.value}"
        # What is read on the standby proves by itself that it sees all that the target's position stands for.
        servers = run.servers if server is Server.PRIMARY else frozenset()
        return replace(run, explain="\n".join(filter(None, (run.explain, said))), servers=servers)
