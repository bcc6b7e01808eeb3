"""A copy of an installation, for when we are root and its folder is closed to everybody else."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from pgvigil.embedded.account import run
from pgvigil.errors import EmbeddedError

if TYPE_CHECKING:
    from pathlib import Path

    from pgvigil.embedded.account import Account
    from pgvigil.embedded.installations import Installation

_FOLDERS = ("bin", "lib", "share")


def runnable_by(account: Account | None, installation: Installation, home: Path) -> Installation:
    """Return the installation if `account` can run it, else a copy of it in `home` that it can.

    A virtualenv under /root is the usual reason. PostgreSQL finds its files from where its programs are.
    """
    if account is None or _runs(installation, account):
        return installation
    prefix = installation.bindir.parent
    copied_prefix = home / prefix.parent.name / prefix.name
    _make_directory(copied_prefix.parent, account)
    _make_directory(copied_prefix, account)
    for folder in _FOLDERS:
        _copy(prefix / folder, copied_prefix / folder, account)
    # A wheel keeps the libraries it was built with beside its package, where its rpath looks for them.
    libraries = prefix.parent.with_name(f"{prefix.parent.name}.libs")
    if libraries.is_dir():
        _copy(libraries, home / libraries.name, account)
    copied = replace(installation, bindir=copied_prefix / "bin")
    if not _runs(copied, account):
        raise EmbeddedError(
            f"user {account.name} can run {installation.bindir} neither there nor from a copy"
        )
    return copied


def _runs(installation: Installation, account: Account) -> bool:
    try:
        answers = [
            run([installation.bindir / program, "--version"], account) for program in ("postgres", "initdb")
        ]
    except EmbeddedError:
        return False
    return all(answer.returncode == 0 for answer in answers)


def _copy(source: Path, target: Path, account: Account) -> None:
    # Given away at once, piece by piece: the guard has only the rights of `account` to remove it with.
    _make_directory(target, account)
    for entry in source.iterdir():
        if entry.is_dir():
            _copy(entry, target / entry.name, account)
        else:
            shutil.copy(entry, target / entry.name)
            os.chown(target / entry.name, account.uid, account.gid)


def _make_directory(path: Path, account: Account) -> None:
    path.mkdir()
    os.chown(path, account.uid, account.gid)
