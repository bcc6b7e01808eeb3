"""The engine: the spine of pgvigil on one page.

    tick -> catalog -> subjects -> sweep -> run -> store (incidents, one transaction) -> view

Data goes in one direction. A tick is one check of one target; everything that a person sees afterwards is a
view of what the store committed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from pgvigil.catalog import Catalog, Scope
from pgvigil.check import Check, Discovery, Problem, Subject
from pgvigil.clock import Clock, SystemClock
from pgvigil.errors import (
    CancelledError,
    ConfigError,
    PluginError,
    StoreError,
    TargetError,
    TargetUnreachableError,
)
from pgvigil.governor import Governor
from pgvigil.metrics import Counters
from pgvigil.run import Run
from pgvigil.runner import Runner
from pgvigil.store import Store
from pgvigil.sweep import sweep
from pgvigil.target import Target

WHOLE_CHECK = "*"
"""The subject that stands for a check whose subjects could not be found; it is unknown until they can."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Watch:
    """A target under watch: how it is reached, what is checked, and within which bounds.

    `intervals` holds the seconds between two ticks by check. `misfit` turns a problem of a check's settings
    into the error that names file and line.
    """

    target: Target
    runner: Runner
    governor: Governor
    checks: Mapping[str, Check[Any]]
    scope: Scope
    intervals: Mapping[str, float]
    misfit: Callable[[str, Problem], ConfigError]

    def stop(self) -> None:
        """Let nothing new begin and cancel what runs, within two seconds."""
        self.governor.stop()
        self.target.stop()


def discover(check: Check[Any], catalog: Catalog) -> Discovery:
    """Find a check's subjects; raises PluginError when the check crashes or returns nonsense."""
    try:
        discovery = check.discover(catalog)
        names = [subject.name for subject in discovery.subjects]
        problems = list(discovery.problems)
    except Exception as error:
        raise PluginError(
            f"check {check.name} crashed in discover: {type(error).__name__}: {error}"
        ) from error
    twice = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    if twice:
        raise PluginError(f"check {check.name} broke its contract: subject {min(twice)} found twice")
    known = set(names)
    # A setting that does not fit is a subject that nobody can examine: unknown, until somebody mends it.
    unfit = {problem.subject: problem.message for problem in problems if problem.subject not in known}
    lost = tuple(Subject(name, unexaminable=message) for name, message in unfit.items())
    return Discovery((*discovery.subjects, *lost), discovery.problems)


class Engine:
    """Carries out ticks and commits what they find. Safe for several threads; never raises from a tick."""

    def __init__(
        self, store: Store, counters: Counters, watches: Iterable[Watch], clock: Clock | None = None
    ) -> None:
        self.store = store
        self.counters = counters
        self.watches = {watch.target.name: watch for watch in watches}
        self._clock = clock or SystemClock()
        self._ticking = {
            (name, check): threading.Lock() for name, watch in self.watches.items() for check in watch.checks
        }

    def tick(self, target: str, check: str) -> None:
        """Examine all subjects of one check now, unless that is already going on."""
        lock = self._ticking[target, check]
        if not lock.acquire(blocking=False):
            self.counters.tick_missed(target, check, "overrun")
            return
        try:
            self._tick(self.watches[target], check)
        except StoreError as error:
            self._store_failed(error)
        except Exception:
            self.counters.tick_missed(target, check, "crashed")
            log.exception("tick crashed", target=target, check=check)
        finally:
            lock.release()

    def stop(self) -> None:
        """Cancel all that runs, on every target at once."""
        stops = [threading.Thread(target=watch.stop, daemon=True) for watch in self.watches.values()]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()

    def _tick(self, watch: Watch, check: str) -> None:
        for run in self._runs(watch, watch.checks[check]):
            self._commit(run)

    def _runs(self, watch: Watch, check: Check[Any]) -> Iterator[Run]:
        name = watch.target.name
        try:
            catalog = watch.target.read_catalog(watch.scope)
        except CancelledError:
            return
        except TargetError as error:
            up = not isinstance(error, TargetUnreachableError)
            self.store.record_target(name, up=up, at=self._clock.now(), error=str(error))
            yield from self._unknown(watch, check, str(error))
            return
        version = server_version(catalog)
        self.store.record_target(name, up=True, at=self._clock.now(), server_version=version)
        try:
            discovery = discover(check, catalog)
        except PluginError as error:
            yield from self._unknown(watch, check, str(error))
            return
        self._sync(watch, check, [subject.name for subject in discovery.subjects])
        yield from sweep(watch.runner, watch.governor, check, discovery.subjects, catalog)

    def _unknown(self, watch: Watch, check: Check[Any], error: str) -> Iterator[Run]:
        """Yield a failed run of every subject: what nobody could look at must not stay green."""
        log.warning("could not examine", target=watch.target.name, check=check.name, error=error)
        name = watch.target.name
        known = [key[2] for key in self.store.view().subjects if key[:2] == (name, check.name)]
        if not known:
            known = [WHOLE_CHECK]
            self._sync(watch, check, known)
        for subject in known:
            yield watch.runner.failed(check.name, subject, error)

    def _sync(self, watch: Watch, check: Check[Any], subjects: list[str]) -> None:
        self.store.sync_subjects(
            watch.target.name,
            check.name,
            subjects,
            now=self._clock.now(),
            interval_seconds=watch.intervals[check.name],
        )

    def _commit(self, run: Run) -> None:
        self.counters.observe(run)
        self.counters.recovery_conflicts(run.target, self.watches[run.target].runner.recovery_conflicts)
        try:
            self.store.record(run)
        except StoreError as error:
            self._store_failed(error)

    def _store_failed(self, error: StoreError) -> None:
        self.counters.store_failed()
        log.error("store failed, results are lost until it works again", error=str(error))


def server_version(catalog: Catalog) -> str:
    """Write the server's version as PostgreSQL does: `16.14`."""
    major, minor = divmod(catalog.server_version, 10_000)
    return f"{major}.{minor}"
