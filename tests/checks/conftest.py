"""Fixtures for the tests of the built-in checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.checks.examining import Examiner, examiner
from tests.servers import versions_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def examining(database: str) -> Iterator[Examiner]:
    """An examiner of `database`, for tests that run a check again and again."""
    examining = examiner(database)
    yield examining
    examining.target.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the server versions that the markers of a single case don't fit."""
    unfit = [item for item in items if not _fits(item)]
    if unfit:
        config.hook.pytest_deselected(items=unfit)
        items[:] = [item for item in items if item not in unfit]


def _fits(item: pytest.Item) -> bool:
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    version = parameters.get("pg_version")
    return version is None or version in versions_for(item.iter_markers())
