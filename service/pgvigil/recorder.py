"""The recorder: commits what ticks find, tells of it in the log and the counters, and of what got lost."""

from __future__ import annotations

import threading
from collections.abc import Container, Iterator, Sequence
from typing import Any

from pgvigil.catalog import Catalog, lineage, read_lineage, why_gone, written_lineage
from pgvigil.check import Check, Subject
from pgvigil.clock import Clock
from pgvigil.errors import StoreError, UnfitError
from pgvigil.health import Duty
from pgvigil.logs import get_logger
from pgvigil.metrics import Counters
from pgvigil.run import Run
from pgvigil.store import Store
from pgvigil.telling import tell, tell_of_subjects
from pgvigil.watch import WHOLE_CHECK, Watch

log = get_logger(__name__)


class Recorder:
    """What an engine commits; safe for several threads. Raises SupersededError once it was ended."""

    def __init__(self, store: Store, counters: Counters, clock: Clock) -> None:
        self._store = store
        self._counters = counters
        self._clock = clock
        # Two checks that find a target down at once tell of it once.
        self._seeing = threading.Lock()
        self._over = False

    def end(self) -> None:
        """Record nothing from now on."""
        self._over = True

    def counts(self) -> bool:
        """Whether what is found is still to be recorded."""
        return not self._over

    def known(self, watch: Watch, check: Check[Any]) -> list[str]:
        """Return the names of a check's subjects."""
        ours = watch.target.name, check.name
        return [key[2] for key in self._store.view().subjects if key[:2] == ours]

    def saw(
        self, name: str, *, up: bool, error: str | None = None, server_version: str | None = None
    ) -> None:
        """Commit whether a target answered, and log when that has changed; raises StoreError."""
        with self._seeing:
            before = self._store.view().targets.get(name)
            self._store.record_target(
                name,
                up=up,
                at=self._clock.now(),
                error=error,
                server_version=server_version,
                still=self.counts,
            )
        if not up and (before is None or before.up):
            log.warning("target is down", target=name, error=error)
        elif up and before is not None and not before.up:
            log.info("target is back", target=name)

    def sync(
        self, watch: Watch, check: Check[Any], subjects: Sequence[Subject], catalog: Catalog | None = None
    ) -> None:
        """Commit which subjects a check has; raises StoreError. The catalog tells why others are gone."""
        before = self._store.view().incidents
        synced = self._store.sync_subjects(
            watch.target.name,
            check.name,
            {one.name: written_lineage(lineage(one.objects)) for one in subjects},
            now=self._clock.now(),
            interval_seconds=watch.intervals[check.name],
            why=lambda text: why_gone(read_lineage(text), catalog) if catalog else "",
            still=self.counts,
        )
        tell(synced.events, before)
        tell_of_subjects(watch.target.name, check.name, synced)

    def unknown(self, watch: Watch, check: Check[Any], error: str, but: Container[str] = ()) -> Iterator[Run]:
        """Yield a failed run of every known subject: what nobody could look at must not stay green."""
        known = self.known(watch, check)
        if not known:
            known = [WHOLE_CHECK]
            self.sync(watch, check, [Subject(WHOLE_CHECK)])
        for subject in known:
            if subject not in but:
                yield watch.runner.failed(check.name, subject, error)

    def record(self, runs: Sequence[Run]) -> None:
        """Commit runs in one transaction; those that cannot be committed are counted, and lost."""
        if not runs:
            return
        self._counters.observe(*runs)
        self._record(runs)

    def _record(self, runs: Sequence[Run]) -> None:
        try:
            recorded = self._store.record_many(runs, self.counts)
        except UnfitError as error:
            if len(runs) == 1:
                self.store_failed(Duty.RECORD, error)
                return
            # What one of them holds must not cost the others their place.
            for run in runs:
                self._record([run])
        except StoreError as error:
            self.store_failed(Duty.RECORD, error, lost=len(runs))
        else:
            self.store_works(Duty.RECORD)
            for one in recorded:
                tell(one.events, {incident.id: incident for incident in one.incidents})

    def store_failed(self, duty: Duty, error: StoreError, lost: int = 1) -> None:
        """Count what the store could not take: so many results, or one word of targets and subjects."""
        if self._counters.store_failed(duty, self._clock.now(), str(error), lost):
            log.error("store failed, results are lost until it works again", error=str(error))

    def store_works(self, duty: Duty) -> None:
        """Note that it could: each duty by itself, as what can be told of targets says nothing of results."""
        if self._counters.health.works(duty):
            log.info("store works again")
