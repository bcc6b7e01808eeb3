"""What a person may say about entity pairs."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

from pgvigil.catalog import TableName, parse_table
from pgvigil.check import Elsewhere, Named, Params
from pgvigil.timing import format_duration, parse_duration


def _read_table(value: object) -> TableName:
    if isinstance(value, TableName):
        return value
    if not isinstance(value, str):
        raise ValueError("expected a table, written schema.table")
    return parse_table(value)


def _read_tolerance(value: object) -> Decimal | timedelta:
    if isinstance(value, Decimal | timedelta):
        return value
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("expected a number such as 0.01, or a duration such as 15m")
    # A float is taken as it is written: 0.01 is a hundredth, not the binary fraction near it.
    number = Decimal(str(value))
    if not number.is_finite() or number < 0:
        raise ValueError("a tolerance is a finite number, zero or more")
    return number


def _write_tolerance(tolerance: Decimal | timedelta) -> float | str:
    return format_duration(tolerance) if isinstance(tolerance, timedelta) else float(tolerance)


TableField = Annotated[
    TableName,
    PlainValidator(_read_table),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "examples": ["curated.enhanced_games"]}),
]
"""A field that is written `schema.table`."""

Tolerance = Annotated[
    Decimal | timedelta,
    PlainValidator(_read_tolerance),
    PlainSerializer(_write_tolerance),
    WithJsonSchema({"type": ["number", "string"], "minimum": 0, "examples": [0.01, "15m"]}),
]
"""How far two values may be apart: a number, or a duration for dates and timestamps."""


class Pair(BaseModel):
    """Two tables that hold the same entity, and how their rows belong together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    left: TableField = Field(description="One table or view of the pair.")
    right: TableField = Field(description="The other.")
    right_target: str | None = Field(
        default=None,
        description="The target in which the right table lives, when that is another one of this file:"
        " `warehouse`. The two databases are then compared by checksums.",
    )
    key: dict[str, str] = Field(
        default_factory=dict,
        description="What identifies a row, left: right. Each side is a column, or one expression over the"
        " row's columns such as `lower(slug)`. When absent, the primary key that both tables have.",
    )
    columns: dict[str, str] | None = Field(
        default=None,
        description="What is compared, left: right. When absent, all columns of the same name, but for the"
        " key and for a primary key of one column that both have, by which each side numbers its own rows.",
    )
    ignore: tuple[str, ...] = Field(
        default=(), description="Columns of either side that are neither compared nor reported."
    )
    tolerance: dict[str, Tolerance] = Field(
        default_factory=dict,
        description="How far the values of a compared column, by its left name, may be apart: a number, or a"
        " duration for dates and timestamps.",
    )
    budget: int = Field(
        default=0,
        ge=0,
        description="How many rows may differ, be only left or only right, before the pair is at fault. Up to"
        " there it passes, and metrics still show how many there are.",
    )
    newer: str | None = Field(
        default=None,
        description="Compared date or timestamp, by its left name, that tells which side of a changed row is"
        " newer. When absent, `updated_at` or one of its like.",
    )


class TableDriftParams(Params):
    """Settings of `table_drift`."""

    pairs: tuple[Pair, ...] = Field(default=(), description="The entity pairs to compare.")

    def named(self) -> tuple[Named, ...]:
        """Return the left tables, and the right ones that live beside them."""
        return tuple(
            Named(("pairs", index, side), table)
            for index, pair in enumerate(self.pairs)
            for side, table in (("left", pair.left), ("right", pair.right))
            if side == "left" or pair.right_target is None
        )

    def elsewhere(self) -> tuple[Elsewhere, ...]:
        """Return the right tables that live in other targets."""
        return tuple(
            Elsewhere(("pairs", index, "right_target"), pair.right_target, pair.right)
            for index, pair in enumerate(self.pairs)
            if pair.right_target is not None
        )
