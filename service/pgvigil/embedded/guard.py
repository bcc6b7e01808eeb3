"""A process that outlives the one that started it, to stop its server and remove its directory.

Usage: python -I -S guard.py PIDFILE [UID GID]

It makes a temporary directory, as UID and GID if they are given, and prints its path. At the end of its
standard input, which comes when every process holding the other end is gone, even by kill -9, it stops the
server whose process id stands in PIDFILE (a path in the directory), removes the directory, and ends.

Standard library only and few modules, since a server's start waits for it; all are loaded before the
privileges are dropped, because UID may not be able to read them.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

# PostgreSQL's fast and immediate shutdown; an immediate one itself gives its backends 5 s.
_STEPS = ((signal.SIGINT, 5.0), (signal.SIGQUIT, 8.0), (signal.SIGKILL, 2.0))
_REMOVAL_SECONDS = 30.0
_POLL_SECONDS = 0.02


def main(pidfile: str, *owner: str) -> None:
    """Make the directory, tell its path, wait for the end of standard input, clean up."""
    for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    if owner:
        uid, gid = map(int, owner)
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    home = Path(tempfile.mkdtemp(prefix="pgvigil-"))
    try:
        os.chdir("/")
        os.write(1, os.fsencode(home) + b"\n")
        os.close(1)
        while os.read(0, 1024):
            pass
    finally:
        dispose(home, home / pidfile)


def dispose(home: Path, pidfile: Path) -> None:
    """Stop the server and remove the directory.

    Tried again until it is gone: a server killed in the middle of its start still writes files for a moment.
    """
    deadline = time.monotonic() + _REMOVAL_SECONDS
    while home.exists() and time.monotonic() < deadline:
        _stop(pidfile)
        shutil.rmtree(home, ignore_errors=True)
        time.sleep(_POLL_SECONDS)


def _stop(pidfile: Path) -> None:
    for step, seconds in _STEPS:
        if not _signal(pidfile, step):
            return
        deadline = time.monotonic() + seconds
        while _signal(pidfile, 0) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _signal(pidfile: Path, number: int) -> bool:
    """Signal the server; 0 only asks for it. False when there is none that we may stop."""
    try:
        pid = int(pidfile.read_text().split()[0])
        if pid <= 0:  # initdb's own backend, which ends by itself when its files vanish
            return False
        os.kill(pid, number)
    except (OSError, ValueError, IndexError):
        return False
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
