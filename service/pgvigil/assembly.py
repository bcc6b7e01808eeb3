"""Puts a target of a configuration under watch: how it is reached, what is checked, within which bounds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pgvigil.check import Check
from pgvigil.clock import Clock, SystemClock
from pgvigil.config import Config, KeyPath, TargetSettings
from pgvigil.due import interval_seconds
from pgvigil.errors import ConfigError
from pgvigil.gate import Gate
from pgvigil.governor import Governor
from pgvigil.pressure import Pressure
from pgvigil.registry import Registry
from pgvigil.runner import RunLimits, Runner
from pgvigil.sensor import Sensor
from pgvigil.target import Limits, Standby, Target
from pgvigil.timing import Schedule
from pgvigil.watch import Reads, Watch

if TYPE_CHECKING:
    from pgvigil.changes import Changes

# A run that takes longer than this hangs outside of the database, where statement timeouts do not reach.
_LEAST_RUN_TIMEOUT = timedelta(minutes=10)
_STATEMENTS_PER_RUN = 10


def build_watch(
    config: Config,
    name: str,
    registry: Registry,
    *,
    urgent: bool = False,
    clock: Clock | None = None,
    complain: Callable[[KeyPath, str], ConfigError] | None = None,
) -> Watch:
    """Put one target of the configuration under watch; raises ConfigError about the settings of a check.

    With `urgent` nothing rests or makes way: somebody waits for the answer. `complain` makes an error about
    a setting, with file and line, from its path in the whole configuration. Nothing is connected yet.
    """
    clock = clock or SystemClock()
    complain = complain or config.error_at
    settings = config.targets[name]
    budget = settings.budget
    checks = registry.bind(config, name)
    limits = Limits(
        connections=budget.connections,
        statement_timeout=budget.statement_timeout.total_seconds(),
        lock_timeout=budget.lock_timeout.total_seconds(),
    )
    dsn = settings.dsn.get_secret_value()
    target = Target(name, dsn, limits, _standby(name, settings, limits))
    pressure = Pressure(name, budget.pause, Sensor(target, dsn), clock.monotonic)
    run_timeout = max(_LEAST_RUN_TIMEOUT, _STATEMENTS_PER_RUN * budget.statement_timeout)
    limits_of_run = RunLimits(budget.sample, run_timeout.total_seconds(), budget.chunk_seconds)
    now = clock.now()
    return Watch(
        target=target,
        runner=Runner(target, limits_of_run, clock),
        governor=Governor(budget.connections)
        if urgent
        else Governor(budget.connections, budget.duty_cycle, pressure),
        checks=checks,
        scope=settings.scope,
        intervals={
            check: interval_seconds(schedule_of(settings, one), now, budget.window)
            for check, one in checks.items()
        },
        complain=lambda path, message: complain(("targets", name, *path), message),
        gate=Gate(budget.window, clock),
        reads=Reads(clock),
        full_every=None if settings.changes == "none" else settings.full_every.total_seconds(),
        changes=_changes(name, settings),
    )


def schedule_of(settings: TargetSettings, check: Check[Any]) -> Schedule:
    """Return when a check of a target is due."""
    return check.params.schedule or settings.schedule


def _changes(name: str, settings: TargetSettings) -> Changes | None:
    if settings.changes != "logical":
        return None
    from pgvigil.slots import changes_of  # noqa: PLC0415 -- few have one

    return changes_of(name, settings)


def _standby(name: str, settings: TargetSettings, limits: Limits) -> Standby | None:
    standby = settings.standby
    if standby is None:
        return None
    return Standby(
        name,
        standby.dsn.get_secret_value(),
        limits,
        max_lag=standby.max_lag.total_seconds(),
        fallback=standby.fallback == "primary",
    )
