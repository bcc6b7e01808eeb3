"""The strategy `loose`: from value to value of the referencing column, through its index."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from pgvigil.catalog import may_be_damaged
from pgvigil.check import Context
from pgvigil_checks.orphans.facts import Facts
from pgvigil_checks.orphans.planning import fetch_without
from pgvigil_checks.orphans.strategy import Counted, Strategy, query
from pgvigil_checks.references import cast_to

# Two look-ups, in the child's index and the parent's; of partitions each is asked.
_VALUE = 110.0
_START = 2_000.0
# n_distinct is an estimate, and of big tables it is mostly too low: so much more is put up with.
_MORE = 4.0
_FEWEST = 1_000
# So many values without a parent lead to the rows that are shown.
_KEPT = 100


class Loose(Strategy):
    """Look for each value once."""

    name = "loose"

    def fits(self, facts: Facts) -> bool:
        """Whether a single column has an index on both sides, ordered as it is compared."""
        return facts.alike and facts.single and bool(facts.child.orders and facts.parent.orders)

    def cost(self, facts: Facts) -> float:
        """Return the cost of looking for each value."""
        return _START + _VALUE * facts.distinct * max(facts.child.tables, facts.parent.tables)

    def count(self, context: Context, facts: Facts) -> Counted | None:
        """Count the orphans; None when there are far more values than was thought."""
        most = _FEWEST + round(_MORE * facts.distinct)
        values = query("loose.sql").format(
            most=sql.Literal(most), kept=sql.Literal(_KEPT), equal=facts.reference.equal, **facts.names
        )
        row = fetch_without(context, values, "seqscan")[0]
        if row["cut"]:
            return None
        return Counted(row["values"] + row["orphans"], row["orphans"], among=_among(facts, row["lost"]))


def _among(facts: Facts, values: Sequence[str]) -> sql.Composed | None:
    """Write the condition that a row refers to one of these values; None if they are none, or too many.

    Or if their texts may not be taken for the same values again.
    """
    column = facts.reference.columns[0][0]
    if not 0 < len(values) <= _KEPT or not column.faithful or may_be_damaged(values):
        return None
    cast = cast_to(column.base_type)
    written = sql.SQL(", ").join(sql.SQL("{}{}").format(sql.Literal(value), cast) for value in values)
    return sql.SQL("{} IN ({})").format(sql.Identifier("c", column.name), written)
