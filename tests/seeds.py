"""Seeds of property tests: the first ones in the usual suite, the others in the slow one. CI runs both."""

from __future__ import annotations

from typing import Any

import pytest


def seeds(first: int, usual: int, slow: int) -> list[Any]:
    """Return seeds for parametrize, from `first` on: so many of the usual suite, then so many slow ones."""
    more = range(first + usual, first + usual + slow)
    return [*range(first, first + usual), *(pytest.param(seed, marks=pytest.mark.slow) for seed in more)]
