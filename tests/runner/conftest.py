from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.runner import RunLimits, Runner
from pgvigil.target import Limits, Target

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def target(database: str) -> Iterator[Target]:
    target = Target("main", database, Limits(connections=2, statement_timeout=10.0, lock_timeout=0.2))
    yield target
    target.close()


@pytest.fixture
def lone_runner() -> Runner:
    """A runner for plugins that ask nothing: there is no server where it would ask."""
    return Runner(Target("main", "host=127.0.0.1 port=1"), RunLimits(sample=3, run_timeout=60.0))


@pytest.fixture
def runner(target: Target) -> Runner:
    return Runner(target, RunLimits(sample=3, run_timeout=60.0))


@pytest.fixture
def impatient(target: Target) -> Runner:
    """A runner that gives a run up after a moment."""
    return Runner(target, RunLimits(sample=3, run_timeout=0.3))
