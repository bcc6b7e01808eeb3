"""A temporary directory that is removed, and its server stopped, however this process ends."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pgvigil.embedded import guard
from pgvigil.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.embedded.account import Account


@dataclass(frozen=True)
class GuardedDirectory:
    """The directory and the lifeline: a file descriptor; the guard acts when nobody has it open any more."""

    path: Path
    lifeline: int


@contextmanager
def guarded_directory(
    pidfile: str = "postmaster.pid", account: Account | None = None
) -> Iterator[GuardedDirectory]:
    """Make a directory that belongs to `account`, or to us; stop the server in it and remove it at the end.

    The guard process does both, so that a clean end and a crash take the same way. `pidfile` is the path, in
    the directory, of the file in which a server writes its process id.
    """
    process, lifeline = _start_guard(pidfile, account)
    try:
        home = _path_told_by(process)
        yield GuardedDirectory(home, lifeline)
    finally:
        process.communicate()
    if home.exists():  # somebody killed the guard
        guard.dispose(home, home / pidfile)


def _start_guard(pidfile: str, account: Account | None) -> tuple[subprocess.Popen[bytes], int]:
    owner = (str(account.uid), str(account.gid)) if account else ()
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, pidfile, *owner],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise EmbeddedError(f"cannot start the guard process {sys.executable}: {error.strerror}") from error
    assert process.stdin is not None  # noqa: S101 - for the type: a pipe was asked for
    return process, process.stdin.fileno()


def _path_told_by(process: subprocess.Popen[bytes]) -> Path:
    assert process.stdout is not None  # noqa: S101 - for the type
    line = process.stdout.readline()
    if line:
        return Path(os.fsdecode(line.removesuffix(b"\n")))
    _, complaint = process.communicate()
    reason = complaint.decode(errors="replace").strip().splitlines() or ["the guard process ended"]
    raise EmbeddedError(f"cannot make a temporary directory for the server: {reason[-1]}")
