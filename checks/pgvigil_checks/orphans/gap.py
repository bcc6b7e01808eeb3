"""The strategy `gap`: what refers into a hole of the parent's integer keys is an orphan, nothing else is."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from pgvigil.check import Context
from pgvigil_checks.orphans.dense import beyond, either
from pgvigil_checks.orphans.facts import Facts
from pgvigil_checks.orphans.planning import fetch_without
from pgvigil_checks.orphans.strategy import Counted, Strategy, bigint, query

_PARENT = 11.5
_HOLE = 50.0
_START = 2_000.0
_FEWEST = 1_000
# So many holes lead to the rows that are shown.
_KEPT = 100


class Gap(Strategy):
    """Look into each hole, by the index of the referencing column."""

    name = "gap"

    def fits(self, facts: Facts) -> bool:
        """Whether keys are integers with an index on both sides."""
        return facts.integers and bool(facts.child.orders and facts.parent.orders)

    def cost(self, facts: Facts) -> float:
        """Return the cost of finding the holes and of looking into each."""
        return _START + _PARENT * facts.parents + _HOLE * self._holes(facts) * facts.child.tables

    def count(self, context: Context, facts: Facts) -> Counted | None:
        """Count the orphans; None when there are far more keys or holes than was thought."""
        outside = beyond(facts, facts.ends)
        counted = query("gap.sql").format(
            most_keys=sql.Literal(_FEWEST + round(2 * facts.parents)),
            most_holes=sql.Literal(_FEWEST + round(2 * self._holes(facts))),
            kept=sql.Literal(_KEPT),
            beyond=sql.SQL(" + ").join(
                sql.SQL("({})").format(query("dense_beyond.sql").format(beyond=one, **facts.names))
                for one in outside
            ),
            **facts.names,
        )
        row = fetch_without(context, counted, "seqscan")[0]
        if row["too_many"]:
            return None
        orphans = row["within"] + row["beyond"]
        among = _among(facts, row["lost"], outside if row["beyond"] else [])
        return Counted(round(facts.parents) + orphans, orphans, among=among)

    @staticmethod
    def _holes(facts: Facts) -> float:
        # Keys that are missing side by side make one hole, and there is at most one behind every key.
        return min(facts.holes, facts.parents)


def _among(
    facts: Facts, holes: Sequence[tuple[int, int]], outside: Sequence[sql.Composed]
) -> sql.Composed | None:
    """Write the condition that a row refers into one of these holes, or beyond; None if that is too much."""
    if len(holes) > _KEPT or not (holes or outside):
        return None
    column = sql.Identifier("c", facts.reference.columns[0][0].name)
    inside = [
        sql.SQL("{column} > {below} AND {column} < {above}").format(
            column=column, below=bigint(below), above=bigint(above)
        )
        for below, above in holes
    ]
    return either([*inside, *outside])
