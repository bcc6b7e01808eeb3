"""Candidates that only values lead to: of columns that look like references, with names that lead nowhere."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pgvigil.catalog import Column, Table, TableName
from pgvigil.inference.candidate import Candidate, Reason
from pgvigil.inference.circumstances import Circumstances
from pgvigil.inference.comparable import family
from pgvigil.inference.landscape import Landscape, SingleKey
from pgvigil.inference.reading import Ending, Reading
from pgvigil.inference.singles import made
from pgvigil.inference.values import Values
from pgvigil.inference.vocabulary import NUMBERS
from pgvigil.inference.words import split

# Keys that end next behind a column's values, in the order of how closely.
_MOST = 12
# Keys that may be tried where only a look at the values can tell: those that most others refer to.
_MOST_TRIED = 20
# Keys may seem to end a little before the values: both ends are estimates.
_NEARLY = 0.9
# A column with fewer values than these says nothing by them.
_FEW_VALUES = 8
# A parent has as many keys as a child has values, or nearly, or it is none.
_ENOUGH_KEYS = 0.9


class ByValue:
    """Finds them. `likely` are the candidates that others have thought of: whom most refer to is asked first.

    Of integers where both end tells which keys they may be among; of uuids and texts only a sample does, so
    that they are left out unless there is a `sampler`.
    """

    def __init__(
        self,
        landscape: Landscape,
        around: Circumstances,
        values: Values,
        likely: Iterable[Candidate],
        *,
        sampler: bool,
    ) -> None:
        self._landscape = landscape
        self._around = around
        self._values = values
        referred = Counter(one.relation.parent for one in likely)
        self._tried = _most_referred(landscape, referred) if sampler else {}

    def candidates(self, child: Table, column: Column) -> Iterator[Candidate]:
        """Yield the keys that a column's values may be among."""
        known = self._values.of(child, column)
        reading = self._landscape.readings(split(column.name))[0]
        if known is None or known.distinct < _FEW_VALUES or not self._may_refer(child, column, reading):
            return
        for key in self._keys(child, column):
            if (key.table.oid, key.column.name) != (child.oid, column.name):
                found = made(self._around, child, column, key, Reason("values_only"))
                yield found.with_reasons(_of_the_ending(column, reading))

    def _may_refer(self, child: Table, column: Column, reading: Reading) -> bool:
        if any(key.column.name == column.name for key in self._landscape.keys.get(child.oid, ())):
            return False
        if not reading.stem or set(reading.stem) & NUMBERS:
            return False
        # A uuid is a reference, whatever it is called; of all else the name has to say so.
        return reading.ending is Ending.REFERENCE or (
            family(column) == "uuid" if reading.ending is Ending.NONE else family(column) == "integer"
        )

    def _keys(self, child: Table, column: Column) -> Iterable[SingleKey]:
        kind = family(column) or ""
        if kind != "integer":
            known = self._values.of(child, column)
            enough = _ENOUGH_KEYS * known.distinct if known else 0.0
            return [key for key in self._tried.get(kind, ()) if self._has(key, enough)][:_MOST_TRIED]
        numbers = self._values.numbers(child, column)
        if numbers is None:
            return ()
        ends = self._values.ends
        first = bisect_left(ends, _NEARLY * numbers.end, key=lambda one: one[0])
        return [key for _, key in ends[first : first + _MOST] if key.primary]

    def _has(self, key: SingleKey, values: float) -> bool:
        known = self._values.of(key.table, key.column)
        return known is not None and known.distinct >= values


def _of_the_ending(column: Column, reading: Reading) -> Iterator[Reason]:
    # That a uuid's name does not say that it is a reference is nothing against it: its type does.
    if reading.ending is not Ending.NONE or family(column) != "uuid":
        yield Reason(f"ending_{reading.ending}")


def _most_referred(landscape: Landscape, referred: Counter[TableName]) -> Mapping[str, list[SingleKey]]:
    """Return the primary keys by what they are compared as, the most referred tables first."""
    found: dict[str, list[SingleKey]] = {}
    for first, *_ in landscape.keys.values():
        if first.primary:
            found.setdefault(first.family, []).append(first)
    for keys in found.values():
        keys.sort(key=lambda key: -referred[TableName(key.table.schema, key.table.name)])
    return found
