"""Splits the comparison of a pair by ranges of its key, which may be read side by side.

A range is a condition on the first part of the key, on the very expression that the sides are joined by. It
is only made for types whose order and equality belong to one operator family: then two keys that are equal
are in the same range, and every key is in exactly one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from psycopg import sql

from pgvigil.catalog import Column, Table, TableKind
from pgvigil.check import Context, load_sql
from pgvigil_checks.table_drift_model import EntityPair, KeyPart, KeyRange
from pgvigil_checks.table_drift_types import INTEGERS, common_type, trusted

_ORDERED = INTEGERS | {
    "numeric",
    "double precision",
    "real",
    "text",
    "character varying",
    "uuid",
    "date",
    "timestamp without time zone",
    "timestamp with time zone",
}
_SAMPLED = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.MATERIALIZED_VIEW)
_LEAST_ROWS = 100_000
# Few enough that plans which read a table for each of them do no harm, enough that who is done with one takes
# the next.
_RANGES = 4
_SAMPLE_PAGES = 400
_LONGEST_BOUND = 1000


def parts_of(context: Context, pair: EntityPair) -> tuple[tuple[EntityPair, ...], str]:
    """Return the pair in parts that together are all of it, in key order, and why these."""
    reason = why_whole(pair) or not_worthwhile(pair)
    if reason is not None:
        return (pair,), f"one query: {reason}"
    bounds = _bounds(context, pair)
    if not bounds:
        return (pair,), "one query: no value was found that splits the keys"
    ranges = _ranges(pair, pair.key[0], bounds)
    parts = tuple(replace(pair, within=within) for within in ranges)
    return (
        parts,
        f"{len(parts)} ranges of {pair.key[0].label} on one snapshot, side by side where the budget allows",
    )


def why_whole(pair: EntityPair) -> str | None:
    """Say what keeps ranges of a pair's key from being exact; None when nothing does."""
    part = pair.key[0]
    if part.columns is None:
        return f"{part.label} is computed"
    compared = common_type(part.equality, *part.columns)
    if compared not in _ORDERED:
        return f"keys of {part.label} can be told apart but not split: {compared or 'of no one type'}"
    if not any(side.kind in _SAMPLED for side in (pair.left, pair.right)):
        return "neither side is a table"
    return None


def not_worthwhile(pair: EntityPair) -> str | None:
    """Say why splitting a pair would not pay; None when it does."""
    largest = max(pair.left.rows_estimate or 0, pair.right.rows_estimate or 0)
    if not (pair.left.rows_estimate and pair.right.rows_estimate):
        return "nobody knows yet how large the tables are"
    if largest < _LEAST_ROWS:
        return f"about {largest:,.0f} rows are read sooner than split"
    part = pair.key[0]
    if part.equality.cast is not None or part.equality.bytewise:
        return f"{part.label} is compared in another form than an index holds"
    for table, column in zip((pair.left, pair.right), part.columns or (), strict=True):
        if not _leads_index(table, column):
            return f"no index of {table} begins with {column.name}: every range would read all of it"
    return None


def _leads_index(table: Table, column: Column) -> bool:
    return any(
        index.method == "btree" and index.valid and not index.partial and index.columns[:1] == (column.name,)
        for index in table.indexes
    )


def _bounds(context: Context, pair: EntityPair) -> list[str]:
    """Return texts of values that cut the keys into parts of about the same size."""
    part = pair.key[0]
    sides = [(pair.left, "left"), (pair.right, "right")]
    table, side = max(
        ((table, side) for table, side in sides if table.kind in _SAMPLED),
        key=lambda one: one[0].rows_estimate or 0,
    )
    share = 100 * _SAMPLE_PAGES / max(table.pages, _SAMPLE_PAGES)
    query = load_sql("pgvigil_checks", "table_drift_bounds.sql").format(
        fractions=sql.Literal([n / _RANGES for n in range(1, _RANGES)]),
        value=part.value(side),
        type=trusted(_type(part)),
        table=sql.Identifier(table.schema, table.name),
        percent=sql.Literal(share),
    )
    bounds = [row["bound"] for row in context.fetch(query)]
    return [] if any(len(str(bound)) > _LONGEST_BOUND for bound in bounds) else [str(b) for b in bounds]


def _ranges(pair: EntityPair, part: KeyPart, bounds: Sequence[str]) -> list[KeyRange]:
    kind = _type(part)
    highs = (*bounds, None)
    ranges = [KeyRange(kind, tuple(bounds[:n]), high) for n, high in enumerate(highs)]
    # NOT NULL need not hold in the tables that inherit.
    inherited = pair.left.has_children or pair.right.has_children
    if inherited or not all(column.not_null for column in part.columns or ()):
        ranges.append(KeyRange(kind, nulls=True))
    return ranges


def _type(part: KeyPart) -> str:
    """Return the type as which the part is compared, which `why_whole` has found to be one."""
    return (common_type(part.equality, *part.columns) if part.columns else None) or "text"
