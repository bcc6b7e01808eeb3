"""`pgvigil deployment mark`: tell a running daemon that something was deployed."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from pgvigil.cli.calling import Daemon


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be told, and to whom. `at` is an RFC 3339 time, now when it is None."""

    daemon: Daemon
    version: str
    target: str | None
    at: str | None
    examine: bool


def mark(request: Request) -> None:
    """Tell the daemon; raises PgvigilError when it cannot be reached, UsageError when it refuses."""
    question = {
        "version": request.version,
        "target": request.target,
        "at": request.at,
        "examine": request.examine,
    }
    answer = request.daemon.post("deployments", question)
    for one in answer["deployments"]:
        sys.stdout.write(f"marked {one['target']} {one['version']} at {one['at']}\n")
    ticks = ", ".join(answer["examining"])
    sys.stdout.write(f"examining {ticks}\n" if ticks else "")
