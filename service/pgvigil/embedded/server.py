"""One private server: made, started, and handed to the caller until it is no longer needed."""

from __future__ import annotations

import os
import re
import secrets
import socket
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from pgvigil.embedded.account import run, stand_in
from pgvigil.embedded.complaint import last_complaint
from pgvigil.embedded.directory import guarded_directory
from pgvigil.embedded.installations import find
from pgvigil.embedded.relocation import runnable_by
from pgvigil.errors import EmbeddedError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pgvigil.embedded.account import Account
    from pgvigil.embedded.directory import GuardedDirectory
    from pgvigil.embedded.installations import Installation

StopMode = Literal["smart", "fast", "immediate"]

HOST: Final = "127.0.0.1"
SUPERUSER: Final = "postgres"

# Its data need not survive the machine, only an immediate stop of the server: commits stay synchronous.
DEFAULT_SETTINGS: Final[Mapping[str, str]] = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "timezone": "UTC",
}

# Below the ports that kernels hand out to clients, so that a restarted server finds its port still free.
_PORTS: Final = range(15_000, 32_000)
_PORT_ATTEMPTS: Final = 10
_PORT_TAKEN: Final = "Address already in use"
_STILL_ENDING: Final = re.compile("is still in use|lock file .* already exists")
_ENDING_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Server:
    """A running server with a superuser `user` who has a `password`.

    `version` is the major version; `data_dir` may belong to another user when we are root.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    data_dir: Path
    version: int
    _bindir: Path = field(repr=False)
    _account: Account | None = field(repr=False)

    @property
    def pid(self) -> int:
        """The process id of the postmaster. Raises EmbeddedError when the server is stopped."""
        try:
            return int((self.data_dir / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError) as error:
            raise EmbeddedError(f"the server on port {self.port} is not running") from error

    @property
    def log_file(self) -> Path:
        """What the server logs."""
        return self.data_dir.parent / "server.log"

    def dsn(self, dbname: str = "postgres") -> str:
        """Return the URI, with the password, of one of its databases."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{quote(dbname, safe='')}"

    def start(self) -> None:
        """Start the server, on the same port as before; return when it accepts connections.

        Raises EmbeddedError with the last complaint of its log when it does not come up.
        """
        deadline = time.monotonic() + _ENDING_SECONDS
        while (complaint := self._try_to_start()) is not None:
            # A postmaster that was killed, and its backends, need a moment to be gone.
            if not _STILL_ENDING.search(complaint) or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL {self.version} does not start: {complaint}")
            time.sleep(0.1)

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server; return when it is down. Its data stay, for another `start`."""
        answer = self._pg_ctl("stop", "--mode", mode)
        if answer.returncode != 0:
            raise EmbeddedError(f"PostgreSQL {self.version} does not stop: {last_complaint(answer.stderr)}")

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop and start again; `immediate` is as good as a crash, with recovery at the start."""
        self.stop(mode)
        self.start()

    def _try_to_start(self) -> str | None:
        """Return why it does not start, None when it did."""
        logged_before = self.log_file.stat().st_size if self.log_file.exists() else 0
        answer = self._pg_ctl("start", "--log", self.log_file, "--options", f"-p {self.port}")
        if answer.returncode == 0:
            return None
        with self.log_file.open("rb") as log:
            log.seek(logged_before)
            return last_complaint(log.read().decode(errors="replace") or answer.stderr)

    def _pg_ctl(self, action: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
        command = [self._bindir / "pg_ctl", action, "--wait", "--pgdata", self.data_dir, *options]
        return run(command, self._account, cwd=self.data_dir.parent)


@contextmanager
def serve(
    version: int | None = None, bindir: Path | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run a fresh server for the time of the `with` block.

    The installation is the one in `bindir`, or the newest of this host that has the major `version`.
    `settings` are those of postgresql.conf; they add to the defaults for a short life and override them.
    Databases are UTF8, in the C locale, which every host has. Raises EmbeddedError when no server can be had.
    """
    installation = find(version, bindir)
    account = stand_in()
    with guarded_directory("data/postmaster.pid", account) as home:
        installation = runnable_by(account, installation, home.path)
        password = secrets.token_urlsafe(18)
        _make_data(home, installation, account, password)
        _configure(home.path / "data", {**DEFAULT_SETTINGS, **(settings or {})})
        yield _started(
            Server(
                host=HOST,
                port=free_port(),
                user=SUPERUSER,
                password=password,
                data_dir=home.path / "data",
                version=installation.version,
                _bindir=installation.bindir,
                _account=account,
            )
        )


def _make_data(
    home: GuardedDirectory, installation: Installation, account: Account | None, password: str
) -> None:
    password_file = home.path / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if account is not None:
        os.chown(password_file, account.uid, account.gid)
    command: list[str | Path] = [installation.bindir / "initdb", "--pgdata", home.path / "data"]
    command += ["--username", SUPERUSER, "--pwfile", password_file, "--auth", "scram-sha-256"]
    command += ["--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"]
    # initdb holds the lifeline as well, so that the guard never removes the directory under its hands.
    answer = run(command, account, cwd=home.path, keep_open=[home.lifeline])
    if answer.returncode != 0:
        raise EmbeddedError(f"initdb of {installation.bindir} failed: {last_complaint(answer.stderr)}")
    password_file.unlink()


def _configure(data_dir: Path, settings: Mapping[str, str]) -> None:
    with (data_dir / "postgresql.conf").open("a") as conf:
        for name, value in settings.items():
            escaped = value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n")
            conf.write(f"{name} = '{escaped}'\n")


def _started(server: Server) -> Server:
    for _ in range(_PORT_ATTEMPTS):
        try:
            server.start()
        except EmbeddedError as error:
            if _PORT_TAKEN not in str(error):
                raise
            server = replace(server, port=free_port())
        else:
            return server
    raise EmbeddedError(f"found no free port on {HOST} in {_PORT_ATTEMPTS} attempts")


def free_port() -> int:
    """Return a port that was free a moment ago; somebody else may still be faster."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
