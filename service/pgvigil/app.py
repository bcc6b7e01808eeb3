"""The app: puts the parts of the daemon together, and takes them apart in the right order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pgvigil import logs, systemd
from pgvigil.catalog import RelationName, relation_misfit
from pgvigil.clock import Clock, SystemClock
from pgvigil.config import Config
from pgvigil.errors import PgvigilError, StoreError
from pgvigil.housekeeping import Housekeeping
from pgvigil.leader import Leader
from pgvigil.logs import get_logger
from pgvigil.metrics import Counters, Exposition, Guest
from pgvigil.registry import Registry
from pgvigil.store import Store, View
from pgvigil.underway import Underway
from pgvigil.web.app import create_app
from pgvigil.web.security import LiveSecurity, Security
from pgvigil.web.server import WebServer
from pgvigil.window import Window

_SIGNAL_SECONDS = 0.2
_CONFIGURATION, _WEB_CONFIGURATION = "configuration", "web configuration"

log = get_logger(__name__)


class Daemon:
    """Watches all targets of a configuration until it is told to stop.

    Of several daemons on one PostgreSQL store, one leads and the others stand by, ready to take over; they
    show the same state. A daemon that loses the lead ends, for its supervisor to start it anew as a standby.
    It is what the web side's `Control` asks. `reread` gives the configuration anew for a reload. Raises
    ConfigError with all that is wrong with the settings of the checks, and with the web configuration.
    """

    def __init__(
        self,
        config: Config,
        registry: Registry,
        clock: Clock | None = None,
        reread: Callable[[], Config] | None = None,
    ) -> None:
        self._config = config
        self._registry = registry
        self._clock = clock or SystemClock()
        self._reread = reread or (lambda: config)
        self._counters = Counters()
        self._written = Exposition(self._counters, self._clock)
        registry.bind_all(config)
        self._security = LiveSecurity(Security.of(config))
        self._parts: _Parts | None = None
        self._undo = ExitStack()
        self._ended = threading.Event()
        self._reloading = threading.Lock()
        self._stop_requested = False
        self._reload_requested = False
        self._not_ready = "starting"
        self.failure: str | None = None
        """Why it ended without being told to."""

    def start(self) -> None:
        """Open the store, serve, and begin to watch; raises PgvigilError when that cannot be."""
        with ExitStack() as undo:
            store = undo.enter_context(Store.open(self._config.state.get_secret_value(), to_lead=True))
            leads = store.lead()
            self._parts = parts = self._assembled(store)
            parts.web.start()
            undo.callback(parts.web.stop)
            undo.callback(parts.leader.stop)
            self._security.watch(self._web_configuration_read)
            undo.callback(self._security.stop)
            self._counters.reloaded(_CONFIGURATION, self._clock.now())
            if warning := self._security.now.warning:
                log.warning(warning)
            if leads:
                self._begin()
            else:
                log.info("standing by", reason="another daemon leads on this state store")
            self._not_ready = ""
            parts.housekeeping.start(self._ended)
            self._undo = undo.pop_all()

    def wait(self, turn: Callable[[], None] = lambda: None) -> None:
        """Return when the daemon was told to stop, or cannot go on; `turn` is called several times a second.

        Reloads when that was requested.
        """
        # In turns: a signal that comes in the moment before a wait without an end would not be seen.
        while not (self._stop_requested or self._ended.wait(_SIGNAL_SECONDS)):
            turn()
            if self._reload_requested:
                self._reload_requested = False
                self._reload_as_told()
        self._ended.set()

    def ended(self, within: float) -> bool:
        """Return whether that comes true in so many seconds."""
        return self._ended.wait(within)

    def request_stop(self) -> None:
        """Let `wait` return. May be called by a signal handler: it takes no lock, which `wait` may hold."""
        self._stop_requested = True

    def request_reload(self) -> None:
        """Let `wait` reload. May be called by a signal handler."""
        self._reload_requested = True

    def stop(self) -> None:
        """Cancel what runs, within two seconds, and close everything. What was committed is kept."""
        self._not_ready = "stopping"
        self._ended.set()
        self._undo.close()
        log.info("stopped", reason=self.failure or "told to stop")

    @property
    def address(self) -> str:
        """Where the console is, as a URL; empty until it was started."""
        return self._parts.web.url if self._parts else ""

    @property
    def alive(self) -> bool:
        """Whether what goes on in the background does not hang."""
        return self._parts is not None and self._parts.housekeeping.alive

    def exposition(self) -> bytes:
        """Return the metrics as Prometheus text."""
        view = self._running.store.view()
        # What a standby cannot read any more is of the past, and would stand beside what the leader says.
        blind = not self._running.leader.leads and self._counters.health.trouble
        return self._written.text(View({}, {}, {}, {}) if blind else view)

    def trouble(self) -> str:
        """Return why the daemon does not do its work, empty when it does or stands by."""
        return self._not_ready or self._counters.health.trouble

    def next_due(self) -> Mapping[str, datetime]:
        """Return the next tick by `target/check`, for all that this daemon examines."""
        return self._running.leader.next_due

    def underway(self) -> list[Underway]:
        """Return the runs that go on at this moment, those of this daemon."""
        return self._running.leader.underway()

    def guest(self, target: str) -> Guest | None:
        """Return how this daemon behaves on a target now, None where it does nothing there."""
        return self._counters.guest(target)

    def windows(self) -> Mapping[str, Window]:
        """Return in which hours the targets are examined, of those that are not at any time."""
        budgets = {name: settings.budget for name, settings in self._config.targets.items()}
        return {name: budget.window for name, budget in budgets.items() if budget.window is not None}

    def targets(self) -> list[str]:
        """Return the names of the configured targets."""
        return list(self._config.targets)

    def stands_by(self) -> bool:
        """Return whether another replica leads, and examines."""
        return not self._running.leader.leads

    def examine(self, target: str, check: str | None) -> list[str]:
        """Let ticks begin now; return `target/check` of each, none when this replica stands by."""
        return [f"{target}/{name}" for name in self._running.leader.examine(target, check)]

    def misfits(self, target: str, relations: Iterable[RelationName]) -> dict[RelationName, str]:
        """Return why some relations cannot be examined: the target has no such tables; raises TargetError."""
        catalog = self._running.leader.catalog(target)
        return {one: misfit for one in relations if (misfit := relation_misfit(catalog, one))}

    def settings(self) -> Mapping[str, Any]:
        """Return the configuration in force as JSON, without secrets."""
        return self._registry.disclosed(self._config)

    def reload(self) -> None:
        """Read the configuration again and take it into force.

        Raises ConfigError when it is wrong; the last good one stays in force then.
        """
        with self._reloading:
            try:
                self._follow(self._reread())
            except PgvigilError as error:
                self._counters.reload_failed(_CONFIGURATION)
                log.error("configuration not taken into force", error=str(error))
                raise
            # With it the web configuration was read, too.
            for file in (_CONFIGURATION, _WEB_CONFIGURATION):
                self._counters.reloaded(file, self._clock.now())
            log.info("configuration taken into force", url=self.address)

    def _assembled(self, store: Store) -> _Parts:
        leader = Leader(store, self._registry, self._counters, self._clock)
        app = create_app(store, self, self._security, self._clock)
        web = WebServer(app, self._config.web.host, self._config.web.port, self._security)
        housekeeping = Housekeeping(
            store,
            leader,
            self._counters,
            self._clock,
            config=lambda: self._config,
            begin=self._begin,
            give_up=self._give_up,
        )
        return _Parts(store, leader, web, housekeeping)

    @property
    def _running(self) -> _Parts:
        if self._parts is None:
            raise StoreError("pgvigil has not been started")
        return self._parts

    def _begin(self) -> None:
        """Begin to watch and to tell, as the leader."""
        with self._reloading:
            self._running.leader.follow(self._config, self.address)

    def _give_up(self, reason: str) -> None:
        self.failure = reason
        self._not_ready = reason
        self._running.leader.stop()
        self._ended.set()

    def _reload_as_told(self) -> None:
        systemd.notify(systemd.State.RELOADING)
        # What fails was logged, and a metric shows it.
        with suppress(PgvigilError):
            self.reload()
        systemd.notify(systemd.State.READY)

    def _follow(self, config: Config) -> None:
        """Take a configuration into force, all of it or nothing."""
        self._refuse_what_needs_a_restart(config)
        self._registry.bind_all(config)
        security = Security.of(config)
        before, self._config = self._config, config
        self._security.take(security)
        if self._running.leader.leads:
            try:
                self._running.leader.follow(config, self.address)
            except StoreError as error:
                # It is in force; what the store keeps from beginning begins as soon as it can.
                self._running.housekeeping.failed(error)
        if config.log != before.log:
            logs.configure(config.log.level, config.log.format)

    def _refuse_what_needs_a_restart(self, config: Config) -> None:
        now = self._config
        fixed = {
            ("state",): (now.state, config.state),
            ("web", "listen"): (now.web.listen, config.web.listen),
        }
        for path, (before, after) in fixed.items():
            if before != after:
                raise config.error_at(path, "cannot change while pgvigil runs: restart it")

    def _web_configuration_read(self, taken: bool) -> None:
        if taken:
            self._counters.reloaded(_WEB_CONFIGURATION, self._clock.now())
        else:
            self._counters.reload_failed(_WEB_CONFIGURATION)


@dataclass(frozen=True)
class _Parts:
    """What a daemon is made of, once its store is open."""

    store: Store
    leader: Leader
    web: WebServer
    housekeeping: Housekeeping
