"""A real PgBouncer in transaction mode, as many production databases have in front."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from configparser import ConfigParser
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg.conninfo import make_conninfo

from pgvigil.embedded.account import stand_in
from pgvigil.embedded.directory import guarded_directory
from pgvigil.embedded.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.embedded import Server

START_SECONDS = 10.0

CONFIG = """\
[databases]
* = host={server.host} port={server.port}
[pgbouncer]
pool_mode = transaction
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {home}/userlist.txt
logfile = {home}/pgbouncer.log
pidfile = {home}/pgbouncer.pid
max_client_conn = 200
default_pool_size = 10
"""


@dataclass(frozen=True)
class PgBouncer:
    """A running PgBouncer and the server behind it."""

    port: int
    server: Server
    log_file: Path

    def dsn(self, dbname: str) -> str:
        """Return how to reach a database of the server through it."""
        return self.through(self.server.dsn(dbname))

    def through(self, dsn: str) -> str:
        """Return the DSN of the same database and user, through it."""
        return make_conninfo(dsn, host="127.0.0.1", port=self.port)


def program() -> str | None:
    """Return PgBouncer's program; Debian keeps it where only root has its PATH."""
    return shutil.which("pgbouncer", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))


@contextmanager
def in_front_of(server: Server, more: str = "") -> Iterator[PgBouncer]:
    """Run a PgBouncer for the time of the block. It goes by itself when this process is killed.

    `more` is a configuration, too; what it says has precedence.
    """
    account = stand_in()
    with guarded_directory("pgbouncer.pid", account) as home:
        port = free_port()
        (home.path / "userlist.txt").write_text(f'"{server.user}" "{server.password}"\n')
        # Merged by us: a second section [pgbouncer] would forget what the first one says.
        settings = ConfigParser(interpolation=None, delimiters="=")
        settings.read_string(CONFIG.format(server=server, port=port, home=home.path))
        settings.read_string(more)
        with (home.path / "pgbouncer.ini").open("w") as file:
            settings.write(file)
        for path in home.path.iterdir():
            path.chmod(0o600)
            if account:
                os.chown(path, account.uid, account.gid)
        process = subprocess.Popen(
            [program() or "pgbouncer", "-q", str(home.path / "pgbouncer.ini")],
            cwd=home.path,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        try:
            bouncer = PgBouncer(port, server, home.path / "pgbouncer.log")
            _wait_for(bouncer, process)
            yield bouncer
        finally:
            process.kill()
            process.wait()


def _wait_for(bouncer: PgBouncer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", bouncer.port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"PgBouncer does not start: {bouncer.log_file.read_text()}")
