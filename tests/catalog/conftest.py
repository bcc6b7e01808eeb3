"""Reading the catalog of the test's database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.catalog import Change, SchemaState, Scope, constraints_query, made_state
from pgvigil.target import Target
from tests.target.conftest import reader as reader  # noqa: PLC0414 - a fixture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.catalog import Catalog

    Look = Callable[[], SchemaState]


@pytest.fixture
def read(database: str) -> Iterator[Callable[[], Catalog]]:
    """`read()`: the catalog as it is now."""
    target = Target("games", database)
    yield target.read_catalog
    target.close()


@pytest.fixture
def look(database: str) -> Iterator[Look]:
    """`look()`: the state as it is now."""
    target = Target("games", database)

    def seen() -> SchemaState:
        catalog = target.read_catalog(Scope())
        with target.snapshot("test") as snapshot:
            return made_state(catalog, snapshot.fetch(constraints_query()))

    yield seen
    target.close()


def told(changes: tuple[Change, ...]) -> list[str]:
    """Return what is told of changes, with a mark behind what loses something."""
    return [f"{change}{' !' if change.loses else ''}" for change in changes]
