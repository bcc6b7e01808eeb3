"""The strategy `dense`: integer keys without holes are all there between the least and the greatest."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from pgvigil.check import Context
from pgvigil_checks.orphans.bits import Bits
from pgvigil_checks.orphans.facts import Facts
from pgvigil_checks.orphans.scan import count_lacking
from pgvigil_checks.orphans.strategy import Counted, Strategy, bigint, query

_PARENT = 1.5
_UNINDEXED_CHILD = 1.1
_START = 1_000.0
# Key counts are estimates as well: so many holes may yet be none.
_DOUBT = 0.02


class Dense(Strategy):
    """Count the parent's keys: as many as there can be; then count the references that lie beyond."""

    name = "dense"

    def fits(self, facts: Facts) -> bool:
        """Whether keys are integers that are there once, by a unique index of this snapshot."""
        return facts.integers and facts.parent.unique

    def cost(self, facts: Facts) -> float:
        """Return the cost of counting the keys; out of the question where they can't all be there."""
        if facts.holes > 100 + _DOUBT * facts.parents:
            return float("inf")
        child = 0.0 if facts.child.orders else _UNINDEXED_CHILD * facts.children
        return _START + _PARENT * facts.parents + child

    def count(self, context: Context, facts: Facts) -> Counted | None:
        """Count the orphans; None when there are holes."""
        parent = count_keys(context, facts)
        if parent.holes:
            return None
        return count_beyond(context, facts, parent)


class Keys:
    """The parent's keys in this snapshot: how many, and the least and the greatest."""

    def __init__(self, count: int, ends: tuple[int, int] | None) -> None:
        self.count = count
        self.ends = ends

    @property
    def holes(self) -> int:
        """How many keys are missing between the ends, if each is there once."""
        return 0 if self.ends is None else self.ends[1] - self.ends[0] + 1 - self.count


def count_keys(context: Context, facts: Facts) -> Keys:
    """Count the parent's keys."""
    row = context.fetch(query("dense_keys.sql").format(**facts.names))[0]
    return Keys(row["keys"], None if row["least"] is None else (row["least"], row["greatest"]))


def between(facts: Facts, parent: Keys) -> Bits:
    """Return the keys of a parent without holes."""
    return Bits(facts.reference.columns[0][0], parent.ends)


def beyond(facts: Facts, ends: tuple[int, int] | None) -> list[sql.Composed]:
    """Write the conditions that a reference lies beyond either end of the keys; all do if there are none."""
    column = sql.SQL("c.{}").format(facts.names["column"])
    if ends is None:
        return [sql.SQL("{} IS NOT NULL").format(column)]
    least, greatest = map(bigint, ends)
    return [sql.SQL("{} < {}").format(column, least), sql.SQL("{} > {}").format(column, greatest)]


def count_beyond(context: Context, facts: Facts, parent: Keys) -> Counted:
    """Count the references below the parent's least key and above its greatest: all, if it has none."""
    conditions = beyond(facts, parent.ends)
    among = either(conditions)
    if not facts.child.orders:
        (orphans,) = count_lacking(context, facts.reference, [between(facts, parent)])
        return Counted(parent.count + round(facts.children), orphans, among=among)
    with_index = [query("dense_beyond.sql").format(beyond=one, **facts.names) for one in conditions]
    orphans = sum(rows[0]["orphans"] for rows in context.fetch_each(with_index))
    return Counted(parent.count + orphans, orphans, among=among)


def either(conditions: Sequence[sql.Composed]) -> sql.Composed:
    """Write that one of some conditions holds."""
    return sql.SQL("({})").format(sql.SQL(" OR ").join(conditions))
