"""What is really in force, and why it is not what is configured: metrics of a daemon's engine."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgvigil.check import Params
from pgvigil.gate import Gate
from pgvigil.metrics import GateState
from pgvigil_checks.tables import Tables
from tests.changes.test_engine import Daemon, shop, store, write
from tests.engine.world import World, watch_of

if TYPE_CHECKING:
    from pgvigil.embedded import Server
    from pgvigil.store import Store

__all__ = ["shop", "store"]

pytestmark = [pytest.mark.contrib]

ORPHANS = {"target": "main", "check": "orphan_rows"}


def in_force(world: World) -> dict[str, float]:
    return {
        sample.labels["changes"]: sample.value
        for family in world.counters.collect()
        for sample in family.samples
        if sample.name == "pgvigil_changes_in_force"
    }


def state_of(daemon: Daemon) -> GateState:
    return daemon.world.engine._gates["main"].state()


def test_a_slot_that_works_is_in_force_and_shows_what_it_keeps(store: Store, shop: str) -> None:
    with closing(Daemon(store, shop)) as daemon:
        assert in_force(daemon.world) == {}
        daemon.tick()
        assert in_force(daemon.world) == {"none": 0, "position": 0, "logical": 1}
        assert daemon.world.counted("pgvigil_changes_as_configured", target="main") == 1
        before = daemon.world.counted("pgvigil_slot_retained_bytes", target="main")
        write(shop, "CREATE TABLE load AS SELECT repeat('x', 2000) FROM generate_series(1, 2000)")
        daemon.tick()
        assert daemon.world.counted("pgvigil_slot_retained_bytes", target="main") > before + (1 << 20)
        assert daemon.world.counted("pgvigil_slot_retention_bytes", target="main") == 1 << 30


def test_a_slot_that_cannot_be_leaves_the_position_in_force_and_says_why(
    store: Store, shop: str, server: Server
) -> None:
    write(
        shop, "DROP ROLE IF EXISTS plain", "CREATE ROLE plain LOGIN PASSWORD 'plain' IN ROLE pg_read_all_data"
    )
    plain = make_conninfo(shop, user="plain", password="plain")
    with closing(Daemon(store, plain)) as daemon:
        daemon.tick()
        assert in_force(daemon.world) == {"none": 0, "position": 1, "logical": 0}
        assert daemon.world.counted("pgvigil_changes_as_configured", configured="logical") == 0
        assert "ALTER ROLE plain REPLICATION" in state_of(daemon).why
        write(shop, "ALTER ROLE plain REPLICATION")
        daemon.tick()
        assert in_force(daemon.world)["logical"] == 1
        assert state_of(daemon).why == ""


def test_several_hosts_leave_nothing_in_force(store: Store, shop: str) -> None:
    parameters = conninfo_to_dict(shop)
    twice = make_conninfo(shop, host="127.0.0.1,127.0.0.1", port=f"{parameters['port']},{parameters['port']}")
    with closing(Daemon(store, twice)) as daemon:
        daemon.watch = replace(daemon.watch, changes=None)
        daemon.world = World(store, [daemon.watch])
        daemon.tick()
        assert in_force(daemon.world) == {"none": 1, "position": 0, "logical": 0}
        assert "several hosts" in state_of(daemon).why


def test_the_oldest_whole_look_is_not_younger_for_looks_at_what_was_written(store: Store, shop: str) -> None:
    with closing(Daemon(store, shop)) as daemon:
        for _ in range(2):
            daemon.tick()
        first = daemon.world.counted("pgvigil_oldest_full_look_timestamp_seconds", **ORPHANS)
        assert first > (datetime.now(UTC) - timedelta(minutes=5)).timestamp()
        write(shop, "INSERT INTO child VALUES (101, 888)")
        assert daemon.tick()[0] == "changed_keys"
        assert daemon.world.counted("pgvigil_oldest_full_look_timestamp_seconds", **ORPHANS) == first
        daemon.world.engine.ask("main", "orphan_rows")
        daemon.tick()
        assert daemon.world.counted("pgvigil_oldest_full_look_timestamp_seconds", **ORPHANS) > first


class _OpenOnce:
    """A window that ends when a tick has begun."""

    asked = 0

    def holds(self, moment: datetime) -> bool:
        self.asked += 1
        return self.asked == 1


def test_a_sweep_that_the_window_breaks_off_is_counted(store: Store, shop: str) -> None:
    watch = replace(watch_of(shop, Tables(Params())), gate=Gate(_OpenOnce()))  # type: ignore[arg-type]
    world = World(store, [watch])
    with closing(world):
        world.tick("tables")
        assert world.counted("pgvigil_sweeps_broken_off_total", check="tables") == 1
