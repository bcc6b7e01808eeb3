"""Plugins of other distributions, built and installed as pip would for anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture(scope="session")
def install(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`install(name)`: the folder into which the plugin of that name was installed, once."""
    installed: dict[str, Path] = {}

    def install(name: str) -> Path:
        if name not in installed:
            installed[name] = tmp_path_factory.mktemp(name)
            _pip_install(PLUGINS / name, installed[name])
        return installed[name]

    return install


@pytest.fixture
def python(install: Callable[[str], Path]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`python(code, plugins, *arguments)`: run code in a process where these plugins are installed."""

    def python(code: str, plugins: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
        folders = os.pathsep.join(str(install(name)) for name in plugins)
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env={**os.environ, "PYTHONPATH": folders},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return python


def _pip_install(project: Path, folder: Path) -> None:
    # Nothing is fetched: the project stands alone, and its build backend is here.
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(folder), str(project)],
        check=True,
        timeout=120,
    )
