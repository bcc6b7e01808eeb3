"""pgbench, and what its own logs say: transactions a second, and how long the slowest took."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CLIENTS = 4


@dataclass(frozen=True)
class Block:
    """What was seen in one block of time. Latencies are in milliseconds."""

    tps: float
    p95: float
    p99: float


def program() -> Path:
    """Return where pgbench is; exits when it is nowhere."""
    for place in (shutil.which("pgbench"), *sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))):
        if place:
            return Path(place)
    raise SystemExit("pgbench is needed for this benchmark: apt install postgresql-contrib, or postgresql")


def fill(dsn: str, scale: int) -> None:
    """Make pgbench's tables, with so many hundred thousand accounts."""
    _call(dsn, "--initialize", "--scale", str(scale), "--quiet")


def run(dsn: str, seconds: float) -> Block:
    """Run its usual transaction for so long, as fast as its clients can."""
    with tempfile.TemporaryDirectory() as home:
        _call(
            dsn,
            *("--client", str(CLIENTS), "--jobs", "2", "--time", str(round(seconds))),
            *("--no-vacuum", "--log", "--log-prefix", f"{home}/log"),
        )
        # The third column is how long a transaction took, in microseconds.
        taken = sorted(
            int(line.split(" ", 3)[2])
            for file in Path(home).iterdir()
            for line in file.read_text(encoding="ascii").splitlines()
        )
    return Block(len(taken) / seconds, _quantile(taken, 0.95), _quantile(taken, 0.99))


def _quantile(taken: Sequence[int], share: float) -> float:
    return taken[int(len(taken) * share)] / 1000


def _call(dsn: str, *arguments: str) -> None:
    done = subprocess.run(
        [program(), *arguments, dsn], check=False, capture_output=True, text=True, env=os.environ.copy()
    )
    if done.returncode:
        raise SystemExit(f"pgbench failed: {done.stderr}")
