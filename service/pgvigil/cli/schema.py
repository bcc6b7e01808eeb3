"""`pgvigil schema`: what is accepted of the schemas that a running daemon watches."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import typer

from pgvigil.audit.words import moment
from pgvigil.catalog import quote
from pgvigil.cli.calling import Daemon
from pgvigil.cli.looking import CHECK, look_now, only_target
from pgvigil.cli.output import visible
from pgvigil.errors import UsageError

_LIVE = ("suspect", "open")


def show(daemon: Daemon, target: str | None, output: str) -> None:
    """List the schemas, and whether each is as it was accepted; raises as `Daemon.get` does."""
    found = daemon.get("acceptances", {"target": target, "check": CHECK})
    if output == "json":
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return
    for one in found:
        who = f"accepted by {one['accepted_by']}" if one["accepted_by"] else "as first seen"
        stands = "gone" if one["gone"] else "differs" if one["differs"] else "the same"
        at = moment(datetime.fromisoformat(one["accepted_at"]))
        line = f"{one['target']}  {one['subject']}  {stands}, {who} at {at} UTC"
        sys.stdout.write(visible(line) + "\n")
    if not found:
        sys.stdout.write("no schema has been looked at yet\n")


def accept(daemon: Daemon, target: str | None, schemas: Sequence[str], *, look: bool, ask: bool) -> None:
    """Show what differs in schemas, in all if none is named, and accept that and nothing else.

    Raises as `Daemon.post` does, and UsageError when a schema is not known. With `look` the check looks
    first; raises PgvigilError when it could not. With `ask` the person at the terminal has the last word.
    """
    target = only_target(daemon, target)
    if look:
        look_now(daemon, target)
    # Before what is shown: should a run see something else in between, what is shown is not accepted.
    chosen = list(_chosen(daemon, target, schemas))
    for one in chosen:
        for line in _differences(daemon, one):
            sys.stdout.write(visible(line) + "\n")
    if chosen and ask and not typer.confirm("Accept this?"):
        raise UsageError("nothing was accepted")
    for one in chosen:
        daemon.post(
            "acceptances",
            {"target": target, "check": CHECK, "subject": one["subject"], "seen": one["seen"]},
        )
        sys.stdout.write(visible(f"accepted {one['subject']} on {target}") + "\n")
    if not chosen:
        sys.stdout.write("nothing differs from what is accepted\n")


def _chosen(daemon: Daemon, target: str, schemas: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield what is known of the named schemas, with or without their quotes; of all that differ if none."""
    known = {one["subject"]: one for one in daemon.get("acceptances", {"target": target, "check": CHECK})}
    if not schemas:
        yield from (one for one in known.values() if one["differs"])
    for schema in schemas:
        found = known.get(schema) or known.get(quote(schema))
        if found is None:
            raise UsageError(f"nothing is known of {schema} on target {target}: see pgvigil schema list")
        yield found


def _differences(daemon: Daemon, one: Mapping[str, Any]) -> Iterator[str]:
    """Yield lines of what the last look found to differ."""
    narrowed = {"target": one["target"], "check": CHECK, "subject": one["subject"]}
    live = [each for state in _LIVE for each in daemon.get("incidents", {**narrowed, "state": state})]
    for incident in live:
        yield f"{one['target']}: {incident['title']}"
        details = daemon.get(f"incidents/{incident['id']}", {})["details"]
        changes = details.get("changes") or []
        yield from (f"    {change}" for change in changes)
        if more := incident["count"] - len(changes):
            yield f"    and {more:,} more"
