"""Whole installations, and databases for them to watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.endtoend.shop import building
from tests.endtoend.world import World, configuration, running_world


@pytest.fixture
def shop(database_from: Callable[[str, Callable[[str], None]], str]) -> Callable[..., str]:
    """`shop(relations)`: the DSN of a new database in good order."""
    return lambda relations=1: database_from(f"endtoend_{relations}", building(relations))


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """`installed(targets, …)`: everything running on these databases, every subject examined and passed."""
    with ExitStack() as stack:

        def install(
            targets: dict[str, str], *, direct: bool = False, alertmanagers: int = 1, **settings: Any
        ) -> World:
            def configure(listen: str, urls: Sequence[str]) -> Path:
                return configuration(tmp_path, targets, listen=listen, alertmanagers=urls, **settings)

            running = running_world(tmp_path, configure, direct=direct, alertmanagers=alertmanagers)
            world = stack.enter_context(running)
            world.examined()
            return world

        yield install
