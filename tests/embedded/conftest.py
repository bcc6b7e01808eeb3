"""Rooms to leave tidy, and people to leave them."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pgvigil
from pgvigil.embedded import find
from pgvigil.embedded.account import Account
from pgvigil.embedded.relocation import runnable_by

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = Path(__file__).with_name("owner.py")
PATIENCE = 20.0


@dataclass(frozen=True)
class Room:
    """A directory for temporary files that anybody may use, in which nothing must stay behind."""

    path: Path

    def processes(self) -> list[int]:
        """Return those that work in it or were told to, by TMPDIR."""
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self._is_used_by(entry)]

    def wait_until_empty(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while (files := list(self.path.iterdir())) or self.processes():
            assert time.monotonic() < deadline, f"left behind: {files}, processes {self.processes()}"
            time.sleep(0.05)

    def _is_used_by(self, process: Path) -> bool:
        try:
            # A server overwrites its environment with its title, but stands in its data directory.
            environment = (process / "environ").read_bytes().split(b"\0")
            return (
                f"TMPDIR={self.path}".encode() in environment
                or self.path in (process / "cwd").readlink().parents
            )
        except OSError:
            return False


@dataclass(frozen=True)
class Person:
    """A user of the system who runs programs: with which interpreter, code and installation."""

    account: Account | None
    python: str
    code: Path
    bindir: Path

    def starts_owner(self, room: Room, ending: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python, str(self.code / OWNER.name), str(self.bindir), ending],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": os.defpath, "PYTHONPATH": str(self.code), "TMPDIR": str(room.path)},
            start_new_session=True,
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
        )


@pytest.fixture(scope="session")
def public_folder() -> Iterator[Path]:
    """A folder that everybody may read; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="public-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def room() -> Iterator[Room]:
    with tempfile.TemporaryDirectory(prefix="room-", dir="/tmp") as name:
        path = Path(name)
        path.chmod(0o1777)
        yield Room(path)


@pytest.fixture(scope="session", params=["ourselves", "nobody"] if os.geteuid() == 0 else ["ourselves"])
def person(request: pytest.FixtureRequest, public_folder: Path) -> Person:
    """Who owns a server: root and an ordinary user when we are root, else we ourselves."""
    code = public_folder / request.param
    shutil.copytree(
        Path(pgvigil.__file__).parent, code / "pgvigil", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(OWNER, code)
    installation = find()
    if request.param == "ourselves":
        return Person(None, sys.executable, code, installation.bindir)
    entry = pwd.getpwnam("nobody")
    account = Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    return Person(
        account, python_for(account), code, runnable_by(account, installation, public_folder).bindir
    )


def python_for(account: Account) -> str:
    """Return an interpreter that the account may run: ours may lie under /root."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            test = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
            subprocess.run(test, check=True, cwd="/", user=account.uid, group=account.gid, extra_groups=[])
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    raise RuntimeError(f"{account.name} can run no Python 3.11")
