"""From the start of the daemon to its first `ready`, on a store that holds the sample's subjects."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

import psycopg

from bench.measure import Measured, measure
from pgvigil.embedded import serve
from pgvigil.embedded.server import free_port
from pgvigil.sample import build, configuration, plant_crisis

_EXAMINED = 'pgvigil_subjects{check="tables",state="passed",target="games"} 106'
_LIBRARIES = (
    "alembic, apscheduler, jinja2, prometheus_client, psycopg, pydantic, sqlalchemy, starlette, uvicorn"
)


def run() -> Measured:
    """Compare with the start of an interpreter that imports the same libraries."""
    with serve() as server, tempfile.TemporaryDirectory() as home:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE games")
        build(server.dsn("games"))
        plant_crisis(server.dsn("games"), seed=1)
        address = f"127.0.0.1:{free_port()}"
        config = Path(home, "pgvigil.yaml")
        state = f"sqlite:///{home}/state.db"
        config.write_text(configuration(server.dsn("games"), state=state, listen=address), encoding="utf-8")
        _daemon(config, address, wait_for=_EXAMINED)
        return measure(
            "the daemon from its start to ready; as a ratio to importing its libraries",
            {
                "import the libraries": _import_libraries,
                "pgvigil run, until ready": lambda: _daemon(config, address),
            },
        )


def _import_libraries() -> None:
    subprocess.run([sys.executable, "-c", f"import {_LIBRARIES}"], check=True)


def _daemon(config: Path, address: str, wait_for: str = "") -> None:
    """Run it until it is ready, or until its metrics hold a text; then kill it, which costs nothing."""
    pgvigil = Path(sys.executable).with_name("pgvigil")
    with subprocess.Popen([pgvigil, "run", "--config", config], stderr=subprocess.DEVNULL) as daemon:
        path = "/metrics" if wait_for else "/-/ready"
        while not (answer := _get(address, path)) or wait_for not in answer:
            time.sleep(0.01)
        daemon.kill()


def _get(address: str, path: str) -> str:
    connection = HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    except OSError:
        return ""
    finally:
        connection.close()
