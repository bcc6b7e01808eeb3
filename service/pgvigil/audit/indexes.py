"""What is to be said of indexes: nobody scans them, another does the same, or one is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from pgvigil.audit.model import IndexFault, IndexNote, MapRelation, Origin
from pgvigil.catalog import Catalog, Index, Table, TableKind, TableName, qualified
from pgvigil.catalog.indexing import is_indexed
from pgvigil.catalog.statistics import IndexStatistics, Statistics

_LONG_ENOUGH = timedelta(days=30)
"""What is scanned once a month is in use."""

_INDEXABLE = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.MATERIALIZED_VIEW)


def index_notes(
    catalog: Catalog, statistics: Statistics, relations: Iterable[MapRelation], now: datetime
) -> tuple[IndexNote, ...]:
    """Return the notes, duplicates first, then what nobody scans, then what is missing; the biggest first."""
    notes = [
        note
        for table in catalog.watched_tables()
        for note in (*_duplicates(table, statistics), *_unused(table, statistics, now))
    ]
    notes += _missing(catalog, statistics, relations)
    order = (IndexFault.DUPLICATE, IndexFault.UNUSED, IndexFault.MISSING)
    return tuple(sorted(notes, key=lambda note: (order.index(note.fault), -(note.bytes or 0))))


def scans_unknown(statistics: Statistics, now: datetime) -> Iterator[str]:
    """Yield why it cannot be told which indexes nobody scans, if it cannot."""
    if statistics.since is None:
        yield "which indexes are unused: the server does not say since when it counts scans"
    elif not _is_telling(statistics, now):
        since = f"{statistics.since:%Y-%m-%d %H:%M} UTC"
        yield f"which indexes are unused: scans are counted since {since} only, less than 30 days"


def _is_telling(statistics: Statistics, now: datetime) -> bool:
    return statistics.since is not None and now - statistics.since >= _LONG_ENOUGH


def _unused(table: Table, statistics: Statistics, now: datetime) -> Iterator[IndexNote]:
    if not _is_telling(statistics, now):
        return
    for index in table.indexes:
        known = statistics.indexes.get(index.oid)
        if known and not known.scans and not known.needed and not index.unique:
            since = f"{statistics.since:%Y-%m-%d}"
            yield _note(
                IndexFault.UNUSED,
                table,
                index,
                known,
                # PostgreSQL does not keep when an index was made.
                words=f"not scanned on this server since {since}, or since it was made after that",
            )


def _duplicates(table: Table, statistics: Statistics) -> Iterator[IndexNote]:
    """Yield each index whose work another one of the table does; of two that are the same, the younger."""
    there = [(index, known) for index in table.indexes if (known := statistics.indexes.get(index.oid))]
    superfluous: set[int] = set()
    for index, known in sorted(there, key=lambda pair: -pair[0].oid):
        for other, its in there:
            if other.oid in superfluous or not _stands_in(table, other, its, index, known):
                continue
            superfluous.add(index.oid)
            does = "does the same" if its.parts == known.parts else "begins with the same columns"
            name = qualified(table.schema, other.name)
            yield _note(IndexFault.DUPLICATE, table, index, known, other=name, words=f"{name} {does}")
            break


def _stands_in(
    table: Table, other: Index, its: IndexStatistics, index: Index, known: IndexStatistics
) -> bool:
    """Tell whether nothing would be missed of an index if only the other one were there."""
    if other.oid == index.oid or known.needed or not other.valid:
        return False
    same_parts = its.parts == known.parts
    if index.unique and not (same_parts and _same_key(table, other, index)):
        return False
    begins = index.method == "btree" and its.parts[: len(known.parts)] == known.parts
    # An index may carry more columns than the one that it stands in for.
    same_rest = its.condition == known.condition or its.condition.startswith(f"{known.condition} with ")
    return same_rest and (same_parts or begins)


def _same_key(table: Table, other: Index, index: Index) -> bool:
    keys = {key.index: (key.columns, key.nulls_not_distinct) for key in table.keys}
    return index.name in keys and keys.get(other.name) == keys[index.name]


def _missing(
    catalog: Catalog, statistics: Statistics, relations: Iterable[MapRelation]
) -> Iterator[IndexNote]:
    seen: set[tuple[TableName, frozenset[str]]] = set()
    for one in relations:
        columns = one.relation.child_columns
        table = catalog.table(one.relation.child)
        named = one.relation.child, frozenset(columns)
        if one.origin is Origin.INFERRED or table is None or table.kind not in _INDEXABLE or named in seen:
            continue
        seen.add(named)
        if not is_indexed(catalog, table, columns):
            known = statistics.tables.get(table.oid)
            yield IndexNote(
                fault=IndexFault.MISSING,
                table=one.relation.child,
                columns=columns,
                other=one.subject,
                bytes=known.bytes if known else None,
                words="to find the rows of a parent, all of the table is read",
            )


def _note(
    fault: IndexFault, table: Table, index: Index, known: IndexStatistics, *, words: str, other: str = ""
) -> IndexNote:
    return IndexNote(
        fault=fault,
        table=TableName(table.schema, table.name),
        columns=tuple(column or "(expression)" for column in index.columns),
        name=qualified(table.schema, index.name),
        other=other,
        bytes=known.bytes,
        words=words,
    )
