"""One scan of the child in one snapshot, over as many sessions as there are to spare."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from psycopg import sql

from pgvigil.check import Context
from pgvigil_checks.orphans.bits import Bits, counting
from pgvigil_checks.orphans.strategy import query
from pgvigil_checks.references import Reference

# Smaller tables are read before a second session is there.
_FEWEST_PAGES = 4_000
_PARTS = 4


def count_lacking(context: Context, reference: Reference, each: Sequence[Bits]) -> list[int]:
    """Count the child's rows that refer to no key, for each of some bits, which are of this snapshot."""
    queries = [
        counting(query("scan.sql"), each, child=reference.child_rows, part=part)
        for part in _parts(context, reference)
    ]
    answers = context.fetch_split(queries)
    return [sum(counted) for counted in zip(*(rows[0]["lacking"] for rows in answers), strict=True)]


def _parts(context: Context, reference: Reference) -> list[sql.Composed]:
    """Write conditions of which each row of the child meets one: ranges of pages, or one that all meet.

    A table that is big beside the server's buffers is left in one: only a scan of all of it keeps to a few
    buffers, where one of a range would push out what others need.
    """
    size = context.fetch(query("scan_size.sql").format(child=sql.Literal(reference.child.oid)))[0]
    pages: int = size["pages"] or 0  # of a table that was dropped meanwhile: the scan will find that out
    if not _FEWEST_PAGES <= pages <= size["cached"]:
        return [sql.SQL("{}").format(sql.SQL("true"))]
    places = [sql.Literal(f"({pages * number // _PARTS},0)") for number in range(1, _PARTS)]
    return [
        sql.SQL("c.ctid < {}::tid").format(places[0]),
        *(
            sql.SQL("c.ctid >= {}::tid AND c.ctid < {}::tid").format(one, other)
            for one, other in pairwise(places)
        ),
        sql.SQL("c.ctid >= {}::tid").format(places[-1]),
    ]
