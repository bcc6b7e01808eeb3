"""Running the programs of PostgreSQL as somebody it accepts: it refuses root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pgvigil.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Account:
    """The unprivileged user that stands in for root."""

    name: str
    uid: int
    gid: int


def stand_in() -> Account | None:
    """Return the user to run a server as when we are root: `postgres`, else `nobody`. None when we aren't."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedError("PostgreSQL refuses to run as root, and this host has no user postgres or nobody")


def run(
    command: Sequence[str | Path],
    account: Account | None = None,
    *,
    cwd: Path = Path("/"),
    keep_open: Sequence[int] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a program of PostgreSQL to its end, as `account` or as ourselves, and capture what it prints.

    It gets a session of its own, so that the terminal's Ctrl-C reaches us alone: we stop it in good order.
    Raises EmbeddedError when it cannot be started; its exit status is for the caller to judge.
    """
    try:
        return subprocess.run(
            command,
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            cwd=cwd,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=keep_open,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except OSError as error:
        whom = f" as user {account.name}" if account else ""
        raise EmbeddedError(f"cannot run {command[0]}{whom}: {error.strerror}") from error


def _environment() -> dict[str, str]:
    # PGPORT, PGOPTIONS and their like would change what we start; messages are parsed, so in English.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}
