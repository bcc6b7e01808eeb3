"""The strategy `bitmap`: a bit for each key of an integer parent, and one scan of the child."""

from __future__ import annotations

from pgvigil.check import Context
from pgvigil_checks.orphans.bits import gather, spans
from pgvigil_checks.orphans.facts import Facts
from pgvigil_checks.orphans.scan import count_lacking
from pgvigil_checks.orphans.strategy import Counted, Strategy

WIDEST = 1 << 26
"""Numbers between the least and the greatest key, inclusive: 8 MB of memory."""
_CHILD = 1.8
# Beyond the processor's cache a bit takes longer to find.
_CHILD_BEYOND_CACHE = 3.5
_CACHED = 1 << 24
_PARENT = 3.0
_NUMBER = 0.02
_START = 1_000.0


class Bitmap(Strategy):
    """Gather the parent's keys as bits; then look at each child row's bit."""

    name = "bitmap"

    def fits(self, facts: Facts) -> bool:
        """Whether keys are integers with an index on them, and lie close enough together."""
        return spans(facts, WIDEST)

    def cost(self, facts: Facts) -> float:
        """Return the cost of gathering the keys, and of one scan."""
        child = _CHILD if facts.width < _CACHED else _CHILD_BEYOND_CACHE
        return _START + _PARENT * facts.parents + _NUMBER * facts.width + child * facts.children

    def count(self, context: Context, facts: Facts) -> Counted:
        """Count the orphans."""
        bits = gather(context, facts)
        (orphans,) = count_lacking(context, facts.reference, [bits])
        return Counted(round(facts.children), orphans, among=bits.lack)
