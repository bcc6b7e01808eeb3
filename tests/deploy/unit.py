"""The systemd unit, read as far as its settings can be put in force without systemd itself."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from functools import cache
from pathlib import Path

FILE = Path(__file__).parents[2] / "deploy/systemd/pgvigil.service"


@cache
def settings(section: str) -> dict[str, list[str]]:
    """Return the settings of a section; one that is given several times has several values."""
    found: dict[str, list[str]] = defaultdict(list)
    current = ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = line.strip("[]")
        elif current == section and "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found[key].append(value)
    return dict(found)


def one(key: str, section: str = "Service") -> str:
    """Return the only value of a setting."""
    (value,) = settings(section)[key]
    return value


def system_calls() -> set[str]:
    """Return the names of the system calls that the unit allows, at least for some arguments."""
    allowed: set[str] = set()
    for value in settings("Service")["SystemCallFilter"]:
        names = set().union(*(_expanded(name) for name in value.removeprefix("~").split()))
        allowed = allowed - names if value.startswith("~") else allowed | names
    return allowed - {"unshare", "setns"} if one("RestrictNamespaces") == "yes" else allowed


def _expanded(name: str) -> set[str]:
    """Resolve a group of system calls, and the groups within it."""
    if not name.startswith("@"):
        return {name}
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    )
    members = [line.strip() for line in listed.stdout.splitlines() if line.startswith(" ")]
    return set().union(*(_expanded(member) for member in members if not member.startswith("#")))
