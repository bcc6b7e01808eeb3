"""An unchanged tick: what a relation costs while nothing is written, beside looking at it.

A thousand small tables, each a subject; the whole tick counts, from the position to the commit in the store.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg
from tests.databases import fresh_database
from tests.engine.gated import QUIET, GatedWorld

from bench.databases import by_hand, database
from bench.goal import Reached, at_least, at_most, told
from bench.measure import measure
from bench.shapes import Shape
from bench.strategies import queries
from pgvigil.embedded import serve
from pgvigil.store import Store

_SUBJECTS = 1_000
_TICKS = 10


def goals(children: int) -> Iterator[Reached]:
    """Measure ticks over a thousand subjects, and what one full check of a big relation takes by hand."""
    with (
        serve(settings=QUIET) as server,
        fresh_database(server) as dsn,
        tempfile.TemporaryDirectory() as directory,
        Store.open(f"sqlite:///{directory}/state.db") as store,
    ):
        with psycopg.connect(dsn, autocommit=True) as conn:
            for number in range(_SUBJECTS):
                conn.execute(f"CREATE TABLE t{number} (id int); INSERT INTO t{number} VALUES (1)")
            conn.execute("VACUUM")
        with closing(GatedWorld(store, dsn)) as world:
            looked_at = _tick(world)
            while not world.counted("pgvigil_runs_spared_total"):
                _tick(world)
            idle = statistics.median(_tick(world) for _ in range(_TICKS))
            spared = world.counted("pgvigil_runs_spared_total")
            if spared != _SUBJECTS * (_TICKS + 1):
                raise RuntimeError(f"{spared:g} runs were spared: something was written")
    shape = Shape(children, children // 10)
    with database(shape.setup()) as dsn, by_hand(dsn) as ask:
        query = dict(queries(shape))["NOT EXISTS"]
        full = measure("full", {"NOT EXISTS": lambda: ask(query)}, rounds=3).seconds["NOT EXISTS"]
    a_relation = idle / _SUBJECTS
    yield at_most(f"nothing was written, a tick over {_SUBJECTS:,} tables: each", 1e3 * a_relation, 1.0, "ms")
    yield at_least(f"NOT EXISTS over {shape.name} / one nothing was written to", full / a_relation, 3_000)
    yield told("looking at each of the small tables / nothing was written", looked_at / idle)


def _tick(world: GatedWorld) -> float:
    began = time.perf_counter()
    world.tick(world.check.name)
    return time.perf_counter() - began
