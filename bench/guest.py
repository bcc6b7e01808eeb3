"""A good guest: pgbench alone and beside a daemon that sweeps all the time, in turns.

The daemon has its usual budget and looks without end at five million children in chunks, and at pgbench's
own accounts; its other checks come every five minutes. Half of the time goes to the turns, the other half to
one long stretch beside it, in which the rows are counted that it judges, and its memory is looked at: it must
be no more in the last quarter than in the first. No snapshot of pgvigil may be older than a tenth of a
second, whatever its purpose. Nobody may wait for a lock of pgvigil, nor pgvigil for one: the server logs
whoever waits for 10 ms, and who holds the lock (autovacuum cutting a table's end off, mostly).
"""

from __future__ import annotations

import re
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg
import yaml
from tests.daemon.process import Daemon, daemon

from bench import pgbench
from bench.databases import SETTINGS
from bench.pgbench import Block
from bench.results import keep, load, resident_mb
from bench.shapes import Shape
from pgvigil.embedded import serve
from pgvigil.embedded.server import free_port

_SCALE = 50
_SHAPE = Shape(5_000_000, 100_000)
_BLOCK_SECONDS = 30.0
_SAMPLE_SECONDS = 0.02
_LONGEST_SECONDS = 0.1
"""How old a snapshot of pgvigil may be."""
_MORE_MEMORY = 1.05
_PGBENCH_RELATION = "public.pgbench_accounts(bid) -> public.pgbench_branches(bid)"
_LOGGED = {"log_lock_waits": "on", "deadlock_timeout": "10ms", "log_line_prefix": "%a|%p|"}
# Rows and transactions are what pgbench's clients wait for among themselves; pgvigil locks relations alone.
_WAITS = re.compile(
    r"^(?P<who>[^|]*)\|.*still waiting for (?P<mode>\w+) on (?:relation|virtual).*\n"
    r".*DETAIL:  Process(?:es)? holding the lock: (?P<holders>[\d, ]+)\.",
    re.MULTILINE,
)
_AGES = """
    SELECT extract(epoch FROM clock_timestamp() - xact_start)::float AS age, application_name, pid
    FROM pg_stat_activity WHERE application_name LIKE 'pgvigil%' AND backend_xmin IS NOT NULL
"""


@dataclass
class _Beside:
    """What was seen of pgvigil while it was there; `rows` are those of runs that came to their end."""

    rows: float = 0.0
    seconds: float = 0.0
    resident: list[float] = field(default_factory=list)


def run(minutes: float) -> str:
    """Return a report."""
    with serve(settings={**SETTINGS, "autovacuum": "on", **_LOGGED}) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(_SHAPE.setup().encode())
        pgbench.fill(server.dsn(), _SCALE)
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        pgbench.run(server.dsn(), _BLOCK_SECONDS / 2)
        beside, blocks = _Beside(), dict[str, list[Block]](alone=[], beside=[])
        with _Sampler(server.dsn()) as sampler:
            for turn in range(max(2, round(minutes * 60 / 2 / _BLOCK_SECONDS))):
                kind = ("alone", "beside", "beside", "alone")[turn % 4]
                blocks[kind].append(_block(kind, server.dsn(), _BLOCK_SECONDS, beside))
                print(f"{kind}: {blocks[kind][-1]}", flush=True)
            # Each block beside has a daemon of its own: its memory is that of one that has just begun, and
            # its last walk is never over.
            beside = _Beside()
            _block("beside", server.dsn(), minutes * 30, beside)
        waits = [_Wait.of(match, sampler.sessions) for match in _WAITS.finditer(server.log_file.read_text())]
    return _report(minutes, blocks, beside, sampler, waits)


@dataclass(frozen=True)
class _Wait:
    """Somebody waited for a lock: who, in which mode, and whether pgvigil held it, or waited itself."""

    who: str
    mode: str
    pgvigil: bool

    @classmethod
    def of(cls, logged: re.Match[str], sessions: AbstractSet[int]) -> _Wait:
        held = not sessions.isdisjoint(map(int, logged["holders"].split(",")))
        return cls(logged["who"], logged["mode"], held or logged["who"].startswith("pgvigil"))


def _block(kind: str, dsn: str, seconds: float, beside: _Beside) -> Block:
    if kind == "alone":
        return pgbench.run(dsn, seconds)
    with tempfile.TemporaryDirectory() as home, daemon(_configuration(Path(home), dsn)) as running:
        # What it does once, at its start, is not what is asked for.
        time.sleep(3)
        with _watched(running, beside):
            return pgbench.run(dsn, seconds)


@contextmanager
def _watched(running: Daemon, beside: _Beside) -> Iterator[None]:
    over = threading.Event()

    def look() -> None:
        while not over.wait(5):
            beside.resident.append(resident_mb(running.process.pid))

    looking = threading.Thread(target=look)
    rows, began = running.total("pgvigil_rows_examined_total"), time.monotonic()
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()
    beside.rows += running.total("pgvigil_rows_examined_total") - rows
    beside.seconds += time.monotonic() - began


def _configuration(home: Path, dsn: str) -> Path:
    checks = {"orphan_rows": {"every": "1s", "relations": [_PGBENCH_RELATION]}}
    target = {"dsn": dsn, "checks": checks}
    document = {
        "state": f"sqlite:///{home}/state.db",
        "web": {"listen": f"127.0.0.1:{free_port()}"},
        "targets": {"bench": target},
    }
    file = home / "pgvigil.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


class _Sampler:
    """Looks, until the block ends, at how old pgvigil's snapshots are."""

    def __init__(self, dsn: str) -> None:
        self.ages: list[tuple[float, str]] = []
        self.sessions: set[int] = set()
        self.stall = 0.0
        """How late a look was at the worst: what the machine lets wait whom it likes."""
        self._dsn = dsn
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()

    def _go(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            began = time.monotonic()
            while not self._over.wait(_SAMPLE_SECONDS):
                seen = connection.execute(_AGES).fetchall()
                self.ages += [(age, purpose) for age, purpose, _ in seen]
                self.sessions.update(pid for _, _, pid in seen)
                began, before = time.monotonic(), began
                self.stall = max(self.stall, began - before - _SAMPLE_SECONDS)


def _report(
    minutes: float,
    blocks: Mapping[str, Sequence[Block]],
    beside: _Beside,
    sampler: _Sampler,
    waits: Sequence[_Wait],
) -> str:
    ratios = {
        name: _median(blocks["beside"], name) / _median(blocks["alone"], name)
        for name in ("tps", "p95", "p99")
    }
    seen = sampler.ages
    measured: dict[str, Any] = {
        "minutes": minutes,
        "blocks": {kind: [asdict(one) for one in each] for kind, each in blocks.items()},
        "ratios": ratios,
        "rows_a_second": beside.rows / beside.seconds,
        "longest_snapshot": max((age for age, _ in seen), default=0.0),
        "limit_seconds": _LONGEST_SECONDS,
        "stall_seconds": sampler.stall,
        "snapshots": _by_purpose(seen),
        "lock_waits": sum(wait.pgvigil for wait in waits),
        "lock_waits_among_others": sum(not wait.pgvigil for wait in waits),
        "waits": [asdict(one) for one in waits[:20]],
        "resident_mb": beside.resident,
        "load": load(),
    }
    file = keep("guest", measured, size=f"{minutes:g} minutes")
    turns = sum(map(len, blocks.values()))
    rows = "\n".join("  {:<40} {:>12} {:>10} {}".format(*row) for row in table(measured))
    return f"pgbench beside pgvigil, {turns} blocks of {_BLOCK_SECONDS:g} s ({file})\n{rows}"


def _by_purpose(seen: Sequence[tuple[float, str]]) -> dict[str, dict[str, float]]:
    """Return of each purpose how often a snapshot was seen, the longest, and what 99 % were younger than."""
    ages: defaultdict[str, list[float]] = defaultdict(list)
    for age, purpose in sorted(seen):
        ages[purpose].append(age)
    return {
        purpose: {"seen": len(each), "longest": each[-1], "p99": each[int(len(each) * 0.99)]}
        for purpose, each in sorted(ages.items())
    }


def table(measured: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield what was measured, its goal, and whether that was reached, row by row."""
    ratios, limit = measured["ratios"], measured["limit_seconds"]
    yield "", "measured", "goal", ""
    yield _row("transactions a second / alone", ratios["tps"], ">= 0.98", reached=ratios["tps"] >= 0.98)
    yield _row("p95 / alone", ratios["p95"], "<= 1.05", reached=ratios["p95"] <= 1.05)
    yield _row("p99 / alone", ratios["p99"], "<= 1.3", reached=ratios["p99"] <= 1.3)
    for purpose, each in measured["snapshots"].items():
        ratio = each["longest"] / limit
        yield _row(f"longest snapshot of {purpose} / limit", ratio, "<= 1", reached=ratio <= 1)
        yield _row("  99 % of those seen were younger than", each["p99"] / limit, "", reached=None)
    yield _row("the machine's own longest stall / limit", measured["stall_seconds"] / limit, "", reached=None)
    waits = measured["lock_waits"]
    yield _row("waits for a lock of pgvigil's, or by it", waits, "0", reached=waits == 0)
    yield _row("  among others", measured["lock_waits_among_others"], "", reached=None)
    early, late = memory(measured["resident_mb"])
    goal = f"<= {_MORE_MEMORY}"
    yield _row("memory, last / first quarter", late / early, goal, reached=late / early <= _MORE_MEMORY)
    rows = round(measured["rows_a_second"])
    yield _row("rows judged a second", rows, ">= 300,000", reached=rows >= 300_000)


def _row(name: str, value: float, goal: str, *, reached: bool | None) -> tuple[str, str, str, str]:
    written = f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
    return name, written, goal, "" if reached is None else "yes" if reached else "NO"


def memory(resident: Sequence[float]) -> tuple[float, float]:
    """Return the most memory of the first quarter and of the last, in MB."""
    quarter = max(1, len(resident) // 4)
    return max(resident[:quarter]), max(resident[-quarter:])


def _median(blocks: Sequence[Block], name: str) -> float:
    return float(statistics.median(getattr(one, name) for one in blocks))
