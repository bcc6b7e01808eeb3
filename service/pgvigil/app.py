"""The app: puts the parts of the daemon together, and takes them apart in the right order."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import structlog

from pgvigil.check import Check
from pgvigil.clock import Clock, SystemClock
from pgvigil.config import Config
from pgvigil.engine import Engine, Watch
from pgvigil.errors import StoreError
from pgvigil.governor import Governor
from pgvigil.health import Duty
from pgvigil.metrics import Counters, Exposition
from pgvigil.registry import Registry
from pgvigil.runner import RunLimits, Runner
from pgvigil.schedule import Job, Scheduler, interval_seconds
from pgvigil.store import Retention, Store
from pgvigil.target import Limits, Target
from pgvigil.timing import Schedule
from pgvigil.web import WebServer, create_app

# A run that takes longer than this hangs outside of the database, where statement timeouts do not reach.
_LEAST_RUN_TIMEOUT = timedelta(minutes=10)
_STATEMENTS_PER_RUN = 10
_HOUSEKEEPING_SECONDS = 2.0
_PRUNE_SECONDS = 3600.0
_DRAIN_SECONDS = 5.0
_SIGNAL_SECONDS = 0.2

log = structlog.get_logger(__name__)


def build_watch(
    config: Config,
    name: str,
    registry: Registry,
    *,
    duty_cycle: float | None = None,
    clock: Clock | None = None,
) -> Watch:
    """Put one target of the configuration under watch; raises ConfigError about the settings of a check.

    `duty_cycle` overrides the budget's. Nothing is connected yet.
    """
    clock = clock or SystemClock()
    settings = config.targets[name]
    budget = settings.budget
    checks = registry.bind(config, name)
    limits = Limits(
        connections=budget.connections,
        statement_timeout=budget.statement_timeout.total_seconds(),
        lock_timeout=budget.lock_timeout.total_seconds(),
    )
    target = Target(name, settings.dsn.get_secret_value(), limits)
    run_timeout = max(_LEAST_RUN_TIMEOUT, _STATEMENTS_PER_RUN * budget.statement_timeout)
    now = clock.now()
    return Watch(
        target=target,
        runner=Runner(target, RunLimits(budget.sample, run_timeout.total_seconds()), clock),
        governor=Governor(budget.connections, duty_cycle or budget.duty_cycle),
        checks=checks,
        scope=settings.scope,
        intervals={
            check: interval_seconds(_schedule(config, name, one), now) for check, one in checks.items()
        },
        complain=lambda path, message: config.error_at(("targets", name, *path), message),
    )


class Daemon:
    """Watches all targets of a configuration until it is told to stop.

    Of several daemons on one PostgreSQL store, one leads and the others stand by, ready to take over; they
    show the same state. A daemon that loses the lead ends, for its supervisor to start it anew as a standby.
    Raises ConfigError with all that is wrong with the settings of the checks.
    """

    def __init__(self, config: Config, registry: Registry, clock: Clock | None = None) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._counters = Counters()
        registry.bind_all(config)
        self._watches = [build_watch(config, name, registry, clock=self._clock) for name in config.targets]
        self._store: Store | None = None
        self._scheduler: Scheduler | None = None
        self._web: WebServer | None = None
        self._undo = ExitStack()
        self._ended = threading.Event()
        self._stop_requested = False
        self._not_ready = "starting"
        self.failure: str | None = None
        """Why it ended without being told to."""

    def start(self) -> None:
        """Open the store, serve, and begin to watch; raises PgvigilError when that cannot be."""
        with ExitStack() as undo:
            self._store = store = undo.enter_context(Store.open(self._config.state.get_secret_value()))
            leads = store.lead()
            self._web = self._serve(store)
            undo.callback(self._web.stop)
            undo.callback(self._halt)
            if leads:
                self._begin(store)
            else:
                log.info("standing by", reason="another daemon leads on this state store")
            self._not_ready = ""
            threading.Thread(target=self._keep_house, args=(store,), name="housekeeping", daemon=True).start()
            self._undo = undo.pop_all()

    @property
    def address(self) -> str:
        """Where the console is, as a URL; empty until it was started."""
        return self._web.url if self._web else ""

    def wait(self) -> None:
        """Return when the daemon was told to stop, or cannot go on."""
        # In turns: a signal that comes in the moment before a wait without an end would not be seen.
        while not (self._stop_requested or self._ended.wait(_SIGNAL_SECONDS)):
            pass
        self._ended.set()

    def ended(self, within: float) -> bool:
        """Return whether that comes true in so many seconds."""
        return self._ended.wait(within)

    def request_stop(self) -> None:
        """Let `wait` return. May be called by a signal handler: it takes no lock, which `wait` may hold."""
        self._stop_requested = True

    def stop(self) -> None:
        """Cancel what runs, within two seconds, and close everything. What was committed is kept."""
        self._not_ready = "stopping"
        self._ended.set()
        self._undo.close()
        log.info("stopped", reason=self.failure or "told to stop")

    def _serve(self, store: Store) -> WebServer:
        exposition = Exposition(self._counters, self._clock)
        app = create_app(
            store,
            exposition=lambda: exposition.text(store.view()),
            ready=lambda: self._not_ready or self._counters.health.trouble,
            next_due=lambda: self._scheduler.next_due if self._scheduler else {},
            clock=self._clock,
        )
        web = WebServer(app, self._config.web.host, self._config.web.port)
        web.start()
        return web

    def _begin(self, store: Store) -> None:
        """Begin to watch, as the leader."""
        configured = {(watch.target.name, check) for watch in self._watches for check in watch.checks}
        store.retire(configured, self._clock.now())
        self._counters.expect(configured)
        engine = Engine(store, self._counters, self._watches, self._clock)
        scheduler = Scheduler(self._jobs(store), engine.tick, self._counters.tick_missed)
        scheduler.start(self._clock.now())
        self._scheduler = scheduler
        log.info("watching", targets=[watch.target.name for watch in self._watches])

    def _jobs(self, store: Store) -> list[Job]:
        return [
            Job(
                target=watch.target.name,
                check=name,
                schedule=_schedule(self._config, watch.target.name, check),
                last_started=store.last_started(watch.target.name, name),
            )
            for watch in self._watches
            for name, check in watch.checks.items()
        ]

    def _halt(self) -> None:
        """Begin nothing new and cancel what runs, on every target at once."""
        stops = [threading.Thread(target=watch.stop, daemon=True) for watch in self._watches]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()
        if self._scheduler is not None and not self._scheduler.stop(_DRAIN_SECONDS):
            log.warning("a tick did not end in time and is left behind", seconds=_DRAIN_SECONDS)
        for watch in self._watches:
            watch.target.close()

    def _keep_house(self, store: Store) -> None:
        """Look after the store, and after the lead, until the end."""
        pruned_at = -_PRUNE_SECONDS
        while not self._ended.wait(_HOUSEKEEPING_SECONDS):
            try:
                if self._scheduler is None:
                    self._stand_by(store)
                elif not (store.leading or store.lead()):
                    self._give_up("another daemon has taken the lead on the state store")
                elif self._clock.monotonic() - pruned_at >= _PRUNE_SECONDS:
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

    def _stand_by(self, store: Store) -> None:
        """Show what the leader commits, and take over when it is gone."""
        store.reload()
        if store.lead():
            log.info("taking over the lead")
            self._begin(store)

    def _give_up(self, reason: str) -> None:
        self.failure = reason
        self._not_ready = reason
        self._ended.set()


def _schedule(config: Config, target: str, check: Check[Any]) -> Schedule:
    return check.params.schedule or config.targets[target].schedule


def _retention(config: Config) -> Retention:
    keep = config.retention
    return Retention(
        run_days=keep.runs / timedelta(days=1),
        runs_per_subject=keep.runs_per_subject,
        incident_days=keep.incidents / timedelta(days=1),
        max_bytes=keep.size,
    )
