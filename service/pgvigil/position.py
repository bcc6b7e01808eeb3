"""Where a target is: what stays the same for as long as nobody writes to its server."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import LiteralString

from pgvigil.check import Row
from pgvigil.errors import QueryFailedError
from pgvigil.target import Mark, Snapshot, Target, last_record_end


@dataclass(frozen=True, slots=True)
class Position:
    """A moment in the life of a server.

    Two that are equal have no commit between them: whatever was read after the first one, at any time before
    the second, is what the second sees. `server` tells which server it is, and since when it runs; `started`
    is the latter alone, as every snapshot tells it. `mark` is what a standby must have replayed to see as
    much; None on a server that is one itself.
    """

    server: str
    text: str
    started: str
    mark: Mark | None = None


def read_position(target: Target) -> Position | None:
    """Return where a target is, None when its server does not tell; raises TargetError."""
    with target.snapshot("position") as snapshot:
        return position_in(snapshot)


def position_in(snapshot: Snapshot) -> Position | None:
    """Return what `read_position` does, in a transaction that is of use for nothing else.

    What is to be compared with the position has to begin after it.
    """
    try:
        row = snapshot.fetch(_sql("position"))[0]
        identity = snapshot.fetch(_sql("identity"))[0] if row["may_tell"] else {}
    except QueryFailedError:
        # Not PostgreSQL itself, or a right that was taken away.
        return None
    if row["foreign_storage"] or row["lsn"] is None:
        return None
    server = f"{row['started']} {identity.get('cluster')} {row['database']}"
    return Position(
        server, repr((sorted(row.items()), sorted(identity.items()))), row["started"], _mark(row, identity)
    )


def _mark(row: Row, identity: Row) -> Mark | None:
    if row["in_recovery"]:
        return None
    lsn = last_record_end(row["written"], row["page"], row["segment"])
    return Mark(identity.get("cluster") or "", int(row["timeline"], 16), row["database"], lsn)


@cache
def _sql(name: str) -> LiteralString:
    return resources.files("pgvigil").joinpath(f"{name}.sql").read_text(encoding="utf-8")
