"""Fixtures of real servers and databases.

A test that asks for a database runs on the newest server that fits its markers, such as `pg(">= 18")` or
`contrib`; with the marker `every_pg` it runs on each that fits.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests import bouncer, chromium
from tests.databases import fresh_database, template_database
from tests.memory import keep_temporary_files_in_memory
from tests.servers import (
    BorrowedServers,
    OwnedServers,
    Servers,
    missing,
    private_server,
    required,
    versions_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from pgvigil.embedded import Server

SERVERS = pytest.StashKey[Servers]()


def pytest_configure(config: pytest.Config) -> None:
    worker_input: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker_input is not None:
        config.stash[SERVERS] = BorrowedServers(*worker_input["servers"])
        return
    keep_temporary_files_in_memory()
    config.stash[SERVERS] = OwnedServers()
    if required() and (lacking := missing()):
        raise pytest.UsageError(f"not installed, and required here: {', '.join(lacking)}")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["servers"] = node.config.stash[SERVERS].lend()


def pytest_unconfigure(config: pytest.Config) -> None:
    if SERVERS in config.stash:
        config.stash[SERVERS].close()


def pytest_runtest_setup(item: pytest.Item) -> None:
    # On a slow day CI would be killed before its end, and nothing would be known of anything.
    until = float(os.environ.get("PGVIGIL_SLOW_UNTIL", "inf"))
    if item.get_closest_marker("slow") and time.time() > until:
        pytest.skip("no time is left for it here: `make test-slow` runs it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "pg_version" in metafunc.fixturenames:
        versions = versions_for(metafunc.definition.iter_markers())
        metafunc.parametrize("pg_version", versions, indirect=True, scope="session", ids="pg{}".format)


@pytest.fixture(scope="session")
def pg_version(request: pytest.FixtureRequest) -> int:
    """The major version that the test runs on."""
    version: int = request.param
    return version


@pytest.fixture(scope="session")
def pg_server(request: pytest.FixtureRequest, pg_version: int) -> Server:
    """A server that all tests share: leave it running, and its settings and roles as they are."""
    return request.config.stash[SERVERS].get(pg_version)


@pytest.fixture
def own_server(pg_version: int) -> Iterator[Server]:
    """A server that this test may restart, crash, fill and reconfigure."""
    with private_server(pg_version) as server:
        yield server


@pytest.fixture
def database(pg_server: Server) -> Iterator[str]:
    """The DSN of a new, empty database."""
    with fresh_database(pg_server) as dsn:
        yield dsn


@pytest.fixture
def database_from(pg_server: Server) -> Iterator[Callable[[str, Callable[[str], None]], str]]:
    """`database_from(key, build)`: the DSN of a new copy of what `build(dsn)` made once for this `key`."""
    with ExitStack() as stack:

        def copy(key: str, build: Callable[[str], None]) -> str:
            template = template_database(pg_server, key, build)
            return stack.enter_context(fresh_database(pg_server, template))

        yield copy


@pytest.fixture
def admin_conn(database: str) -> Iterator[psycopg.Connection]:
    """A superuser's connection to `database`, autocommitting: for what a test sets up."""
    with psycopg.connect(database, autocommit=True) as conn:
        yield conn


@pytest.fixture
def pgbouncer(pg_server: Server) -> Iterator[bouncer.PgBouncer]:
    """A PgBouncer in transaction mode in front of `pg_server`."""
    if bouncer.program() is None and not required():
        pytest.skip("PgBouncer is not installed")
    with bouncer.in_front_of(pg_server) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    if chromium.program() is None and not required():
        pytest.skip("Chromium is not installed")
    with chromium.running() as running:
        yield running
