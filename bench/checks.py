"""Many small checks: how many one process makes and commits in a second, alone and in batches.

Beside that the floor: the same queries pipelined, without anything around them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

from bench.databases import database, target_of
from bench.results import keep
from pgvigil.catalog import Catalog, Scope
from pgvigil.check import Batch, Check, Context, Discovery, Examined, Params, Subject, Verdict
from pgvigil.cli.daemon import collect_seldom
from pgvigil.engine import Engine
from pgvigil.errors import ConfigError
from pgvigil.governor import Governor
from pgvigil.metrics import Counters
from pgvigil.runner import Runner
from pgvigil.store import Store
from pgvigil.sweep import sweep
from pgvigil.target import Target
from pgvigil.watch import Watch

_CONNECTIONS = 8
_RUNS = 8_000
_QUERIES = 80_000
_TOGETHER = 500
_QUERY = "SELECT 1 AS one"


class _Trivial(Check[Params]):
    """Asks the least that can be asked."""

    name = "trivial"

    # The signatures are the base's; what is measured is a run, which must depend on neither.
    def discover(self, catalog: Catalog) -> Discovery:  # noqa: ARG002 -- the base's signature
        return Discovery(tuple(Subject(f"s{number}") for number in range(_RUNS)))

    def run(self, context: Context, subject: Subject) -> Verdict:  # noqa: ARG002 -- the base's signature
        context.fetch(_QUERY)
        return Examined()


class _Batched(_Trivial):
    """Asks the same of several subjects together."""

    name = "batched"

    def batches(self, subjects: Sequence[Subject]) -> list[Sequence[Subject]]:
        return [subjects[at : at + _TOGETHER] for at in range(0, len(subjects), _TOGETHER)]


class _SetBased(_Batched):
    """Asks once for all of them."""

    name = "set_based"

    def run_many(self, context: Batch, subjects: Sequence[Subject]) -> dict[str, Verdict]:
        context.fetch(_QUERY)
        return {subject.name: Examined() for subject in subjects}


def run() -> str:
    """Return how many a second, and the processor time of this process for each, the best of three."""
    alone, batched, once = (kind(Params()) for kind in (_Trivial, _Batched, _SetBased))
    with database("SELECT 1") as dsn, target_of(dsn, _CONNECTIONS) as target, _store() as store:
        collect_seldom()
        variants = {
            "each a run of its own": lambda: _sweep(target, alone),
            "each a run of its own, committed": lambda: _committed(target, store, alone),
            f"{_TOGETHER} together": lambda: _sweep(target, batched),
            f"{_TOGETHER} together, committed": lambda: _committed(target, store, batched),
            f"{_TOGETHER} by one query, committed": lambda: _committed(target, store, once),
            f"pipelined queries, {_TOGETHER} a snapshot": lambda: _pipelined(target, _CONNECTIONS),
            f"pipelined queries, {_TOGETHER} a snapshot, 1 connection": lambda: _pipelined(target, 1),
        }
        measured = {name: [_taken(work) for _ in range(3)] for name, work in variants.items()}
    rates = {name: max(rate for rate, _ in each) for name, each in measured.items()}
    processor = {name: min(micros for _, micros in each) for name, each in measured.items()}
    keep("checks", {"a_second": rates, "processor_microseconds": processor})
    width = max(map(len, rates))
    title = f"small checks a second on {_CONNECTIONS} connections, µs of processor each, the best of three"
    lines = (f"  {name:<{width}} {rate:8,.0f} {processor[name]:8.1f}" for name, rate in rates.items())
    return "\n".join([title, *lines])


@contextmanager
def _store() -> Iterator[Store]:
    with TemporaryDirectory() as directory, Store.open(f"sqlite:///{directory}/state.db") as store:
        yield store


def _taken(work: Callable[[], int]) -> tuple[float, float]:
    """Return how many a second it does, and the microseconds of processor time that each takes here."""
    began, processor = time.perf_counter(), time.process_time()
    done = work()
    seconds, busy = time.perf_counter() - began, time.process_time() - processor
    return done / seconds, 1e6 * busy / done


def _sweep(target: Target, check: Check[Any]) -> int:
    runner, catalog = Runner(target), target.read_catalog(Scope())
    subjects = check.discover(catalog).subjects
    return sum(len(runs) for runs in sweep(runner, Governor(_CONNECTIONS), check, subjects, catalog))


def _committed(target: Target, store: Store, check: Check[Any]) -> int:
    """Carry out a tick as the daemon does: all of it, from the catalog to what is committed."""
    watch = Watch(
        target=target,
        runner=Runner(target),
        governor=Governor(_CONNECTIONS),
        checks={check.name: check},
        scope=Scope(),
        intervals={check.name: 60.0},
        complain=lambda path, message: ConfigError(message, path=".".join(map(str, path))),
    )
    Engine(store, Counters(), [watch]).tick(target.name, check.name)
    return _RUNS


def _pipelined(target: Target, connections: int) -> int:
    share = _QUERIES // connections

    def work() -> None:
        for _ in range(share // _TOGETHER):
            with target.snapshot("bench") as snapshot:
                snapshot.fetch_each([_QUERY] * _TOGETHER)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return share * connections
