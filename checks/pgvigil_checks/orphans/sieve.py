"""A sieve: bits, through which a child's next rows go in the order of its key.

The next rows are found by the key's index, entry by entry, and then read. Where the key is an integer, and
most of its numbers are there, a number tells as well where a chunk ends: that spares a quarter of the work,
and lets two sessions read it side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from psycopg import sql

from pgvigil.check import Query, Row
from pgvigil_checks.orphans.bits import Bits, counting
from pgvigil_checks.orphans.facts import GREATEST
from pgvigil_checks.orphans.paths import ByKey, Place
from pgvigil_checks.orphans.strategy import bigint, query

# With fewer numbers in use a range of them may hold far more rows than the one before.
_DENSEST = 0.5
# What is read sooner than another session is there is not shared out.
_FEWEST_TO_SHARE = 20_000


class Sieve:
    """Asks what the bits of each relation hold back of one chunk after the other.

    A query's row says how many `rows` there were, how many of them were held back for each relation
    (`lacking`), and where the `last` of them stands.
    """

    def __init__(self, path: ByKey, each: Sequence[Bits]) -> None:
        self._path = path
        self._each = each
        self._greatest = GREATEST.get(path.key[0].type) if len(path.key) == 1 else None
        self._density = 0.0

    def next(self, last: Place, rows: int) -> Query:
        """Return the query of how many of the next `rows` rows behind `last` each of the bits holds back."""
        return counting(
            query("walk_sift.sql"),
            self._each,
            rows=sql.Literal(rows),
            bound=sql.SQL(", ").join(
                sql.SQL("(SELECT {} FROM bound)").format(sql.Identifier(name)) for name in self._path.columns
            ),
            **self._path.order(last),
        )

    def ranges(self, last: Place, rows: int) -> list[Query]:
        """Return queries that together tell the same of about as many rows; none if no number is known."""
        if not last or self._greatest is None or self._density < _DENSEST:
            return []
        first = int(last[0])
        end = min(first + round(rows / self._density), self._greatest)
        ends = [first, (first + end) // 2, end] if rows >= _FEWEST_TO_SHARE else [first, end]
        return [self._range(*one) for one in pairwise(ends)]

    def took(self, last: Place, row: Row) -> None:
        """Hear how far the rows behind `last` reached."""
        if last and row["rows"] and self._greatest is not None:
            self._density = row["rows"] / (int(row["last"][0]) - int(last[0]))

    def _range(self, first: int, last: int) -> Query:
        key = sql.Identifier("c", self._path.columns[0])
        return counting(
            query("walk_range.sql"),
            self._each,
            child=self._path.reference.child_rows,
            key=key,
            first=bigint(first),
            last=bigint(last),
        )


def added_up(parts: Sequence[Row]) -> Row | None:
    """Return what ranges say together that lie one behind the other; None where they hold no row."""
    rows = sum(part["rows"] for part in parts)
    held = zip(*(part["lacking"] for part in parts), strict=True)
    return {**parts[-1], "rows": rows, "lacking": [sum(each) for each in held]} if rows else None
