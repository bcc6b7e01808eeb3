"""The engine: the spine of pgvigil on one page.

    tick -> catalog -> subjects -> change gate -> sweep -> run -> store (incidents, one transaction) -> view

Data goes in one direction. A tick is one check of one target; everything that a person sees afterwards is a
view of what the store committed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pgvigil.changegate import ChangeGate
from pgvigil.check import Check, Subject
from pgvigil.clock import Clock, SystemClock
from pgvigil.errors import (
    BrokenOffError,
    CancelledError,
    PluginError,
    StoreError,
    SupersededError,
    TargetError,
    TargetUnreachableError,
)
from pgvigil.health import Duty
from pgvigil.logs import get_logger
from pgvigil.metrics import Counters
from pgvigil.peer import Peers
from pgvigil.progress import Progress
from pgvigil.recorder import Recorder
from pgvigil.routing import routed_sweep
from pgvigil.run import Run
from pgvigil.sight import Sight
from pgvigil.store import Store
from pgvigil.touching import Touching
from pgvigil.watch import WHOLE_CHECK, Watch, incomplete, left_out_first, missing, with_reasons

log = get_logger(__name__)


class Engine:
    """Carries out ticks and commits what they find. Safe for several threads; never raises from a tick."""

    def __init__(
        self,
        store: Store,
        counters: Counters,
        watches: Iterable[Watch],
        clock: Clock | None = None,
        find: Callable[[str], Watch | None] | None = None,
    ) -> None:
        self.store = store
        self.counters = counters
        self.watches = {watch.target.name: watch for watch in watches}
        # Who compares two databases finds the other one there.
        self._find = find or self.watches.get
        self._clock = clock or SystemClock()
        self._recorder = Recorder(store, counters, self._clock)
        self._gates = {name: ChangeGate(watch) for name, watch in self.watches.items()}
        for name, watch in self.watches.items():
            counters.watch(name, watch.usage)
            counters.gate(name, self._gates[name].state)
        self._emptied: set[tuple[str, str]] = set()
        self._hindered: dict[tuple[str, str], str] = {}
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
        may_go_on = watch.gate.for_tick(check)
        try:
            if not may_go_on() or not watch.governor.hold():
                return
            self._tick(watch, watch.checks[check], may_go_on)
        except SupersededError:
            return
        except StoreError as error:
            self._recorder.store_failed(Duty.SURVEY, error)
        else:
            self._recorder.store_works(Duty.SURVEY)
        finally:
            lock.release()
            watch.target.close_idle()

    def ask(self, target: str, check: str) -> None:
        """Let the next tick look at everything, whether it was changed or not: somebody wants to know."""
        self._gates[target].ask(check)

    def end(self) -> None:
        """Record nothing from now on: what still runs is of a configuration of the past."""
        self._recorder.end()

    def survey(self, target: str) -> None:
        """Find out what there is to examine, and whether the target answers, before the first tick is due."""
        watch = self.watches[target]
        try:
            for check in watch.checks.values():
                self._survey(watch, check)
        except SupersededError:
            return
        except StoreError as error:
            self._recorder.store_failed(Duty.SURVEY, error)
        finally:
            watch.target.close_idle()

    def _survey(self, watch: Watch, check: Check[Any]) -> None:
        try:
            catalog = self._look(watch).catalog
            discovery = watch.runner.discover(check, catalog)
        except CancelledError:
            return
        except (TargetError, PluginError) as error:
            self._recorder.record(list(self._recorder.unknown(watch, check, str(error))))
            return
        self._recorder.sync(watch, check, discovery.subjects, catalog)

    def stop(self) -> None:
        """Cancel all that runs, on every target at once."""
        stops = [threading.Thread(target=watch.stop, daemon=True) for watch in self.watches.values()]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()

    def _tick(self, watch: Watch, check: Check[Any], may_go_on: Callable[[], bool]) -> None:
        committed: set[str] = set()
        began_at = self._clock.now()
        try:
            for runs in self._runs(watch, check, may_go_on):
                self._recorder.record(runs)
                committed.update(run.subject for run in runs)
            # A sweep that was broken off is due again after a restart.
            if not watch.governor.stopping:
                self.store.record_sweep(watch.target.name, check.name, began_at, still=self._recorder.counts)
        except (StoreError, SupersededError):
            raise
        except BrokenOffError:
            self.counters.broken_off(watch.target.name, check.name)
            log.info(
                "the window ends: what is left of the sweep comes first in the next one",
                target=watch.target.name,
                check=check.name,
                remedy="if that happens every time, give budget.window more hours, or the budget more",
            )
        except Exception as error:
            self.counters.tick_missed(watch.target.name, check.name, "crashed")
            log.exception("tick crashed", target=watch.target.name, check=check.name)
            reason = f"pgvigil itself failed: {type(error).__name__}"
            self._recorder.record(list(self._recorder.unknown(watch, check, reason, but=committed)))

    def _tell_hindered(self, watch: Watch, check: Check[Any], error: str) -> None:
        """Log why nothing of a check could be examined, when it is another reason than before."""
        key = watch.target.name, check.name
        if self._hindered.get(key) != error:
            log.warning("could not examine", target=watch.target.name, check=check.name, error=error)
        self._hindered[key] = error

    def _runs(
        self, watch: Watch, check: Check[Any], may_go_on: Callable[[], bool]
    ) -> Iterator[Sequence[Run]]:
        gate, began_at = self._gates[watch.target.name], self._clock.now()
        asked = gate.asked(check.name)
        try:
            sight = self._look(watch, anew=asked)
            discovery = watch.runner.discover(check, sight.catalog)
        except CancelledError:
            return
        except (TargetError, PluginError) as error:
            self._emptied.discard((watch.target.name, check.name))
            self._tell_hindered(watch, check, str(error))
            yield list(self._recorder.unknown(watch, check, str(error)))
            return
        subjects = (*with_reasons(watch, check, discovery), *missing(watch, sight.catalog))
        if reason := self._all_gone(watch, check, subjects):
            self._tell_hindered(watch, check, reason)
            yield list(self._recorder.unknown(watch, check, reason))
            return
        self._hindered.pop((watch.target.name, check.name), None)
        ordered = left_out_first(self.store.view(), (watch.target.name, check.name), subjects)
        self._recorder.sync(watch, check, subjects, sight.catalog)
        progress = self._progress(watch, check, sight)
        key = watch.target.name, check.name
        # What was met that kept them from their end, a damaged page say, is not to be passed over now.
        alone = set(incomplete(self.store.view(), key))
        touching = Touching(watch.changes, progress, full=asked, anew=alone)
        touching.begin(watch.checks)
        self.counters.looks.known(key, [subject.name for subject in subjects], progress.notes)
        standing = gate.standing(check.name, ordered, sight, progress.notes, self.store.view(), began_at)
        spared = set() if asked else self._spare(watch, check, set(standing), began_at)
        changed = [subject for subject in ordered if subject.name not in spared]
        position = gate.key(check.name, sight)
        footing = None if asked else watch.footing(sight.position, began_at)
        peers = Peers(watch.target, self._find, None if asked else began_at)
        assist = peers.assisting(touching, footing, anew=alone)
        try:
            for runs in routed_sweep(watch, check, changed, sight, assist, may_go_on, alone):
                noted = [touching.noted(run) for run in runs]
                # What was judged before this tick may have been written to before its position was read.
                yield [
                    replace(run, position=position)
                    if sight.covers(run) and run.subject not in progress.resumed
                    else run
                    for run in noted
                ]
                for run in noted:
                    touching.committed(run)
        except TargetUnreachableError as error:
            self._recorder.saw(watch.target.name, up=False, error=str(error))
        finally:
            touching.end()

    def _progress(self, watch: Watch, check: Check[Any], sight: Sight) -> Progress:
        gate, name = self._gates[watch.target.name], check.name
        return Progress(
            self.store,
            (watch.target.name, name),
            self._clock,
            define=lambda subject: gate.definition(name, subject, sight),
            still=self._recorder.counts,
        )

    def _spare(self, watch: Watch, check: Check[Any], names: set[str], at: datetime) -> set[str]:
        """Commit that what was said of these subjects still stands; return them."""
        if names:
            self.store.confirm(watch.target.name, check.name, names, at, still=self._recorder.counts)
        self.counters.spared(watch.target.name, check.name, len(names))
        return names

    def _all_gone(self, watch: Watch, check: Check[Any], subjects: Iterable[Subject]) -> str:
        """Tell, once, that all subjects of a check have vanished together: the database may be the wrong one.

        Only when the next tick finds none either, they are taken to be gone.
        """
        key = watch.target.name, check.name
        known = set(self._recorder.known(watch, check)) - {WHOLE_CHECK}
        if not known or key in self._emptied or any(one.name != WHOLE_CHECK for one in subjects):
            self._emptied.discard(key)
            return ""
        self._emptied.add(key)
        gone = f"all {len(known)} subjects are" if len(known) > 1 else "the only subject is"
        return f"{gone} gone: is this the right database? The next tick takes it for true"

    def _look(self, watch: Watch, *, anew: bool = False) -> Sight:
        """Find out where the target is, read its catalog, and commit whether it answered."""
        name = watch.target.name
        try:
            sight = self._gates[name].look(watch, anew=anew)
        except CancelledError:
            raise
        except TargetError as error:
            up = not isinstance(error, TargetUnreachableError)
            self._recorder.saw(name, up=up, error=str(error))
            raise
        self._recorder.saw(name, up=True, server_version=sight.catalog.release)
        return sight
