"""Whether an index finds the rows with given values."""

from __future__ import annotations

from collections.abc import Collection

from pgvigil.catalog.model import Catalog, Index, Table, TableKind

_LOOKS_UP_EQUALS = ("btree", "hash", "gist", "spgist")


def is_indexed(catalog: Catalog, table: Table, columns: Collection[str]) -> bool:
    """Tell whether an index finds the rows with given values of the columns, in every partition."""
    if any(_leads_with(index, columns) for index in table.indexes):
        return True
    if table.kind is not TableKind.PARTITIONED:
        return False
    partitions = [one for one in catalog.with_all_below(table) if one.partition_of == table.oid]
    return bool(partitions) and all(is_indexed(catalog, one, columns) for one in partitions)


def _leads_with(index: Index, columns: Collection[str]) -> bool:
    if not index.valid or index.partial or index.method not in _LOOKS_UP_EQUALS:
        return False
    return set(index.columns[: len(columns)]) == set(columns)
