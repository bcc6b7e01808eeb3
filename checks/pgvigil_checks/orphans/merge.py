"""The strategy `merge`: an anti-join along two indexes, which the planner rarely finds by itself."""

from __future__ import annotations

from pgvigil.check import Context
from pgvigil_checks.orphans.facts import Facts
from pgvigil_checks.orphans.hash import anti_join
from pgvigil_checks.orphans.strategy import Counted, Strategy

_CHILD = 1.3
_PARENT = 4.0
# An index entry whose row has to be looked up costs a page, near or far.
_LOOK_UP = 20.0


class Merge(Strategy):
    """Read the child's index and the parent's side by side."""

    name = "merge"

    def fits(self, facts: Facts) -> bool:
        """Whether both have their columns in one order in an index."""
        return facts.alike and bool(facts.child.orders & facts.parent.orders)

    def cost(self, facts: Facts) -> float:
        """Return the cost of reading both indexes, and the rows that are not known to be visible."""
        child = _CHILD + _LOOK_UP * (1 - facts.child.visible)
        parent = _PARENT + _LOOK_UP * (1 - facts.parent.visible)
        return child * facts.children + parent * facts.parents

    def count(self, context: Context, facts: Facts) -> Counted:
        """Count the orphans."""
        return anti_join(context, facts, "hashjoin", "nestloop", "seqscan")
