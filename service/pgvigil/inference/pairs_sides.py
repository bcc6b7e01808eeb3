"""Which side of a pair others refer to, and which one is written to more recently."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from pgvigil.catalog import Column, Table
from pgvigil.catalog.statistics import Statistics
from pgvigil.inference.pairs_names import stems
from pgvigil.inference.pairs_references import References
from pgvigil.inference.pairs_sampling import PairSampler
from pgvigil.inference.pairs_values import Kind, family

_UPDATED = stems("updated")
_MUCH_MORE = 2.0
_FEW_WRITES = 50

Sides = tuple[Table, Table]
Answer = tuple[str, str]
"""A side (left, right, or empty for neither) and the words for it."""


def referenced(sides: Sides, references: References) -> Answer:
    """Return the side that more tables refer to, by declared and other known relations."""
    left, right = sides
    counts = len(references.children(left, but=right)), len(references.children(right, but=left))
    if counts == (0, 0):
        return "", "no table is known to refer to either"
    words = f"tables that refer to them: {counts[0]} to {left}, {counts[1]} to {right}"
    return _greater(*counts), words


def fresher(sides: Sides, statistics: Statistics | None, sampler: PairSampler | None) -> Answer:
    """Return the side that was written to last, by the newest row, or else by the server's counters."""
    newest = [_newest(table, sampler) for table in sides]
    if newest[0] is not None and newest[1] is not None and newest[0] != newest[1]:
        side = _greater(*newest)
        return side, f"the newest row is on the {side}"
    writes = [_writes(table, statistics) for table in sides]
    if max(writes) >= _MUCH_MORE * max(min(writes), _FEW_WRITES):
        side = _greater(*writes)
        return side, f"most of the writes are to the {side}: {writes[0]} and {writes[1]} beyond its rows"
    return "", ""


def _writes(table: Table, statistics: Statistics | None) -> int:
    """Count what was written beyond the rows that are there, which may all come from one load."""
    known = statistics.tables.get(table.oid) if statistics else None
    return max(0, known.writes - known.live_rows) if known else 0


def _newest(table: Table, sampler: PairSampler | None) -> Decimal | None:
    """Return when the newest row was written, in seconds since 1970, where a column tells."""
    column = _updated(table)
    text = sampler.newest(table, column) if sampler and column else None
    try:
        return Decimal(text) if text is not None else None
    except InvalidOperation:
        return None


def _updated(table: Table) -> Column | None:
    found = (one for one in table.columns if family(one) is Kind.MOMENT and stems(one.name) >= _UPDATED)
    return next(found, None)


def _greater(left: Decimal | int | None, right: Decimal | int | None) -> str:
    if left is None or right is None or left == right:
        return ""
    return "left" if left > right else "right"
