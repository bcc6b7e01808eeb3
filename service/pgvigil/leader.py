"""What only the leader among replicas does: it watches, and tells Alertmanagers."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime

from pgvigil.catalog import Catalog
from pgvigil.clock import Clock
from pgvigil.config import Config, Notify
from pgvigil.errors import StoreError
from pgvigil.metrics import Counters
from pgvigil.notify import Notifier
from pgvigil.registry import Registry
from pgvigil.store import Store
from pgvigil.underway import Underway
from pgvigil.watching import Watching

_Told = tuple[Notify, str]
"""What a notifier was made of: its settings, and where the console is."""


class Leader:
    """Does the leader's work by a configuration, from the first `follow` until `stop`."""

    def __init__(self, store: Store, registry: Registry, counters: Counters, clock: Clock) -> None:
        self._store = store
        self._counters = counters
        self._clock = clock
        self._watching = Watching(store, registry, counters, clock)
        self._guard = threading.Lock()
        self._following = threading.RLock()
        self._notifier: Notifier | None = None
        self._told: _Told | None = None
        self._unsettled: tuple[Config, str] | None = None
        self.leads = False
        """Whether the work has begun."""

    def follow(self, config: Config, console: str) -> None:
        """Work as the configuration says; `console` is where people reach it.

        Raises ConfigError, which changes nothing, or StoreError: `settle` then goes on where this ended.
        """
        with self._following:
            try:
                self._watching.follow(config)
                self._notify(config, console)
            except StoreError:
                self._unsettled = config, console
                raise
            self._unsettled = None
        self.leads = True
        self._counters.leads(True)

    def settle(self) -> None:
        """Go on with what the store has kept from beginning; raises StoreError while it still does."""
        with self._following:
            # Under the lock: a newer configuration may just be taking the place of this one.
            if self._unsettled is not None:
                self.follow(*self._unsettled)

    def catch_up(self) -> None:
        """Follow what people told any replica, and examine what was deployed; raises StoreError."""
        for target in {one.target for one in self._store.catch_up()}:
            self._watching.examine(target)
        with self._following:
            self._watching.follow_adoptions()

    def examine(self, target: str, check: str | None = None) -> list[str]:
        """Let all checks of a target, or one, begin now; return their names, none while not leading."""
        return self._watching.examine(target, check)

    def catalog(self, target: str) -> Catalog:
        """Read what there is on a target now; raises TargetError."""
        return self._watching.catalog(target)

    def underway(self) -> list[Underway]:
        """Return the runs that go on at this moment."""
        return self._watching.underway()

    @property
    def next_due(self) -> Mapping[str, datetime]:
        """When each tick is due next, by `target/check`."""
        return self._watching.next_due

    def stop(self) -> None:
        """Begin nothing new, and cancel what runs within two seconds."""
        self.leads = False
        self._counters.leads(False)
        with self._guard:
            if self._notifier is not None:
                self._notifier.stop()
        self._watching.stop()

    def _notify(self, config: Config, console: str) -> None:
        """Tell the Alertmanagers that the configuration names, and no others."""
        told = config.notify, config.web.external_url or console
        with self._guard:
            if told == self._told:
                return
            if self._notifier is not None:
                self._notifier.stop()
            self._told = None
            notifier = Notifier(
                self._store,
                config.notify,
                url=told[1].rstrip("/"),
                leading=lambda: self._store.leading,
                counts=self._counters.notifications,
                beside=config.beside,
                clock=self._clock,
            )
            self._counters.notifications.expect(notifier.names)
            self._store.listen(notifier.wake)
            self._notifier = notifier
            notifier.start()
            self._told = told
