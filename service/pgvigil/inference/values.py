"""How the values of a child and of a parent's key go together, by what ANALYZE knows of them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property

from pgvigil.catalog import Column, Table
from pgvigil.catalog.statistics import ColumnStatistics, Statistics
from pgvigil.inference.candidate import Candidate, Reason
from pgvigil.inference.comparable import family
from pgvigil.inference.landscape import Landscape, SingleKey
from pgvigil.inference.numeric import Numbers, numbers_of

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
# Of keys that one in so many has a value is no chance.
_RARE = 20
# Texts of fewer bytes than a uuid's half may be the same by chance, as words are.
_LONG = 12
_SHORT_TEXTS = 0.8
_NUMBERS = ("integer", "numeric", "oid")
_COVERS = 0.3
# So many values, if they are drawn from the keys, come near the last of these.
_MANY = 30
_SHORT = 0.6


class Values:
    """What is known of the values of all columns; all of it may be unknown."""

    def __init__(self, landscape: Landscape, statistics: Statistics | None) -> None:
        self._landscape = landscape
        self._statistics = statistics or Statistics()
        self._numbers: dict[tuple[int, int], Numbers | None] = {}

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

    def numbers(self, table: Table, column: Column) -> Numbers | None:
        """Return where the values of a column of numbers lie, if that is known."""
        place = table.oid, column.number
        if place not in self._numbers:
            known = self.of(table, column) if family(column) in _NUMBERS else None
            self._numbers[place] = numbers_of(known) if known else None
        return self._numbers[place]

    def surprise(self, table: Table, column: Column) -> float:
        """Tell how little chance would put a column's values among any table's keys: 0 to 1.

        Small numbers from 1 up lie within nearly every serial key, so that it says nothing. Texts and uuids
        are among the keys of another table for a reason.
        """
        if family(column) != "integer":
            known = self.of(table, column)
            return _SHORT_TEXTS if known and known.width < _LONG and family(column) == "text" else 1.0
        numbers = self.numbers(table, column)
        if numbers is None or not self.ends:
            return 0.5
        fitting = len(self.ends) - bisect_left(self.ends, numbers.end, key=_end)
        return min(1.0, math.log((len(self.ends) + 1) / (fitting + 0.5)) / math.log(_RARE))

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
                found = [*_by_number(known, keys), *self._by_range(candidate, column, key, known, keys)]
                # That one part of several fits is no news: only what does not fit tells.
                yield from (reason for reason in found if single or reason.weight < 0)

    def _by_range(
        self, one: Candidate, column: Column, key: Column, known: ColumnStatistics, keys: ColumnStatistics
    ) -> Iterator[Reason]:
        numbers, among = self.numbers(one.child, column), self.numbers(one.parent, key)
        if numbers is None or among is None:
            return
        inside = numbers.share_within(among)
        # No words hold a value: they end up in files, tickets and repositories.
        if inside < _OUTSIDE:
            some = "some of the values" if inside else "the values"
            yield Reason("range_outside", f"{some} lie outside of the keys' range", 1 - inside)
            return
        sure = min(1.0, known.distinct / _FEW)
        words = "the values lie within the keys' range" + (", but for a few" if inside < 1 else "")
        yield Reason("range_inside", words, sure * self.surprise(one.child, column))
        share = min(1.0, known.distinct / keys.distinct)
        if known.distinct >= 2 * _FEW and numbers.end >= _REACHES * among.end and share >= _COVERS:
            yield Reason("covers", f"the values cover about {share:.0%} of the keys", share)
        elif known.distinct >= _MANY and 0 < numbers.end < _SHORT * among.end:
            yield Reason(
                "stops_short", "the keys go on where the values have ended", 1 - numbers.end / among.end
            )

    @cached_property
    def ends(self) -> list[tuple[float, SingleKey]]:
        """Where the values of each integer key end, in this order."""
        found = []
        for keys in self._landscape.keys.values():
            for key in keys:
                numbers = self.numbers(key.table, key.column) if key.family == "integer" else None
                if numbers is not None:
                    found.append((numbers.end, key))
        return sorted(found, key=lambda one: (one[0], one[1].table.schema, one[1].table.name))


def _end(one: tuple[float, SingleKey]) -> float:
    return one[0]


def _by_number(known: ColumnStatistics, keys: ColumnStatistics) -> Iterator[Reason]:
    more = (known.distinct - _ORPHANS) / keys.distinct
    if more > _TOO_MANY:
        words = f"about {known.distinct:,.0f} distinct values, but only {keys.distinct:,.0f} keys"
        yield Reason("too_many", words, min(1.0, more - 1))
