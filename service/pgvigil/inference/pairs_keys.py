"""By what the rows of two tables could belong together: keys of one that the other has the columns of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pgvigil.catalog import Column, Table
from pgvigil.catalog.statistics import Statistics
from pgvigil.inference.pairs_names import Stems, key_stems, stems
from pgvigil.inference.pairs_references import References
from pgvigil.inference.pairs_values import can_identify, family
from pgvigil.inference.vocabulary import NATURAL_ENDINGS, REFERENCE_ENDINGS
from pgvigil.inference.words import split

MOST_KEYS = 4
"""How many keys of a pair are tried, those that are declared on both sides first."""

NEARLY_UNIQUE = 0.95
"""The share of distinct values among the rows of a key that some rows have twice by mistake."""

# Estimates of ANALYZE are rough, and of large tables too low.
_REPEATED = 0.2

Columns = tuple[Column, ...]

_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_KEY_WORDS = REFERENCE_ENDINGS | NATURAL_ENDINGS | {"email"}
_SURROGATE = stems("id no number key pk seq")


@dataclass(frozen=True, slots=True)
class KeyMapping:
    """Columns of the left table and those of the right one in the same order.

    `declared` is on how many sides they are declared to be unique. `surrogate` tells that they are numbers
    which each table gives to its own rows: the same ones stand on both sides whatever the rows are about.
    `primary` tells that they are the primary key of both sides, under the same names.
    """

    left: Columns
    right: Columns
    declared: int
    surrogate: bool
    primary: bool


def key_mappings(
    left: Table, right: Table, references: References, statistics: Statistics | None = None
) -> list[KeyMapping]:
    """Return the keys by which two tables could be compared, the most promising first."""
    mappings = {
        frozenset(zip(one, other, strict=True)): (one, other)
        for one, other in (
            *_mapped(left, right, statistics),
            *((one, other) for other, one in _mapped(right, left, statistics)),
        )
    }
    found = [
        KeyMapping(
            one,
            other,
            _is_unique(left, one) + _is_unique(right, other),
            _is_surrogate(one, other, (left, right)),
            _is_primary(left, one, right, other),
        )
        for one, other in mappings.values()
        if not _of_one_parent(references, (left, one), (right, other))
        and not any(_repeats(table, key, statistics) for table, key in ((left, one), (right, other)))
    ]
    found.sort(
        key=lambda mapping: (not mapping.primary, mapping.surrogate, -mapping.declared, len(mapping.left))
    )
    return found[:MOST_KEYS]


def _mapped(table: Table, other: Table, statistics: Statistics | None) -> Iterator[tuple[Columns, Columns]]:
    """Yield what identifies the rows of a table, each with the columns of the other one that are named so."""
    for key in _keys(table, statistics):
        there = [_namesake(table, column, other) for column in key]
        columns = tuple(column for column in there if column is not None)
        if len(columns) == len(set(columns)) == len(key):
            yield key, columns


def _keys(table: Table, statistics: Statistics | None) -> Iterator[Columns]:
    for key in table.keys:
        columns = tuple(column for name in key.columns if (column := table.column(name)))
        if all(map(can_identify, columns)):
            yield columns
    for column in table.columns:
        undeclared = not _is_unique(table, (column,)) and can_identify(column)
        if undeclared and _is_called_a_key(column) and _tells_rows_apart(table, column, statistics):
            yield (column,)


def _is_called_a_key(column: Column) -> bool:
    """Tell whether a name ends as those of keys do; a price may be another one in every row as well."""
    return bool(_KEY_WORDS.intersection(split(column.name)[-1:]))


def _tells_rows_apart(table: Table, column: Column, statistics: Statistics | None) -> bool:
    """Tell whether nearly every row has a value of its own, by what the server has sampled."""
    share = _share_of_distinct(table, column, statistics)
    return share is not None and share >= NEARLY_UNIQUE


def _repeats(table: Table, key: Columns, statistics: Statistics | None) -> bool:
    """Tell whether a value is clearly that of many rows, so that no look at them is needed."""
    if len(key) > 1 or _is_unique(table, key):
        return False
    share = _share_of_distinct(table, key[0], statistics)
    return share is not None and share < _REPEATED


def _share_of_distinct(table: Table, column: Column, statistics: Statistics | None) -> float | None:
    """Return the share of distinct values among the rows that have one; None where it is not known."""
    known = statistics.columns.get((table.oid, column.number)) if statistics else None
    rows = (table.rows_estimate or 0) * (1 - known.null_fraction) if known else 0
    return known.distinct / rows if known and rows > 0 else None


def _namesake(table: Table, column: Column, other: Table) -> Column | None:
    """Return the column of another table that is called like a key's, one of the very same name first."""
    wanted = _called(column, table)
    found = [
        one
        for one in other.columns
        if can_identify(one) and family(one) == family(column) and _called(one, other) == wanted
    ]
    return min(found, key=lambda one: (one.name != column.name, one.number), default=None)


def _called(column: Column, table: Table) -> Stems:
    """Return what a key's column is called; only a table's own may be called after it: `game_id` of games."""
    return key_stems(column.name, table) if _is_unique(table, (column,)) else stems(column.name)


def _is_unique(table: Table, columns: Columns) -> bool:
    names = {column.name for column in columns}
    return any(names.issuperset(key.columns) for key in table.keys)


def _is_primary(left: Table, one: Columns, right: Table, other: Columns) -> bool:
    names = {column.name for column in one}
    same = all(here.name == there.name for here, there in zip(one, other, strict=True))
    return same and all(
        any(key.primary and set(key.columns) == names for key in table.keys) for table in (left, right)
    )


def _is_surrogate(left: Columns, right: Columns, tables: tuple[Table, Table]) -> bool:
    sides = zip((left, right), tables, strict=True)
    return any(
        len(columns) == 1
        and columns[0].base_type in _INTEGERS
        and key_stems(columns[0].name, table) <= _SURROGATE
        for columns, table in sides
    )


def _of_one_parent(references: References, left: tuple[Table, Columns], right: tuple[Table, Columns]) -> bool:
    """Tell whether both keys reference the same table: each adds something to that one's entity."""
    return not references.parents(*left).isdisjoint(references.parents(*right))
