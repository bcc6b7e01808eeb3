"""Whether what is to be written still counts, by the time that it can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Still: TypeAlias = Callable[[], bool]
"""Tells whether what is to be written still counts."""


def always() -> bool:
    """Say that it does."""
    return True
