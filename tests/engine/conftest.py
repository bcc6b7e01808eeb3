from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from pgvigil.store import Store
from tests.engine.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


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
