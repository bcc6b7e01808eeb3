"""What a strategy is: an exact way to count the orphans of a reference in one snapshot."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from psycopg import sql

from pgvigil.check import Context, load_sql
from pgvigil_checks.orphans.facts import Facts


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted; `rows` are those of child and parent that were read for it.

    `among` narrows down where the orphans are, for the query that shows some of them; None: anywhere.
    """

    rows: int
    orphans: int
    partial: int = 0
    among: sql.Composed | None = None


class Strategy(ABC):
    """An exact way to count orphans; whether it is a fast one is a matter of the facts.

    Costs are in rows of a bare scan: what `SELECT count(column)` takes for one row, about 0.1 µs. They are
    measured, and rough: what counts is which is the least.
    """

    name: ClassVar[str]

    @abstractmethod
    def fits(self, facts: Facts) -> bool:
        """Tell whether it gives the exact answer, at a price that an index bounds if need be."""

    @abstractmethod
    def cost(self, facts: Facts) -> float:
        """Estimate what it costs; the facts fit, and its tables' sizes are known."""

    @abstractmethod
    def count(self, context: Context, facts: Facts) -> Counted | None:
        """Count the orphans; None where it turned out that another strategy should."""


def query(name: str) -> sql.SQL:
    """Return the query in a file of this package."""
    return load_sql("pgvigil_checks.orphans", name)


def bigint(value: int) -> sql.Composed:
    """Write an integer of any size that a column may hold."""
    return sql.SQL("{}::bigint").format(sql.Literal(str(value)))
