"""Who is in the way of somebody who would read: for the error of a lock timeout."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from psycopg import sql

from pgvigil.catalog import Table
from pgvigil.check import Row, load_sql
from pgvigil.errors import TargetError
from pgvigil.target import Target

# A hint is worth no more. It is asked for in a session that the budget has to spare.
_BOUNDED = "SELECT set_config('statement_timeout', '1s', true)"


def lock_holders(target: Target, tables: Collection[Table]) -> str:
    """Tell in a line who keeps others from reading these tables or views now; any table where none are given.

    Empty where nobody does any more, or the server does not tell: it never fails. To be asked in no
    transaction.
    """
    query = load_sql("pgvigil", "lockholders.sql").format(oids=sql.Literal([one.oid for one in tables]))
    with suppress(TargetError), target.snapshot("locks", wait=False) as snapshot:
        snapshot.fetch(_BOUNDED)
        return "; ".join(map(_told, snapshot.fetch(query)))
    return ""


def _told(row: Row) -> str:
    name = f" ({row['application']})" if row["application"] else ""
    who = row["prepared"] or f"process {row['pid']}{name}"
    if row["granted"]:
        return f"{who} holds AccessExclusiveLock on {row['name']}"
    behind = f" behind {row['behind']}" if row["behind"] else ""
    return f"{who} waits for AccessExclusiveLock on {row['name']}{behind}, and others wait behind it"
