"""The engine: the spine of pgvigil on one page.

    tick -> catalog -> subjects -> sweep -> run -> store (incidents, one transaction) -> view

Data goes in one direction. A tick is one check of one target; everything that a person sees afterwards is a
view of what the store committed.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

import structlog

from pgvigil.catalog import Catalog
from pgvigil.check import Check, Subject
from pgvigil.clock import Clock, SystemClock
from pgvigil.errors import (
    CancelledError,
    PluginError,
    StoreError,
    SupersededError,
    TargetError,
    TargetUnreachableError,
)
from pgvigil.health import Duty
from pgvigil.incident import Event, EventKind, Incident
from pgvigil.metrics import Counters
from pgvigil.run import Run
from pgvigil.store import LiveIncident, Store
from pgvigil.sweep import sweep
from pgvigil.watch import WHOLE_CHECK, Watch, left_out_first, missing, with_reasons

_TOLD = {
    EventKind.OPENED: "incident opened",
    EventKind.RESOLVED: "incident resolved",
    EventKind.VANISHED: "incident vanished with its subject",
}

log = structlog.get_logger(__name__)


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
        self._over = False
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
        except SupersededError:
            return
        except StoreError as error:
            self._store_failed(Duty.SURVEY, error)
        else:
            self._store_works(Duty.SURVEY)
        finally:
            lock.release()
            watch.target.close_idle()

    def end(self) -> None:
        """Record nothing from now on: what still runs is of a configuration of the past."""
        self._over = True

    def _counts(self) -> bool:
        return not self._over

    def survey(self, target: str) -> None:
        """Find out what there is to examine, and whether the target answers, before the first tick is due."""
        watch = self.watches[target]
        try:
            for check in watch.checks.values():
                self._survey(watch, check)
        except SupersededError:
            return
        except StoreError as error:
            self._store_failed(Duty.SURVEY, error)
        finally:
            watch.target.close_idle()

    def _survey(self, watch: Watch, check: Check[Any]) -> None:
        try:
            catalog = self._catalog(watch)
            discovery = watch.runner.discover(check, catalog)
        except CancelledError:
            return
        except (TargetError, PluginError) as error:
            for run in self._unknown(watch, check, str(error)):
                self._commit(run)
            return
        self._sync(watch, check, [one.name for one in discovery.subjects])

    def stop(self) -> None:
        """Cancel all that runs, on every target at once."""
        stops = [threading.Thread(target=watch.stop, daemon=True) for watch in self.watches.values()]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()

    def _tick(self, watch: Watch, check: Check[Any]) -> None:
        committed: set[str] = set()
        began_at = self._clock.now()
        try:
            for run in self._runs(watch, check):
                self._commit(run)
                committed.add(run.subject)
            # A sweep that was broken off is due again after a restart.
            if not watch.governor.stopping:
                self.store.record_sweep(watch.target.name, check.name, began_at, still=self._counts)
        except (StoreError, SupersededError):
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
        subjects = (*with_reasons(watch, check, discovery), *missing(watch, catalog))
        if reason := self._all_gone(watch, check, subjects):
            log.warning("could not examine", target=watch.target.name, check=check.name, error=reason)
            yield from self._unknown(watch, check, reason)
            return
        ordered = left_out_first(self.store.view(), (watch.target.name, check.name), subjects)
        self._sync(watch, check, [subject.name for subject in subjects])
        try:
            yield from sweep(watch.runner, watch.governor, check, ordered, catalog)
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
                name,
                up=up,
                at=self._clock.now(),
                error=error,
                server_version=server_version,
                still=self._counts,
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
            still=self._counts,
        )
        _tell(synced.events, before)

    def _commit(self, run: Run) -> None:
        self.counters.observe(run)
        try:
            recorded = self.store.record(run, self._counts)
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


def server_version(catalog: Catalog) -> str:
    """Write the server's version as PostgreSQL does: `16.14`."""
    major, minor = divmod(catalog.server_version, 10_000)
    return f"{major}.{minor}"
