"""Targets under watch: for each an engine and a schedule of its own, begun and ended one by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from pgvigil.adoption import changed, checks_of, complaining, with_adopted
from pgvigil.assembly import build_watch, schedule_of
from pgvigil.catalog import Catalog
from pgvigil.clock import Clock
from pgvigil.config import Config, KeyPath, TargetSettings, read_dsn
from pgvigil.doubts import doubts
from pgvigil.engine import Engine
from pgvigil.errors import ConfigError, TargetError
from pgvigil.logs import get_logger
from pgvigil.metrics import Counters
from pgvigil.proposal import Proposal
from pgvigil.proposer import Proposer
from pgvigil.registry import Registry
from pgvigil.schedule import Job, Scheduler
from pgvigil.slots import drop_slot
from pgvigil.store import Store
from pgvigil.touching import noted
from pgvigil.underway import Underway
from pgvigil.watch import Watch

_DRAIN_SECONDS = 5.0
_APPEAR_SECONDS = 1.5
_SLOT_SECONDS = 30.0
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

log = get_logger(__name__)


@dataclass(frozen=True)
class _Post:
    """One target under watch; `settings` and `adopted` are what it is watched by."""

    settings: TargetSettings
    adopted: tuple[Proposal, ...]
    watch: Watch
    engine: Engine
    scheduler: Scheduler


class Watching:
    """Watches the targets of a configuration, and follows when it changes.

    A target whose settings stay the same is not disturbed by a change of the others.
    """

    def __init__(self, store: Store, registry: Registry, counters: Counters, clock: Clock) -> None:
        self._store = store
        self._registry = registry
        self._counters = counters
        self._clock = clock
        self._guard = threading.Lock()
        self._posts: dict[str, _Post] = {}
        self._config: Config | None = None

    def follow(self, config: Config) -> None:
        """Watch what the configuration says, and nothing else.

        Raises ConfigError, which changes nothing, or StoreError when the store does not answer: what is gone
        from the configuration has then ended, and the rest begins when `follow` is called again.
        """
        checks = self._registry.bind_all(config)
        configured = {(target, check) for target, each in checks.items() for check in each}
        for doubt in doubts(config, checks):
            log.warning("a doubtful setting", setting=str(doubt))
        with self._guard:
            self._config = config
            gone = [post for name, post in self._posts.items() if name not in config.targets]
            self._end(name for name, post in self._posts.items() if config.targets.get(name) != post.settings)
            self._store.retire(configured, self._clock.now())
            self._counters.keep(configured)
            self._counters.expect(configured)
            adopted = self._store.proposals.adopted()
            for name in config.targets:
                if name not in self._posts:
                    self._posts[name] = self._begin(config, name, adopted.get(name, ()))
        for post in gone:
            if post.watch.changes is not None:
                drop_slot(post.watch.target.name, post.settings)
        log.info("watching", targets=list(config.targets))

    def follow_adoptions(self) -> None:
        """Begin anew on the targets on which something was adopted, or no longer is; raises StoreError."""
        adopted = self._store.proposals.adopted()
        with self._guard:
            # One that could not begin, as the store failed, is tried again.
            for name in self._config.targets if self._config else ():
                self._adopt(name, adopted.get(name, ()))

    def examine(self, target: str, check: str | None = None) -> list[str]:
        """Let all checks of a target, or one, begin now; return their names, none when it is not watched."""
        with self._guard:
            post = self._posts.get(target)
            if post is None:
                return []
            names = [name for name in post.watch.checks if check in (None, name)]
            for name in names:
                post.watch.gate.ask(name)
                post.engine.ask(target, name)
                post.scheduler.hurry(target, name)
            return names

    def catalog(self, target: str) -> Catalog:
        """Read what there is on a target now; raises TargetError."""
        watch = self._find(target)
        if watch is None:
            raise TargetError(f"target {target}: is not watched at this moment")
        try:
            return watch.target.read_catalog(watch.scope)
        finally:
            watch.target.close_idle()

    def underway(self) -> list[Underway]:
        """Return the runs that go on at this moment, by target, the oldest first."""
        return [one for post in list(self._posts.values()) for one in post.watch.runner.board.runs()]

    @property
    def next_due(self) -> Mapping[str, datetime]:
        """When each tick is due next, by `target/check`."""
        return {
            key: due for post in list(self._posts.values()) for key, due in post.scheduler.next_due.items()
        }

    def stop(self) -> None:
        """Begin nothing new, and cancel what runs within two seconds, on every target at once."""
        with self._guard:
            self._end(self._posts)

    def _begin(self, config: Config, name: str, adopted: tuple[Proposal, ...]) -> _Post:
        watch = build_watch(
            with_adopted(config, name, adopted, self._registry),
            name,
            self._registry,
            clock=self._clock,
            complain=complaining(self._complain, config, adopted),
        )
        engine = Engine(self._store, self._counters, [watch], self._clock, self._find)
        settings = config.targets[name]
        moved = self._store.reach(name, _address(settings))
        jobs = [
            Job(
                name,
                check,
                schedule_of(settings, one),
                self._last_tick(name, check, moved=moved),
                settings.budget.window,
            )
            for check, one in watch.checks.items()
        ]
        if moved:
            # The first tick may be due next month.
            threading.Thread(target=engine.survey, args=[name], name=f"survey {name}", daemon=True).start()
        scheduler = Scheduler(jobs, engine.tick, self._counters.tick_missed, self._clock)
        scheduler.start(self._clock.now())
        if watch.changes is not None:
            # Ticks may be paused, outside of their window, or hang: the slot goes on to keep WAL.
            keeping = threading.Thread(
                target=watch.changes.keep_within, args=[_SLOT_SECONDS], name=f"slot of {name}", daemon=True
            )
            keeping.start()
        if watch.changes is None and any(noted(self._store, name, check) for check in watch.checks):
            drop_slot(name, settings)
        if settings.infer:
            Proposer(watch, settings, self._store, self._clock).start()
        return _Post(settings, adopted, watch, engine, scheduler)

    def _adopt(self, name: str, adopted: tuple[Proposal, ...]) -> None:
        """Begin anew on a target unless the same is adopted there as before."""
        post = self._posts.get(name)
        news = changed(post.adopted if post else (), adopted)
        if self._config is None or (post is not None and not news):
            return
        self._end([name] if post else [])
        self._posts[name] = self._begin(self._config, name, adopted)
        for check in checks_of(news) & self._posts[name].watch.checks.keys():
            self._posts[name].scheduler.hurry(name, check)

    def _find(self, name: str) -> Watch | None:
        """Return the watch of a target; while targets begin or change, whoever asks waits for a moment."""
        deadline = time.monotonic() + _APPEAR_SECONDS
        while (post := self._posts.get(name)) is None:
            if self._config is None or name not in self._config.targets or time.monotonic() > deadline:
                return None
            time.sleep(_APPEAR_SECONDS / 100)
        return post.watch

    def _last_tick(self, target: str, check: str, *, moved: bool) -> datetime | None:
        """Return when a check last came to its end; at a new address long ago, so that it is due."""
        known = self._store.view().checks.get((target, check))
        if moved and known is not None:
            return _LONG_AGO
        return self._store.last_swept(target, check)

    def _complain(self, path: KeyPath, message: str) -> ConfigError:
        """Make an error about a setting, with the line where it stands now."""
        return self._config.error_at(path, message) if self._config else ConfigError(message)

    def _end(self, names: Iterable[str]) -> None:
        ending = [self._posts.pop(name) for name in list(names)]
        for post in ending:
            post.engine.end()
        stops = [threading.Thread(target=post.watch.stop, daemon=True) for post in ending]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()
        deadline = time.monotonic() + _DRAIN_SECONDS
        for post in ending:
            if not post.scheduler.stop(max(0.0, deadline - time.monotonic())):
                log.warning("a tick did not end in time and is left behind", seconds=_DRAIN_SECONDS)
            post.watch.target.close()
            if post.watch.changes is not None:
                post.watch.changes.close()


def _address(settings: TargetSettings) -> str:
    """Return what stands for the database that a DSN leads to; whoever logs in there may change."""
    parameters = read_dsn(settings.dsn.get_secret_value())
    where = [str(parameters.get(name, "")) for name in ("host", "hostaddr", "port", "dbname", "service")]
    return sha256("\0".join(where).encode()).hexdigest()[:32]
