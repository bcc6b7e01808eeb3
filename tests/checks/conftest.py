"""Fixtures for the tests of the built-in checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.checks.examining import Examiner, examiner

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def examining(database: str) -> Iterator[Examiner]:
    """An examiner of `database`, for tests that run a check again and again."""
    examining = examiner(database)
    yield examining
    examining.target.close()
