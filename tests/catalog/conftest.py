"""Reading the catalog of the test's database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.target import Target
from tests.target.conftest import reader as reader  # noqa: PLC0414 - a fixture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.catalog import Catalog


@pytest.fixture
def read(database: str) -> Iterator[Callable[[], Catalog]]:
    """`read()`: the catalog as it is now."""
    target = Target("games", database)
    yield target.read_catalog
    target.close()
