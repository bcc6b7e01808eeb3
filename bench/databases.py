"""What the benchmarks run on: a server of their own, and pgvigil's checks on it as the daemon runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.errors import QueryCanceled

from bench.measure import CutError, UnfitError
from pgvigil.catalog import Catalog, Scope
from pgvigil.check import Check, Outcome, Subject
from pgvigil.config import KeyPath
from pgvigil.context import ALONE, Assistance
from pgvigil.embedded import serve
from pgvigil.errors import ConfigError
from pgvigil.governor import Governor
from pgvigil.peer import Peers
from pgvigil.position import read_position
from pgvigil.run import Run
from pgvigil.runner import RunLimits, Runner
from pgvigil.target import Limits, Target
from pgvigil.watch import Watch

# Warm and undisturbed: what is measured is the work, not the disk.
SETTINGS = {
    "shared_buffers": "2GB",
    "max_wal_size": "16GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}
_DAY = 86_400.0
PATIENCE = 120.0
"""After so many seconds a variant is ended."""


@contextmanager
def database(setup: str, settings: dict[str, str] | None = None) -> Iterator[str]:
    """Yield the DSN of a fresh database after `setup`."""
    with serve(settings={**SETTINGS, **(settings or {})}) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(setup)
            connection.execute("VACUUM ANALYZE")
        yield server.dsn()


@contextmanager
def by_hand(dsn: str, settings: Sequence[str] = ()) -> Iterator[Callable[[str], Any]]:
    """Yield what runs a query as a person with psql would, and returns its rows; raises CutError."""
    options = " ".join(f"-c {one}" for one in (f"statement_timeout={PATIENCE:g}s", *settings))
    with psycopg.connect(dsn, autocommit=True, options=options, prepare_threshold=None) as connection:

        def ask(query: str) -> Any:
            try:
                return connection.execute(query.encode()).fetchall()
            except QueryCanceled as error:
                raise CutError from error

        yield ask


class Examiner:
    """Runs one check on one subject, from the session to the verdict; remembers what the daemon would."""

    def __init__(
        self,
        runner: Runner,
        check: Check[Any],
        subject: Subject,
        catalog: Catalog,
        assist: Callable[[], Assistance] = lambda: ALONE,
    ) -> None:
        self._runner = runner
        self._check = check
        self._subject = subject
        self._catalog = catalog
        self._assist = assist
        self.last: Run | None = None

    def anew(self) -> int:
        """Run as if for the first time; return how many rows are at fault; raises CutError or UnfitError."""
        return self._run(self._assist())

    def again(self) -> int:
        """Run with what the run before left; else as `anew`."""
        return self._run(replace(self._assist(), memory=self.last.memory if self.last else {}))

    def _run(self, assistance: Assistance) -> int:
        execution = self._runner.execute(self._check, self._subject, self._catalog, assistance)
        if execution is not None and execution.run.outcome is Outcome.TIMEOUT:
            raise CutError
        if execution is not None and execution.run.outcome is Outcome.SKIPPED:
            raise UnfitError(execution.run.error)
        if execution is None or not execution.run.outcome.completed:
            raise SystemExit(f"a run of the benchmark came to nothing: {execution}")
        self.last = execution.run
        return sum(finding.count for finding in execution.run.findings)


@contextmanager
def target_of(dsn: str, connections: int = 2) -> Iterator[Target]:
    """Yield a target with a budget of so many connections."""
    target = Target("bench", dsn, Limits(statement_timeout=PATIENCE, connections=connections))
    try:
        yield target
    finally:
        target.close()


def _complain(_path: KeyPath, message: str) -> ConfigError:
    return ConfigError(message)


@contextmanager
def examiner(
    dsn: str,
    check: Check[Any],
    subject: str,
    *,
    connections: int = 2,
    chunk_seconds: float | None = None,
    other: str | None = None,
) -> Iterator[Examiner]:
    """Yield what examines a subject; `chunk_seconds` as in a run of the daemon, None for one snapshot.

    `other` is the DSN of the target of that name, with which it is compared.
    """
    with target_of(dsn, connections) as target, target_of(other or dsn, connections) as peer:
        runner = Runner(target, RunLimits(chunk_seconds=chunk_seconds))
        catalog = target.read_catalog(Scope())
        found = next(one for one in check.discover(catalog).subjects if one.name == subject)
        here, there = (
            Watch(one, runner, Governor(connections), {}, Scope(), {}, _complain, full_every=_DAY)
            for one in (target, peer)
        )

        def assist() -> Assistance:
            now = datetime.now(UTC)
            footing = here.footing(read_position(target), now) if other else None
            return Assistance(peer=Peers(target, {"other": there}.get, now).open, footing=footing)

        yield Examiner(runner, check, found, catalog, assist)
