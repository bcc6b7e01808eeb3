"""What the choice of a strategy rests on: sizes, indexes, statistics, and the ends of the parent's keys.

Whether a strategy is exact rests on types, operators and on indexes that are in force in the run's snapshot;
statistics decide on speed alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from psycopg import sql

from pgvigil.catalog import Column, Operator, TableKind
from pgvigil.check import Context, Row, load_sql
from pgvigil_checks.references import Reference

GREATEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
"""The greatest number of each integer type."""

INTEGERS = frozenset(GREATEST)

Order: TypeAlias = tuple[int, ...]
"""The reference's columns, counted from 1, as an index has them first."""


@dataclass(frozen=True, slots=True)
class Side:
    """One table of a reference: its indexes on the columns, and what the server's statistics say.

    `orders` are those of the indexes in force that begin with the columns, `unique` tells that one of them
    has no others and holds each value once. `tables` counts the parts that hold rows. `visible` is the share
    of pages whose rows an index scan need not look up. `distinct` estimates the values of a single column,
    None when it was never analysed.
    """

    orders: frozenset[Order] = frozenset()
    unique: bool = False
    tables: int = 1
    visible: float = 0.0
    distinct: float | None = None


@dataclass(frozen=True)
class Facts:
    """A reference, and all that is known of it in the run's snapshot.

    `ends` are the least and the greatest key of an integer parent with an index on it; None where there is no
    such key or index.
    """

    reference: Reference
    child: Side
    parent: Side
    ends: tuple[int, int] | None = None

    @property
    def children(self) -> float:
        """About how many rows the child has; 0 when that is not known."""
        return self.reference.child.rows_estimate or 0.0

    @property
    def parents(self) -> float:
        """About how many rows the parent has; 0 when that is not known."""
        return self.reference.parent.rows_estimate or 0.0

    @property
    def distinct(self) -> float:
        """About how many values the referencing column has; every row its own when that is not known."""
        return self.children if self.child.distinct is None else self.child.distinct

    @property
    def width(self) -> int:
        """How many numbers there are from the parent's least key to its greatest."""
        return 0 if self.ends is None else self.ends[1] - self.ends[0] + 1

    @property
    def holes(self) -> float:
        """About how many of these are no keys."""
        return max(self.width - self.parents, 0.0)

    @cached_property
    def plain(self) -> bool:
        """Whether both are tables of their own or partitioned, and nothing that inherits counts."""
        reference = self.reference
        return not reference.period and all(
            table.kind in (TableKind.TABLE, TableKind.PARTITIONED)
            and (reference.only or not table.has_children)
            for table in (reference.child, reference.parent)
        )

    @cached_property
    def alike(self) -> bool:
        """Whether equality is that by which the columns' own indexes are ordered, column by column."""
        reference = self.reference
        pairs = zip(reference.columns, reference.operators, strict=True)
        return self.plain and all(alike(child, parent, operator) for (child, parent), operator in pairs)

    @cached_property
    def integers(self) -> bool:
        """Whether it is a single column of integers, so that keys can be counted and done sums with."""
        return (
            self.alike
            and self.single
            and all(column.type in INTEGERS for column in self.reference.columns[0])
        )

    @property
    def single(self) -> bool:
        """Whether the reference has one column only."""
        return len(self.reference.columns) == 1

    @property
    def names(self) -> dict[str, sql.Composed]:
        """Names for queries; `column` and `key` are the first column on either side."""
        child, parent = self.reference.columns[0]
        return {
            "child": self.reference.child_rows,
            "parent": self.reference.parent_rows,
            "column": sql.SQL("{}").format(sql.Identifier(child.name)),
            "key": sql.SQL("{}").format(sql.Identifier(parent.name)),
        }


def gather_facts(context: Context, reference: Reference) -> Facts:
    """Ask the server for what is known of a reference: in one round trip, and another one for integers."""
    tables = {"child": sql.Literal(reference.child.oid), "parent": sql.Literal(reference.parent.oid)}
    indexes, sizes, distinct = context.fetch_each(
        [
            _query("facts_indexes.sql").format(**tables),
            _query("facts_sizes.sql").format(**tables),
            _query("facts_distinct.sql").format(
                schema=sql.Literal(reference.child.schema),
                table=sql.Literal(reference.child.name),
                column=sql.Literal(reference.child_columns[0]),
                inherited=sql.Literal(reference.child.kind is TableKind.PARTITIONED),
            ),
        ]
    )
    of_child, of_parent = (next(row for row in sizes if row["is_child"] is child) for child in (True, False))
    child = _side([row for row in indexes if row["is_child"]], of_child, reference.child_columns)
    keys = [key.name for _, key in reference.columns]
    parent = _side([row for row in indexes if row["is_parent"]], of_parent, keys)
    facts = Facts(reference, replace(child, distinct=_values(distinct, reference)), parent)
    if not (facts.integers and facts.parent.orders):
        return facts
    ends = context.fetch(_query("ends.sql").format(**facts.names))[0]
    if ends["least"] is None:
        return facts
    return replace(facts, ends=(ends["least"], ends["greatest"]))


def _query(name: str) -> sql.SQL:
    return load_sql("pgvigil_checks.orphans", name)


def _side(indexes: Sequence[Row], size: Row, columns: Sequence[str]) -> Side:
    """Return what indexes in force and sizes say of one table."""
    orders = [(_order(row["columns"], columns), row) for row in indexes]
    return Side(
        orders=frozenset(order for order, _ in orders if order),
        unique=any(order and row["unique"] and row["width"] == len(columns) for order, row in orders),
        tables=size["tables"],
        visible=size["visible"],
    )


def _order(index: Sequence[str | None], columns: Sequence[str]) -> Order | None:
    """Return in which order an index begins with these columns; None where it does not."""
    first = index[: len(columns)]
    if len(set(first)) < len(columns) or set(first) != set(columns):
        return None
    return tuple(1 + columns.index(name) for name in first if name is not None)


def _values(rows: Sequence[Row], reference: Reference) -> float | None:
    """Return about how many values a single referencing column has."""
    if not rows or len(reference.columns) != 1:
        return None
    distinct: float = rows[0]["distinct"]
    return distinct if distinct >= 0 else -distinct * (reference.child.rows_estimate or 0.0)


def alike(child: Column, parent: Column, operator: Operator) -> bool:
    """Tell whether two columns are compared as their own indexes are ordered."""
    integers = {child.type, parent.type} <= INTEGERS
    same = child.type == parent.type and child.collation == parent.collation
    ours = "." not in child.base_type and operator.schema == "pg_catalog" and operator.name == "="
    return ours and child.deterministic and parent.deterministic and (integers or same)
