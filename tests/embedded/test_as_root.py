"""PostgreSQL refuses root; root gets a server nevertheless."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.embedded import find, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.embedded.conftest import Room

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="about what root meets")


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder like /root, that nobody else may enter."""
    with tempfile.TemporaryDirectory(prefix="closed-", dir="/tmp") as name:
        yield Path(name)


def test_the_server_runs_as_somebody_else() -> None:
    with serve() as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0


@pytest.mark.parametrize("version", [16, 18])
def test_an_installation_in_a_closed_folder_is_copied(
    closed_folder: Path, room: Room, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    package = find(version).bindir.parents[1]
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(package, closed_folder / package.name)
    shutil.copytree(libraries, closed_folder / libraries.name)
    bindir = closed_folder / find(version).bindir.relative_to(package.parent)
    monkeypatch.setenv("TMPDIR", str(room.path))
    with serve(bindir=bindir) as server, psycopg.connect(server.dsn()) as conn:
        assert conn.info.server_version // 10_000 == version
        program = Path(f"/proc/{server.pid}/exe").readlink()
        assert room.path in program.parents
    monkeypatch.undo()
    room.wait_until_empty()


def test_a_closed_folder_for_temporary_files_is_passed_over(
    closed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(closed_folder))
    with serve() as server:
        assert closed_folder not in server.data_dir.parents
        assert not list(closed_folder.iterdir())


def test_a_closed_working_directory_does_not_matter(
    closed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(closed_folder)
    with serve() as server:
        assert server.pid
