"""The PostgreSQL servers that the tests run on: one of each version for a whole run, whatever its processes.

The process that pytest was started as owns them, so that they live as long as the run. xdist's workers ask it
for one over a loopback connection; the first to ask for a version waits for its start.
"""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import cache
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from threading import Thread
from typing import TYPE_CHECKING, Protocol

from packaging.specifiers import SpecifierSet

from pgvigil.embedded import Installation, Server, installations, serve
from pgvigil.embedded.account import run, stand_in
from pgvigil.embedded.directory import guarded_directory
from pgvigil.embedded.server import free_port
from pgvigil.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pytest

SETTINGS = {
    "max_connections": "200",
    "max_prepared_transactions": "20",
    "wal_level": "logical",
    "max_worker_processes": "16",
    # Its files may be in memory.
    "max_wal_size": "256MB",
}

_OF_THE_EXTRA = {16, 18}


@cache
def by_version() -> dict[int, Installation]:
    """Return what the tests run on, by major version: the extra's, and those of the system, with contrib."""
    found = {each.version: each for each in reversed(installations()) if each.source == "extra"}
    return found | {each.version: each for each in reversed(installations()) if each.source == "system"}


def missing() -> list[str]:
    """Return what is not installed of the servers that a complete run needs."""
    lacking = [f"PostgreSQL {version}" for version in sorted(_OF_THE_EXTRA - by_version().keys())]
    if not any(has_contrib(version) for version in by_version()):
        lacking.append("PostgreSQL of the system with contrib")
    return lacking


def required() -> bool:
    """Tell whether a missing server is a failure: in CI it is."""
    return os.environ.get("CI") == "true" or os.environ.get("PGVIGIL_REQUIRE_SERVERS") == "1"


def has_contrib(version: int) -> bool:
    """Tell whether the server of this version has citext, postgres_fdw and their like."""
    return by_version()[version].source != "extra"


def versions_for(markers: Iterable[pytest.Mark]) -> list[int]:
    """Return the versions that a test with these markers runs on, the newest of those that fit by default."""
    fitting = sorted(by_version())
    every, newest = False, False
    for marker in markers:
        if marker.name == "pg":
            spec = SpecifierSet(*marker.args)
            fitting = [version for version in fitting if spec.contains(str(version))]
        elif marker.name == "contrib":
            fitting = [version for version in fitting if has_contrib(version)]
        elif marker.name == "every_pg":
            every = True
        elif marker.name == "newest_pg":
            newest = True
    return fitting if every and not newest else fitting[-1:]


def private_server(version: int) -> AbstractContextManager[Server]:
    """Return a fresh server of a tested version, set up as the shared ones are."""
    return serve(bindir=by_version()[version].bindir, settings=SETTINGS)


@contextmanager
def standby_of(primary: Server, settings: Mapping[str, str]) -> Iterator[Server]:
    """Run a hot standby that streams from `primary`, for the time of the block."""
    account = stand_in()
    with guarded_directory("data/postmaster.pid", account) as home:
        data_dir = home.path / "data"
        command: list[str | Path] = [primary._bindir / "pg_basebackup", "--pgdata", data_dir]
        command += ["--dbname", primary.dsn(), "--write-recovery-conf", "--checkpoint", "fast", "--no-sync"]
        answer = run(command, account, cwd=home.path)
        if answer.returncode != 0:
            raise RuntimeError(f"pg_basebackup failed: {answer.stderr}")
        with (data_dir / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        standby = replace(primary, port=free_port(), data_dir=data_dir)
        standby.start()
        yield standby


class Servers(Protocol):
    """Where a test process gets the shared servers from."""

    def get(self, version: int) -> Server: ...

    def close(self) -> None: ...


class OwnedServers:
    """The servers of this process, each started when it is first asked for."""

    def __init__(self) -> None:
        self._running: dict[int, Server] = {}
        self._lent: tuple[int, bytes] | None = None
        self._stack = ExitStack()

    def get(self, version: int) -> Server:
        if version not in self._running:
            self._running[version] = self._stack.enter_context(private_server(version))
        return self._running[version]

    def lend(self) -> tuple[int, bytes]:
        """Start to answer other processes; return the port and the key that `BorrowedServers` needs."""
        if self._lent is None:
            key = secrets.token_bytes(32)
            listener = Listener(("127.0.0.1", 0), authkey=key)
            self._lent = listener.address[1], key
            thread = Thread(target=self._answer, args=[listener], name="servers", daemon=True)
            thread.start()
            self._stack.callback(thread.join)
            self._stack.callback(_ask, *self._lent, None)
        return self._lent

    def close(self) -> None:
        self._stack.close()

    def _answer(self, listener: Listener) -> None:
        """Answer one process after the other until one sends None, which only `close` does."""
        version: int | None = 0
        while version is not None:
            # A stranger, or a worker that was killed while it waited.
            with suppress(AuthenticationError, OSError, EOFError), listener.accept() as connection:
                version = connection.recv()
                if version is not None:
                    connection.send(self._try_to_get(version))
        listener.close()

    def _try_to_get(self, version: int) -> Server | EmbeddedError:
        try:
            return self.get(version)
        except EmbeddedError as error:
            return error


class BorrowedServers:
    """The servers of the process that started this one."""

    def __init__(self, port: int, key: bytes) -> None:
        self._port = port
        self._key = key

    def get(self, version: int) -> Server:
        answer = _ask(self._port, self._key, version)
        if isinstance(answer, Server):
            return answer
        raise answer or EmbeddedError("the owner of the servers has gone")

    def close(self) -> None:
        pass


def _ask(port: int, key: bytes, version: int | None) -> Server | EmbeddedError | None:
    with Client(("127.0.0.1", port), authkey=key) as connection:
        connection.send(version)
        return None if version is None else connection.recv()
