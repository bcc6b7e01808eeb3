"""The app: puts the parts of the daemon together, and takes them apart in the right order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from typing import Any

import structlog

from pgvigil import logs, systemd
from pgvigil.clock import Clock, SystemClock
from pgvigil.config import Config
from pgvigil.errors import PgvigilError, StoreError
from pgvigil.health import Duty
from pgvigil.metrics import Counters, Exposition
from pgvigil.registry import Registry
from pgvigil.store import Retention, Store
from pgvigil.watching import Watching
from pgvigil.web import WebServer, create_app
from pgvigil.web.security import LiveSecurity, Security

_HOUSEKEEPING_SECONDS = 2.0
_PRUNE_SECONDS = 3600.0
# Every answer of the store has a deadline of half a minute, and a round may wait for several.
_HOUSE_STUCK_SECONDS = 300.0
_SIGNAL_SECONDS = 0.2

log = structlog.get_logger(__name__)


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
        registry.bind_all(config)
        self._security = LiveSecurity(Security.of(config))
        self._watching: Watching | None = None
        self._leads = False
        self._web: WebServer | None = None
        self._exposition: Callable[[], bytes] = lambda: b""
        self._undo = ExitStack()
        self._ended = threading.Event()
        self._reloading = threading.Lock()
        self._stop_requested = False
        self._reload_requested = False
        self._house_kept_at = self._clock.monotonic()
        self._not_ready = "starting"
        self.failure: str | None = None
        """Why it ended without being told to."""

    def start(self) -> None:
        """Open the store, serve, and begin to watch; raises PgvigilError when that cannot be."""
        with ExitStack() as undo:
            store = undo.enter_context(Store.open(self._config.state.get_secret_value()))
            self._watching = Watching(store, self._registry, self._counters, self._clock)
            leads = store.lead()
            self._web = self._serve(store)
            undo.callback(self._web.stop)
            undo.callback(self._watching.stop)
            self._counters.reloaded(self._clock.now())
            if leads:
                self._begin(self._watching)
            else:
                log.info("standing by", reason="another daemon leads on this state store")
            self._not_ready = ""
            threading.Thread(
                target=self._keep_house, args=(store, self._watching), name="housekeeping", daemon=True
            ).start()
            self._undo = undo.pop_all()

    @property
    def address(self) -> str:
        """Where the console is, as a URL; empty until it was started."""
        return self._web.url if self._web else ""

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

    def reload(self) -> None:
        """Read the configuration again and take it into force.

        Raises ConfigError when it is wrong; the last good one stays in force then.
        """
        with self._reloading:
            try:
                self._follow(self._reread())
            except PgvigilError as error:
                self._counters.reload_failed()
                log.error("configuration not taken into force", error=str(error))
                raise
            self._counters.reloaded(self._clock.now())
            log.info("configuration taken into force")

    def stop(self) -> None:
        """Cancel what runs, within two seconds, and close everything. What was committed is kept."""
        self._not_ready = "stopping"
        self._ended.set()
        self._undo.close()
        log.info("stopped", reason=self.failure or "told to stop")

    def exposition(self) -> bytes:
        """Return the metrics as Prometheus text."""
        return self._exposition()

    def trouble(self) -> str:
        """Return why the daemon does not do its work, empty when it does or stands by."""
        return self._not_ready or self._counters.health.trouble

    def next_due(self) -> Mapping[str, datetime]:
        """Return the next tick by `target/check`, for all that this daemon examines."""
        return self._watching.next_due if self._watching else {}

    def targets(self) -> list[str]:
        """Return the names of the configured targets."""
        return list(self._config.targets)

    def examine(self, target: str, check: str | None) -> list[str]:
        """Let ticks begin now; return `target/check` of each, none when this replica stands by."""
        names = self._watching.examine(target, check) if self._watching else []
        return [f"{target}/{name}" for name in names]

    def settings(self) -> Mapping[str, Any]:
        """Return the configuration in force as JSON, without secrets."""
        return self._registry.disclosed(self._config)

    @property
    def keeps_house(self) -> bool:
        """Whether the background round came by lately: it hangs when something that it needs does."""
        return self._clock.monotonic() - self._house_kept_at < _HOUSE_STUCK_SECONDS

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
        if self._leads and self._watching is not None:
            try:
                self._watching.follow(config)
            except StoreError as error:
                # It is in force; what the store keeps from beginning begins as soon as it can.
                self._house_failed(error)
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

    def _serve(self, store: Store) -> WebServer:
        exposition = Exposition(self._counters, self._clock)
        self._exposition = lambda: exposition.text(store.view())
        app = create_app(store, self, self._security, self._clock)
        web = WebServer(app, self._config.web.host, self._config.web.port, self._security)
        web.start()
        if warning := self._security.now.warning:
            log.warning(warning)
        self._security.watch(self._web_configuration_read)
        self._undo.callback(self._security.stop)
        return web

    def _web_configuration_read(self, taken: bool) -> None:
        if taken:
            self._counters.reloaded(self._clock.now())
        else:
            self._counters.reload_failed()

    def _begin(self, watching: Watching) -> None:
        """Begin to watch, as the leader."""
        watching.follow(self._config)
        self._leads = True
        self._counters.leads(True)

    def _keep_house(self, store: Store, watching: Watching) -> None:
        """Look after the store, and after the lead, until the end."""
        pruned_at = -_PRUNE_SECONDS
        while not self._ended.wait(_HOUSEKEEPING_SECONDS):
            self._house_kept_at = self._clock.monotonic()
            try:
                if not self._leads:
                    self._stand_by(store, watching)
                elif not (store.leading or store.lead()):
                    self._give_up("another daemon has taken the lead on the state store")
                else:
                    watching.settle()
                    store.catch_up()
                    if self._clock.monotonic() - pruned_at >= _PRUNE_SECONDS:
                        pruned_at = self._clock.monotonic()
                        store.prune(self._clock.now(), _retention(self._config))
            except Exception as error:  # noqa: BLE001 -- whatever it is, the next round is due all the same
                self._house_failed(error)
            else:
                if self._counters.health.works(Duty.KEEP_HOUSE):
                    log.info("the state store is looked after again")

    def _house_failed(self, error: Exception) -> None:
        """Note a round that failed, whatever the reason: the next one is tried all the same."""
        foreseen = isinstance(error, StoreError)
        reason = str(error) if foreseen else f"pgvigil itself failed: {type(error).__name__}"
        if self._counters.store_failed(Duty.KEEP_HOUSE, self._clock.now(), reason):
            log.error("the state store is not looked after", error=reason, exc_info=not foreseen)

    def _stand_by(self, store: Store, watching: Watching) -> None:
        """Show what the leader commits, and take over when it is gone."""
        store.reload()
        if store.lead():
            log.info("taking over the lead")
            with self._reloading:
                self._begin(watching)

    def _give_up(self, reason: str) -> None:
        self.failure = reason
        self._not_ready = reason
        self._counters.leads(False)
        self._ended.set()


def _retention(config: Config) -> Retention:
    keep = config.retention
    return Retention(
        run_days=keep.runs / timedelta(days=1),
        runs_per_subject=keep.runs_per_subject,
        incident_days=keep.incidents / timedelta(days=1),
        max_bytes=keep.size,
    )
