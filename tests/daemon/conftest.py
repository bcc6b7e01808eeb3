"""Configurations for the daemon, each with a state store of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import broken, sound

__all__ = ["broken", "configured", "sound"]


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Path]:
    """`configured(dsn, …)`: a configuration file of one target."""

    def write(dsn: str, *, every: str = "1s", state: str = "", more: str = "") -> Path:
        file = tmp_path / "pgvigil.yaml"
        file.write_text(
            f"state: {state or f'sqlite:///{tmp_path}/state.db'}\n"
            "web: {listen: '127.0.0.1:0'}\n"
            f"targets:\n  shop:\n    dsn: {dsn}\n    every: {every}\n"
            "    budget: {duty_cycle: 1.0}\n" + more
        )
        return file

    return write
