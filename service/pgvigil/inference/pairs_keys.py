"""By what the rows of two tables could belong together: keys of one that the other has the columns of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pgvigil.catalog import Column, Table
from pgvigil.catalog.statistics import Statistics
from pgvigil.inference.pairs_names import Stems, key_stems, stems
from pgvigil.inference.pairs_references import References
from pgvigil.inference.pairs_values import Kind, can_identify, family
from pgvigil.inference.vocabulary import NATURAL_ENDINGS, REFERENCE_ENDINGS
from pgvigil.inference.words import split

MOST_KEYS = 4
"""How many keys of a pair are tried, those that are declared on both sides first."""

NEARLY_UNIQUE = 0.95
"""The share of distinct values among the rows of a key that some rows have twice by mistake."""

# Estimates of ANALYZE are rough, and of large tables too low.
_REPEATED = 0.2

Columns: TypeAlias = tuple[Column, ...]
_Called: TypeAlias = tuple[Stems, Kind | str]

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


class Keys:
    """The keys of tables, as they could be compared by; what a table has is found out once."""

    def __init__(self, references: References, statistics: Statistics | None = None) -> None:
        self._references = references
        self._statistics = statistics
        self._sides: dict[int, _Side] = {}

    def mappings(self, left: Table, right: Table) -> list[KeyMapping]:
        """Return the keys by which two tables could be compared, the most promising first."""
        one_side, other_side = self._side(left), self._side(right)
        mappings = {
            frozenset(zip(one, other, strict=True)): (one, other)
            for one, other in (
                *_mapped(one_side, other_side),
                *((one, other) for other, one in _mapped(other_side, one_side)),
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
            if not self._of_one_parent((left, one), (right, other))
            and not any(
                _repeats(table, key, self._statistics) for table, key in ((left, one), (right, other))
            )
        ]
        found.sort(
            key=lambda mapping: (not mapping.primary, mapping.surrogate, -mapping.declared, len(mapping.left))
        )
        return found[:MOST_KEYS]

    def _side(self, table: Table) -> _Side:
        if table.oid not in self._sides:
            self._sides[table.oid] = _side_of(table, self._statistics)
        return self._sides[table.oid]

    def _of_one_parent(self, left: tuple[Table, Columns], right: tuple[Table, Columns]) -> bool:
        """Tell whether both keys reference the same table: each adds something to that one's entity."""
        return not self._references.parents(*left).isdisjoint(self._references.parents(*right))


@dataclass(frozen=True, slots=True)
class _Side:
    """A table's keys with what each of their columns is called, and all columns that may identify by that."""

    keys: tuple[tuple[Columns, tuple[_Called, ...]], ...]
    columns: Mapping[_Called, Sequence[Column]]


def _side_of(table: Table, statistics: Statistics | None) -> _Side:
    columns: defaultdict[_Called, list[Column]] = defaultdict(list)
    for column in table.columns:
        if can_identify(column):
            columns[_called(column, table)].append(column)
    keys = _keys(table, statistics)
    return _Side(tuple((key, tuple(_called(column, table) for column in key)) for key in keys), columns)


def _mapped(side: _Side, other: _Side) -> Iterator[tuple[Columns, Columns]]:
    """Yield what identifies the rows of a table, each with the columns of the other one that are named so."""
    for key, called in side.keys:
        there = [
            _namesake(column, other.columns.get(name, ())) for column, name in zip(key, called, strict=True)
        ]
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
        if undeclared and is_called_a_key(column) and _tells_rows_apart(table, column, statistics):
            yield (column,)


def is_called_a_key(column: Column) -> bool:
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


def _namesake(column: Column, called_so: Sequence[Column]) -> Column | None:
    """Return the column that is called like a key's, one of the very same name first."""
    return min(called_so, key=lambda one: (one.name != column.name, one.number), default=None)


def _called(column: Column, table: Table) -> _Called:
    """Return what a key's column is called, and what its values are.

    Only a table's own key may be called after it: `game_id` of games.
    """
    own = _is_unique(table, (column,))
    return key_stems(column.name, table) if own else stems(column.name), family(column)


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
