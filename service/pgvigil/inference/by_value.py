"""Candidates that only values lead to: of columns that look like references, with names that lead nowhere."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from pgvigil.catalog import Column, Table
from pgvigil.inference.candidate import Candidate, Reason
from pgvigil.inference.circumstances import Circumstances
from pgvigil.inference.comparable import family
from pgvigil.inference.landscape import Landscape, SingleKey
from pgvigil.inference.reading import Ending, Reading, readings
from pgvigil.inference.singles import made
from pgvigil.inference.values import Values
from pgvigil.inference.vocabulary import NUMBERS
from pgvigil.inference.words import split

# Keys that end next behind a column's values, in the order of how closely.
_MOST = 12
# Keys may seem to end a little before the values: both ends are estimates.
_NEARLY = 0.9
# A column with fewer values than these says nothing by them.
_FEW_VALUES = 8


def candidates_by_value(
    landscape: Landscape, around: Circumstances, child: Table, column: Column, values: Values
) -> Iterator[Candidate]:
    """Yield the keys that a column's values may be among, going by where both end.

    Of integers only; and of those that look like references. It is a guess until a sample was looked up.
    """
    known = values.of(child, column)
    if known is None or known.distinct < _FEW_VALUES or not _looks_like_a_reference(landscape, child, column):
        return
    for key in _next_ends(values, child, column):
        if (key.table.oid, key.column.name) != (child.oid, column.name) and key.primary:
            ending = Reason(f"ending_{_read(landscape, column).ending}")
            yield made(around, child, column, key, Reason("values_only")).with_reasons([ending])


def _next_ends(values: Values, child: Table, column: Column) -> Iterator[SingleKey]:
    numbers = values.numbers(child, column)
    if numbers is None:
        return
    first = bisect_left(values.ends, _NEARLY * numbers.end, key=lambda one: one[0])
    for _, key in values.ends[first : first + _MOST]:
        yield key


def _looks_like_a_reference(landscape: Landscape, child: Table, column: Column) -> bool:
    if family(column) != "integer":
        return False
    if any(key.column.name == column.name for key in landscape.keys.get(child.oid, ())):
        return False
    reading = _read(landscape, column)
    return bool(reading.stem) and reading.ending is not Ending.NONE and not set(reading.stem) & NUMBERS


def _read(landscape: Landscape, column: Column) -> Reading:
    return next(readings(split(column.name), landscape.forms.__contains__))
