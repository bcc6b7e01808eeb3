"""All goals in one run: each figure beside what a user would do otherwise, told as soon as it is there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bench import changed, checks, drift, five, idle, relations, scrape
from bench.goal import Reached, at_least, at_most
from bench.results import keep, last

_FULL, _SMALL = 10_000_000, 1_000_000
Goals = Callable[[int], Iterator[Reached]]


def run(*, full: bool, only: str = "") -> str:
    """Measure every part whose name holds `only`, print its rows, and keep them; return the sum."""
    rows: list[dict[str, Any]] = []
    kind = "full" if full else "small"
    # A part alone is not the last word on all.
    kept_as = f"goals-{kind}-{only}" if only else f"goals-{kind}"
    began = time.monotonic()
    for name, part in PARTS.items():
        if only not in name:
            continue
        command = f"python -m bench goals --only {name}{' --full' if full else ''}"
        for reached in part(_FULL if full else _SMALL):
            told = f"{reached.verdict:<6} {reached.reached:>14} {reached.wanted:>16}"
            print(f"{told}  {reached.goal}", flush=True)
            rows.append(reached.kept(command))
            keep(kept_as, {"rows": rows}, partly=True)
    if rows:
        keep(kept_as, {"rows": rows})
    met = sum(row["verdict"] == "met" for row in rows)
    aimed = sum(row["limit"] is not None for row in rows)
    return f"{met} of {aimed} goals met, in {(time.monotonic() - began) / 60:.0f} minutes"


def _scrape(_children: int) -> Iterator[Reached]:
    seconds = scrape.run().seconds
    yield at_most(
        f"/metrics with {scrape.SERIES:,} series, nothing changed",
        1e3 * seconds["pgvigil, nothing changed"],
        10,
        "ms",
    )
    yield at_most(
        f"/metrics with {scrape.SERIES:,} series, 1,000 runs since",
        1e3 * seconds["pgvigil, 1,000 runs since"],
        10,
        "ms",
    )


def _checks(_children: int) -> Iterator[Reached]:
    checks.run()
    file = last("checks")
    rates: Mapping[str, float] = json.loads(file.read_text(encoding="utf-8"))["a_second"] if file else {}
    for name, rate in rates.items():
        if "pipelined" not in name:
            yield at_least(f"small checks, {name}", rate, 30_000, "a second")


def _guest(_children: int) -> Iterator[Reached]:
    """Tell what `python -m bench guest` measured last: it takes longer than all the rest."""
    file = last("guest")
    if file is None:
        print("skipped: python -m bench guest has left no result yet")
        return
    seen = json.loads(file.read_text(encoding="utf-8"))
    when = f"beside pgbench ({seen['at'][:10]}, {seen['minutes']:g} minutes)"
    yield at_least(f"{when}: TPS of alone", seen["ratios"]["tps"], 0.98)
    yield at_most(f"{when}: 95th percentile of alone", seen["ratios"]["p95"], 1.05)
    yield at_most(f"{when}: 99th percentile of alone", seen["ratios"]["p99"], 1.3)
    yield at_least(f"{when}: rows judged", seen["rows_a_second"], 300_000, "a second")
    yield at_most(f"{when}: longest snapshot", 1e3 * seen["longest_snapshot"], 100, "ms")


PARTS: Mapping[str, Goals] = {
    "few": relations.few,
    "dense": relations.dense,
    "unindexed": relations.unindexed,
    "uuid": relations.uuid,
    "five": five.goals,
    "drift": drift.goals,
    "changed": changed.goals,
    "idle": idle.goals,
    "checks": _checks,
    "scrape": _scrape,
    "guest": _guest,
}
"""The parts by name, as they are measured; each is given how many children a relation has."""
