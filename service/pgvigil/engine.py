"""The engine: the spine of pgvigil on one page.

    tick -> catalog -> subjects -> sweep -> run -> store (incidents, one transaction) -> view

Data goes in one direction. A tick is one check of one target; everything that a person sees afterwards is a
view of what the store committed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from pgvigil.catalog import Catalog, Scope
from pgvigil.check import Check, Discovery, Problem, Subject
from pgvigil.clock import Clock, SystemClock
from pgvigil.config import KeyPath
from pgvigil.errors import (
    CancelledError,
    ConfigError,
    PluginError,
    StoreError,
    TargetError,
    TargetUnreachableError,
)
from pgvigil.governor import Governor
from pgvigil.health import Duty
from pgvigil.incident import Event, EventKind, Incident
from pgvigil.metrics import Counters, Usage
from pgvigil.run import Run
from pgvigil.runner import Runner
from pgvigil.store import LiveIncident, Store
from pgvigil.sweep import sweep
from pgvigil.target import Target

WHOLE_CHECK = "*"
"""The subject that stands for a check whose subjects could not be found; it is unknown until they can."""

_TOLD = {
    EventKind.OPENED: "incident opened",
    EventKind.RESOLVED: "incident resolved",
    EventKind.VANISHED: "incident vanished with its subject",
}

log = structlog.get_logger(__name__)


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


class Engine:
    """Carries out ticks and commits what they find. Safe for several threads; never raises from a tick."""

    def __init__(
        self, store: Store, counters: Counters, watches: Iterable[Watch], clock: Clock | None = None
    ) -> None:
        self.store = store
        self.counters = counters
        self.watches = {watch.target.name: watch for watch in watches}
        self._clock = clock or SystemClock()
        # Two checks that find a target down at once tell of it once.
        self._seeing = threading.Lock()
        for name, watch in self.watches.items():
            counters.watch(name, watch.usage)
        self._emptied: set[tuple[str, str]] = set()
        self._ticking = {
            (name, check): threading.Lock() for name, watch in self.watches.items() for check in watch.checks
        }

    def tick(self, target: str, check: str) -> None:
        """Examine all subjects of one check now, unless that is already going on."""
        lock = self._ticking[target, check]
        if not lock.acquire(blocking=False):
            self.counters.tick_missed(target, check, "overrun")
            return
        watch = self.watches[target]
        try:
            self._tick(watch, watch.checks[check])
        except StoreError as error:
            self._store_failed(Duty.SURVEY, error)
        else:
            self._store_works(Duty.SURVEY)
        finally:
            lock.release()
            watch.target.close_idle()

    def stop(self) -> None:
        """Cancel all that runs, on every target at once."""
        stops = [threading.Thread(target=watch.stop, daemon=True) for watch in self.watches.values()]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()

    def _tick(self, watch: Watch, check: Check[Any]) -> None:
        committed: set[str] = set()
        try:
            for run in self._runs(watch, check):
                self._commit(run)
                committed.add(run.subject)
        except StoreError:
            raise
        except Exception as error:
            self.counters.tick_missed(watch.target.name, check.name, "crashed")
            log.exception("tick crashed", target=watch.target.name, check=check.name)
            reason = f"pgvigil itself failed: {type(error).__name__}"
            for run in self._unknown(watch, check, reason, but=committed):
                self._commit(run)

    def _runs(self, watch: Watch, check: Check[Any]) -> Iterator[Run]:
        try:
            catalog = self._catalog(watch)
            discovery = watch.runner.discover(check, catalog)
        except CancelledError:
            return
        except (TargetError, PluginError) as error:
            self._emptied.discard((watch.target.name, check.name))
            log.warning("could not examine", target=watch.target.name, check=check.name, error=str(error))
            yield from self._unknown(watch, check, str(error))
            return
        subjects = (*_with_reasons(watch, check, discovery), *_missing(watch, catalog))
        if reason := self._all_gone(watch, check, subjects):
            log.warning("could not examine", target=watch.target.name, check=check.name, error=reason)
            yield from self._unknown(watch, check, reason)
            return
        self._sync(watch, check, [subject.name for subject in subjects])
        try:
            yield from sweep(watch.runner, watch.governor, check, subjects, catalog)
        except TargetUnreachableError as error:
            self._saw(watch.target.name, up=False, error=str(error))

    def _all_gone(self, watch: Watch, check: Check[Any], subjects: Iterable[Subject]) -> str:
        """Tell, once, that all subjects of a check have vanished together: the database may be the wrong one.

        Only when the next tick finds none either, they are taken to be gone.
        """
        key = watch.target.name, check.name
        known = set(self._known(watch, check)) - {WHOLE_CHECK}
        if not known or key in self._emptied or any(one.name != WHOLE_CHECK for one in subjects):
            self._emptied.discard(key)
            return ""
        self._emptied.add(key)
        return (
            f"all {len(known)} subjects are gone: is this the right database? The next tick takes it for true"
        )

    def _known(self, watch: Watch, check: Check[Any]) -> list[str]:
        return [key[2] for key in self.store.view().subjects if key[:2] == (watch.target.name, check.name)]

    def _catalog(self, watch: Watch) -> Catalog:
        """Read the catalog, and commit whether the target answered."""
        name = watch.target.name
        try:
            catalog = watch.target.read_catalog(watch.scope)
        except CancelledError:
            raise
        except TargetError as error:
            up = not isinstance(error, TargetUnreachableError)
            self._saw(name, up=up, error=str(error))
            raise
        self._saw(name, up=True, server_version=server_version(catalog))
        return catalog

    def _saw(
        self, name: str, *, up: bool, error: str | None = None, server_version: str | None = None
    ) -> None:
        """Commit whether a target answered, and log when that has changed."""
        with self._seeing:
            before = self.store.view().targets.get(name)
            self.store.record_target(
                name, up=up, at=self._clock.now(), error=error, server_version=server_version
            )
        if not up and (before is None or before.up):
            log.warning("target is down", target=name, error=error)
        elif up and before is not None and not before.up:
            log.info("target is back", target=name)

    def _unknown(
        self, watch: Watch, check: Check[Any], error: str, but: Container[str] = ()
    ) -> Iterator[Run]:
        """Yield a failed run of every known subject: what nobody could look at must not stay green."""
        known = self._known(watch, check)
        if not known:
            known = [WHOLE_CHECK]
            self._sync(watch, check, known)
        for subject in known:
            if subject not in but:
                yield watch.runner.failed(check.name, subject, error)

    def _sync(self, watch: Watch, check: Check[Any], subjects: list[str]) -> None:
        before = self.store.view().incidents
        synced = self.store.sync_subjects(
            watch.target.name,
            check.name,
            subjects,
            now=self._clock.now(),
            interval_seconds=watch.intervals[check.name],
        )
        _tell(synced.events, before)

    def _commit(self, run: Run) -> None:
        self.counters.observe(run)
        try:
            recorded = self.store.record(run)
        except StoreError as error:
            self._store_failed(Duty.RECORD, error)
        else:
            self._store_works(Duty.RECORD)
            incidents = {one.id: one for one in recorded.incidents}
            _tell(recorded.events, incidents)

    def _store_failed(self, duty: Duty, error: StoreError) -> None:
        if self.counters.store_failed(duty, self._clock.now(), str(error)):
            log.error("store failed, results are lost until it works again", error=str(error))

    def _store_works(self, duty: Duty) -> None:
        # Each by its own success: what can be written of targets says nothing about results.
        if self.counters.health.works(duty):
            log.info("store works again")


def _tell(events: Iterable[Event], incidents: Mapping[str, Incident | LiveIncident]) -> None:
    """Log where an incident began or ended; never what the rows hold."""
    for event in events:
        if event.kind in _TOLD and (incident := incidents.get(event.incident)):
            log.info(
                _TOLD[event.kind],
                target=incident.target,
                check=incident.check,
                subject=incident.subject,
                severity=incident.severity,
                count=incident.count,
                id=incident.id,
            )


def _with_reasons(watch: Watch, check: Check[Any], discovery: Discovery) -> Iterator[Subject]:
    """Yield the subjects; what a setting asked for in vain tells in which line it did."""
    reasons = {problem.subject: str(watch.misfit(check.name, problem)) for problem in discovery.problems}
    for subject in discovery.subjects:
        if subject.unexaminable and subject.name in reasons:
            yield replace(subject, unexaminable=reasons[subject.name])
        else:
            yield subject


def _missing(watch: Watch, catalog: Catalog) -> Iterator[Subject]:
    """Yield what stands for the schemas that are to be watched and are not there: never silently nothing."""
    errors = watch.misplaced(catalog)
    if errors:
        yield Subject(WHOLE_CHECK, unexaminable="; ".join(map(str, errors)))


def server_version(catalog: Catalog) -> str:
    """Write the server's version as PostgreSQL does: `16.14`."""
    major, minor = divmod(catalog.server_version, 10_000)
    return f"{major}.{minor}"
