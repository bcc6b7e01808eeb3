"""Why there can be no slot on a server: each reason in one line, with what to do."""

from __future__ import annotations

from collections.abc import Iterator

from pgvigil.check import Row
from pgvigil.errors import QueryFailedError

PLUGIN = "test_decoding"
"""The output plugin of pgvigil's slots."""

_NO_SUCH_FILE = "58P01"
_IN_USE = "55006"
_NOT_ALLOWED = "42501"


def obstacles(row: Row) -> Iterator[str]:
    """Yield what is in the way of a slot; `row` is what state.sql returns."""
    if row["in_recovery"]:
        yield "the server is a standby, and a slot needs the primary: let the DSN lead there"
        return
    if row["wal_level"] != "logical":
        yield f"wal_level is {row['wal_level']}: set it to logical and restart the server"
    if row["keep_bytes"] is None:
        yield (
            "max_slot_wal_keep_size is not set, so that a slot could fill the server's disk: set it to 10GB, "
            "say, and reload the server"
        )
    if not row["may_replicate"]:
        yield f"the role lacks the attribute REPLICATION: ALTER ROLE {row['role']} REPLICATION"
    if row["exists"] and not is_ours(row):
        yield f"{_whose(row)} has the name of pgvigil's slot: drop it, or give the target another name"
    if not row["exists"] and row["slots"] >= row["most_slots"]:
        yield (
            f"no replication slot is free (max_replication_slots is {row['most_slots']}): drop one that "
            "nobody needs, or raise it and restart the server"
        )


def is_ours(row: Row) -> bool:
    """Tell whether the slot is there and one that pgvigil made."""
    return bool(row["exists"]) and (row["plugin"], row["slot_database"]) == (PLUGIN, row["database"])


def no_plugin(error: QueryFailedError) -> str:
    """Say that the output plugin is missing, if that is why a slot could not be made; else empty."""
    if error.sqlstate != _NO_SUCH_FILE:
        return ""
    return (
        f"the output plugin {PLUGIN} is missing: install PostgreSQL's contrib modules on the server "
        "(Debian, Ubuntu: postgresql-contrib)"
    )


def kept_why(name: str, error: QueryFailedError) -> str:
    """Say why a slot could not be dropped, and what to do."""
    if error.sqlstate == _IN_USE:
        return "is in use: stop the pgvigil that reads it, or set its `changes` to position, then try again"
    if error.sqlstate == _NOT_ALLOWED:
        return (
            "may not be dropped by this role: a role with REPLICATION or a superuser drops it, by "
            f"SELECT pg_drop_replication_slot('{name}')"
        )
    return f"could not be dropped: {error}"


def _whose(row: Row) -> str:
    """Describe a slot that is not pgvigil's."""
    if row["plugin"] is None:
        return "a physical slot"
    if row["slot_database"] != row["database"]:
        return f"a slot of the database {row['slot_database']}"
    return f"a slot of somebody else's, with the output plugin {row['plugin']},"
