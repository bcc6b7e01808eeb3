"""How the two tables of the game pair come to differ.

Every fault has a slot: games that no other fault touches, so that the counts of all faults add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

from pgvigil.sample.dice import Dice
from pgvigil.sample.faults.fault import ADDED_FROM, Fault, add, borrow, identifier, portion, remove
from pgvigil.sample.planted import SAMPLE, Kind, Planted
from pgvigil.sample.session import statement

LEFT = "curated.enhanced_games"
RIGHT = "curated.games_complete"
PAIR = f"{LEFT} <> {RIGHT}"
# The columns that mean the same, left and right. Both sides call the key `igdb_id`.
MAPPING = {
    "title": "name",
    "subtitle": "tagline",
    "developer": "developed_by",
    "release_date": "released_on",
    "list_price": "price",
    "quality_score": "quality_score",
    "platforms": "platforms",
    "attributes": "metadata",
    "updated_at": "updated_at",
}
_SLOT_SIZE = 40


@dataclass(frozen=True)
class Change:
    """What happens to a column, named as on the left, on one side of the pair."""

    side: str
    column: str
    expression: LiteralString


@dataclass(frozen=True, kw_only=True)
class Changed(Fault):
    """Games that were changed on one side only."""

    kind: Kind = Kind.CHANGED
    slot: int
    changes: tuple[Change, ...]
    untitled: bool = False

    def plant(self, connection: psycopg.Connection, dice: Dice, share: float = 1.0) -> Planted:
        """Change some games of the slot."""
        games = _slot(connection, self.slot)
        if self.untitled:
            query = statement("faults/sql/untitled.sql")
            games = [row[0] for row in connection.execute(query, {"games": games})]
        chosen = dice.sample(games, portion(share, dice.between(4, 18)))
        for change in self.changes:
            self._change(connection, change, chosen)
        return Planted(
            fault=self.name,
            kind=self.kind,
            description=self.description,
            tables=(LEFT, RIGHT),
            columns=tuple(change.column for change in self.changes),
            rows=len(chosen),
            keys=tuple({"igdb_id": game} for game in chosen[:SAMPLE]),
            pair=PAIR,
            configured=True,
        )

    def heal(self, connection: psycopg.Connection) -> None:
        """Let the changed side say what the other side says, in the whole slot."""
        games = _slot(connection, self.slot)
        for change in self.changes:
            other = LEFT if change.side == RIGHT else RIGHT
            mirror = sql.SQL(statement("faults/sql/mirror.sql")).format(
                table=identifier(change.side),
                column=_column(change.side, change.column),
                other=identifier(other),
                other_column=_column(other, change.column),
            )
            connection.execute(mirror, {"games": games})

    @staticmethod
    def _change(connection: psycopg.Connection, change: Change, games: list[int]) -> None:
        update = sql.SQL(statement("faults/sql/change.sql")).format(
            table=identifier(change.side),
            column=_column(change.side, change.column),
            expression=sql.SQL(change.expression),
        )
        connection.execute(update, {"games": games})


@dataclass(frozen=True, kw_only=True)
class AddedGames(Fault):
    """Games that were added on one side only: as new ones, once more, or without a key."""

    slot: int
    side: str

    def plant(self, connection: psycopg.Connection, dice: Dice, share: float = 1.0) -> Planted:
        """Add the games, made of those of the slot."""
        games = _slot(connection, self.slot)[: portion(share, dice.between(4, 15))]
        condition = sql.SQL("igdb_id = ANY ({})").format(sql.Literal(games))
        patterns = borrow(connection, self.side, len(games), order_by="igdb_id", where=condition)
        rows = [
            {**pattern, "id": self._id(number), "igdb_id": self._igdb_id(number, pattern["igdb_id"])}
            for number, pattern in enumerate(patterns)
        ]
        add(connection, self.side, rows)
        key = "id" if rows[0]["igdb_id"] is None else "igdb_id"
        return Planted(
            fault=self.name,
            kind=self.kind,
            description=self.description,
            tables=(LEFT, RIGHT),
            columns=("igdb_id",),
            rows=len(rows),
            keys=tuple({key: row[key]} for row in rows[:SAMPLE]),
            pair=PAIR,
            configured=True,
        )

    def heal(self, connection: psycopg.Connection) -> None:
        """Take the games away."""
        remove(connection, self.side, "id", self._id(0), self._id(_SLOT_SIZE - 1))

    def _id(self, number: int) -> str | int:
        number += self.slot * _SLOT_SIZE
        return ADDED_FROM + number if self.side == RIGHT else f"ffffffff-ffff-4fff-afff-{number:012x}"

    def _igdb_id(self, number: int, pattern: str) -> int | None:
        if self.kind in {Kind.LEFT_NULL_KEY, Kind.RIGHT_NULL_KEY}:
            return None
        if self.kind is Kind.LEFT_DUPLICATE:
            return int(pattern)
        return ADDED_FROM + self.slot * _SLOT_SIZE + number


def _slot(connection: psycopg.Connection, slot: int) -> list[int]:
    return [row[0] for row in connection.execute(statement("faults/sql/slot.sql"), {"slot": slot})]


def _column(side: str, column: str) -> sql.Identifier:
    return sql.Identifier(column if side == LEFT else MAPPING[column])


DRIFT: tuple[Fault, ...] = (
    Changed(
        name="drift_title",
        description="titles that got an edition on the left",
        slot=0,
        changes=(Change(LEFT, "title", "title || ': Definitive Edition'"),),
    ),
    Changed(
        name="drift_score",
        description="quality scores computed anew on the right, far beyond the tolerance of 0.01",
        slot=1,
        changes=(Change(RIGHT, "quality_score", "quality_score + 5.25"),),
    ),
    Changed(
        name="drift_score_tolerated",
        kind=Kind.TOLERATED,
        description="quality scores that differ by 0.004, within the tolerance of 0.01",
        slot=2,
        changes=(Change(RIGHT, "quality_score", "quality_score + 0.004"),),
    ),
    Changed(
        name="drift_updated_at",
        description="games touched 3 hours later on the left, beyond the tolerance of 15 minutes",
        slot=3,
        changes=(Change(LEFT, "updated_at", "updated_at + interval '3 hours'"),),
    ),
    Changed(
        name="drift_updated_at_tolerated",
        kind=Kind.TOLERATED,
        description="games touched 10 minutes earlier on the right, within the tolerance of 15 minutes",
        slot=4,
        changes=(Change(RIGHT, "updated_at", "updated_at - interval '10 minutes'"),),
    ),
    Changed(
        name="drift_empty_string",
        description="subtitles that are NULL on the left and an empty string on the right",
        slot=5,
        changes=(Change(RIGHT, "subtitle", "''"),),
        untitled=True,
    ),
    Changed(
        name="drift_price",
        description="prices on the right with half a cent that the left cannot hold",
        slot=6,
        changes=(Change(RIGHT, "list_price", "price + 0.0050"),),
    ),
    Changed(
        name="drift_attributes",
        description="an attribute in jsonb that became null on the left",
        slot=7,
        changes=(Change(LEFT, "attributes", """attributes || '{"coop": null}'"""),),
    ),
    Changed(
        name="drift_platforms",
        description="a platform added to the array on the left",
        slot=8,
        changes=(Change(LEFT, "platforms", "platforms || 'Deck'::text"),),
    ),
    Changed(
        name="drift_two_columns",
        description="games whose developer and date of release both changed on the left",
        slot=9,
        changes=(
            Change(LEFT, "developer", "coalesce(developer, '') || ' Ltd.'"),
            Change(LEFT, "release_date", "release_date + 1"),
        ),
    ),
    AddedGames(
        name="drift_left_only",
        kind=Kind.LEFT_ONLY,
        description="games that only the left knows",
        slot=10,
        side=LEFT,
    ),
    AddedGames(
        name="drift_right_only",
        kind=Kind.RIGHT_ONLY,
        description="games that only the right knows",
        slot=11,
        side=RIGHT,
    ),
    AddedGames(
        name="drift_left_duplicate",
        kind=Kind.LEFT_DUPLICATE,
        description="games that the left, which has no unique key on them, holds twice",
        slot=12,
        side=LEFT,
    ),
    AddedGames(
        name="drift_left_null_key",
        kind=Kind.LEFT_NULL_KEY,
        description="games without a key on the left",
        slot=13,
        side=LEFT,
    ),
    AddedGames(
        name="drift_right_null_key",
        kind=Kind.RIGHT_NULL_KEY,
        description="games without a key on the right, where it is unique but may be NULL",
        slot=14,
        side=RIGHT,
    ),
)
