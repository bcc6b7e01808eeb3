"""The start of the command: `pgvigil version` beside an interpreter that does nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.measure import Measured, measure


def run() -> Measured:
    """Compare with `python -c pass`."""
    pgvigil = Path(sys.executable).with_name("pgvigil")
    return measure(
        "the start of a command; as a ratio to an interpreter that does nothing",
        {
            "python -c pass": lambda: _call(sys.executable, "-c", "pass"),
            "pgvigil version": lambda: _call(pgvigil, "version"),
        },
    )


def _call(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
