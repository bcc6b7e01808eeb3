"""The daemon in the world that its systemd unit leaves it, with a service manager that listens."""

from __future__ import annotations

import ctypes.util
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from tests.cli.command import PROGRAM
from tests.deploy import unit

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OWN_MOUNTS = ("unshare", "--mount", "--ipc", "--propagation", "private")
UID = 61234  # of those that systemd gives to dynamic users
PYTHON = Path(sys.executable)
PATIENCE_SECONDS = 60.0
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "PYTHONDONTWRITEBYTECODE": "1"}


def lacking() -> str:
    """Return what this host has not of what the world is made of."""
    if os.geteuid() != 0:
        return "root"
    programs = ("systemd-analyze", "unshare", "setpriv", "mount")
    missing = [program for program in programs if shutil.which(program) is None]
    if not ctypes.util.find_library("seccomp"):
        missing.append("libseccomp2")
    if not missing and subprocess.run([*OWN_MOUNTS, "true"], capture_output=True, check=False).returncode:
        missing.append("the right to a mount namespace")
    return ", ".join(missing)


@dataclass
class Service:
    """A running daemon, and what it told its service manager."""

    process: subprocess.Popen[bytes]
    manager: socket.socket
    log: Path

    def told(self, state: str) -> dict[str, str]:
        """Wait for a message with this state and return all of it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                message = self.manager.recv(4096).decode()
            except TimeoutError:
                continue
            fields = dict(line.split("=", 1) for line in message.split("\n"))
            if fields.get(state) == "1":
                return fields
        raise AssertionError(f"never told {state}; its log: {self.log.read_text()}")

    def until_metrics(self, line: str) -> str:
        """Wait until the metrics have this line and return them."""
        address = re.findall(r'"url": "(\S+)", "event": "console and metrics"', self.log.read_text())[0]
        deadline = time.monotonic() + PATIENCE_SECONDS
        page = ""
        while line not in page and time.monotonic() < deadline:
            with urlopen(f"{address}metrics", timeout=10) as answer:  # noqa: S310 - our own loopback
                page = answer.read().decode()
        assert line in page
        return page


@contextmanager
def service(tmp_path: Path, config: str, dsn: str, *, watchdog_seconds: float) -> Iterator[Service]:
    """Run `pgvigil run` on a configuration under the restrictions of the unit, for the time of the block."""
    (etc := tmp_path / "etc").mkdir()
    (etc / "pgvigil.yaml").write_text(config, encoding="utf-8")
    command = confined(tmp_path, dsn, [str(PROGRAM), "run", "--config", str(etc / "pgvigil.yaml")])
    address = f"@pgvigil-{secrets.token_hex(8)}"
    environment = ENVIRONMENT | {
        "NOTIFY_SOCKET": address,
        "WATCHDOG_USEC": str(round(watchdog_seconds * 1e6)),
    }
    log = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, log.open("wb") as stderr:
        manager.bind(address.replace("@", "\0", 1))
        manager.settimeout(0.5)
        with subprocess.Popen(command, stderr=stderr, env=environment) as process:
            try:
                yield Service(process, manager, log)
            finally:
                if process.poll() is None:
                    process.kill()


def confined(tmp_path: Path, credential: str, program: list[str]) -> list[str]:
    """Return the command that runs a program, which sees `tmp_path / "etc"`, under those restrictions."""
    etc, state, credentials = (tmp_path / name for name in ("etc", "state", "credentials"))
    for directory in (etc, state, credentials):
        directory.mkdir(exist_ok=True)
    (credentials / "dsn").write_text(credential, encoding="utf-8")
    allowed = {"calls": sorted(unit.system_calls()), "families": unit.one("RestrictAddressFamilies").split()}
    (etc / "filter.json").write_text(json.dumps(allowed), encoding="utf-8")
    seen = sorted({str(ROOT), sys.base_prefix, sys.prefix, str(etc)})
    world = [str(HERE / "confined.sh"), str(UID), str(state), str(credentials), *seen, "--"]
    return [*OWN_MOUNTS, *world, str(PYTHON), str(HERE / "seccomp.py"), str(etc / "filter.json"), *program]
