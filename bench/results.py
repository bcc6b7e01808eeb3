"""Where the long benchmarks leave what they measured, and how loaded the machine was."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def keep(name: str, measured: Mapping[str, Any], *, size: str = "", partly: bool = False) -> Path:
    """Write a result as JSON, in place of the earlier ones of the same name and size; return the file.

    `size` is how much was measured, where the name does not say it: a trial replaces no long one. `partly`
    writes what there is so far of one that takes long: it is no result yet, and replaces none.
    """
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    so_far = RESULTS / f"{name}-so-far.json"
    file = so_far if partly else RESULTS / f"{name}-{now:%Y%m%dT%H%M%SZ}.json"
    document = {"at": now.isoformat(), "cpus": os.cpu_count(), "load": load(), "size": size, **measured}
    file.write_text(json.dumps(document, indent=2), encoding="utf-8")
    if not partly:
        so_far.unlink(missing_ok=True)
        for earlier in _all(name):
            if earlier != file and json.loads(earlier.read_text(encoding="utf-8")).get("size") == size:
                earlier.unlink()
    return file


def last(name: str) -> Path | None:
    """Return the newest result of this name, None when there is none."""
    return max(_all(name), default=None)


def _all(name: str) -> list[Path]:
    # Digits first: the names of others may begin in the same way.
    return list(RESULTS.glob(f"{name}-[0-9]*Z.json"))


def load() -> list[float]:
    """Return the load of the machine over 1, 5 and 15 minutes."""
    return [round(one, 2) for one in os.getloadavg()]


def resident_mb(pid: int) -> float:
    """Return the memory that a process has in RAM, in megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def peak_mb(pid: int) -> float:
    """Return the most memory that a process ever had in RAM, in megabytes.

    Not getrusage's: that begins with what the process had that started this one.
    """
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(int(line.split()[1]) * 1024 / 1e6, 1)
