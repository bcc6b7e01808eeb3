"""The sample at scale 1, built once for every server."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from pgvigil.sample import build

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def sample(database_from: Callable[[str, Callable[[str], None]], str]) -> str:
    """The DSN of a healthy sample of this test's own."""
    return database_from("sample", partial(build, scale=1, seed=1))
