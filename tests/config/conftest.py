"""A configuration file that tests write and load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.config import load
from pgvigil.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pgvigil.config import Config


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Config]:
    """`read(text, NAME="value", …)` loads a file of that content, in that environment."""

    def read(text: str | bytes, **environ: str) -> Config:
        return load(written(tmp_path, text), environ)

    return read


@pytest.fixture
def complaint(tmp_path: Path) -> Callable[..., str]:
    """`complaint(text, NAME="value", …)` is what a person is told about a file; its name is left out."""

    def complaint(text: str | bytes, **environ: str) -> str:
        return complaint_of(tmp_path, text, environ)

    return complaint


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "pgvigil.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def complaint_of(folder: Path, text: str | bytes, environ: Mapping[str, str]) -> str:
    path = written(folder, text)
    with pytest.raises(ConfigError) as caught:
        load(path, environ)
    assert caught.value.exit_status == 2
    lines = str(caught.value).splitlines()
    assert all(line.startswith(str(path)) for line in lines)
    return "\n".join(line.removeprefix(str(path)).removeprefix(":") for line in lines)
