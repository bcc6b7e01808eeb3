"""What the benchmarks run on: a server of their own, and pgvigil's checks on it as the daemon runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from pgvigil.catalog import Scope
from pgvigil.check import Check, Outcome
from pgvigil.embedded import serve
from pgvigil.runner import Runner
from pgvigil.target import Limits, Target


@contextmanager
def database(setup: str) -> Iterator[str]:
    """Yield the DSN of a fresh database after `setup`."""
    with serve(settings={"shared_buffers": "512MB", "max_wal_size": "4GB"}) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(setup)
            connection.execute("VACUUM ANALYZE")
        yield server.dsn()


@contextmanager
def by_hand(dsn: str) -> Iterator[Callable[[str], object]]:
    """Yield what runs a query as a person with psql would."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield lambda query: connection.execute(query).fetchall()


@contextmanager
def by_pgvigil(dsn: str, check: Check[Any], subject: str) -> Iterator[Callable[[], object]]:
    """Yield what runs one check on one subject, from the session to the verdict."""
    target = Target("bench", dsn, Limits(statement_timeout=600))
    runner = Runner(target)
    catalog = target.read_catalog(Scope())
    found = next(one for one in check.discover(catalog).subjects if one.name == subject)

    def run() -> None:
        done = runner.run(check, found, catalog)
        if done is None or done.outcome is not Outcome.FAIL:
            raise SystemExit(f"the benchmark's fault was not found: {done}")

    try:
        yield run
    finally:
        target.close()
