"""A table of the sample: its name, its columns and how one of its rows is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from psycopg import sql

from pgvigil.sample.dice import Dice
from pgvigil.sample.world import World

Row = tuple[object, ...]


@dataclass(frozen=True)
class Table:
    """A recipe for rows.

    `name` is `schema.table` without quotes (only the first dot separates), `columns` are separated by `, `.
    `row` makes the row of a number from 1 up, out of the world that it lives in and the dice of the table.
    `rows` is their count at scale 1; a table that does not grow has so many at every scale.
    """

    name: str
    columns: str
    rows: int
    row: Callable[[World, Dice, int], Row]
    grows: bool = True

    def count(self, world: World) -> int:
        """Count the rows that the table has at the scale of the world."""
        return self.rows * world.scale if self.grows else self.rows

    def each(self, world: World) -> Iterator[Row]:
        """Make the rows, one at a time."""
        dice = Dice(world.seed, self.name)
        return (self.row(world, dice, number) for number in range(1, self.count(world) + 1))

    def copy_statement(self) -> sql.Composed:
        """Compose the COPY that takes the rows."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns.split(", ")))
        name = sql.Identifier(*self.name.split(".", 1))
        return sql.SQL("COPY {} ({}) FROM STDIN").format(name, columns)
