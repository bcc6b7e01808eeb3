"""Random histories of a database behind the change gate: each tick tells what a full look would tell."""

from __future__ import annotations

import random
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.embedded import serve
from pgvigil.store import Store
from tests.databases import fresh_database
from tests.engine.gated import QUIET, GatedWorld, content
from tests.seeds import seeds
from tests.servers import by_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.embedded import Server

HISTORIES = 32
"""In each round."""

SCHEMA = """
DROP SCHEMA IF EXISTS s CASCADE;
CREATE SCHEMA s;
CREATE TABLE s.parent (id int, name text);
INSERT INTO s.parent SELECT n, 'p' || n FROM generate_series(1, 20) AS n;
CREATE TABLE s.child (id int, ref int) PARTITION BY RANGE (id);
CREATE TABLE s.low PARTITION OF s.child FOR VALUES FROM (MINVALUE) TO (10);
CREATE TABLE s.high PARTITION OF s.child FOR VALUES FROM (10) TO (MAXVALUE);
INSERT INTO s.child SELECT n, n FROM generate_series(1, 20) AS n;
CREATE TABLE s.alone (id int);
CREATE UNLOGGED TABLE s.volatile (id int);
"""

ROWS = [
    "INSERT INTO s.parent SELECT (random() * 99)::int, 'new'",
    "INSERT INTO s.child SELECT (random() * 99)::int, 5",
    "INSERT INTO s.alone SELECT (random() * 99)::int - 50",
    "INSERT INTO s.volatile SELECT (random() * 99)::int - 50",
    "UPDATE s.parent SET name = name || 'x' WHERE id % 3 = 0",
    "UPDATE s.child SET id = id + 7 WHERE id % 5 = 0",
    "DELETE FROM s.parent WHERE id % 4 = 0",
    "DELETE FROM s.child WHERE id < 5",
    "DELETE FROM s.volatile",
]

OTHER = [
    "TRUNCATE s.parent",
    "TRUNCATE s.low",
    "ALTER TABLE s.child DETACH PARTITION s.high",
    "ALTER TABLE s.child ATTACH PARTITION s.high FOR VALUES FROM (10) TO (MAXVALUE)",
    "ALTER TABLE s.parent ALTER id TYPE numeric USING id + 0.5",
    "ALTER TABLE s.parent ALTER id TYPE int USING id::int",
    "ALTER TABLE s.parent ADD COLUMN extra int DEFAULT 3",
    "ALTER TABLE s.parent DROP COLUMN extra",
    "ALTER TABLE s.alone SET UNLOGGED",
    "ALTER TABLE s.alone SET LOGGED",
    "ALTER TABLE s.alone RENAME TO x; ALTER TABLE s.parent RENAME TO alone; ALTER TABLE s.x RENAME TO parent",
    "DROP TABLE s.alone",
    "CREATE TABLE s.alone AS SELECT generate_series(1, 3) AS id",
    "BEGIN; TRUNCATE s.alone; INSERT INTO s.alone VALUES (1); COMMIT",
    "BEGIN; DELETE FROM s.parent; ROLLBACK",
    "BEGIN; INSERT INTO s.alone VALUES (7); SAVEPOINT a; DELETE FROM s.alone; ROLLBACK TO a; COMMIT",
    "BEGIN; SAVEPOINT a; INSERT INTO s.alone VALUES (-8); RELEASE a; COMMIT",
    "SET synchronous_commit = off; INSERT INTO s.alone VALUES (9); RESET synchronous_commit",
    "SET session_replication_role = replica; DELETE FROM s.child; RESET session_replication_role",
    "INSERT INTO s.alone VALUES (10); SELECT pg_stat_reset()",
    "VACUUM",
    "CHECKPOINT",
]


class History:
    """What happens to a database: at random, some of it beside the ticks."""

    def __init__(self, dsn: str, dice: random.Random) -> None:
        self._dice = dice
        self._dsn = dsn
        self._open()

    def _open(self) -> None:
        self.connection = psycopg.connect(self._dsn, autocommit=True)
        self._beside = psycopg.connect(self._dsn)
        for connection in (self.connection, self._beside):
            connection.execute("SET lock_timeout = '20ms'")
        self._beside.commit()
        self._prepared = False

    def go_on(self) -> str:
        """Do one thing; return which. What another transaction is in the way of does not happen."""
        what = self._dice.choices(["nothing", "rows", "other", "beside", "prepared"], [4, 3, 4, 2, 2])[0]
        with suppress(psycopg.Error):
            match what:
                case "rows":
                    self.connection.execute(self._dice.choice(ROWS))
                case "other":
                    self._several(self._dice.choice(OTHER))
                case "beside":
                    self._go_on_beside()
                case "prepared":
                    self._go_on_prepared()
        if self.connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            self.connection.execute("ROLLBACK")
        return what

    def _several(self, statements: str) -> None:
        for statement in statements.split("; "):
            self.connection.execute(statement)

    def _go_on_beside(self) -> None:
        """Write in a transaction that stays open, or end the one that is."""
        try:
            if self._beside.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                self._beside.execute(self._dice.choice(ROWS))
            elif self._dice.random() < 0.7:
                self._beside.commit()
            else:
                self._beside.rollback()
        except psycopg.Error:
            self._beside.rollback()
            raise

    def _go_on_prepared(self) -> None:
        if self._prepared:
            self._prepared = False
            self.connection.execute(self._dice.choice(["COMMIT PREPARED 'one'", "ROLLBACK PREPARED 'one'"]))
        else:
            self._several(f"BEGIN; {self._dice.choice(ROWS)}; PREPARE TRANSACTION 'one'")
            self._prepared = True

    def tables(self) -> list[str]:
        """Return the names of what is looked at."""
        found = self.connection.execute(
            "SELECT 's.' || relname FROM pg_class WHERE relnamespace = 's'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition"
        )
        return [name for (name,) in found.fetchall()]

    def crash(self, server: Server) -> None:
        """Let the server crash and recover; a prepared transaction survives."""
        prepared = self._prepared
        server.restart("immediate")
        for connection in (self.connection, self._beside):
            connection.close()
        self._open()
        self._prepared = prepared

    def begin(self) -> None:
        """End what goes on, and begin anew."""
        self._beside.rollback()
        if self._prepared:
            self.connection.execute("ROLLBACK PREPARED 'one'")
            self._prepared = False
        self.connection.execute(SCHEMA)

    def close(self) -> None:
        """End what goes on."""
        self._beside.close()
        if self._prepared:
            self.connection.execute("ROLLBACK PREPARED 'one'")
        self.connection.close()


def live(
    history: History, world: GatedWorld, dice: random.Random, server: Server | None = None
) -> list[bool]:
    """Live through one history; return of each tick whether it spared anything."""
    history.begin()
    spared = []
    for _ in range(dice.randint(3, 5)):
        for _ in range(dice.choice((0, 1, 1, 2))):
            history.go_on()
        if server and dice.random() < 0.3:
            history.crash(server)
        before = world.counted("pgvigil_runs_spared_total")
        world.tick("content")
        spared.append(world.counted("pgvigil_runs_spared_total") > before)
        assert set(world.states("content").values()) <= {"passed", "failed"}
        assert world.held() == {name: content(history.connection, name) for name in history.tables()}
    return spared


@pytest.mark.parametrize("seed", seeds(0, usual=3, slow=7))
def test_the_gate_tells_what_a_full_look_would(quiet: str, seed: int) -> None:
    dice = random.Random(seed)
    with (
        Store.open("sqlite://") as store,
        closing(History(quiet, dice)) as history,
        closing(GatedWorld(store, quiet)) as world,
    ):
        spared = [each for _ in range(HISTORIES) for each in live(history, world, dice)]
    # Else nothing was tried here.
    assert len(spared) / 10 < sum(spared) < len(spared)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 104))
def test_so_it_does_when_the_server_crashes(crashing: Server, seed: int) -> None:
    dice = random.Random(seed)
    with (
        fresh_database(crashing) as dsn,
        Store.open("sqlite://") as store,
        closing(History(dsn, dice)) as history,
        closing(GatedWorld(store, dsn)) as world,
    ):
        for _ in range(8):
            live(history, world, dice, crashing)


@pytest.fixture(scope="module")
def crashing(pg_version: int) -> Iterator[Server]:
    """A server of this module's own, whose crashes disturb nobody."""
    with serve(bindir=by_version()[pg_version].bindir, settings=QUIET) as server:
        yield server
