"""What keeps a query linear when the planner knows nothing of its tables."""

from __future__ import annotations

from pgvigil.catalog import Table
from pgvigil.check import Context, load_sql


def distrust_estimates(context: Context, *tables: Table) -> None:
    """Rule out nested loops for the rest of the run if one of the tables has no statistics.

    A table that was restored or loaded a moment ago has none. The planner then guesses its rows by their
    width, takes a table of wide rows for one of no rows, and joins two of them by a nested loop without an
    index: minutes instead of milliseconds. By hash or merge each table is read once, whatever its size.
    """
    if not all(table.rows_estimate for table in tables):
        context.fetch(load_sql("pgvigil_checks", "planning_no_nested_loops.sql"))
