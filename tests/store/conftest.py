"""Stores on both databases."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from pgvigil.store import Store
from tests.databases import fresh_database
from tests.store.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pgvigil.embedded import Server


def store_url(dsn: str) -> str:
    """Write a server's DSN as the configuration's `state`."""
    return dsn.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/pgvigil.db"


@pytest.fixture
def postgres_url(pg_server: Server) -> Iterator[str]:
    with fresh_database(pg_server) as dsn:
        yield store_url(dsn)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, sqlite_url: str, pg_server: Server) -> Iterator[str]:
    """A new, empty store's URL, on each kind of database."""
    if request.param == "sqlite":
        yield sqlite_url
        return
    with fresh_database(pg_server) as dsn:
        yield store_url(dsn)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as store:
        yield store


@pytest.fixture
def daemon() -> Iterator[Callable[[str], Daemon]]:
    """`daemon(url)`: another process with the store open."""
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(Daemon(url))
