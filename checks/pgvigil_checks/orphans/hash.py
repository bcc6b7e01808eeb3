"""The strategy `hash`: an anti-join as the server plans it. It is for every reference."""

from __future__ import annotations

from pgvigil.catalog import Match
from pgvigil.check import Context
from pgvigil_checks.orphans.facts import Facts
from pgvigil_checks.orphans.planning import Way, fetch_without
from pgvigil_checks.orphans.strategy import Counted, Strategy, query

# A table of hashes beyond the processor's cache, and one in batches on disk, cost more for each child row.
_CHILD = 2.7
_CHILD_BEYOND_CACHE = 6.0
_CACHED = 100_000
_PARENT = 3.0
# So many rows are counted in passing; in a bigger child the bare count would be a quarter of the work.
_COUNTED = 200_000


class Hash(Strategy):
    """An anti-join, by hash mostly."""

    name = "hash"

    def fits(self, _facts: Facts) -> bool:
        """Tell whether the answer is exact: always."""
        return True

    def cost(self, facts: Facts) -> float:
        """Return the cost of reading both tables and joining them."""
        child = _CHILD_BEYOND_CACHE if facts.parents > _CACHED else _CHILD
        return child * facts.children + _PARENT * facts.parents

    def count(self, context: Context, facts: Facts) -> Counted:
        """Count the orphans."""
        return anti_join(context, facts)


def anti_join(context: Context, facts: Facts, *without: Way) -> Counted:
    """Count orphans and partial references by what fits every reference; a big child's rows are estimated."""
    reference = facts.reference
    names = {"child": reference.child_rows, "orphan": reference.orphan}
    if facts.children > _COUNTED and reference.match is not Match.FULL:
        row = fetch_without(context, query("hash_orphans.sql").format(**names), *without)[0]
        return Counted(round(facts.children), row["orphans"])
    counts = query("hash_count.sql").format(partial=reference.partial, **names)
    row = fetch_without(context, counts, *without)[0]
    return Counted(row["rows"], row["orphans"], row["partial"])
