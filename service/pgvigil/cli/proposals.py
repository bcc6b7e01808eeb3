"""`pgvigil proposals`: what a running daemon proposes, and what a person says of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pgvigil.catalog import Catalog
from pgvigil.cli import source
from pgvigil.cli.calling import Daemon
from pgvigil.cli.output import visible
from pgvigil.imports import Kind, imported_relations
from pgvigil.inference import as_percent
from pgvigil.registry import Registry
from pgvigil.watching import build_watch

Decision = Literal["adopt", "reject"]


@dataclass(frozen=True, slots=True)
class Import:
    """A file to import, and the database whose catalog it is held against."""

    kind: Kind
    file: Path
    config: Path | None
    dsn: str | None
    target: str | None
    adopt: bool


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
    for one in daemon.get("targets", {}):
        if one.get("proposals_error") and target in (None, one["name"]):
            said = f"the last look failed, there may be more: {one['proposals_error']}"
            sys.stderr.write(f"pgvigil: {visible(one['name'])}: {visible(said)}\n")


def decide(daemon: Daemon, decision: Decision, proposals: Sequence[str], note: str | None) -> None:
    """Adopt or reject proposals, one after the other; raises as `Daemon.post` does."""
    for one in proposals:
        decided = daemon.post(f"proposals/{quote(one, safe='')}/{decision}", {"note": note})
        sys.stdout.write(f"{decided['decision']} {visible(decided['subject'])}\n")


def bring(daemon: Daemon, request: Import) -> None:
    """Bring the relations that a file holds; what does not fit the database is told on stderr, a line each.

    Raises UsageError about the file, TargetError about the database, and as `Daemon.post` does.
    """
    found = imported_relations(request.kind, request.file, _catalog(request))
    for problem in found.problems:
        sys.stderr.write(f"pgvigil: {visible(problem)}\n")
    told = {
        "target": request.target,
        "source": f"{request.kind} {request.file.name}",
        "relations": list(map(str, found.relations)),
        "adopt": request.adopt,
    }
    answer = daemon.post("proposals", told)
    parts = (
        (answer["added"], "added"),
        (answer["adopted"], "adopted"),
        (len(found.declared), "declared anyway"),
        (len(found.problems), "left out"),
    )
    sys.stdout.write(f"{answer['target']}: {', '.join(f'{number} {word}' for number, word in parts)}\n")


def _catalog(request: Import) -> Catalog:
    file, dsn = source.named(request.config, request.dsn)
    # Of a DSN alone `--target` says which of the daemon's targets it is.
    target = None if file is None else request.target
    config = source.read(file, dsn, target=target)
    watch = build_watch(config, source.choose(config, target), Registry.load(), urgent=True)
    try:
        return watch.target.read_catalog(watch.scope)
    finally:
        watch.target.close()


def _lines(one: dict[str, Any]) -> list[str]:
    said = f", by {one['decided_by']}" if one["decided_by"] else ""
    probable = as_percent(one["probability"])
    head = f"{one['id']}  {probable:>4}  {one['state']}{said}  {one['target']}: {one['subject']}"
    return [visible(head), *(f"      {visible(line)}" for line in one["evidence"])]
