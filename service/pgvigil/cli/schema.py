"""`pgvigil schema`: what is accepted of the schemas that a running daemon watches."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from pgvigil.cli.calling import Daemon
from pgvigil.cli.output import visible

_CHECK = "schema_drift"


def show(daemon: Daemon, target: str | None, output: str) -> None:
    """List the schemas, and whether each is as it was accepted; raises as `Daemon.get` does."""
    found = daemon.get("acceptances", {"target": target, "check": _CHECK})
    if output == "json":
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return
    for one in found:
        who = f"accepted by {one['accepted_by']}" if one["accepted_by"] else "as first seen"
        stands = "differs" if one["differs"] else "the same"
        line = f"{one['target']}  {one['subject']}  {stands}, {who} at {one['accepted_at']}"
        sys.stdout.write(visible(line) + "\n")
    if not found:
        sys.stdout.write("no schema has been looked at yet\n")


def accept(daemon: Daemon, target: str | None, schemas: Sequence[str]) -> None:
    """Accept schemas as they are, all that differ if none is named; raises as `Daemon.post` does."""
    for schema in schemas or (None,):
        answer = daemon.post("acceptances", {"target": target, "check": _CHECK, "subject": schema})
        for one in answer["accepted"]:
            sys.stdout.write(visible(f"accepted {one['subject']} on {one['target']}") + "\n")
