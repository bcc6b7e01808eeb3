"""Orphans in tables of all shapes: as people look for them, and by orphan_rows.

Each as a ratio to a bare count of the child's references, with parallel workers as the server wants them:
nothing that reads all rows can beat that. pgvigil's own sessions have none. First each variant has to find
the orphans that there are; then they are deleted, and what is measured is the usual case: nothing is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

from bench.databases import by_hand as asking
from bench.databases import database, examiner
from bench.measure import CutError, Measured, UnfitError, Work, measure
from bench.results import keep
from bench.shapes import ORPHANS, Shape, full, huge, small
from pgvigil.check import Context, Skipped, Subject, Verdict
from pgvigil.run import Run
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams, judge, reference_of
from pgvigil_checks.orphans import STRATEGIES, Plan, gather_facts

Count = Callable[[], int]
"""Counts the orphans."""

FLOOR = "bare count"
INDEX_FLOOR = "bare count, by the index"
FORCED = "NOT EXISTS, merge forced"
OURS = "orphan_rows"
OURS_AGAIN = "orphan_rows, again"
CHUNKED = "orphan_rows in chunks"
BY_HAND = ("NOT EXISTS", "LEFT JOIN", "NOT IN")
_INDEX_ONLY = ("enable_seqscan=off", "enable_bitmapscan=off")
_MERGE = (*_INDEX_ONLY, "enable_hashjoin=off", "enable_nestloop=off")
SIZES: Mapping[str, Callable[[], Sequence[Shape]]] = {"small": small, "full": full, "huge": huge}
CHUNK_SECONDS = 0.02
"""How long a chunk of the daemon takes by default."""


class _Forced(OrphanRows):
    """The check with one of its strategies, whatever the planner thinks of it."""

    def __init__(self, params: OrphanRowsParams, strategy: str) -> None:
        super().__init__(params)
        self._strategy = STRATEGIES[strategy]

    def run(self, context: Context, subject: Subject) -> Verdict:
        """Judge by it; skipped where it would not be exact, or gives up."""
        reference = reference_of(context, subject.payload)
        if isinstance(reference, Skipped):
            return reference
        facts = gather_facts(context, reference)
        if not self._strategy.fits(facts):
            return Skipped("does not fit")
        try:
            return judge(context, reference, Plan(facts, ((self._strategy, 0.0),)))
        except LookupError:
            return Skipped("gives up")


@dataclass(frozen=True)
class Compared:
    """What was measured of one shape; `runs` are the last ones in one snapshot and in chunks."""

    measured: Measured
    runs: Mapping[str, Run]
    with_orphans: Mapping[str, float]
    server_version: str

    @property
    def seconds(self) -> Mapping[str, float]:
        """Median seconds of each variant."""
        return self.measured.seconds

    def ratio(self, one: str, other: str) -> float:
        """How many times as long one variant took as another."""
        return self.seconds[one] / self.seconds[other]

    def chosen(self, variant: str) -> str:
        """By which strategy a variant of ours judged."""
        return self.runs[variant].strategy

    def kept(self) -> dict[str, Any]:
        """Return what is written down."""
        return {
            "shape": self.measured.title,
            "server_version": self.server_version,
            "seconds": dict(self.seconds),
            "cut": sorted(self.measured.cut),
            "chosen": {name: (run.strategy, run.explain) for name, run in self.runs.items()},
            "seconds_with_orphans": dict(self.with_orphans),
        }


def run(size: str = "small", only: str = "") -> str:
    """Measure the shapes of a size whose names hold `only`, one after the other; return a report."""
    shapes = [one for one in SIZES[size]() if only in one.name]
    done: list[dict[str, Any]] = []
    for shape in shapes:
        # To make a hundred million rows takes minutes already.
        huge_ones: dict[str, Any] = {"by_hand": BY_HAND[:1], "strategies": (), "rounds": 1}
        compared = compare(shape, **(huge_ones if size == "huge" else {}))
        told = ", ".join(f"{name}: {compared.chosen(name)}" for name in compared.runs)
        print(f"{compared.measured}\n  {told}", flush=True)
        done.append(compared.kept())
        keep(f"orphans-{size}", {"shapes": done}, partly=True)
    if done:
        keep(f"orphans-{size}", {"shapes": done}, size=only)
    return f"{len(done)} shapes"


def compare(
    shape: Shape,
    *,
    by_hand: Sequence[str] = BY_HAND,
    strategies: Iterable[str] = STRATEGIES,
    rounds: int = 3,
    patience: float = 20.0,
) -> Compared:
    """Measure the queries that people write, each strategy by itself, and runs as they are."""
    with ExitStack() as stack:
        dsn = stack.enter_context(database(shape.setup()))
        ask = stack.enter_context(asking(dsn))
        relations = [shape.subject] if shape.partitioned else []
        check = OrphanRows(OrphanRows.params_type.model_validate({"relations": relations}))
        whole = stack.enter_context(examiner(dsn, check, shape.subject))
        chunked = stack.enter_context(examiner(dsn, check, shape.subject, chunk_seconds=CHUNK_SECONDS))
        written = dict(queries(shape))
        counts: dict[str, Count] = {name: partial(_asked, ask, written[name]) for name in by_hand}
        variants: dict[str, Work] = {FLOOR: partial(ask, _bare(shape))}
        if shape.indexed:
            variants[INDEX_FLOOR] = partial(stack.enter_context(asking(dsn, _INDEX_ONLY)), _bare(shape))
            merge = stack.enter_context(asking(dsn, _MERGE))
            counts[FORCED] = partial(_asked, merge, written["NOT EXISTS"])
        counts |= {OURS: whole.anew, OURS_AGAIN: whole.again, CHUNKED: chunked.anew}
        for name in strategies:
            forced = stack.enter_context(examiner(dsn, _Forced(check.params, name), shape.subject))
            counts[f"{OURS}: {name}"] = forced.anew
        seconds = _prove(counts)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(f"DELETE FROM child WHERE id <= {ORPHANS}")
            connection.execute("VACUUM ANALYZE child")
        variants |= {name: partial(expect, 0, counts[name]) for name in seconds}
        measured = measure(shape.name, variants, rounds=rounds, patience=patience)
        version = ask("SHOW server_version")[0][0]
    runs = {name: one.last for name, one in ((OURS, whole), (CHUNKED, chunked)) if one.last}
    return Compared(measured, runs, seconds, version)


def _prove(counts: Mapping[str, Count]) -> dict[str, float]:
    """Let each find the orphans that there are; return how long that took, of all that can do it in time."""
    taken = {}
    for name, count in counts.items():
        began = time.perf_counter()
        with suppress(CutError, UnfitError):
            expect(ORPHANS, count)
            taken[name] = time.perf_counter() - began
    return taken


def expect(orphans: int, count: Count) -> None:
    """End the benchmark unless so many orphans are counted."""
    if (found := count()) != orphans:
        raise SystemExit(f"{found} orphans instead of {orphans}")


def _asked(ask: Callable[[str], Any], query: str) -> int:
    return int(ask(query)[0][0])


def _bare(shape: Shape) -> str:
    return f"SELECT count({shape.pairs[0][0]}) FROM child"


def queries(shape: Shape) -> Iterator[tuple[str, str]]:
    """Yield what people write to count the orphans of a shape, by name."""
    equal = " AND ".join(f"p.{parent} = c.{child}" for child, parent in shape.pairs)
    child, parent = (", ".join(names) for names in zip(*shape.pairs, strict=True))
    yield (
        "NOT EXISTS",
        f"SELECT count(*) FROM child c WHERE NOT EXISTS (SELECT FROM parent p WHERE {equal})",
    )
    yield (
        "LEFT JOIN",
        f"SELECT count(*) FROM child c LEFT JOIN parent p ON {equal} WHERE p.{shape.pairs[0][1]} IS NULL",
    )
    yield "NOT IN", f"SELECT count(*) FROM child WHERE ({child}) NOT IN (SELECT {parent} FROM parent)"
