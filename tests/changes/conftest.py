"""A server of its own for these tests, a slot, and runs that ask what was written."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.changes import Changes, Note, Slot
from pgvigil.target import Limits, Target
from tests.databases import fresh_database
from tests.servers import private_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.changes.lines import Values
    from pgvigil.check import Touched
    from pgvigil.embedded import Server

NOW = 1_000_000.0
DAY = 86_400.0


@pytest.fixture(scope="module")
def server(pg_version: int) -> Iterator[Server]:
    """A server whose slots are bounded, and which this module may crash."""
    with private_server(pg_version) as running:
        bound(running)
        yield running


def bound(server: Server) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        conn.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1GB'")
        # A transaction that runs while the slot begins lets the first run's note wait for the second.
        conn.execute("ALTER SYSTEM SET autovacuum = off")
        conn.execute("SELECT pg_reload_conf()")


class World:
    """A database, its changes, and the runs that look at them."""

    def __init__(self, dsn: str, **settings: Any) -> None:
        self.dsn = dsn
        self.settings: dict[str, Any] = {"retention": 1 << 30, "full_seconds": DAY, **settings}
        self.target = Target("main", dsn, Limits(connections=2, statement_timeout=20, lock_timeout=1))
        self.changes = self._changes()

    def _changes(self) -> Changes:
        slot = Slot("main", self.dsn, statement_timeout=20.0)
        return Changes(slot, **self.settings)

    def restart(self) -> None:
        """Do as if pgvigil had been started anew."""
        self.changes.close()
        self.changes = self._changes()

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            for statement in statements:
                conn.execute(statement)

    def tick(self, run: Run) -> Touched | None:
        """Let one run have a tick of its own, and commit it."""
        self.changes.begin_tick()
        touched = run.ask()
        run.commit()
        self.changes.done()
        return touched

    def run(self, *tables: str) -> Run:
        return Run(self, tables)

    def close(self) -> None:
        self.changes.close()
        self.target.close()


class Run:
    """A subject over its runs; `touched` of its last one is what the first of its tables was told."""

    def __init__(self, world: World, tables: tuple[str, ...]) -> None:
        self.world = world
        self.tables = tables
        self.memory: dict[str, Any] = {}
        self.asked: Any = None
        self.now = NOW

    def ask(self) -> Touched | None:
        catalog = self.world.target.read_catalog()
        found = [next(one for one in catalog.tables if str(one) == name) for name in self.tables]
        with self.world.target.snapshot("test") as snapshot:
            self.asked = self.world.changes.asking(Note.read(self.memory), "it", self.now)
            answers = [self.asked.touched(snapshot.fetch, table) for table in found]
        return answers[0]

    def commit(self) -> None:
        note = self.asked.note()
        # As the store keeps it.
        self.memory = json.loads(json.dumps(note.write() if note else {}))
        self.world.changes.committed(id(self), note)


@pytest.fixture
def open_world(server: Server) -> Iterator[Callable[..., World]]:
    worlds: list[World] = []
    with fresh_database(server) as dsn:

        def opened(**settings: Any) -> World:
            worlds.append(World(dsn, **settings))
            return worlds[-1]

        yield opened
        for world in worlds:
            world.close()
        drop_slots(server)


@pytest.fixture
def world(open_world: Callable[..., World]) -> World:
    return open_world()


def drop_slots(server: Server) -> None:
    deadline = time.monotonic() + 10
    with psycopg.connect(server.dsn(), autocommit=True) as conn:
        while rows := conn.execute("SELECT slot_name, active FROM pg_replication_slots").fetchall():
            for name, active in rows:
                if not active:
                    conn.execute("SELECT pg_drop_replication_slot(%s)", [name])
            assert time.monotonic() < deadline, "a slot stays active"


def texts(rows: tuple[Values, ...], column: str) -> list[str | None]:
    return sorted((row[column] for row in rows), key=str)


def elsewhere(world: World, dsn: str) -> None:
    """Let the world's runs and its slot be on another server from now on."""
    settings = world.settings
    world.close()
    world.dsn, world.target = dsn, Target("main", dsn, replace(world.target.limits))
    world.settings = settings
    world.changes = world._changes()
