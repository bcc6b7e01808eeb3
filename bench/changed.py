"""A thousand rows of a big relation were written: what looking again costs, beside looking at everything.

The whole daemon takes part: a slot that tells what was written, ticks, a store. Two kinds of writes: the
newest rows, which lie side by side, and rows all over the table, whose pages the WAL holds in full after a
checkpoint.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import psycopg
from tests.engine.world import World, watch_of
from tests.servers import by_version, has_contrib

from bench.databases import SETTINGS, by_hand
from bench.goal import Reached, at_least, told
from bench.shapes import Shape, short
from bench.strategies import CHUNK_SECONDS, queries
from pgvigil.changes import Changes, Slot
from pgvigil.embedded import serve
from pgvigil.run import Run
from pgvigil.runner import RunLimits, Runner
from pgvigil.store import Store
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams

_ROWS = 1_000
_ROUNDS = 5
# As where people's data is: after a checkpoint the WAL holds pages in full.
_LOGICAL = {
    "wal_level": "logical",
    "max_wal_senders": "4",
    "max_slot_wal_keep_size": "8GB",
    "full_page_writes": "on",
}
_CHECK = OrphanRows.name

Writes = Callable[[int], Sequence[str]]
"""Returns the statements that write in a round."""


@dataclass(frozen=True)
class _Seconds:
    """Medians of so many rounds."""

    run: float
    tick: float
    decoded_mb: float


class _Daemon:
    """An engine over one database, with a slot of its own."""

    def __init__(self, store: Store, dsn: str) -> None:
        slot = Slot("main", dsn, statement_timeout=60.0)
        self._changes = Changes(slot, retention=8 << 30, full_seconds=86_400.0)
        watch = watch_of(dsn, OrphanRows(OrphanRowsParams()))
        runner = Runner(watch.target, RunLimits(chunk_seconds=CHUNK_SECONDS))
        self._watch = replace(watch, runner=runner, full_every=86_400.0, changes=self._changes)
        self._world = World(store, [self._watch])
        self._store = store

    def tick(self, *, everything: bool = False) -> tuple[float, Run]:
        """Return how long a tick took, and its run."""
        if everything:
            self._world.engine.ask("main", _CHECK)
        began = time.perf_counter()
        self._world.engine.tick("main", _CHECK)
        took = time.perf_counter() - began
        run = max(self._store.runs(), key=lambda one: one.id).run
        if run.error or run.findings:
            raise SystemExit(f"the run came to something else: {run}")
        return took, run

    def close(self) -> None:
        self._watch.stop()
        self._watch.target.close()
        self._changes.close()


def goals(children: int) -> Iterator[Reached]:
    """Measure both kinds of writes, and looking at everything in between."""
    fitting = [version for version in by_version() if has_contrib(version)]
    if not fitting:
        print(
            "skipped: no server with test_decoding is installed (apt install postgresql postgresql-contrib)"
        )
        return
    shape = Shape(children, children // 10, dense=True, keyed=True)
    with _database(max(fitting), shape) as (dsn, daemon), by_hand(dsn) as ask:
        query = dict(queries(shape))["NOT EXISTS"]
        full: list[float] = []
        everything: list[float] = []
        writes = {"newest": _newest(shape), "scattered": _scattered(shape)}
        seen = {name: list[tuple[float, float, float]]() for name in writes}
        for round_ in range(_ROUNDS + 1):
            full.append(_timed(lambda: ask(query)))
            everything.append(daemon.tick(everything=True)[1].duration_seconds)
            for name, write in writes.items():
                seen[name].append(_looked_again(dsn, daemon, write(round_)))
        by_hand_seconds, best = (statistics.median(each[1:]) for each in (full, everything))
        for name, rounds in seen.items():
            median = _Seconds(*(statistics.median(part) for part in zip(*rounds[1:], strict=True)))
            of = f"{_ROWS:,} {name} of {short(children)} rows changed ({median.decoded_mb:.1f} MB of WAL)"
            yield at_least(f"{of}: NOT EXISTS / a run of changed_keys", by_hand_seconds / median.run, 100)
            yield told(f"{of}: the whole check by dense / a run of changed_keys", best / median.run)
            yield told(f"{of}: the run", 1e3 * median.run, "ms")
            yield told(f"{of}: its whole tick, with position, catalog and store", 1e3 * median.tick, "ms")


def _looked_again(dsn: str, daemon: _Daemon, write: Sequence[str]) -> tuple[float, float, float]:
    """Write, look again, and return the seconds of the run and of its tick, and the megabytes written."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        before = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchall()[0][0]
        for statement in write:
            connection.execute(statement.encode())
        after = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchall()[0][0]
    took, run = daemon.tick()
    if run.strategy != "changed_keys":
        raise SystemExit(f"not judged by what was written, but by {run.explain}")
    return run.duration_seconds, took, float(after - before) / 1e6


def _newest(shape: Shape) -> Writes:
    def write(round_: int) -> list[str]:
        last = shape.children - _ROWS * round_
        return [f"{_move(shape)} WHERE id > {last - _ROWS} AND id <= {last}"]

    return write


def _scattered(shape: Shape) -> Writes:
    apart = shape.children // 2 // _ROWS

    def write(round_: int) -> list[str]:
        ids = f"SELECT n * {apart} - {7 * round_ + 1} FROM generate_series(1::bigint, {_ROWS}) AS n"
        return ["CHECKPOINT", f"{_move(shape)} WHERE id IN ({ids})"]

    return write


def _move(shape: Shape) -> str:
    return f"UPDATE child SET parent_id = parent_id % {shape.parents} + 1"


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def _database(version: int, shape: Shape) -> Iterator[tuple[str, _Daemon]]:
    """Yield a database without orphans, and a daemon that knows it."""
    settings = {**SETTINGS, **_LOGICAL}
    with (
        serve(bindir=by_version()[version].bindir, settings=settings) as server,
        tempfile.TemporaryDirectory() as home,
        Store.open(f"sqlite:///{home}/state.db") as store,
    ):
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(shape.setup().encode())
            connection.execute("DELETE FROM child WHERE parent_id > (SELECT max(id) FROM parent)")
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
        with closing(_Daemon(store, server.dsn())) as daemon:
            # The first leaves a note, the second may go by it.
            daemon.tick()
            daemon.tick()
            yield server.dsn(), daemon
