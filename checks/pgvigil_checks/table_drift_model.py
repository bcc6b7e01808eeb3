"""An entity pair that fits its catalog: two tables, the key of their rows, the columns that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias

from psycopg import sql

from pgvigil.catalog import Column, Table
from pgvigil_checks.table_drift_types import INTEGERS, Equality, is_number, trusted

Match: TypeAlias = "tuple[Column, Column]"
"""A column of the left table and the one of the right that it is compared with."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression over a row's columns. `values` describes what it computes, once the server has said."""

    name: str
    values: Column | None = None


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One part of a key: on each side a column or an expression."""

    left: Column | Expression
    right: Column | Expression
    equality: Equality

    @property
    def label(self) -> str:
        """How the part is called: as on the left."""
        return self.left.name

    @property
    def columns(self) -> Match | None:
        """The two columns; None when a side computes its key."""
        if isinstance(self.left, Column) and isinstance(self.right, Column):
            return self.left, self.right
        return None

    @property
    def integer(self) -> bool:
        """Whether its values fit into 64 bits on both sides, and need no shortening."""
        return self.columns is not None and all(side.base_type in INTEGERS for side in self.columns)

    def of(self, side: str) -> Column | Expression:
        """Return what stands on one side, `left` or `right`."""
        return self.left if side == "left" else self.right

    def value(self, side: str) -> sql.Composable:
        """Compose one side's value, of a row called t."""
        stands = self.of(side)
        if isinstance(stands, Column):
            return self.equality.value(sql.Identifier("t", stands.name), stands)
        computed = sql.SQL("({})").format(trusted(stands.name))
        return computed if stands.values is None else self.equality.value(computed, stands.values)


@dataclass(frozen=True, slots=True)
class ColumnPair:
    """Two columns that should hold the same."""

    left: Column
    right: Column
    equality: Equality
    tolerance: Decimal | timedelta | None = None

    @property
    def numeric(self) -> bool:
        """Whether the difference of the two is a number."""
        return is_number(self.left) and is_number(self.right)


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Some of a pair's rows, by the first part of their key: not below any of `lows`, but below `high`.

    Bounds are texts of `type`. Every range repeats the lows of those before it, so that no two ranges share
    a row, in whatever order a server puts the bounds. `nulls` are the rows without a value there.
    """

    type: str
    lows: tuple[str, ...] = ()
    high: str | None = None
    nulls: bool = False

    def condition(self, value: sql.Composable) -> sql.Composable:
        """Compose whether a value of the key's first part is in the range."""
        if self.nulls:
            return sql.SQL("{} IS NULL").format(value)
        bounds = [(">=", low) for low in self.lows] + ([] if self.high is None else [("<", self.high)])
        return sql.SQL(" AND ").join(
            sql.SQL("{} OPERATOR(pg_catalog.{}) {}::{}").format(
                value, trusted(operator), sql.Literal(bound), trusted(self.type)
            )
            for operator, bound in bounds
        )


@dataclass(frozen=True, slots=True)
class EntityPair:
    """Two tables, ready to be compared.

    `budget` is how many rows may drift. `newer` is the compared pair of columns that tells which side is
    newer. `left_alone` and `right_alone` name the columns that the other side lacks, `unlike` the pairs whose
    types differ, `incomparable` those of the same name that cannot be compared at all. `within` is the range
    of keys that is compared, None for all rows. `right_target` is the target that the right table lives in,
    when that is another one.
    """

    left: Table
    right: Table
    key: tuple[KeyPart, ...]
    columns: tuple[ColumnPair, ...]
    budget: int
    newer: ColumnPair | None
    left_alone: tuple[str, ...]
    right_alone: tuple[str, ...]
    unlike: tuple[Match, ...]
    incomparable: tuple[Match, ...]
    within: KeyRange | None = None
    right_target: str | None = None

    @property
    def computed(self) -> bool:
        """Whether a part of the key is an expression."""
        return any(part.columns is None for part in self.key)

    def table(self, side: str) -> Table:
        """Return the table of one side, `left` or `right`."""
        return self.left if side == "left" else self.right

    def called(self, side: str) -> str:
        """Return how the table of one side is called, with its target when that is another one."""
        where = f"{self.right_target}:" if self.right_target and side == "right" else ""
        return f"{where}{self.table(side)}"

    def condition(self, side: str) -> sql.Composable:
        """Compose the WHERE clause that leaves those rows of one side, called t, that are compared."""
        if self.within is None:
            return sql.SQL("")
        return sql.SQL(" WHERE {}").format(self.within.condition(self.key[0].value(side)))
