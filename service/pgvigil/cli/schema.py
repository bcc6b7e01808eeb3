"""`pgvigil schema`: what is accepted of the schemas that a running daemon watches."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence

from pgvigil.cli.calling import Daemon
from pgvigil.cli.output import visible
from pgvigil.errors import PgvigilError, UsageError

_CHECK = "schema_drift"
_LOOK_SECONDS = 120.0
_POLL_SECONDS = 0.5


def show(daemon: Daemon, target: str | None, output: str) -> None:
    """List the schemas, and whether each is as it was accepted; raises as `Daemon.get` does."""
    found = daemon.get("acceptances", {"target": target, "check": _CHECK})
    if output == "json":
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return
    for one in found:
        who = f"accepted by {one['accepted_by']}" if one["accepted_by"] else "as first seen"
        stands = "gone" if one["gone"] else "differs" if one["differs"] else "the same"
        line = f"{one['target']}  {one['subject']}  {stands}, {who} at {one['accepted_at']}"
        sys.stdout.write(visible(line) + "\n")
    if not found:
        sys.stdout.write("no schema has been looked at yet\n")


def accept(daemon: Daemon, target: str | None, schemas: Sequence[str], *, look: bool) -> None:
    """Accept schemas as they were seen last, all that differ if none is named; raises as `Daemon.post` does.

    With `look` the check looks first; raises PgvigilError when that takes too long.
    """
    if look:
        _look(daemon, target)
    accepted = 0
    for schema in schemas or (None,):
        answer = daemon.post("acceptances", {"target": target, "check": _CHECK, "subject": schema})
        for one in answer["accepted"]:
            sys.stdout.write(visible(f"accepted {one['subject']} on {one['target']}") + "\n")
            accepted += 1
    if not accepted:
        sys.stdout.write("nothing differs from what is accepted\n")


def _look(daemon: Daemon, target: str | None) -> None:
    """Let the check run, and wait until it has looked at every schema."""
    names = [target] if target is not None else [one["name"] for one in daemon.get("targets", {})]
    if len(names) != 1:
        raise UsageError(f"--target is needed: there are {', '.join(names) or 'none'}")
    before = _looked_at(daemon, names[0])
    daemon.post("runs", {"target": names[0], "check": _CHECK})
    deadline = time.monotonic() + _LOOK_SECONDS
    while any(at is None or at == before.get(name) for name, at in _looked_at(daemon, names[0]).items()):
        if time.monotonic() > deadline:
            raise PgvigilError(f"{_CHECK} has not looked at every schema within {_LOOK_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)


def _looked_at(daemon: Daemon, target: str) -> dict[str, str | None]:
    """Return when each schema was looked at last."""
    subjects = daemon.get("subjects", {"target": target, "check": _CHECK, "limit": "1000"})
    return {one["name"]: one["finished_at"] for one in subjects}
