"""Random histories of writes, definitions, crashes and lost slots: the answer is always that of all rows."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.changes.conftest import World, drop_slots
from tests.changes.test_orphans_changed import RELATION, TWO, Judge
from tests.databases import fresh_database

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.embedded import Server

pytestmark = [pytest.mark.contrib]

STEPS = 12
_KINDS = {
    "int": str,
    "bigint": lambda n: str(n * 10**12),
    "numeric": lambda n: f"{n}.{'0' * (n % 3)}",
    "text": lambda n: f"'it''s {n}: [\\]\"'",
    "varchar(20)": lambda n: f"'{n}é'",
    "char(7)": lambda n: f"'{n}'",
    "uuid": lambda n: f"'00000000-0000-0000-0000-{n:012d}'",
    "timestamptz": lambda n: f"'2001-01-01 00:00:{n:02d}+02'",
    "bytea": lambda n: f"'\\x{n:02x}27'",
}


class History:
    """Tables of some shape, and what happens to them."""

    def __init__(self, world: World, server: Server, dice: Random) -> None:
        self.world, self.server, self.dice = world, server, dice
        self.kind = dice.choice(sorted(_KINDS))
        self.two = dice.random() < 0.3
        self.partitioned = dice.random() < 0.3
        self.indexed = dice.random() < 0.7
        self.next_id = 1
        self.prepared: list[str] = []

    @property
    def relation(self) -> object:
        return TWO if self.two else RELATION

    def make(self) -> None:
        columns, key = f"a {self.kind}, b {self.kind}", "a, b" if self.two else "a"
        parts = ("PARTITION BY HASH (id)", "PARTITION BY HASH (a)") if self.partitioned else ("", "")
        self.world.execute(
            f"CREATE TABLE parent ({columns}, note text, PRIMARY KEY ({key})) {parts[1]}",
            f"CREATE TABLE child (id int, {columns}, note text, PRIMARY KEY (id)) {parts[0]}",
            *(
                f"CREATE TABLE {name}{n} PARTITION OF {name} FOR VALUES WITH (MODULUS 2, REMAINDER {n})"
                for name in ("parent", "child")
                for n in (0, 1)
                if self.partitioned
            ),
            f"ALTER TABLE child ADD FOREIGN KEY ({key}) REFERENCES parent",
            f"CREATE INDEX ON child ({key})" if self.indexed else "SELECT",
        )
        self.write(
            ["INSERT INTO parent " + self.rows("parent", 6), "INSERT INTO child " + self.rows("child", 8)]
        )

    def value(self, null_share: float = 0.0) -> str:
        if self.dice.random() < null_share:
            return "NULL"
        return _KINDS[self.kind](self.dice.randrange(8))

    def rows(self, table: str, count: int) -> str:
        rows = []
        for _ in range(count):
            if table == "parent":
                rows.append(f"({self.value()}, {self.value()})")
            else:
                rows.append(f"({self.next_id}, {self.value(0.1)}, {self.value(0.1)})")
                self.next_id += 1
        names = "(a, b)" if table == "parent" else "(id, a, b)"
        return f"{names} VALUES {', '.join(rows)} ON CONFLICT DO NOTHING"

    def statement(self) -> str:
        some, new = f"a = {self.value()}", self.value()
        return self.dice.choice(
            (
                "INSERT INTO child " + self.rows("child", self.dice.randint(1, 3)),
                "INSERT INTO parent " + self.rows("parent", 1),
                f"DELETE FROM parent WHERE {some}",
                f"DELETE FROM child WHERE id = {self.dice.randrange(1, self.next_id + 1)}",
                f"UPDATE child SET a = {self.value(0.2)}, b = {self.value()} WHERE {some}",
                f"UPDATE parent SET note = 'x' WHERE {some}",
                f"UPDATE child SET note = repeat('y', 5000) WHERE {some}",
                f"UPDATE parent SET a = {new} WHERE {some} AND {new} NOT IN (SELECT a FROM parent)",
            )
        )

    def write(self, statements: list[str], end: str = "COMMIT", *, asynchronous: bool = False) -> None:
        with psycopg.connect(self.world.dsn, autocommit=True) as conn:
            conn.execute("SET session_replication_role = replica")
            if asynchronous:
                conn.execute("SET synchronous_commit = off")
            conn.execute("BEGIN")
            for statement in statements:
                conn.execute(statement)  # type: ignore[call-overload]
            conn.execute(end)  # type: ignore[call-overload]

    def statements(self) -> list[str]:
        return [self.statement() for _ in range(self.dice.randint(1, 4))]

    def step(self) -> None:
        doing: Callable[[], None] = self.dice.choices(
            (self.commit, self.roll_back, self.nest, self.prepare, self.finish, self.define, self.trouble),
            (10, 1, 2, 1, 2, 1, 1),
        )[0]
        doing()

    def commit(self) -> None:
        self.write(self.statements(), asynchronous=self.dice.random() < 0.5)

    def roll_back(self) -> None:
        self.write(self.statements(), "ROLLBACK")

    def nest(self) -> None:
        kept, lost = self.statements(), self.statements()
        self.write(["SAVEPOINT s", *kept, "SAVEPOINT t", *lost, "ROLLBACK TO t", *self.statements()])

    def prepare(self) -> None:
        # What it writes nobody else can lock meanwhile.
        if not self.prepared:
            name = f"{self.world.dsn.rsplit('/', 1)[1]}_{self.next_id}"
            self.write(["INSERT INTO child " + self.rows("child", 2)], f"PREPARE TRANSACTION '{name}'")
            self.prepared.append(name)

    def finish(self) -> None:
        while self.prepared:
            self.world.execute(f"{self.dice.choice(('COMMIT', 'ROLLBACK'))} PREPARED '{self.prepared.pop()}'")

    def define(self) -> None:
        self.finish()
        leaf = "child0" if self.partitioned else "child"
        self.world.execute(
            *self.dice.choice(
                (
                    [f"TRUNCATE {leaf}"],
                    ["TRUNCATE parent CASCADE"],
                    [f"VACUUM FULL {leaf}"],
                    ["ALTER TABLE child ADD COLUMN IF NOT EXISTS more int DEFAULT 7"],
                    ["ALTER TABLE child ALTER note TYPE varchar"],
                    ["ALTER TABLE child ALTER id TYPE bigint"] if not self.partitioned else ["ANALYZE"],
                    ["ALTER TABLE child DISABLE TRIGGER ALL", "DELETE FROM child WHERE id = 3"],
                    ["ALTER TABLE child RENAME TO x", "DELETE FROM x", "ALTER TABLE x RENAME TO child"],
                    [
                        "ALTER TABLE child DETACH PARTITION child0",
                        "ALTER TABLE child ATTACH PARTITION child0 FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
                    ]
                    if self.partitioned
                    else ["ALTER TABLE child REPLICA IDENTITY FULL"],
                )
            )
        )

    def trouble(self) -> None:
        happening = self.dice.random()
        if happening < 0.3:
            self.world.restart()
        elif happening < 0.6:
            drop_slots(self.server)
        elif happening < 0.8:
            self.commit()
            with psycopg.connect(self.world.dsn, autocommit=True) as conn:
                conn.execute(
                    "SELECT pg_logical_slot_get_changes(slot_name, NULL, NULL) FROM pg_replication_slots"
                )
        else:
            self.write(self.statements(), asynchronous=True)
            self.server.restart("immediate")


def play(server: Server, seed: int) -> int:
    """Play one history; return how many answers came from what was written alone."""
    gated = 0
    dice = Random(seed)
    with fresh_database(server) as dsn:
        world = World(dsn)
        try:
            history = History(world, server, dice)
            history.make()
            judge = Judge(world, history.relation)
            judge.look()
            for _ in range(STEPS):
                for _ in range(dice.randint(0, 2)):
                    history.step()
                gated += judge.look()
            history.finish()
            judge.look()
        finally:
            world.close()
            drop_slots(server)
            with psycopg.connect(dsn, autocommit=True) as conn:
                left = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"
                for (name,) in conn.execute(left):
                    conn.execute(f"ROLLBACK PREPARED '{name}'")  # type: ignore[call-overload]
    return gated


@pytest.mark.parametrize("seed", range(12))
def test_after_any_history_the_answer_is_that_of_all_rows(server: Server, seed: int) -> None:
    play(server, seed)


def test_most_answers_come_from_what_was_written_alone(server: Server) -> None:
    assert sum(play(server, seed) for seed in (100, 101, 102)) > STEPS


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_after_hundreds_of_histories_the_answer_is_that_of_all_rows(server: Server) -> None:
    for seed in range(1_000, 1_000 + int(os.environ.get("PGVIGIL_HISTORIES", "300"))):
        play(server, seed)
