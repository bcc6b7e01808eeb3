"""Server programs that tests run for real: unprivileged, on loopback, in a directory of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from pgvigil.embedded.account import stand_in
from pgvigil.embedded.directory import guarded_directory
from tests.servers import required

START_SECONDS = 30.0
STOP_SECONDS = 15.0
_PIDFILE = "server.pid"


@dataclass
class Home:
    """A directory that belongs to the user as whom the programs run; all of it goes at the end."""

    path: Path
    owner: tuple[int, int] | None

    def write(self, name: str, text: str) -> Path:
        """Write a file that the program can read."""
        file = self.path / name
        file.write_text(text, encoding="utf-8")
        if self.owner:
            os.chown(file, *self.owner)
        return file


@dataclass
class Background:
    """A program that serves HTTP at `url`. It goes by itself when this process is killed."""

    command: Sequence[str]
    url: str
    home: Home
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> str:
        """What it has printed so far."""
        file = self.home.path / "server.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    @property
    def pid(self) -> int:
        """The process id; it must be running."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, with the data that it had before; return when it is ready."""
        uid, gid = self.home.owner or (None, None)
        with (self.home.path / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.home.path,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=uid,
                group=gid,
                extra_groups=[] if self.home.owner else None,
            )
        (self.home.path / _PIDFILE).write_text(f"{self._process.pid}\n")
        self.wait_until_ready()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it and wait until it is gone; its data stay, for another `start`."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        (self.home.path / _PIDFILE).unlink(missing_ok=True)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.stop(signal.SIGKILL)

    def wait_until_ready(self) -> None:
        """Wait until it answers that it is ready."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.running:
            try:
                self.ask("/-/ready")
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError(f"{self.command[0]} does not start: {self.log}")

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """Ask over HTTP, with `body` as JSON if there is one; return JSON, or text if it is none."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(  # noqa: S310 - our own loopback
            self.url + path, data=data, headers={"Content-Type": "application/json"}, method=method
        )
        try:
            with urlopen(request, timeout=START_SECONDS) as answer:  # noqa: S310
                text = answer.read().decode()
        except HTTPError as error:
            raise URLError(f"{error.code} {error.read().decode(errors='replace')}") from error
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text


def program(*names: str) -> str:
    """Return the path of the first of these programs that is installed; skip the test when none is."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        if required():
            raise RuntimeError(f"not installed, and required here: {names[0]}")
        pytest.skip(f"{names[0]} is not installed")
    return found


@contextmanager
def home_of_a_server(files: Mapping[str, str]) -> Iterator[Home]:
    """Make a directory with these files, by name, for the time of the block."""
    account = stand_in()
    with guarded_directory(_PIDFILE, account) as guarded:
        home = Home(guarded.path, (account.uid, account.gid) if account else None)
        for name, text in files.items():
            home.write(name, text)
        yield home
