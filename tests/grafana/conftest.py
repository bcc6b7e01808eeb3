"""What Node brings: Grafana's packages, and the page that they are bundled into."""

from __future__ import annotations

import fcntl
import subprocess
from pathlib import Path

import pytest

from tests.background import program
from tests.grafana.recording import PAGE

ROOT = Path(__file__).parents[2] / "grafana"


def npm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run npm where Grafana's packages are."""
    return subprocess.run([program("npm"), *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def packages() -> Path:
    """Grafana's packages, as the lock has them; installed when they are not there yet."""
    program("npm")
    installed = ROOT / "node_modules" / ".package-lock.json"
    with (ROOT / "package-lock.json").open() as lock:
        # Several processes run the tests.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < (ROOT / "package-lock.json").stat().st_mtime:
            answer = npm("ci")
            assert answer.returncode == 0, answer.stderr
    return ROOT / "node_modules"


@pytest.fixture(scope="session")
def page(packages: Path) -> Path:
    """The page that draws dashboards."""
    with (ROOT / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = npm("run", "--silent", "bundle")
        assert answer.returncode == 0, answer.stdout + answer.stderr
    return PAGE
