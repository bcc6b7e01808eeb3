"""Hints to the server's planner, for one query of a run."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from psycopg import sql

from pgvigil.check import Context, Query, Row
from pgvigil_checks.orphans.strategy import query

Way: TypeAlias = Literal["hashjoin", "nestloop", "seqscan"]
"""A way to execute a query that the planner may take, by the name of its setting."""


def fetch_without(context: Context, asked: Query, *ways: Way) -> list[Row]:
    """Return the rows of a query for which some ways are ruled out, where there is another one.

    All of it is sent at once, and then all is as before. After a query that failed nothing is restored:
    nothing more is asked in its transaction.
    """
    if not ways:
        return context.fetch(asked)
    settings = {name: sql.SQL("'off'" if name in ways else f"{name}") for name in get_args(Way)}
    _, rows, _ = context.fetch_each(
        [query("settings.sql").format(**settings), asked, query("settings_restored.sql")]
    )
    return rows
