"""How the values of a child and of a parent's key go together, by what ANALYZE knows of them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pgvigil.catalog import Column, Table
from pgvigil.catalog.statistics import ColumnStatistics, Statistics
from pgvigil.inference.candidate import Candidate, Reason
from pgvigil.inference.comparable import family
from pgvigil.inference.landscape import Landscape, SingleKey

# A child may have so many times more distinct values than its parent has keys, and so many more besides: both
# are estimates, and some are orphans.
_TOO_MANY = 1.15
_ORPHANS = 2.0
# Fewer values than these may lie where they do by chance.
_FEW = 3.0
# The share of a child's values within the parent's range below which it cannot be meant.
_OUTSIDE = 0.9
# Values reach over all keys when they end so near to the last of them.
_REACHES = 0.85
# A last value that is so many times the one before the last tenth lies far off.
_FAR_OFF = 3.0
_COVERS = 0.3


@dataclass(frozen=True, slots=True)
class Range:
    """From the least to the greatest value."""

    least: float
    greatest: float


class Values:
    """What is known of the values of all columns; all of it may be unknown."""

    def __init__(self, landscape: Landscape, statistics: Statistics | None) -> None:
        self._landscape = landscape
        self._statistics = statistics or Statistics()

    def of(self, table: Table, column: Column) -> ColumnStatistics | None:
        """Return what is known of a column, if it has any values."""
        known = self._statistics.columns.get((table.oid, column.number))
        return known if known is not None and known.null_fraction < 1 and known.distinct > 0 else None

    def rows(self, table: Table) -> float | None:
        """Estimate the rows of a table; None where nobody knows."""
        if table.rows_estimate is not None:
            return table.rows_estimate
        known = self._statistics.tables.get(table.oid)
        return known.live_rows if known is not None and known.live_rows > 0 else None

    def end(self, table: Table, column: Column) -> float | None:
        """Return where the numbers of a column end, but for a last few that lie far off, such as orphans."""
        known = self.of(table, column)
        return None if known is None else _end(known, column)

    def surprise(self, table: Table, column: Column) -> float:
        """Tell how little chance would put a column's values among any table's keys: 0 to 1.

        Small numbers from 1 up lie within nearly every serial key, so that it says nothing. Texts and uuids
        are among the keys of another table for a reason.
        """
        if family(column) != "integer":
            return 1.0
        end = self.end(table, column)
        if end is None or not self._greatest:
            return 0.5
        fitting = len(self._greatest) - bisect_left(self._greatest, end)
        return min(1.0, math.log((len(self._greatest) + 1) / (fitting + 0.5)) / math.log(20))

    def reasons(self, candidate: Candidate) -> Iterator[Reason]:
        """Yield what the statistics say of a candidate, of each of its columns."""
        single = len(candidate.columns) == 1
        for child_name, key_name in zip(candidate.columns, candidate.key, strict=True):
            column, key = candidate.child.column(child_name), candidate.parent.column(key_name)
            known = self.of(candidate.child, column) if column else None
            if column is None or key is None or known is None:
                continue
            if self.rows(candidate.parent) == 0:
                yield Reason("parent_empty", "the column has values, and the parent no rows")
                return
            keys = self.of(candidate.parent, key)
            if keys is not None:
                found = [*_by_number(known, keys), *self._by_range(candidate.child, column, known, key, keys)]
                # That one part of several fits is no news: only what does not fit tells.
                yield from (reason for reason in found if single or reason.weight < 0)

    def _by_range(
        self, child: Table, column: Column, known: ColumnStatistics, key: Column, keys: ColumnStatistics
    ) -> Iterator[Reason]:
        among = _range(keys, key)
        inside = _share_inside(known, column, among) if among else None
        if among is None or inside is None:
            return
        words = (
            f"values reach from {known.least} to {known.greatest}, keys from {keys.least} to {keys.greatest}"
        )
        if inside < _OUTSIDE:
            yield Reason("range_outside", words, 1 - inside)
            return
        sure = min(1.0, known.distinct / _FEW)
        yield Reason("range_inside", words, sure * self.surprise(child, column))
        if family(column) == "integer" and known.distinct >= 2 * _FEW:
            end, last = _end(known, column), _end(keys, key)
            share = min(1.0, known.distinct / keys.distinct)
            if end is not None and last is not None and end >= _REACHES * last and share >= _COVERS:
                yield Reason("covers", f"the values cover about {share:.0%} of the keys", share)

    @cached_property
    def _greatest(self) -> list[float]:
        return [end for end, _ in self.ends]

    @cached_property
    def ends(self) -> list[tuple[float, SingleKey]]:
        """Where the values of each integer key end, in this order."""
        found = []
        for keys in self._landscape.keys.values():
            for key in keys:
                known = self.of(key.table, key.column)
                end = _end(known, key.column) if known and key.family == "integer" else None
                if end is not None:
                    found.append((end, key))
        return sorted(found, key=lambda one: (one[0], one[1].table.schema, one[1].table.name))


def _by_number(known: ColumnStatistics, keys: ColumnStatistics) -> Iterator[Reason]:
    more = (known.distinct - _ORPHANS) / keys.distinct
    if more > _TOO_MANY:
        words = f"about {known.distinct:,.0f} distinct values, but only {keys.distinct:,.0f} keys"
        yield Reason("too_many", words, min(1.0, more - 1))


def _share_inside(known: ColumnStatistics, column: Column, among: Range) -> float | None:
    """Estimate which share of a column's values lies within a range, common ones by how common they are."""
    common = [(value, share) for text, share in known.common if (value := _number(text, column)) is not None]
    bounds = [value for text in known.bounds if (value := _number(text, column)) is not None]
    rest = max(0.0, 1 - known.null_fraction - sum(share for _, share in common)) if bounds else 0.0
    total = rest + sum(share for _, share in common)
    if total <= 0:
        reach = _range(known, column)
        return (
            None if reach is None else float(among.least <= reach.least and reach.greatest <= among.greatest)
        )
    inside = sum(share for value, share in common if among.least <= value <= among.greatest)
    if bounds:
        inside += rest * sum(among.least <= value <= among.greatest for value in bounds) / len(bounds)
    return inside / total


def _values(known: ColumnStatistics, column: Column) -> list[float]:
    """Return the values that are known by themselves, in no order."""
    texts = (known.least, known.greatest, *known.bounds, *(value for value, _ in known.common))
    return [value for text in texts if text is not None and (value := _number(text, column)) is not None]


def _end(known: ColumnStatistics, column: Column) -> float | None:
    bounds = sorted(value for text in known.bounds if (value := _number(text, column)) is not None)
    greatest = max(_values(known, column), default=None)
    if greatest is not None and len(bounds) > _FEW and greatest > _FAR_OFF * abs(bounds[-2]):
        return bounds[-2]
    return greatest


def _range(known: ColumnStatistics, column: Column) -> Range | None:
    if known.least is None or known.greatest is None:
        return None
    least, greatest = _number(known.least, column), _number(known.greatest, column)
    return None if least is None or greatest is None else Range(least, greatest)


def _number(text: str, column: Column) -> float | None:
    """Read a value as a number; None for texts, whose order is a collation's."""
    if family(column) not in ("integer", "numeric", "oid"):
        return None
    try:
        return float(text)
    except ValueError:
        return None
