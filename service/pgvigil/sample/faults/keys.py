"""The six broken foreign keys, each broken in its own way.

The count of declared keys stays what it is, whatever is planted: the missing key is the composite one of
`analytics.regional_revenue`, which a migration replaced by a simple key that is sound but says less. That the
composite one ought to be there is known to the team's configuration only.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from pgvigil.sample.dice import Dice, moment, scattered
from pgvigil.sample.faults.fault import Fault, Values
from pgvigil.sample.faults.orphans import Strays
from pgvigil.sample.planted import SAMPLE, Kind, Planted
from pgvigil.sample.session import statement
from pgvigil.sample.vocabulary import OBJECTIVES, PLATFORMS, REGIONS, SERVICES


@dataclass(frozen=True, kw_only=True)
class BrokenKey(Fault):
    """A foreign key that does not protect, and the rows that came in.

    `steps` are those of `before`, `after` (the rows came in) and `undo` that there are; each is a file named
    after the fault.
    """

    relation: str
    constraint: str
    tables: tuple[str, ...]
    columns: tuple[str, ...]
    steps: tuple[str, ...]
    strays: Strays | None = None
    configured: bool = False

    @property
    def gradual(self) -> bool:
        """Whether rows came in."""
        return self.strays is not None

    def plant(self, connection: psycopg.Connection, dice: Dice, share: float = 1.0) -> Planted:
        """Break the key, and let rows in."""
        self._take(connection, "before")
        keys = self.strays.add(connection, dice, share) if self.strays else []
        self._take(connection, "after")
        return Planted(
            fault=self.name,
            kind=self.kind,
            description=self.description,
            tables=self.tables,
            columns=self.columns,
            rows=len(keys),
            keys=tuple(keys[:SAMPLE]),
            relation=self.relation,
            constraint=self.constraint,
            partially_null=sum(map(self._partially_null, keys)),
            configured=self.configured,
        )

    def heal(self, connection: psycopg.Connection) -> None:
        """Take the rows away, then mend the key."""
        if self.strays:
            self.strays.remove(connection)
        self._take(connection, "undo")

    def _take(self, connection: psycopg.Connection, step: str) -> None:
        if step in self.steps:
            connection.execute(statement(f"faults/sql/{self.name}.{step}.sql"))

    def _partially_null(self, key: Values) -> bool:
        nulls = sum(key[column] is None for column in self.columns)
        return 0 < nulls < len(self.columns)


def _breach(dice: Dice) -> Values:
    if dice.chance(0.3):
        return {"service": dice.pick(SERVICES), "objective": None}
    if dice.chance(0.1):
        return {"service": None, "objective": dice.pick(OBJECTIVES)}
    return {"service": dice.pick(SERVICES), "objective": dice.pick(("durability", "freshness"))}


def _event(dice: Dice) -> Values:
    """Describe an event of a deleted player, at times so late that it lies in the default partition."""
    return {
        "player_id": scattered(0, "deleted", dice.between(1, 9)),
        "occurred_at": moment(dice.between(0, 500) * 86_400),
    }


KEYS: tuple[Fault, ...] = (
    BrokenKey(
        name="not_valid",
        kind=Kind.NOT_VALID,
        description="a key that was added NOT VALID over rows that violate it, and never validated",
        relation="analytics.player_sessions(game_id) -> curated.games_complete(id)",
        constraint="analytics.player_sessions/player_sessions_game_id_fkey",
        tables=("analytics.player_sessions", "curated.games_complete"),
        columns=("game_id",),
        steps=("before", "after", "undo"),
        strays=Strays(
            table="analytics.player_sessions",
            columns=("game_id",),
            stray=lambda dice: {"game_id": 4_000_000_000 + dice.between(1, 20)},
            most=90,
        ),
    ),
    BrokenKey(
        name="triggers_disabled",
        kind=Kind.TRIGGERS_DISABLED,
        description="a MATCH FULL key whose triggers a restore disabled, and rows that came in since",
        relation="monitoring.slo_breaches(service, objective) -> monitoring.slos(service, objective)",
        constraint="monitoring.slo_breaches/slo_breaches_service_objective_fkey",
        tables=("monitoring.slo_breaches", "monitoring.slos"),
        columns=("service", "objective"),
        steps=("before", "undo"),
        strays=Strays(
            table="monitoring.slo_breaches", columns=("service", "objective"), stray=_breach, most=32
        ),
    ),
    BrokenKey(
        name="replica_load",
        kind=Kind.REPLICA_LOAD,
        description="a key marked valid, violated by a load with session_replication_role = replica",
        relation="analytics.events(player_id) -> curated.players(id)",
        constraint="analytics.events/events_player_id_fkey",
        tables=("analytics.events", "curated.players"),
        columns=("player_id",),
        steps=("before", "after"),
        strays=Strays(table="analytics.events", columns=("player_id",), stray=_event, most=70),
    ),
    BrokenKey(
        name="wrong_parent",
        kind=Kind.WRONG_PARENT,
        description="a key of a new table that points at the empty players of the deprecated schema legacy",
        relation="monitoring.player_reports(player_id) -> legacy.players(id)",
        constraint="monitoring.player_reports/player_reports_player_id_fkey",
        tables=("monitoring.player_reports", "legacy.players", "curated.players"),
        columns=("player_id",),
        steps=("before", "undo"),
    ),
    BrokenKey(
        name="missing_key",
        kind=Kind.MISSING_KEY,
        description="a composite key that a migration replaced by a simple one, and rows that came in since",
        relation="analytics.regional_revenue(platform, region)"
        " -> reference.platform_regions(platform, region)",
        constraint="analytics.regional_revenue/regional_revenue_platform_region_fkey",
        tables=("analytics.regional_revenue", "reference.platform_regions"),
        columns=("platform", "region"),
        steps=("before", "undo"),
        strays=Strays(
            table="analytics.regional_revenue",
            columns=("platform", "region"),
            stray=lambda dice: {"platform": dice.pick(PLATFORMS), "region": REGIONS[-1]},
            most=28,
        ),
        configured=True,
    ),
    BrokenKey(
        name="invalid_index",
        kind=Kind.INVALID_INDEX,
        description="a key whose referenced unique index was marked invalid and never rebuilt",
        relation="ops.runbook_links(service) -> monitoring.services(name)",
        constraint="ops.runbook_links/runbook_links_service_fkey",
        tables=("ops.runbook_links", "monitoring.services"),
        columns=("service",),
        steps=("before", "undo"),
    ),
)
