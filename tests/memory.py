"""A place in memory for what the tests write: the files of a thousand databases need not outlive them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - it is looked at before it is used
_ENOUGH = 4 << 30
"""Bytes that are to be free, of the file system and of memory, the second of which may hold the first."""


def keep_temporary_files_in_memory() -> None:
    """Let this process and those that it starts make their temporary files there, where there is room.

    Whoever sets TMPDIR has chosen already.
    """
    if "TMPDIR" not in os.environ and _fit():
        os.environ["TMPDIR"] = str(_SHARED_MEMORY)
        tempfile.tempdir = None


def _fit() -> bool:
    if not os.access(_SHARED_MEMORY, os.W_OK | os.X_OK):
        return False
    # A server of an installation that others cannot read runs from a copy in its directory.
    executable = not os.statvfs(_SHARED_MEMORY).f_flag & os.ST_NOEXEC
    return executable and shutil.disk_usage(_SHARED_MEMORY).free > _ENOUGH and _available() > 2 * _ENOUGH


def _available() -> int:
    """Return how many bytes of memory can be had without swapping, 0 where nobody says so."""
    file = Path("/proc/meminfo")
    for line in file.read_text(encoding="ascii").splitlines() if file.exists() else ():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0
