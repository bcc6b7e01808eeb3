"""What a run's snapshot shows: whom it sees, and what a table is in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from psycopg import sql

from pgvigil.changes.lines import Name
from pgvigil.check import Query, Row, load_sql

Fetch = Callable[[Query], list[Row]]


@dataclass(frozen=True, slots=True)
class Look:
    """A snapshot, and a table in it; the fields are explained in look.sql. `identity` is of all parts.

    `written` is None on a standby. Transactions below `oldest` have ended, those from `next` on are not seen.
    """

    server: str
    written: int | None
    oldest: int
    next: int
    running: frozenset[int]
    fingerprint: str
    logged: bool
    parts: frozenset[Name]
    identities: tuple[frozenset[str], ...]
    schemas: frozenset[str]
    generated: frozenset[str]

    def sees(self, xid: int) -> bool:
        """Whether a committed transaction is visible."""
        return xid < self.next and xid not in self.running

    @property
    def visible(self) -> tuple[object, ...]:
        """The snapshot itself: another one that equals it sees the same transactions."""
        return self.oldest, self.next, self.running

    @property
    def identity(self) -> frozenset[str]:
        """The columns by which a row of any part is told when it is deleted or its key is changed."""
        if not self.identities:
            return frozenset()
        return frozenset.intersection(*self.identities) - self.generated


def look(fetch: Fetch, table: int) -> Look:
    """Look at a table, by its oid, in a run's snapshot; raises what `fetch` raises."""
    query = load_sql("pgvigil.changes", "look.sql").format(table=sql.Literal(table))
    row = fetch(query)[0]
    oldest, following, running = row["snapshot"].split(":")
    return Look(
        server=row["server"],
        written=row["written"],
        oldest=int(oldest),
        next=int(following),
        running=frozenset(int(xid) for xid in running.split(",") if xid),
        fingerprint=row["fingerprint"] or "",
        logged=bool(row["logged"]),
        parts=frozenset((schema, name) for schema, name in json.loads(row["parts"])),
        identities=tuple(frozenset(columns) for columns in json.loads(row["identities"])),
        schemas=frozenset(json.loads(row["schemas"])),
        generated=frozenset(json.loads(row["generated"])),
    )
