"""A look of `schema_drift` that a command asks for and waits for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pgvigil.check import Outcome
from pgvigil.cli.calling import Daemon
from pgvigil.errors import PgvigilError, UsageError

CHECK = "schema_drift"

_SECONDS = 120.0
_POLL_SECONDS = 0.5
_PAGE = 1000


def only_target(daemon: Daemon, target: str | None) -> str:
    """Return the target that is meant; raises UsageError when it is not there, or there are several."""
    names = sorted(daemon.get("config", {})["targets"])
    listed = ", ".join(names)
    if target is None and len(names) == 1:
        return str(names[0])
    if target is None:
        raise UsageError(f"--target is needed: there are {listed}")
    if target not in names:
        raise UsageError(f"there is no target {target}, only {listed}")
    return target


def look_now(daemon: Daemon, target: str) -> None:
    """Let the check look at a target, and wait until it has seen every schema as it is from now on.

    Raises PgvigilError when it could not, or not in time.
    """
    asked_at = swept_at = None
    deadline = time.monotonic() + _SECONDS
    while True:
        last = _swept_at(daemon, target)
        if asked_at is not None and last is not None and last >= asked_at:
            break
        if asked_at is None or last != swept_at:
            # Again, when a sweep came to its end that had begun before: ours was left out for it.
            at = _moment(daemon.post("runs", {"target": target, "check": CHECK})["at"])
            asked_at, swept_at = asked_at or at, last
        if time.monotonic() > deadline:
            raise PgvigilError(f"{CHECK} has not looked at every schema of {target} within {_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)
    subjects = list(_subjects(daemon, target))
    unseen = [one for one in subjects if one["outcome"] is None or not Outcome(one["outcome"]).completed]
    if unseen:
        which = f"{unseen[0]['name']}: {unseen[0]['error']}"
        raise PgvigilError(f"{CHECK} could not look at {len(unseen)} of {len(subjects)} subjects; {which}")


def _swept_at(daemon: Daemon, target: str) -> datetime | None:
    """Return when the last sweep of the check began that came to its end."""
    for one in daemon.get("checks", {}):
        if (one["target"], one["check"]) == (target, CHECK) and one["swept_at"] is not None:
            return _moment(one["swept_at"])
    return None


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _subjects(daemon: Daemon, target: str) -> Iterator[Mapping[str, Any]]:
    """Yield every subject of the check, a page at a time."""
    offset = 0
    while True:
        narrowed = {"target": target, "check": CHECK, "limit": str(_PAGE), "offset": str(offset)}
        page = daemon.get("subjects", narrowed)
        yield from page
        if len(page) < _PAGE:
            return
        offset += _PAGE
