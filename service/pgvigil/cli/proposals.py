"""`pgvigil proposals`: what a running daemon proposes, and what a person says of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pgvigil.adoption import matching
from pgvigil.assembly import build_watch
from pgvigil.audit.words import moment
from pgvigil.catalog import Catalog
from pgvigil.cli import source
from pgvigil.cli.calling import Daemon, RefusedError
from pgvigil.cli.output import counted, visible
from pgvigil.errors import PgvigilError
from pgvigil.imports import Kind, imported_relations
from pgvigil.inference import as_percent
from pgvigil.registry import Registry

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


def decide(daemon: Daemon, decision: Decision, proposals: Sequence[str], note: str | None) -> int:
    """Adopt or reject proposals, one after the other, and return the exit status.

    One that there is not keeps none of the others from it, and what is so already is no error: a script may
    run again. Raises as `Daemon.post` does when nothing can be decided; what is left then is told on stderr.
    """
    status = 0
    for place, one in enumerate(proposals):
        try:
            decided = daemon.post(f"proposals/{quote(one, safe='')}/{decision}", {"note": note})
        except RefusedError as refusal:
            if refusal.status == HTTPStatus.CONFLICT:
                sys.stdout.write(f"{visible(refusal.reason)}\n")
                continue
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise
            sys.stderr.write(f"pgvigil: {visible(str(refusal))}\n")
            status = refusal.exit_status
        except PgvigilError:
            sys.stderr.write(f"pgvigil: not decided: {visible(', '.join(proposals[place:]))}\n")
            raise
        else:
            sys.stdout.write(f"{decided['decision']} {visible(decided['subject'])}\n")
    return status


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
    for problem in answer["left_out"]:
        sys.stderr.write(f"pgvigil: target {answer['target']} lacks it: {visible(problem)}\n")
    left_out = len(found.problems) + len(answer["left_out"])
    sys.stdout.write(f"{answer['target']}: {_sum(answer, request.adopt, len(found.declared), left_out)}\n")


def _sum(answer: Mapping[str, Any], adopt: bool, declared: int, left_out: int) -> str:
    """Say what became of the relations of a file: each is in one of the figures."""
    here = answer["offered"] - len(answer["left_out"])
    decided = answer["adopted_before"] + answer["rejected"]
    parts = (
        (answer["adopted"], "adopted") if adopt else (answer["added"], "proposed"),
        (0 if adopt else here - answer["added"] - decided, "proposed before"),
        (answer["adopted_before"], "adopted before"),
        (answer["rejected"], "rejected before"),
        (declared, "declared anyway"),
        (left_out, "left out"),
    )
    total = counted(here + declared + left_out, "relation")
    return f"{total}: {', '.join(f'{number} {word}' for number, word in parts if number) or 'nothing'}"


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
    more = (_decided(one), matching(one["settings"]), *one["evidence"])
    return [visible(head), *(f"      {visible(line)}" for line in more if line)]


def _decided(one: Mapping[str, Any]) -> str:
    """Say when and why something was decided, empty where nothing was."""
    if one["decided_at"] is None:
        return ""
    at = moment(datetime.fromisoformat(one["decided_at"]))
    return f"{one['decision']} {at} UTC{': ' if one['why'] else ''}{one['why'] or ''}"
