"""Where the long benchmarks leave what they measured, and how loaded the machine was."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def keep(name: str, measured: dict[str, Any]) -> Path:
    """Write a result as JSON beside those of other times; return the file."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    file = RESULTS / f"{name}-{now:%Y%m%dT%H%M%SZ}.json"
    document = {"at": now.isoformat(), "cpus": os.cpu_count(), "load": load(), **measured}
    file.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return file


def load() -> list[float]:
    """Return the load of the machine over 1, 5 and 15 minutes."""
    return [round(one, 2) for one in os.getloadavg()]


def resident_mb(pid: int) -> float:
    """Return the memory that a process has in RAM, in megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
