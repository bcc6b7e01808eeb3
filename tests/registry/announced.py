"""Entry points as an installed distribution would have them, without one."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from itertools import count
from types import ModuleType
from typing import Any

_numbers = count(1)


def announce(*checks: Any, name: str = "checks") -> EntryPoint:
    """Return an entry point that leads to a sequence of checks, or to anything else."""
    module = ModuleType(f"pgvigil_announced_{next(_numbers)}")
    module.CHECKS = checks  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    return EntryPoint(name, f"{module.__name__}:CHECKS", "pgvigil.checks")
