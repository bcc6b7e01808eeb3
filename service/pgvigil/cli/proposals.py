"""`pgvigil proposals`: what a running daemon proposes, and what a person says of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pgvigil.cli.calling import Daemon
from pgvigil.cli.output import counted, visible

Decision = Literal["adopt", "reject"]


def show(daemon: Daemon, target: str | None, state: str | None, output: str) -> None:
    """List proposals; raises PgvigilError and UsageError as `Daemon.get` does."""
    found = daemon.get("proposals", {"target": target, "state": state})
    if output == "json":
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return
    for one in found:
        sys.stdout.write("\n".join(_lines(one)) + "\n")
    if not found:
        sys.stdout.write(f"no proposals{f' are {state}' if state else ''}\n")


def decide(daemon: Daemon, decision: Decision, proposals: Sequence[str], note: str) -> None:
    """Adopt or reject proposals, one after the other; raises as `Daemon.post` does."""
    for one in proposals:
        decided = daemon.post(f"proposals/{quote(one, safe='')}/{decision}", {"note": note})
        sys.stdout.write(f"{decided['decision']} {visible(decided['subject'])}\n")


def bring(daemon: Daemon, target: str | None, file: Path, relations: Sequence[str], *, adopt: bool) -> None:
    """Bring relations that a file holds; raises as `Daemon.post` does."""
    told = {"target": target, "source": file.name, "relations": list(relations), "adopt": adopt}
    answer = daemon.post("proposals", told)
    known = answer["offered"] - answer["added"]
    sys.stdout.write(
        f"{counted(answer['added'], 'relation')} added to target {answer['target']},"
        f" {known} known before; {answer['adopted']} adopted\n"
    )


def _lines(one: dict[str, Any]) -> list[str]:
    said = f", by {one['decided_by']}" if one["decided_by"] else ""
    head = f"{one['id']}  {one['probability']:4.0%}  {one['state']}{said}  {one['target']}: {one['subject']}"
    return [visible(head), *(f"      {visible(line)}" for line in one["evidence"])]
