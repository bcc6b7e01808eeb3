"""Rows whose parent does not exist, in relations that the database does not declare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from pgvigil.sample.dice import Dice, scattered
from pgvigil.sample.faults.fault import ADDED_FROM, Fault, Values, add, borrow, portion, remove
from pgvigil.sample.planted import SAMPLE, Kind, Planted
from pgvigil.sample.session import statement
from pgvigil.sample.vocabulary import METRICS, SERVICES

_ALL = sql.SQL("true")


@dataclass(frozen=True, kw_only=True)
class Strays:
    """Rows with a key that no parent has: copies of sound rows, but for what `stray` makes.

    `table` is written as the data model writes it, and `row_key` is a bigint column of it. At most `most`
    rows are added.
    """

    table: str
    columns: tuple[str, ...]
    stray: Callable[[Dice], Values]
    row_key: str = "id"
    most: int = 40

    def add(self, connection: psycopg.Connection, dice: Dice, share: float) -> list[Values]:
        """Add a share of the rows; return their keys and offending values in the order of the keys."""
        count = portion(share, dice.between(self.most // 4, self.most))
        patterns = borrow(connection, self.table, count, order_by=self.row_key, where=_ALL)
        rows = [
            {**pattern, self.row_key: ADDED_FROM + number, **self.stray(dice)}
            for number, pattern in enumerate(patterns)
        ]
        add(connection, self.table, rows)
        return [{name: row[name] for name in (self.row_key, *self.columns)} for row in rows]

    def remove(self, connection: psycopg.Connection) -> None:
        """Remove the rows."""
        remove(connection, self.table, self.row_key, ADDED_FROM, ADDED_FROM + self.most - 1)


@dataclass(frozen=True, kw_only=True)
class Orphans(Fault):
    """Rows loaded by a job that never asked whether the parent exists."""

    kind: Kind = Kind.ORPHANS
    relation: str
    tables: tuple[str, ...]
    strays: Strays

    def plant(self, connection: psycopg.Connection, dice: Dice, share: float = 1.0) -> Planted:
        """Add the rows."""
        keys = self.strays.add(connection, dice, share)
        return Planted(
            fault=self.name,
            kind=self.kind,
            description=self.description,
            tables=self.tables,
            columns=self.strays.columns,
            rows=len(keys),
            keys=tuple(keys[:SAMPLE]),
            relation=self.relation,
            configured=True,
        )

    def heal(self, connection: psycopg.Connection) -> None:
        """Take the rows away."""
        self.strays.remove(connection)


@dataclass(frozen=True, kw_only=True)
class Recased(Fault):
    """Text keys that differ from the parent's in nothing but case or a blank at the end."""

    kind: Kind = Kind.ORPHANS

    def plant(self, connection: psycopg.Connection, dice: Dice, share: float = 1.0) -> Planted:
        """Change the codes of some touches."""
        candidates = [row[0] for row in connection.execute(statement("faults/sql/recased.keys.sql"))]
        chosen = {"ids": dice.sample(candidates, portion(share, dice.between(6, 30)))}
        changed = sorted(connection.execute(statement("faults/sql/recased.plant.sql"), chosen).fetchall())
        return Planted(
            fault=self.name,
            kind=self.kind,
            description=self.description,
            tables=("analytics.campaign_touches", "reference.campaigns"),
            columns=("campaign",),
            rows=len(changed),
            keys=tuple({"id": row[0], "campaign": row[1]} for row in changed[:SAMPLE]),
            relation="analytics.campaign_touches(campaign) -> reference.campaigns(code)",
            configured=True,
        )

    def heal(self, connection: psycopg.Connection) -> None:
        """Write all codes as they ought to be."""
        connection.execute(statement("faults/sql/recased.undo.sql"))


@dataclass(frozen=True, kw_only=True)
class RenamedParent(Fault):
    """Parents that got another key, and children that did not hear of it."""

    kind: Kind = Kind.ORPHANS

    def plant(self, connection: psycopg.Connection, dice: Dice, share: float = 1.0) -> Planted:
        """Rename some metrics."""
        metrics = dice.sample([(s, m) for s in SERVICES for m in METRICS], portion(share, 4))
        renamed = {"services": [s for s, _ in metrics], "metrics": [m for _, m in metrics], "limit": SAMPLE}
        connection.execute(statement("faults/sql/renamed_parent.plant.sql"), renamed)
        counted = connection.execute(statement("faults/sql/renamed_parent.count.sql"), renamed).fetchone()
        sample = connection.execute(statement("faults/sql/renamed_parent.keys.sql"), renamed).fetchall()
        return Planted(
            fault=self.name,
            kind=self.kind,
            description=self.description,
            tables=("monitoring.metric_samples", "ops.metric_definitions"),
            columns=("service", "metric"),
            rows=counted[0] if counted else 0,
            keys=tuple({"id": row[0], "service": row[1], "metric": row[2]} for row in sample),
            relation="monitoring.metric_samples(service, metric) -> ops.metric_definitions(service, metric)",
            configured=True,
        )

    def heal(self, connection: psycopg.Connection) -> None:
        """Give the metrics their names back."""
        connection.execute(statement("faults/sql/renamed_parent.undo.sql"))


ORPHANS: tuple[Fault, ...] = (
    Orphans(
        name="orphans_unknown_players",
        description="experiment assignments of players who never existed (a uuid key)",
        relation="analytics.experiment_assignments(player_id) -> curated.players(id)",
        tables=("analytics.experiment_assignments", "curated.players"),
        strays=Strays(
            table="analytics.experiment_assignments",
            columns=("player_id",),
            stray=lambda dice: {"player_id": scattered(0, "nobody", dice.between(1, 30))},
        ),
    ),
    Orphans(
        name="orphans_unknown_games",
        description="search clicks on games that were never in the catalogue (integer against bigint)",
        relation="analytics.search_clicks(game_id) -> curated.games_complete(id)",
        tables=("analytics.search_clicks", "curated.games_complete"),
        strays=Strays(
            table="analytics.search_clicks",
            columns=("game_id",),
            stray=lambda dice: {"game_id": 2_000_000_000 + dice.between(1, 12)},
        ),
    ),
    Orphans(
        name="orphans_quoted_names",
        description="revenue of games that were removed, in a table with names beyond ASCII",
        relation='analytics."Überblick je Tag"("Spiel-Nr.") -> curated.games_complete(id)',
        tables=('analytics."Überblick je Tag"', "curated.games_complete"),
        strays=Strays(
            table="analytics.Überblick je Tag",
            row_key="Zeile",
            columns=("Spiel-Nr.",),
            stray=lambda dice: {"Spiel-Nr.": 3_000_000_000 + dice.between(1, 5)},
            most=24,
        ),
    ),
    Orphans(
        name="orphans_big_numbers",
        description="revenue booked on accounts that do not exist (a numeric key beyond bigint)",
        relation="analytics.revenue_events(account_no) -> billing.accounts(account_no)",
        tables=("analytics.revenue_events", "billing.accounts"),
        strays=Strays(
            table="analytics.revenue_events",
            columns=("account_no",),
            stray=lambda dice: {"account_no": 90_000_000_000_000_000_000 + dice.between(1, 8)},
            most=16,
        ),
    ),
    Orphans(
        name="orphans_in_partitions",
        description="results of probes that were removed, in both partitions of a partitioned table",
        relation="monitoring.check_results(check_id) -> monitoring.checks(id)",
        tables=("monitoring.check_results", "monitoring.checks"),
        strays=Strays(
            table="monitoring.check_results",
            columns=("check_id",),
            stray=lambda dice: {"check_id": 1_000 + dice.between(1, 4), "checked_at": dice.moment()},
            most=60,
        ),
    ),
    Recased(
        name="orphans_by_case",
        description="campaign codes typed in lower case or with a blank at the end (a text key)",
    ),
    RenamedParent(
        name="orphans_by_rename",
        description="metrics renamed where they are defined, but not in their samples (a composite key)",
    ),
)
