"""Whether what was read in a snapshot is what the snapshot knows, and what the catalog meant.

Not all DDL is seen as rows are: a table that was truncated or written anew after the snapshot was taken, and
before it was first read there, looks empty. So no verdict is believed before this was asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache

from psycopg import sql

from pgvigil.catalog import KINDS, Catalog, Column, Table, TableKind, TableName
from pgvigil.check import Row, Subject, load_sql
from pgvigil.errors import ChangedError
from pgvigil.target import Snapshot

# Of a catalog's row that the snapshot sees: whether a transaction that it does not see has changed it, and
# committed. An id has 32 bits there; the snapshot's own tells the others.
_COMMITTED_SINCE = sql.SQL(
    "CASE WHEN age({xmax}) <= since.age "
    "THEN pg_xact_status((since.xid + since.age - age({xmax}))::text::xid8) = 'committed' ELSE false END"
)

# Nothing is behind these; should the catalog be wrong about that, it is seen.
_SINGLE = (TableKind.TABLE, TableKind.MATERIALIZED_VIEW)


class Unchanged:
    """Ends snapshots in which the same things are read, once it is known that these were not changed.

    `subjects` are what is looked at. Where each of them names all that it reads, that is asked about; else
    whatever the transaction has locked: exact for every query, and dearer for a server that is full of locks.
    `catalog` returns what the check knows, None where it knows nothing yet.
    """

    def __init__(self, catalog: Callable[[], Catalog | None], subjects: Sequence[Subject] = ()) -> None:
        self._catalog = catalog
        self._subjects = subjects

    def end(self, snapshot: Snapshot) -> None:
        """End the snapshot's transaction; raises ChangedError that names a table, any other TargetError."""
        catalog = self._catalog()
        for row in snapshot.fetch_and_end(_query(*_named(self._subjects))):
            known = catalog.by_oid(row["oid"]) if catalog else None
            if row["changed"] or (catalog is not None and not _is_meant(row, known, catalog)):
                raise ChangedError(f"{known or row['shown']} was changed while pgvigil looked at it")


def _is_meant(row: Row, known: Table | None, catalog: Catalog) -> bool:
    """Tell whether a table is what the catalog says of it; one that is new must not have a known name."""
    if known is None:
        return catalog.table(TableName(row["schema"], row["name"])) is None
    if (known.schema, known.name) != (row["schema"], row["name"]) or not _has_columns(row["columns"], known):
        return False
    if row["is_partition"]:
        return known.is_partition
    return known.kind is KINDS[row["kind"]] and known.has_children == row["has_children"]


def _has_columns(told: str | None, known: Table) -> bool:
    """Tell whether a table's known columns are still there, as they were; others may have come."""
    if told is None:
        return True
    columns = {name: _without_quotes(text) for name, text in json.loads(told).items()}
    return all(columns.get(one.name) == _as_told(one) for one in known.columns)


def _as_told(column: Column) -> str:
    """Return a known column's number, type and collation as the server tells them, but for quotes."""
    collation = ".".join(column.collation or ())
    return _without_quotes(f"{column.number} {column.type} {collation}")


def _without_quotes(text: str) -> str:
    # Which names need them, and which their schema, is for the server to know.
    return text.replace('"', "").replace(" pg_catalog.", " ")


def _named(subjects: Sequence[Subject]) -> tuple[str, tuple[int, ...]]:
    """Return how to learn what is read, and the tables that alone are, if every subject says which."""
    tables: dict[int, Table] = {}
    for subject in subjects:
        if not subject.reads:
            return "locked", ()
        tables.update((table.oid, table) for table in subject.reads)
    if not tables:
        return "locked", ()
    if any(table.kind is TableKind.TABLE and table.has_children for table in tables.values()):
        return "locked", ()  # another one that came to inherit is behind them by its lock alone
    single = all(table.kind in _SINGLE for table in tables.values())
    return "single" if single else "named", tuple(tables)


@lru_cache(maxsize=256)
def _query(source: str, oids: tuple[int, ...]) -> bytes:
    seen = load_sql("pgvigil", f"unchanged_{source}.sql").format(oids=sql.Literal(list(oids)))
    return (
        load_sql("pgvigil", "unchanged.sql")
        .format(
            seen=seen,
            committed_since=_COMMITTED_SINCE.format(xmax=sql.SQL("xmax")),
            own_committed_since=_COMMITTED_SINCE.format(xmax=sql.SQL("c.xmax")),
            first_heir=sql.SQL("false" if source == "locked" else "true"),
        )
        .as_bytes(None)
    )
