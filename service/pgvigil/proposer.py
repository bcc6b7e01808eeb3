"""Proposes what nobody declared or configured: at a slow pace, within the target's budget."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from psycopg import sql

from pgvigil.catalog import Catalog, PairName, RelationName, Traces, followed, parse_relation, traces
from pgvigil.catalog.statistics import Statistics
from pgvigil.catalog.statistics_read import read_statistics
from pgvigil.check import Check, JsonValue, Row
from pgvigil.clock import Clock
from pgvigil.config import TargetSettings
from pgvigil.errors import CancelledError, StoreError, TargetError
from pgvigil.inference import (
    PairSampler,
    ProposedPair,
    ProposedRelation,
    Sampler,
    propose_pairs,
    propose_relations,
    relevant_columns,
)
from pgvigil.logs import get_logger
from pgvigil.proposal import Kind, Offer, ProposalState
from pgvigil.store import Store
from pgvigil.watch import Watch

SOURCE = "inference"
"""Where what is proposed here comes from."""

_FIRST = timedelta(minutes=1)
_EVERY = timedelta(days=1)
# What a migration makes of the schema it seldom makes at once.
_AFTER_CHANGE = timedelta(minutes=10)
_AFTER_FAILURE = timedelta(minutes=5)
_LOOK_SECONDS = 15.0
_PURPOSE = "proposals"

T = TypeVar("T")

log = get_logger(__name__)


class Proposer:
    """Looks for relations and entity pairs of one target, once a day and after its schema changed.

    Everything that it asks of the target takes a turn of the budget, and rests after it. It ends with the
    watch.
    """

    def __init__(self, watch: Watch, settings: TargetSettings, store: Store, clock: Clock) -> None:
        self._watch = watch
        self._settings = settings
        self._store = store
        self._clock = clock
        self._due: datetime = clock.now() + _FIRST
        self._last: datetime | None = None
        self._seen: frozenset[tuple[str, ...]] = frozenset()
        self.busy_seconds = 0.0
        """For how long it has kept the server busy."""

    def start(self) -> None:
        """Begin to look, on a thread of its own."""
        name = f"proposals of {self._watch.target.name}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def propose(self) -> None:
        """Look once, and commit what is proposed; raises TargetError or StoreError."""
        watch, target = self._watch, self._watch.target.name
        self.busy_seconds = 0.0
        catalog = self._in_turn(lambda: watch.target.read_catalog(watch.scope))
        statistics = self._in_turn(lambda: self._statistics(catalog))
        if renamed := self._store.proposals.follow(target, partial(_called, catalog)):
            log.info("rejected proposals have new names", target=target, subjects=renamed)
        configured = [*_relations_of(watch.checks)]
        rejected = self._store.proposals.all(target, [ProposalState.REJECTED])
        # Rests are no work: how long it may look is counted in the server's time.
        sampler = Sampler(self._fetch, clock=lambda: self.busy_seconds)
        relations = propose_relations(
            catalog,
            statistics,
            sampler,
            configured,
            {parse_relation(one.subject) for one in rejected if one.kind is Kind.RELATION},
        )
        likely = [*configured, *(one.relation for one in relations)]
        sketcher = PairSampler(self._fetch, clock=lambda: self.busy_seconds)
        pairs = propose_pairs(catalog, statistics, sketcher, likely)
        proposed = self._store.proposals.propose(
            target,
            [
                replace(one, traces=traces(one.subject, catalog))
                for one in (*_offered(relations), *map(_pair_offer, pairs))
            ],
            source=SOURCE,
            at=self._clock.now(),
            known=[*(str(key.relation) for key in catalog.foreign_keys), *_written(self._settings)],
        )
        if proposed.added:
            log.info("new proposals", target=target, count=proposed.added)

    def is_due(self) -> bool:
        """Tell whether it is time to look: a day has passed, or the schema has changed lately."""
        now, seen = self._clock.now(), self._subjects()
        if self._last is not None and seen != self._seen:
            self._due = min(self._due, self._last + _AFTER_CHANGE)
        return now >= self._due

    def _run(self) -> None:
        with suppress(CancelledError):
            while True:
                self._watch.target.wait_stopping(_LOOK_SECONDS)
                if self.is_due() and self._watch.gate.for_tick(_PURPOSE)():
                    self._look()

    def _look(self) -> None:
        self._last, self._seen = self._clock.now(), self._subjects()
        self._due = self._last + _EVERY
        target = self._watch.target.name
        try:
            self.propose()
        except CancelledError:
            raise
        except (TargetError, StoreError) as error:
            log.warning("nothing was proposed", target=target, error=str(error))
            self._failed(str(error))
        except Exception as error:
            # Whatever it is, the checks go on.
            log.exception("proposals failed", target=target)
            self._failed(f"{type(error).__name__}: pgvigil's log has more")
        else:
            self._store.proposals.looked(target)
        finally:
            self._watch.target.close_idle()

    def _failed(self, why: str) -> None:
        """Look again soon, and let nobody take it for a look that has found nothing."""
        self._due = self._clock.now() + _AFTER_FAILURE
        self._store.proposals.looked(self._watch.target.name, failure=why)

    def _subjects(self) -> frozenset[tuple[str, ...]]:
        """Return what is known of the target's tables and keys, by names: it changes when they do."""
        return frozenset(key for key in self._store.view().subjects if key[0] == self._watch.target.name)

    def _statistics(self, catalog: Catalog) -> Statistics:
        with self._watch.target.snapshot(_PURPOSE) as snapshot:
            fetch = partial(snapshot.fetch, most_rows=None)
            return read_statistics(fetch, catalog, relevant_columns(catalog))

    def _fetch(self, query: sql.Composed) -> list[Row]:
        """Run a query in a snapshot of its own: one that fails must leave the next one unharmed."""

        def fetch() -> list[Row]:
            with self._watch.target.snapshot(_PURPOSE) as snapshot:
                return snapshot.fetch(query)

        return self._in_turn(fetch)

    def _in_turn(self, work: Callable[[], T]) -> T:
        """Do what keeps the server busy when it is its turn, and rest after it."""
        governor = self._watch.governor
        if not governor.begin():
            raise CancelledError(f"target {self._watch.target.name}: cancelled, pgvigil is stopping")
        began = time.monotonic()
        try:
            return work()
        finally:
            busy = time.monotonic() - began
            self.busy_seconds += busy
            governor.end(busy)


def _called(catalog: Catalog, subject: str, known: Traces | None) -> tuple[str, Traces | None]:
    return followed(subject, known, catalog)


def _offered(relations: Iterable[ProposedRelation]) -> Iterator[Offer]:
    """Yield what can be examined once it is adopted: a relation that holds for some rows alone cannot."""
    for one in relations:
        if one.condition is None:
            yield Offer(
                kind=Kind.RELATION,
                subject=str(one.relation),
                settings=str(one.relation),
                probability=one.probability,
                evidence=one.evidence,
            )


def _pair_offer(pair: ProposedPair) -> Offer:
    settings: dict[str, JsonValue] = {
        "left": str(pair.left),
        "right": str(pair.right),
        "key": dict(pair.key),
        "columns": dict(pair.columns),
    }
    if pair.tolerance:
        settings["tolerance"] = dict(pair.tolerance)
    return Offer(
        kind=Kind.PAIR,
        subject=str(PairName(pair.left, pair.right)),
        settings=settings,
        probability=pair.probability,
        evidence=pair.evidence,
    )


def _relations_of(checks: Mapping[str, Check[Any]]) -> Iterator[RelationName]:
    """Yield the relations that are examined, whether configured or adopted."""
    if "orphan_rows" in checks:
        for text in checks["orphan_rows"].params.model_dump(mode="json").get("relations", ()):
            yield parse_relation(text)


def _written(settings: TargetSettings) -> Iterator[str]:
    """Yield the subjects that the configuration itself names."""
    yield from map(str, settings.checks.get("orphan_rows", {}).get("relations") or ())
    for pair in settings.checks.get("table_drift", {}).get("pairs") or ():
        yield f"{pair.get('left')} <> {pair.get('right')}"
