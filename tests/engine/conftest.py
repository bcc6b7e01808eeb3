from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from pgvigil.embedded import serve
from pgvigil.store import Store
from tests.databases import fresh_database
from tests.engine.gated import QUIET
from tests.engine.world import World
from tests.servers import by_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pgvigil.embedded import Server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/state.db") as store:
        yield store


@pytest.fixture
def world_of(store: Store) -> Iterator[Callable[..., World]]:
    """`world_of(watch, …)`: an engine over these watches and a real store."""
    with ExitStack() as stack:

        def make(*watches: object) -> World:
            world = World(store, watches)  # type: ignore[arg-type]
            stack.callback(world.close)
            return world

        yield make


@pytest.fixture(scope="module")
def quiet_server(pg_version: int) -> Iterator[Server]:
    """A server on which nothing is written unless a test of this module does so."""
    with serve(bindir=by_version()[pg_version].bindir, settings=QUIET) as server:
        yield server


@pytest.fixture
def quiet(quiet_server: Server) -> Iterator[str]:
    """The DSN of a new database of it."""
    with fresh_database(quiet_server) as dsn:
        yield dsn
