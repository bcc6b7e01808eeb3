"""The change gate by a slot in the daemon: ticks, the store, settings that come and go."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.changes import Changes, Slot
from pgvigil.clock import SystemClock
from pgvigil.config import load
from pgvigil.metrics import Counters
from pgvigil.registry import Registry
from pgvigil.store import Store
from pgvigil.touching import noted
from pgvigil.watching import Watching
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams
from tests.changes.conftest import drop_slots
from tests.databases import fresh_database
from tests.engine.world import World, watch_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pgvigil.embedded import Server

pytestmark = [pytest.mark.contrib]

SUBJECT = "public.child(a) -> public.parent(a)"
PATIENCE = 30.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/state.db") as store:
        yield store


@pytest.fixture
def shop(server: Server) -> Iterator[str]:
    """A database with a relation that has one orphan."""
    with fresh_database(server) as dsn:
        write(
            dsn,
            "CREATE TABLE parent (a int PRIMARY KEY); INSERT INTO parent SELECT generate_series(1, 50)",
            "CREATE TABLE child (id int PRIMARY KEY, a int REFERENCES parent); CREATE INDEX ON child (a)",
            "INSERT INTO child SELECT n, n FROM generate_series(1, 50) AS n",
            "INSERT INTO child VALUES (100, 777)",
        )
        yield dsn
        drop_slots(server)


def write(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        for statement in statements:
            conn.execute(statement)  # type: ignore[call-overload]


def slots(dsn: str) -> int:
    with psycopg.connect(dsn) as conn:
        query = "SELECT FROM pg_replication_slots WHERE database = current_database()"
        return len(conn.execute(query).fetchall())


class Daemon:
    """An engine with a slot, and what its last tick said of the relation."""

    def __init__(self, store: Store, dsn: str) -> None:
        changes = Changes(Slot("main", dsn, statement_timeout=20), retention=1 << 30, full_seconds=86_400)
        watch = watch_of(dsn, OrphanRows(OrphanRowsParams()))  # type: ignore[arg-type]
        self.watch = replace(watch, full_every=86_400.0, changes=changes)
        self.world = World(store, [self.watch])

    def tick(self) -> tuple[str, int]:
        """Return by which strategy the relation was judged, and how many orphans are open."""
        self.world.engine.tick("main", "orphan_rows")
        last = max(self.world.store.runs(), key=lambda one: one.id).run
        assert (last.subject, last.error) == (SUBJECT, None)
        return last.strategy, sum(one.count for one in self.world.store.view().incidents.values())

    def close(self) -> None:
        self.watch.stop()
        self.watch.target.close()
        if self.watch.changes is not None:
            self.watch.changes.close()


def test_ticks_go_by_what_was_written(store: Store, shop: str) -> None:
    with closing(Daemon(store, shop)) as daemon:
        assert daemon.tick() == ("hash", 1)
        assert daemon.tick()[1] == 1
        write(shop, "INSERT INTO child VALUES (101, 888)")
        daemon.tick()
        write(shop, "DELETE FROM parent WHERE a = 5")
        assert daemon.tick() == ("changed_keys", 3)
        write(shop, "DELETE FROM child WHERE a IN (777, 888); INSERT INTO parent VALUES (5)")
        assert daemon.tick() == ("changed_keys", 0)
        daemon.world.engine.ask("main", "orphan_rows")
        write(shop, "INSERT INTO child VALUES (102, 1)")
        assert daemon.tick() == ("hash", 0)


def test_what_could_not_be_looked_at_is_looked_at_whole(store: Store, shop: str) -> None:
    """It may have met a damaged page, which no change leads to."""
    with closing(Daemon(store, shop)) as daemon:
        for number in range(3):
            write(shop, f"INSERT INTO child VALUES ({200 + number}, 1)")
            last = daemon.tick()
        assert last == ("changed_keys", 1)
        with psycopg.connect(shop) as conn:
            conn.execute("LOCK TABLE child IN ACCESS EXCLUSIVE MODE")
            daemon.world.engine.ask("main", "orphan_rows")
            daemon.world.engine.tick("main", "orphan_rows")
            assert daemon.world.outcomes("orphan_rows") == {SUBJECT: "timeout"}
            conn.rollback()
        write(shop, "INSERT INTO child VALUES (103, 1)")
        assert daemon.tick() == ("hash", 1)


def test_a_new_daemon_goes_on_where_the_last_one_was(store: Store, shop: str) -> None:
    with closing(Daemon(store, shop)) as daemon:
        for number in range(3):
            write(shop, f"INSERT INTO child VALUES ({200 + number}, 1)")
            daemon.tick()
    write(shop, "DELETE FROM parent WHERE a = 7")
    with closing(Daemon(store, shop)) as daemon:
        assert daemon.tick() == ("changed_keys", 2)


def test_the_slot_goes_with_the_setting(store: Store, shop: str, tmp_path: Path) -> None:
    registry, clock = Registry.load(), SystemClock()
    with closing(store):
        watching = Watching(store, registry, Counters(), clock)
        try:
            watching.follow(_config(tmp_path, shop, "logical"))
            _wait_for(lambda: slots(shop) == 1)
            _wait_for(lambda: noted(store, "main", "orphan_rows"))
            watching.follow(_config(tmp_path, shop, "position"))
            _wait_for(lambda: slots(shop) == 0)
        finally:
            watching.stop()


def _config(folder: Path, dsn: str, changes: str) -> Any:
    file = folder / "pgvigil.yaml"
    settings = {"dsn": dsn, "every": "1s", "changes": changes, "slot_retention": "200MB"}
    file.write_text(json.dumps({"targets": {"main": settings}}))
    return load(file, {})


def _wait_for(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
