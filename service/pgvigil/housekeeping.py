"""What goes on in the background: looking after the lead, and after the store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

from pgvigil.clock import Clock
from pgvigil.config import Config
from pgvigil.errors import StoreError
from pgvigil.health import Duty
from pgvigil.leader import Leader
from pgvigil.logs import get_logger
from pgvigil.metrics import Counters
from pgvigil.store import Retention, Store

_ROUND_SECONDS = 2.0
_PRUNE_SECONDS = 3600.0
# Every answer of the store has a deadline of half a minute, and a round may wait for several.
_STUCK_SECONDS = 300.0

log = get_logger(__name__)


class Housekeeping:
    """Comes by every other second, from `start` until `ended` is set.

    While another daemon leads it shows what that one commits, and calls `begin` when it is gone; when this
    one has lost the lead it calls `give_up` with the reason. `config` returns the configuration in force.
    """

    def __init__(
        self,
        store: Store,
        leader: Leader,
        counters: Counters,
        clock: Clock,
        *,
        config: Callable[[], Config],
        begin: Callable[[], None],
        give_up: Callable[[str], None],
    ) -> None:
        self._store = store
        self._leader = leader
        self._counters = counters
        self._clock = clock
        self._config = config
        self._begin = begin
        self._give_up = give_up
        self._pruned_at = -_PRUNE_SECONDS
        self._round_at = clock.monotonic()

    def start(self, ended: threading.Event) -> None:
        """Begin to come by."""
        threading.Thread(target=self._run, args=[ended], name="housekeeping", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether it came by lately: it hangs when something that it needs does."""
        return self._clock.monotonic() - self._round_at < _STUCK_SECONDS

    def failed(self, error: Exception) -> None:
        """Note what could not be done, whatever the reason: the next round tries it all the same."""
        foreseen = isinstance(error, StoreError)
        reason = str(error) if foreseen else f"pgvigil itself failed: {type(error).__name__}"
        if self._counters.store_failed(Duty.KEEP_HOUSE, self._clock.now(), reason):
            log.error("the state store is not looked after", error=reason, exc_info=not foreseen)

    def _run(self, ended: threading.Event) -> None:
        while not ended.wait(_ROUND_SECONDS):
            self._round_at = self._clock.monotonic()
            try:
                self._round()
            except Exception as error:  # noqa: BLE001 -- whatever it is, the next round is due all the same
                self.failed(error)
            else:
                if self._counters.health.works(Duty.KEEP_HOUSE):
                    log.info("the state store is looked after again")

    def _round(self) -> None:
        if not self._leader.leads:
            self._stand_by()
        elif not self._still_leads():
            self._give_up("another daemon has taken the lead on the state store")
        else:
            self._leader.settle()
            self._leader.catch_up()
            self._prune()

    def _still_leads(self) -> bool:
        if self._store.leading:
            return True
        regained = self._store.lead()
        if regained:
            log.warning("the lead on the state store was lost and regained")
        return regained

    def _stand_by(self) -> None:
        """Show what the leader commits, and take over when it is gone."""
        self._store.reload()
        if self._store.lead():
            log.info("taking over the lead")
            self._begin()

    def _prune(self) -> None:
        now = self._clock.monotonic()
        if now - self._pruned_at >= _PRUNE_SECONDS:
            self._pruned_at = now
            self._store.prune(self._clock.now(), _retention(self._config()))


def _retention(config: Config) -> Retention:
    keep = config.retention
    return Retention(
        run_days=keep.runs / timedelta(days=1),
        runs_per_subject=keep.runs_per_subject,
        incident_days=keep.incidents / timedelta(days=1),
        max_bytes=keep.size,
    )
