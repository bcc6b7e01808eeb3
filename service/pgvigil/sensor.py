"""What others do on a target's server: what may be too much, and who looks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from importlib import resources
from ipaddress import ip_address
from typing import TypeAlias

from pgvigil.check import Row
from pgvigil.config import read_dsn
from pgvigil.errors import TargetError
from pgvigil.target import Target


class Signal(StrEnum):
    """What may be too much, by the name of its setting in `budget.pause`."""

    ACTIVE_SESSIONS = "active_sessions"
    LOCK_WAITS = "lock_waits"
    REPLICA_LAG = "replica_lag"
    OLDEST_SNAPSHOT = "oldest_snapshot"
    CONNECTIONS_LEFT = "connections_left"
    LOAD = "load"

    @property
    def of_others(self) -> bool:
        """Whether it is told from the sessions of others, which a role sees with pg_read_all_stats alone."""
        return self in (Signal.ACTIVE_SESSIONS, Signal.REPLICA_LAG, Signal.OLDEST_SNAPSHOT)

    def unseen(self, role: str) -> str:
        """Say why it may be out of sight, and what to do about it."""
        if self is Signal.LOAD:
            return "a load is seen only where the server is on the machine of pgvigil: leave the limit out"
        if not self.of_others:
            # Everybody sees it, on PostgreSQL itself.
            return "the server does not show it: leave the limit out"
        return f"the role does not see the sessions of others: GRANT pg_read_all_stats TO {role}"


Signals: TypeAlias = Mapping[Signal, float | None]
"""What was seen: counts, seconds, load per CPU. None where it cannot be seen."""


class Sensor:
    """Looks at a target's server: one query of its shared memory, in a safe session that ends at once.

    Of a target with a standby both are looked at, and what is worse counts.
    """

    def __init__(self, target: Target, dsn: str) -> None:
        self._target = target
        self._here = _is_here(dsn)
        self._query = resources.files("pgvigil").joinpath("pressure.sql").read_text(encoding="utf-8")

    def __call__(self) -> Signals:
        """Return what is seen now; raises TargetError, at once when the budget has no session to spare."""
        seen = self._ask(self._target)
        if self._target.standby is not None:
            # Whether it can be read at all is found out, and told, by who wants to read it.
            with suppress(TargetError):
                seen = _worse(seen, self._ask(self._target.standby))
        load = os.getloadavg()[0] / (os.cpu_count() or 1) if self._here else None
        return {Signal(name): value for name, value in seen.items()} | {Signal.LOAD: load}

    def _ask(self, target: Target) -> Row:
        with target.snapshot("governor", wait=False) as snapshot:
            return snapshot.fetch(self._query)[0]


def _worse(one: Row, other: Row) -> Row:
    """Return of each signal what is nearer to a limit; None where neither server shows it."""
    worse: Row = {}
    for name, value in one.items():
        seen = [each for each in (value, other[name]) if each is not None]
        choose = min if name == Signal.CONNECTIONS_LEFT else max
        worse[name] = choose(seen) if seen else None
    return worse


def _is_here(dsn: str) -> bool:
    """Tell whether a DSN leads to a server on this machine: only its load average can be read."""
    parameters = read_dsn(dsn)
    if "service" in parameters:
        return False
    hosts = str(parameters.get("hostaddr") or parameters.get("host") or os.environ.get("PGHOST", ""))
    return all(_is_local(host) for host in hosts.split(","))


def _is_local(host: str) -> bool:
    """Tell whether a host is a socket's directory or a name of this machine."""
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
