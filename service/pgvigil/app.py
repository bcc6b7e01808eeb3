"""The app: puts the parts of the daemon together, and takes them apart in the right order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

import structlog

from pgvigil import store as state
from pgvigil.clock import Clock, SystemClock
from pgvigil.config import Config
from pgvigil.engine import Engine, Watch
from pgvigil.errors import NotLeaderError, StoreError
from pgvigil.governor import Governor
from pgvigil.metrics import Counters, exposition
from pgvigil.registry import Registry
from pgvigil.runner import Runner, RunLimits
from pgvigil.schedule import Job, Scheduler, interval_seconds
from pgvigil.target import Limits, Target
from pgvigil.timing import Schedule
from pgvigil.web import WebServer, create_app

# A run that takes longer than this hangs outside of the database, where statement timeouts do not reach.
_LEAST_RUN_TIMEOUT = timedelta(minutes=10)
_STATEMENTS_PER_RUN = 10
_PRUNE_EVERY = timedelta(hours=1)
_STANDBY_EVERY = timedelta(seconds=2)
_DRAIN_SECONDS = 5.0

log = structlog.get_logger(__name__)


def build_watch(
    config: Config, name: str, registry: Registry, *, duty_cycle: float | None = None, clock: Clock | None = None
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
        governor=Governor(duty_cycle or budget.duty_cycle),
        checks=checks,
        scope=settings.scope,
        intervals={
            check: interval_seconds(_schedule(config, name, watch.params.schedule), now)
            for check, watch in checks.items()
        },
        misfit=partial(registry.misfit, config, name),
    )


def _schedule(config: Config, target: str, own: Schedule | None) -> Schedule:
    return own or config.targets[target].schedule


class Daemon:
    """Watches all targets of a configuration until it is told to stop.

    Of several daemons on one PostgreSQL store, one leads and the others stand by, ready to take over; they
    show the same state. A daemon that loses the lead ends, for its supervisor to start it anew as a standby.
    """

    def __init__(self, config: Config, registry: Registry, clock: Clock | None = None) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._counters = Counters()
        self._watches = [build_watch(config, name, registry, clock=self._clock) for name in config.targets]
        self._ended = threading.Event()
        self._closing = ExitStack()
        self._scheduler: Scheduler | None = None
        self._not_ready: str = "starting"
        self.failure: str | None = None

    def start(self) -> None:
        """Open the store, serve, and begin to watch; raises PgvigilError when that cannot be."""
        with ExitStack() as undo:
            self._store = undo.enter_context(state.Store.open(self._config.state.get_secret_value()))
            self._web = WebServer(self._console(), self._config.web.host, self._config.web.port)
            self._web.start()
            undo.callback(self._web.stop)
            undo.callback(self._halt)
            if self._store.lead(wait=False):
                self._begin()
            else:
                self._not_ready = ""
                log.info("standing by", reason="another daemon leads on this store")
            self._closing = undo.pop_all()
        threading.Thread(target=self._keep_house, name="housekeeping", daemon=True).start()

    @property
    def address(self) -> str:
        """Where the console is, as a URL."""
        return self._web.url

    def wait(self) -> None:
        """Return when the daemon was told to stop, or cannot go on (`failure` says why)."""
        self._ended.wait()

    def request_stop(self) -> None:
        """Let `wait` return; may be called by a signal handler."""
        self._ended.set()

    def stop(self) -> None:
        """Cancel what runs, within two seconds, and close everything. What was committed is kept."""
        self._not_ready = "stopping"
        self._ended.set()
        self._closing.close()

    def _begin(self) -> None:
        """Begin to watch, as the leader."""
        configured = {(watch.target.name, check) for watch in self._watches for check in watch.checks}
        self._store.retire(configured, self._clock.now())
        engine = Engine(self._store, self._counters, self._watches, self._clock)
        scheduler = Scheduler(self._jobs(), engine.tick, self._counters.tick_missed)
        scheduler.start(self._clock.now())
        self._scheduler = scheduler
        self._not_ready = ""
        log.info("watching", targets=[watch.target.name for watch in self._watches])

    def _halt(self) -> None:
        """Stop watching: nothing new begins, what runs is cancelled."""
        stops = [threading.Thread(target=watch.stop, daemon=True) for watch in self._watches]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()
        if self._scheduler is not None:
            self._scheduler.stop(_DRAIN_SECONDS)
        for watch in self._watches:
            watch.target.close()

    def _jobs(self) -> list[Job]:
        return [
            Job(
                target=watch.target.name,
                check=name,
                schedule=_schedule(self._config, watch.target.name, check.params.schedule),
                last_started=self._store.last_started(watch.target.name, name),
            )
            for watch in self._watches
            for name, check in watch.checks.items()
        ]

    def _console(self) -> object:
        return create_app(
            self._store,
            exposition=lambda: exposition(self._store.view(), self._counters),
            ready=lambda: self._not_ready,
            next_due=lambda: self._scheduler.next_due if self._scheduler else {},
            clock=self._clock,
        )
