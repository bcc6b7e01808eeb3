"""A soak: the sample in good order under write load, watched by all that is shipped: nobody may be told.

The sample has six notes (an index that is missing, types that differ), which are true and page nobody. Its
team would mute them, and so does the soak, through the API. From then on nothing but the Watchdog may be
heard, and no other alert may so much as fire.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import yaml
from tests.endtoend.world import TOKEN, World, running_world, until

from bench.results import keep, load, resident_mb
from bench.writers import SoundWriters
from pgvigil.embedded import serve
from pgvigil.sample import build, configuration

_TARGET = "games"
# That of `pgvigil demo`.
_EVERY = "10s"
_LOOK_SECONDS = 30.0
_NOTES = 6


@dataclass
class _Seen:
    """What was seen while it lasted. `resident` is pgvigil's memory in MB, every half a minute."""

    resident: list[float] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)


def run(minutes: float) -> str:
    """Return a report; fails when a writer ended early."""
    with serve() as server, tempfile.TemporaryDirectory() as home:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_TARGET}")
        dsn = server.dsn(_TARGET)
        build(dsn)

        def configure(listen: str, _: Sequence[str]) -> Path:
            text = configuration(dsn, state=f"sqlite:///{home}/state.db", listen=listen, every=_EVERY)
            document = yaml.safe_load(text)
            document["web"]["tokens"] = {"soak": {"token": TOKEN, "scope": "write"}}
            file = Path(home, "pgvigil.yaml")
            file.write_text(yaml.safe_dump(document), encoding="utf-8")
            return file

        with running_world(Path(home), configure) as world, SoundWriters(dsn) as writers:
            _mute_notes(world)
            world.webhook.clear()
            began = time.time()
            seen = _watch(world, writers, minutes * 60)
            return _report(world, writers, seen, began)


def _mute_notes(world: World) -> None:
    until(lambda: world.daemon.total("pgvigil_subjects"))
    until(lambda: not world.daemon.total("pgvigil_subjects", state="unknown"))
    # The notes on a pair are confirmed by a second run.
    notes = until(lambda: world.incidents(severity="info", state="open"), lambda found: len(found) == _NOTES)
    for one in notes:
        world.post(f"incidents/{one['id']}/mute", {"note": "known"})
    until(lambda: not world.firing())


def _watch(world: World, writers: SoundWriters, seconds: float) -> _Seen:
    seen = _Seen()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
        if not writers.alive:
            raise SystemExit("a writer ended before its time")
        seen.resident.append(resident_mb(world.daemon.process.pid))
        seen.loads.append(load()[0])
        told = Counter(one.receiver for one in world.webhook.notifications)
        print(f"{writers.commits} commits, {seen.resident[-1]} MB, told: {dict(told)}", flush=True)
    return seen


def _report(world: World, writers: SoundWriters, seen: _Seen, began: float) -> str:
    window = f"[{int(time.time() - began)}s]"
    ask = world.prometheus.query
    told = Counter(one.receiver for one in world.webhook.notifications)
    alerts = ask(f'max_over_time(ALERTS{{alertname!="PgvigilWatchdog"}}{window})')
    measured: dict[str, Any] = {
        "minutes": round((time.time() - began) / 60, 1),
        "commits": writers.commits,
        "rollbacks": writers.rollbacks,
        "runs": world.daemon.total("pgvigil_runs_total"),
        "runs_by_outcome": {
            outcome: world.daemon.total("pgvigil_runs_total", outcome=outcome)
            for outcome in ("pass", "fail", "error", "timeout", "skipped")
        },
        "ticks_missed": world.daemon.total("pgvigil_ticks_missed_total"),
        "notifications": dict(told),
        "news": [
            (one.receiver, one.status, [each["labels"] for each in one.alerts])
            for one in world.webhook.notifications
            if one.receiver != "pgvigil-deadman"
        ],
        "alerts_pending_or_firing": [dict(labels) for labels in alerts],
        "most_suspects": _most(ask(f'max_over_time(pgvigil_incidents{{state="suspect"}}{window})')),
        "least_scrapes_up": _least(ask(f"avg_over_time(up{window})")),
        "resident_mb": seen.resident,
        "load": seen.loads,
    }
    file = keep("soak", measured, size=f"{measured['minutes']:.0f} minutes")
    shown = {name: value for name, value in measured.items() if name not in {"resident_mb", "load"}}
    lines = [f"soak of the sound sample under write load, {_EVERY} between sweeps ({file})"]
    lines += [f"  {name}: {value}" for name, value in shown.items()]
    quarter = max(1, len(seen.resident) // 4)
    for name, part in (("first", seen.resident[:quarter]), ("last", seen.resident[-quarter:])):
        lines.append(f"  pgvigil's memory, {name} quarter: {min(part)} to {max(part)} MB")
    lines.append(f"  load of the machine: {min(seen.loads)} to {max(seen.loads)}")
    return "\n".join(lines)


def _most(vector: dict[Any, float]) -> float:
    return max(vector.values(), default=0.0)


def _least(vector: dict[Any, float]) -> float:
    return min(vector.values(), default=0.0)
