"""An audit without sampling, in a process of its own, beside pg_dump --schema-only of the same database."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import psycopg

from bench.databases import SETTINGS
from bench.goal import Reached, at_most, told
from bench.results import keep, peak_mb
from pgvigil.embedded import find, serve
from pgvigil.sample import build, plant_crisis

_ROUNDS = 5
_POLL_SECONDS = 0.005
_PGVIGIL = Path(sys.executable).with_name("pgvigil")

# In each schema 25 things in 20 ways: 500 tables, as the modules of a large application name them.
_THINGS = (
    "account address article batch booking campaign contact contract customer delivery discount employee "
    "invoice item ledger message offer order payment product refund shipment supplier ticket warehouse"
).split()
_WAYS = (
    "header line note tag event stage history link draft archive rule limit plan step score review price "
    "file quota log"
).split()
_NAMES = tuple(f"{thing}_{way}" for thing, way in product(_THINGS, _WAYS))
_SCHEMAS = 20
_ROWS = 20


def run(schemas: int = _SCHEMAS) -> str:
    """Measure the sample, and so many schemas of 500 tables and 1,000 foreign keys each."""
    rows = []
    for reached in goals(schemas):
        print(f"{reached.verdict:<6} {reached.reached:>10} {reached.wanted:>10}  {reached.goal}", flush=True)
        rows.append(reached.kept("python -m bench audit"))
    keep("audit", {"rows": rows}, size=f"{schemas} schemas")
    return f"{sum(row['verdict'] == 'met' for row in rows)} goals met"


def goals(schemas: int = _SCHEMAS) -> Iterator[Reached]:
    """Yield what an audit of either takes, beside pg_dump."""
    with serve(settings={**SETTINGS, "max_locks_per_transaction": "2048"}) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE games")
            connection.execute("CREATE DATABASE large")
        build(server.dsn("games"))
        plant_crisis(server.dsn("games"), seed=1)
        yield from _of("106 tables", server.dsn("games"), seconds=1.0)
        fill(server.dsn("large"), schemas)
        tables = schemas * len(_NAMES)
        size = f"{tables:,} tables with {2 * tables:,} foreign keys"
        yield from _of(size, server.dsn("large"), seconds=20.0, megabytes=500.0)


def fill(dsn: str, schemas: int) -> None:
    """Make schemas whose tables have some rows each, two foreign keys, and one reference without a key."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for number in range(schemas):
            connection.execute(f"CREATE SCHEMA module_{number}".encode())
            connection.execute(";".join(_tables(number)).encode())
            connection.execute(";".join(_keys(number)).encode())
        connection.execute("VACUUM ANALYZE")


def _tables(schema: int) -> Iterator[str]:
    for place, name in enumerate(_NAMES):
        first, second, undeclared = (_NAMES[parent] for parent in _parents(place))
        yield (
            f"CREATE TABLE module_{schema}.{name} (id bigint PRIMARY KEY, {first}_id bigint, "
            f"{second}_id bigint, {undeclared}_id bigint, code text UNIQUE, status text, amount numeric, "
            "created_at timestamptz)"
        )
        yield (
            f"INSERT INTO module_{schema}.{name} SELECT n, n, n, n, '{name} ' || n, "
            f"CASE WHEN n % 3 = 0 THEN 'open' ELSE 'done' END, n * 1.5, now() - n * interval '1 day' "
            f"FROM generate_series(1, {_ROWS}) AS n"
        )


def _keys(schema: int) -> Iterator[str]:
    for place, name in enumerate(_NAMES):
        for parent in _parents(place)[:2]:
            yield (
                f"ALTER TABLE module_{schema}.{name} ADD FOREIGN KEY ({_NAMES[parent]}_id) "
                f"REFERENCES module_{schema}.{_NAMES[parent]}"
            )


def _parents(place: int) -> tuple[int, int, int]:
    """Return three other tables, each of them a parent of some."""
    count = len(_NAMES)
    return (place + 7) % count, (place + 101) % count, (place + 211) % count


@dataclass(frozen=True)
class _Taken:
    """What a command took: seconds by the clock and of its own CPU, and megabytes of memory at the most."""

    seconds: float
    cpu: float
    megabytes: float


def _of(size: str, dsn: str, *, seconds: float, megabytes: float | None = None) -> Iterator[Reached]:
    audit: list[str | Path] = [_PGVIGIL, "audit", "--no-sampling", "--format", "json"]
    audit += ["--output", os.devnull, "--dsn", dsn]
    dump: list[str | Path] = [find().bindir / "pg_dump", "--schema-only", "--file", os.devnull, dsn]
    # In turns, so that a noisy machine is equally noisy for both; the first round warms up.
    audits, dumps = zip(*[(_taken(audit), _taken(dump)) for _ in range(_ROUNDS + 1)][1:], strict=True)
    ours, theirs = (statistics.median(one.seconds for one in each) for each in (audits, dumps))
    peak = max(one.megabytes for one in audits)
    yield at_most(f"audit of {size}", ours, seconds, "s")
    # A shared machine is at times half as fast as at others, for minutes.
    yield told(f"audit of {size}, the quickest round", min(one.seconds for one in audits), "s")
    memory = f"audit of {size}, memory"
    yield told(memory, peak, "MB") if megabytes is None else at_most(memory, peak, megabytes, "MB")
    yield told(f"audit of {size}, its own CPU", statistics.median(one.cpu for one in audits), "s")
    yield told(f"pg_dump --schema-only of {size}", theirs, "s")
    yield told(f"audit / pg_dump of {size}", ours / theirs)


def _taken(command: Sequence[str | Path]) -> _Taken:
    """Run a command, and look at its memory until it ends."""
    began, before, peak = time.perf_counter(), _cpu(), 0.0
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            try:
                peak = max(peak, peak_mb(process.pid))
            except (OSError, ValueError):
                # It ended in between.
                break
            time.sleep(_POLL_SECONDS)
    if process.returncode:
        raise SystemExit(f"{command[0]} exited with {process.returncode}")
    return _Taken(time.perf_counter() - began, _cpu() - before, peak)


def _cpu() -> float:
    """Return the CPU seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
