"""Detection: from the COMMIT of a fault to whoever is paged, and from its healing to the word of that.

Thirty faults, each at a moment that has nothing to do with any schedule; by the shipped rules (check every
5 s, scrape and evaluation every second), then by the direct notifier with an examination that is asked for at
once. Alertmanager runs as shipped: it waits a second for siblings of a fault, and holds news of a database
that was told of lately for up to a minute. So each fault finds its database at rest: five times six databases
are watched by programs that have just been started.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from random import Random

import psycopg
from tests.endtoend.shop import PARENTS, building, lose_parents, restore
from tests.endtoend.told import of
from tests.endtoend.world import World, configuration, running_world, until
from tests.webhook import Notification

from bench.results import keep, load
from pgvigil.embedded import serve

_TARGETS = 6
_ROUNDS = 5
_EVERY = 5.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Detected:
    """One fault: seconds from its COMMIT, and from that of its healing.

    `own` is pgvigil's part of it: from the start of the run that found the fault to the metric that shows it.
    """

    run: float
    metric: float
    alert: float
    told: float
    own: float
    over: float
    over_told: float


_STEPS = {
    "run": "COMMIT to the run that finds it",
    "metric": "COMMIT to the metric",
    "alert": "COMMIT to the alert",
    "told": "COMMIT to the webhook",
    "own": "run to the metric",
    "over": "healing to the alert's end",
    "over_told": "healing to the webhook",
}


def run() -> str:
    """Measure both ways, and return a table of each."""
    return "\n\n".join(_measured(direct=direct) for direct in (False, True))


def _measured(*, direct: bool) -> str:
    before, faults = load(), list[Detected]()
    for number in range(_ROUNDS):
        with _world(direct=direct) as (world, databases):
            faults += _round(world, databases, Random(number), direct=direct)
    goals = {"told": (2.0, 2.0)} if direct else {"told": (8.0, 12.0)}
    goals["own"] = (0.2, 0.2)
    way = "direct" if direct else "rules"
    loads = {"load_before": before, "load_after": load()}
    file = keep(f"detection-{way}", {"faults": [asdict(one) for one in faults], **loads})
    title = f"detection of {len(faults)} faults, {way}, in seconds; load {before[0]} to {load()[0]} ({file})"
    return "\n".join([title, *_table(faults, goals)])


def _round(world: World, databases: Mapping[str, str], random: Random, *, direct: bool) -> list[Detected]:
    """Break and heal one database after the other; the word that it is over comes for all together."""
    broken, healed = {}, {}
    for target, dsn in databases.items():
        time.sleep(random.uniform(0, _EVERY))
        broken[target] = _break(world, target, dsn, random.randint(1, PARENTS), direct=direct)
        time.sleep(random.uniform(0, _EVERY))
        healed[target] = _heal(world, target, dsn, direct=direct)
        print(f"{target}: told after {broken[target][3]:.3f} s", flush=True)
    return [Detected(*broken[target], *_over(world, target, healed[target])) for target in databases]


def _table(faults: Sequence[Detected], goals: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    yield f"  {'':<32} {'median':>8} {'worst':>8}"
    for step, name in _STEPS.items():
        taken = [getattr(one, step) for one in faults]
        median, worst = statistics.median(taken), max(taken)
        line = f"  {name:<32} {median:>8.3f} {worst:>8.3f}"
        if step in goals:
            verdicts = (
                f"{'met' if one < goal else 'MISSED'} ({goal:g})"
                for one, goal in zip((median, worst), goals[step], strict=True)
            )
            line += f"   goals: {', '.join(verdicts)}"
        yield line


@contextmanager
def _world(*, direct: bool) -> Iterator[tuple[World, dict[str, str]]]:
    with serve() as server, tempfile.TemporaryDirectory() as home:
        databases = {f"shop_{number}": server.dsn(f"shop_{number}") for number in range(_TARGETS)}
        for name, dsn in databases.items():
            with psycopg.connect(server.dsn(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            building(1)(dsn)

        def configure(listen: str, urls: Sequence[str]) -> Path:
            every = "1h" if direct else f"{_EVERY:g}s"
            return configuration(Path(home), databases, listen=listen, every=every, alertmanagers=urls)

        with running_world(Path(home), configure, direct=direct) as world:
            world.examined()
            world.prometheus.wait_for("pgvigil_build_info")
            yield world, databases


def _break(
    world: World, target: str, dsn: str, parent: int, *, direct: bool
) -> tuple[float, float, float, float, float]:
    """Commit a fault and wait until it is told; return the first five of the seconds of `Detected`."""
    lose_parents(dsn, parent)
    committed = time.time()
    if direct:
        world.examine(target)
    shown = _first_shown(world, target)
    told = world.webhook.wait_for(_since(committed, of(target, "firing")))
    found = _finding_run(world, target, committed)
    alert = _moment(told.alerts[0]["startsAt"])
    return (
        found - committed,
        shown - committed,
        alert - committed,
        told.at.timestamp() - committed,
        shown - found,
    )


def _heal(world: World, target: str, dsn: str, *, direct: bool) -> float:
    """Commit that the fault is healed, and return when."""
    restore(dsn)
    healed = time.time()
    if direct:
        world.examine(target)
    return healed


def _over(world: World, target: str, healed: float) -> tuple[float, float]:
    """Return the seconds from the healing to the end of the alert, and until that is told."""
    over = world.webhook.wait_for(_since(healed, of(target, "resolved")), 180)
    return _moment(over.alerts[0]["endsAt"]) - healed, over.at.timestamp() - healed


def _first_shown(world: World, target: str) -> float:
    """Return when a scrape would have shown the fault, from when it was committed."""
    wanted = f'pgvigil_incident_violations{{target="{target}"'
    while wanted not in world.daemon.get("metrics")[1]:
        time.sleep(_POLL_SECONDS)
    return time.time()


def _finding_run(world: World, target: str, since: float) -> float:
    """Return when the run began that found the fault."""

    def failed() -> list[float]:
        runs = world.ask(f"runs?target={target}&check=orphan_rows&limit=100")
        starts = [_moment(one["started_at"]) for one in runs if one["outcome"] == "fail"]
        return [start for start in starts if start > since - 1]

    return min(until(failed))


def _since(moment: float, wanted: Callable[[Notification], bool]) -> Callable[[Notification], bool]:
    return lambda one: one.at.timestamp() > moment and wanted(one)


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
