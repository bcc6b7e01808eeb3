"""An engine with everything real around it, and short ways to ask what came of a tick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from psycopg.conninfo import make_conninfo

from pgvigil.catalog import Scope
from pgvigil.config import KeyPath
from pgvigil.embedded.server import free_port
from pgvigil.engine import Engine
from pgvigil.errors import ConfigError
from pgvigil.governor import Governor
from pgvigil.metrics import Counters
from pgvigil.runner import RunLimits, Runner
from pgvigil.target import Limits, Target
from pgvigil.watch import Watch

if TYPE_CHECKING:
    from pgvigil.clock import Clock
    from pgvigil.store import Store
    from tests.runner.plugins import Plugin


def complain(path: KeyPath, message: str) -> ConfigError:
    return ConfigError(message, path=".".join(map(str, path)))


def watch_of(
    dsn: str,
    *checks: Plugin,
    name: str = "main",
    limits: Limits | None = None,
    run_timeout: float = 60.0,
    duty_cycle: float = 1.0,
    clock: Clock | None = None,
) -> Watch:
    limits = limits or Limits(connections=2, statement_timeout=20.0, lock_timeout=0.2, connect_timeout=2)
    target = Target(name, dsn, limits)
    return Watch(
        target=target,
        runner=Runner(target, RunLimits(sample=3, run_timeout=run_timeout), clock),
        governor=Governor(limits.connections, duty_cycle),
        checks={check.name: check for check in checks},
        scope=Scope(),
        intervals={check.name: 60.0 for check in checks},
        complain=complain,
    )


class World:
    """An engine, its store and its counters."""

    def __init__(self, store: Store, watches: Sequence[Watch], clock: Clock | None = None) -> None:
        self.store = store
        self.counters = Counters()
        self.watches = watches
        self.engine = Engine(store, self.counters, watches, clock)

    def close(self) -> None:
        self.engine.stop()
        for watch in self.watches:
            watch.target.close()

    def tick(self, check: str = "plugin", target: str = "main") -> None:
        self.engine.tick(target, check)

    def states(self, check: str = "plugin", target: str = "main") -> dict[str, str]:
        """Return the coverage state of every subject of a check."""
        found = self.store.view().subjects.items()
        return {key[2]: status.state.value for key, status in found if key[:2] == (target, check)}

    def outcomes(self, check: str = "plugin", target: str = "main") -> dict[str, str | None]:
        """Return the last outcome of every subject of a check."""
        found = self.store.view().subjects.items()
        return {key[2]: status.outcome for key, status in found if key[:2] == (target, check)}

    def live(self) -> list[str]:
        """Return the states of all incidents that go on."""
        return sorted(incident.state.value for incident in self.store.view().incidents.values())

    def counted(self, metric: str, **labels: str) -> float:
        """Return a counter's value."""
        return sum(
            sample.value
            for family in self.counters.collect()
            for sample in family.samples
            if sample.name == metric and labels.items() <= sample.labels.items()
        )

    def up(self, target: str = "main") -> bool:
        return self.store.view().targets[target].up


def dead_dsn(dsn: str) -> str:
    """Return the DSN of a server that does not listen."""
    return make_conninfo(dsn, port=free_port())


def nonsense(*_: Any) -> Any:
    return None
