"""Parts of a table that belong to another server, which no snapshot of this one covers."""

from __future__ import annotations

from pgvigil.catalog import Catalog, Table, TableKind


def foreign_part(catalog: Catalog, table: Table) -> Table | None:
    """Return the table, or the first of those that its rows include, that is a foreign table.

    A SELECT of a table reads its partitions and the tables that inherit from it, theirs as well.
    """
    if table.kind is TableKind.FOREIGN:
        return table
    if table.kind is not TableKind.PARTITIONED and not table.has_children:
        return None
    parts = [one for one in catalog.tables if one.partition_of == table.oid or table.oid in one.inherits]
    return next(filter(None, (foreign_part(catalog, part) for part in parts)), None)


def why_unexaminable(catalog: Catalog, *tables: Table) -> str | None:
    """Say which part of the tables belongs to another server; None when they are all this server's own."""
    foreign = next(filter(None, (foreign_part(catalog, table) for table in tables)), None)
    if foreign is None:
        return None
    return f"{foreign} is a foreign table, which no snapshot of this server covers"
