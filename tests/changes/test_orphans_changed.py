"""Orphans by what was written since: after any history the answer is that of a look at everything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.catalog import parse_relation
from pgvigil.changes import Note
from pgvigil.check import Examined, Touched
from pgvigil.context import Assistance, RunContext
from pgvigil.contract import sound_verdict
from pgvigil_checks import orphan_rows
from pgvigil_checks.orphan_rows import examine
from pgvigil_checks.orphans import changed as orphans_changed
from pgvigil_checks.references import Reference
from tests.changes.conftest import NOW, World, drop_slots
from tests.databases import careless, fresh_database

if TYPE_CHECKING:
    from pgvigil.catalog import Catalog
    from pgvigil.embedded import Server

pytestmark = [pytest.mark.contrib]

RELATION = parse_relation("public.child(a) -> public.parent(a)")
TWO = parse_relation("public.child(a, b) -> public.parent(a, b)")


class Judge:
    """A subject over its runs: each answers by what was written if it can, and by all rows else."""

    def __init__(self, world: World, relation: Any = RELATION) -> None:
        self.world = world
        self.relation = relation
        self.memory: dict[str, Any] = {}
        self.gated = False
        self.orphans = -1

    def reference(self, catalog: Catalog) -> Reference:
        [key] = [key for key in catalog.foreign_keys if key.relation == self.relation]
        return Reference.declared(key)

    def look(self) -> bool:
        """Run once; tell whether it looked only at what was written. The answer is compared with all rows."""
        self.world.changes.begin_tick()
        catalog = self.world.target.read_catalog()
        reference = self.reference(catalog)
        asking = self.world.changes.asking(Note.read(self.memory), "it", NOW)
        assistance = Assistance(memory=self.memory, touched=asking.touched)
        with RunContext(self.world.target, "test", catalog, sample=20, assistance=assistance) as context:
            verdict = sound_verdict(examine(context, reference), context.sample)
            assert isinstance(verdict, Examined)
            [row] = context.fetch(
                "SELECT count(*) AS n FROM public.child AS c WHERE NOT EXISTS "
                f"(SELECT FROM public.parent AS p WHERE {self.same()}) AND {self.refers()}"  # type: ignore[arg-type]
            )
        self.orphans = row["n"]
        assert sum(one.count for one in verdict.findings) == self.orphans
        assert all(len(one.sample) == min(one.count, 20) for one in verdict.findings)
        memory = dict(verdict.memory)
        note = asking.note()
        self.memory = json.loads(json.dumps({**memory, **(note.write() if note else {})}))
        self.world.changes.committed("judge", note)
        self.world.changes.done()
        self.gated = verdict.strategy == "changed_keys"
        return self.gated

    def same(self) -> str:
        return " AND ".join(f"p.{name} = c.{name}" for name in self.relation.child_columns)

    def refers(self) -> str:
        return " AND ".join(f"c.{name} IS NOT NULL" for name in self.relation.child_columns)


def make(world: World, kind: str = "int", index: str = "CREATE INDEX ON child (a)", child: str = "") -> None:
    world.execute(
        f"CREATE TABLE parent (a {kind}, b int, note text, PRIMARY KEY (a))",
        f"CREATE TABLE child (id int, a {kind}, b int, note text, PRIMARY KEY (id),"
        f" FOREIGN KEY (a) REFERENCES parent) {child}",
        index or "SELECT",
    )


def unchecked(world: World, *statements: str) -> None:
    """Write as a load does that fires no triggers."""
    world.execute("SELECT", *(f"SET session_replication_role = replica; {one}" for one in statements))


def test_orphans_come_and_go_by_what_was_written(world: World) -> None:
    make(world)
    judge = Judge(world)
    unchecked(
        world,
        "INSERT INTO parent SELECT generate_series(1, 100)",
        "INSERT INTO child SELECT n, n FROM generate_series(1, 100) n",
    )
    assert not judge.look()
    for statement, orphans in (
        ("INSERT INTO child VALUES (200, 777), (201, NULL), (202, 5)", 1),
        ("DELETE FROM parent WHERE a IN (5, 6)", 4),
        ("UPDATE parent SET a = 7000 WHERE a = 7", 5),
        ("UPDATE parent SET note = 'x'", 5),
        ("INSERT INTO parent VALUES (777), (6)", 3),
        ("DELETE FROM child WHERE a = 7", 2),
        ("UPDATE child SET a = 8 WHERE id = 202", 1),
        ("UPDATE child SET a = NULL WHERE id = 5", 0),
    ):
        unchecked(world, statement)
        assert judge.look()
        assert judge.orphans == orphans


def test_a_parent_whose_key_is_not_its_identity_makes_everything_be_looked_at(world: World) -> None:
    world.execute(
        "CREATE TABLE parent (id int PRIMARY KEY, a int NOT NULL UNIQUE)",
        "CREATE TABLE child (id int PRIMARY KEY, a int REFERENCES parent (a))",
        "CREATE INDEX ON child (a)",
        "INSERT INTO parent VALUES (1, 1), (2, 2)",
        "INSERT INTO child VALUES (1, 1), (2, 2)",
    )
    judge = Judge(world)
    judge.look()
    world.execute("INSERT INTO child VALUES (3, 2)")
    assert judge.look()
    unchecked(world, "UPDATE parent SET a = 3 WHERE id = 1")
    assert not judge.look()
    unchecked(world, "DELETE FROM parent WHERE id = 2")
    assert not judge.look()
    assert judge.orphans == 3
    for identity in ("FULL", "USING INDEX parent_a_key"):
        world.execute(f"ALTER TABLE parent REPLICA IDENTITY {identity}")
        # What was judged as a whole has its orphans noted once it is known what is written.
        judge.look()
        judge.look()
        unchecked(
            world, f"INSERT INTO parent VALUES (9, 9); INSERT INTO child VALUES ({len(identity) + 90}, 9)"
        )
        assert judge.look()
        unchecked(world, "DELETE FROM parent WHERE id = 9")
        assert judge.look()
        world.execute("DELETE FROM child WHERE a = 9")
        assert judge.look()


def test_without_an_index_only_a_clean_relation_is_judged_by_what_was_written(world: World) -> None:
    make(world, index="")
    judge = Judge(world)
    world.execute("INSERT INTO parent VALUES (1), (2)", "INSERT INTO child VALUES (1, 1)")
    judge.look()
    world.execute("INSERT INTO child VALUES (2, 2)", "UPDATE child SET note = 'x'")
    assert judge.look()
    unchecked(world, "DELETE FROM parent WHERE a = 2")
    assert not judge.look()
    assert judge.orphans == 1
    unchecked(world, "INSERT INTO parent VALUES (2)")
    assert judge.look()
    assert judge.orphans == 0


def test_a_reference_that_was_not_told_makes_everything_be_looked_at(world: World) -> None:
    make(world, kind="text")
    world.execute(
        "ALTER TABLE child ALTER a SET STORAGE EXTERNAL; ALTER TABLE parent ALTER a SET STORAGE EXTERNAL"
    )
    long = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 80) n)"
    judge = Judge(world)
    unchecked(world, f"INSERT INTO child VALUES (1, {long})")
    judge.look()
    unchecked(world, "UPDATE child SET note = 'x'")
    assert not judge.look()
    assert judge.orphans == 1


def test_references_that_come_back_otherwise_are_looked_at_as_ever(server: Server) -> None:
    """EUC_JP has two forms of some characters, and only one of them is written for a text from a client."""
    with fresh_database(server, encoding="EUC_JP") as dsn:
        world = World(dsn)
        try:
            make(world, kind="text")
            judge = Judge(world)
            for number in range(3):
                assert not judge.look()
                code = r"convert_from('\x8ff4ab', 'EUC_JP')"
                unchecked(world, f"INSERT INTO child (id, a) VALUES ({number}, {code} || 'abc')")
            assert not judge.look()
            assert judge.orphans == 3
        finally:
            world.close()
            drop_slots(server)


@pytest.mark.parametrize("index", ["CREATE INDEX ON child (a)", ""])
def test_orphans_that_are_known_by_damaged_text_are_not_remembered(world: World, index: str) -> None:
    make(world, kind="text", index=index)
    judge = Judge(world)
    with careless(world.dsn) as writer:
        writer.execute("SET session_replication_role = replica")
        writer.execute(b"INSERT INTO child (id, a) VALUES (1, E'caf\\xe9')")
    for _ in range(3):
        assert not judge.look()
        assert judge.orphans == 1
    unchecked(world, "DELETE FROM child")
    assert not judge.look()
    assert judge.look()
    # One that was written as it is may be meant as well.
    unchecked(world, "INSERT INTO child (id, a) VALUES (1, U&'caf\\FFFD')")
    assert not judge.look()
    assert judge.orphans == 1


def test_more_orphans_than_are_remembered_are_looked_for_everywhere(world: World) -> None:
    make(world)
    judge = Judge(world)
    unchecked(
        world, f"INSERT INTO child SELECT n, n FROM generate_series(1, {orphans_changed.MOST_LOST + 1}) n"
    )
    assert not judge.look()
    assert not judge.look()
    world.execute("DELETE FROM child WHERE id > 10")
    assert not judge.look()
    assert judge.look()


def test_orphans_that_take_too_much_to_be_remembered_are_looked_for_everywhere(world: World) -> None:
    """A memory is counted as JSON, in which a letter that is not ASCII takes six characters."""
    make(world, kind="text")
    judge = Judge(world)
    unchecked(
        world,
        "INSERT INTO child SELECT n, 'Преображенская улица ' || n FROM generate_series(1, 600) n",
    )
    assert not judge.look()
    assert not judge.look()
    world.execute("DELETE FROM child WHERE id > 300")
    assert not judge.look()
    assert judge.look()
    assert judge.orphans == 300


@pytest.mark.parametrize(
    ("child", "parent"),
    [("int", "bigint"), ("float8", "float8"), ("int[]", "int[]"), ("varchar", "text")],
)
def test_keys_that_texts_do_not_stand_for_are_looked_at_as_ever(
    world: World, child: str, parent: str
) -> None:
    world.execute(
        f"CREATE TABLE parent (a {parent} PRIMARY KEY)",
        f"CREATE TABLE child (id int PRIMARY KEY, a {child} REFERENCES parent)",
        "CREATE INDEX ON child (a)",
    )
    judge = Judge(world)
    for _ in range(2):
        assert not judge.look()


def test_match_full_is_looked_at_as_ever(world: World) -> None:
    world.execute(
        "CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b))",
        "CREATE TABLE child (id int PRIMARY KEY, a int, b int)",
        "ALTER TABLE child ADD FOREIGN KEY (a, b) REFERENCES parent MATCH FULL",
    )
    judge = Judge(world, TWO)
    for _ in range(2):
        assert not judge.look()


def test_only_what_is_told_of_is_suspected() -> None:
    """NULLs refer to nothing, and what is missing may be anything."""
    pairs, both, nothing = [("a", "x"), ("b", "y")], frozenset({"x", "y"}), Touched()
    new = ({"a": "1", "b": "2", "c": None}, {"a": None, "b": "2"})
    old = ({"x": "3", "y": "4"}, {"x": None, "y": "4"})
    former = [("5", "6"), ("1", "2")]
    suspects = orphans_changed.suspects(pairs, Touched(new=new), Touched(old=old, identity=both), former)
    assert suspects == [("5", "6"), ("1", "2"), ("3", "4")]
    assert orphans_changed.suspects(pairs, Touched(new=({"a": "1"},)), nothing, []) is None
    assert orphans_changed.suspects(pairs, nothing, Touched(new=({"x": "1"},)), []) is None
    assert orphans_changed.suspects(pairs, nothing, Touched(old=({"x": "1"},), identity=both), []) is None
    assert orphans_changed.suspects(pairs, nothing, nothing, []) == []
    one, of_one = [("a", "x")], frozenset("x")
    child, parent = (
        Touched(new=({"a": "1"}, {"a": None}, {"a": "1"})),
        Touched(old=({"x": "2"},), identity=of_one),
    )
    assert orphans_changed.suspects(one, child, parent, [("2",)]) == [("2",), ("1",)]
    assert orphans_changed.suspects(one, Touched(new=({},)), nothing, []) is None


def test_many_keys_are_not_looked_up_where_all_rows_are_cheaper(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(world)
    unchecked(
        world,
        "INSERT INTO parent SELECT generate_series(1, 100)",
        "INSERT INTO child SELECT n, n FROM generate_series(1, 100) n",
        "ANALYZE parent, child",
    )
    judge = Judge(world)
    judge.look()
    monkeypatch.setattr(orphan_rows, "LOOK_UP", 1_000.0)
    monkeypatch.setattr(orphan_rows, "FEW_KEYS", 3)
    unchecked(world, "INSERT INTO child VALUES (200, 777)")
    assert judge.look()
    unchecked(world, "INSERT INTO child SELECT n, n FROM generate_series(301, 311) AS n")
    assert not judge.look()
    assert judge.orphans == 12
    # What it found is remembered for those that go by what was written.
    monkeypatch.setattr(orphan_rows, "FEW_KEYS", 50)
    unchecked(world, "DELETE FROM child WHERE id = 200")
    assert judge.look()
    assert judge.orphans == 11
