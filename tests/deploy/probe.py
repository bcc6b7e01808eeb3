"""Tries what a program under the unit must not be able to do, and prints what became of each try, as JSON."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: int | bytes | None) -> None:
    """Call a function of the C library; raises OSError when it fails."""
    if getattr(LIBC, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def writable_code() -> None:
    """Map memory that may be written and executed."""
    mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


TRIES: dict[str, Callable[[], object]] = {
    "write beside the program": lambda: Path(__file__).with_name("written").touch(),
    "write the configuration": lambda: Path(sys.argv[1], "written").touch(),
    "write to /etc": lambda: Path("/etc/written").touch(),
    "see a home": lambda: next(path for path in Path("/home").iterdir()),
    "see a device": lambda: next(path for path in Path("/dev").glob("[msv]d[a-z]")),
    "see another process": lambda: Path("/proc/1/cmdline").read_bytes(),
    "see the memory of the machine": lambda: Path("/proc/meminfo").read_bytes(),
    "be root": lambda: os.setuid(0),
    "give a file away": lambda: os.chown("/var/lib/pgvigil", 0, 0),
    "mount": lambda: call("mount", b"tmpfs", b"/tmp", b"tmpfs", 0, None),
    "make a user namespace": lambda: call("unshare", 0x10000000),
    "trace": lambda: call("ptrace", 0, 0, None, None),
    "write code": writable_code,
    "speak to the kernel's networking": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "listen below 1024": lambda: socket.create_server(("127.0.0.1", 1023)),
    # What it can do, so that the tries above fail for their own reasons.
    "write its state": lambda: Path("state").write_text("", encoding="utf-8"),
    "read its credential": lambda: Path("/run/credentials/pgvigil.service/dsn").read_text(encoding="utf-8"),
    "speak TCP": lambda: socket.create_server(("127.0.0.1", 0)),
    "speak over Unix sockets": lambda: socket.socket(socket.AF_UNIX),
    "resolve localhost": lambda: socket.getaddrinfo("localhost", 5432),
    "have temporary files": lambda: Path("/tmp/file").touch(),  # noqa: S108 - its own /tmp
}


def outcome(attempt: Callable[[], object]) -> str:
    """Return `done`, or the name of the error."""
    try:
        attempt()
    except (OSError, StopIteration, PermissionError) as error:
        return type(error).__name__
    return "done"


if __name__ == "__main__":
    print(json.dumps({name: outcome(attempt) for name, attempt in TRIES.items()}))  # noqa: T201
