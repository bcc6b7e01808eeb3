"""What a run is told of a table: what was committed since the last one, or that it is not known."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from structlog.testing import capture_logs

from pgvigil.changes import Note
from pgvigil.check import Touched
from pgvigil.errors import QueryTimeoutError
from tests.changes.conftest import DAY, Run, World, texts
from tests.databases import careless

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.contrib]

TABLE = "CREATE TABLE t (id int PRIMARY KEY, note text)"
_CAUGHT = """DO $$ BEGIN
    INSERT INTO t VALUES (4);
    RAISE 'no';
EXCEPTION WHEN raise_exception THEN
    INSERT INTO t VALUES (3);
END $$"""
_FROM_FAR = """SELECT pg_replication_origin_create('far'); \
SELECT pg_replication_origin_session_setup('far'); \
INSERT INTO t VALUES (3); \
SELECT pg_replication_origin_session_reset(); \
SELECT pg_replication_origin_drop('far')"""


@pytest.fixture
def known(world: World) -> World:
    """A world with a table."""
    world.execute(TABLE, "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    return world


def test_the_first_run_knows_nothing_and_the_next_one_all(known: World) -> None:
    run = known.run("public.t")
    assert known.tick(run) is None
    assert known.tick(run) == Touched(identity=frozenset({"id"}))
    known.execute(
        "INSERT INTO t VALUES (3, 'c')", "DELETE FROM t WHERE id = 1", "UPDATE t SET id = 5 WHERE id = 2"
    )
    touched = known.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["3", "5"]
    assert texts(touched.old, "id") == ["1", "2"]
    assert known.tick(run) == Touched(identity=frozenset({"id"}))


def test_what_is_rolled_back_or_not_yet_committed_is_not_told(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    with psycopg.connect(known.dsn) as open_conn:
        open_conn.execute("INSERT INTO t VALUES (3, 'c')")
        known.execute("BEGIN; INSERT INTO t VALUES (4, 'd'); ROLLBACK", "INSERT INTO t VALUES (5, 'e')")
        touched = known.tick(run)
        assert touched is not None
        assert texts(touched.new, "id") == ["5"]
        open_conn.commit()
    touched = known.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["3"]


def test_what_a_snapshot_does_not_see_is_left_to_the_next_run(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    [table] = [one for one in known.target.read_catalog().tables if one.name == "t"]
    with known.target.snapshot("test") as snapshot:
        known.execute("INSERT INTO t VALUES (3, 'c')")
        other = known.run("public.t")
        known.tick(other)
        asking = known.changes.asking(Note.read(run.memory), "it", run.now)
        assert asking.touched(snapshot.fetch, table) == Touched(identity=frozenset({"id"}))
    run.asked = asking
    run.commit()
    touched = known.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["3"]


def test_a_run_that_did_not_complete_leaves_its_changes_to_the_next(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    known.execute("INSERT INTO t VALUES (3, 'c')")
    known.changes.begin_tick()
    assert run.ask() is not None
    known.changes.done()
    known.execute("INSERT INTO t VALUES (4, 'd')")
    touched = known.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["3", "4"]


def test_two_subjects_each_hear_what_is_new_to_them(known: World) -> None:
    often, seldom = known.run("public.t"), known.run("public.t")
    known.tick(often)
    known.tick(seldom)
    for number in (3, 4):
        known.execute(f"INSERT INTO t VALUES ({number}, 'x')")
        touched = known.tick(often)
        assert touched is not None
        assert texts(touched.new, "id") == [str(number)]
    touched = known.tick(seldom)
    assert touched is not None
    assert texts(touched.new, "id") == ["3", "4"]


def test_a_restart_of_pgvigil_loses_nothing(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    known.execute("INSERT INTO t VALUES (3, 'c')")
    known.restart()
    touched = known.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["3"]


def test_everything_is_looked_at_once_a_day(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    run.now += DAY - 1
    assert known.tick(run) is not None
    run.now += 1
    assert known.tick(run) is None
    run.now += 1
    assert known.tick(run) is not None


def test_a_commit_that_is_not_on_disk_yet_is_waited_for(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    with psycopg.connect(known.dsn, autocommit=True) as conn:
        conn.execute("SET synchronous_commit = off")
        for number in range(3, 13):
            conn.execute("INSERT INTO t VALUES (%s)", [number])
            touched = known.tick(run)
            assert touched is not None
            assert texts(touched.new, "id") == [str(number)]


@pytest.mark.parametrize(
    "write",
    [
        "SET session_replication_role = replica; INSERT INTO t VALUES (3)",
        "ALTER TABLE other DISABLE TRIGGER ALL; INSERT INTO t VALUES (3)",
        "BEGIN; INSERT INTO t VALUES (3); PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p'",
        "BEGIN; SAVEPOINT a; INSERT INTO t VALUES (3); SAVEPOINT b; DELETE FROM t; ROLLBACK TO b; COMMIT",
        _CAUGHT,
        "INSERT INTO t VALUES (3) ON CONFLICT DO NOTHING",
        "SELECT pg_stat_reset(); SET track_counts = off; INSERT INTO t VALUES (3)",
        _FROM_FAR,
    ],
)
def test_what_other_means_do_not_see_is_told(known: World, write: str) -> None:
    known.execute("CREATE TABLE other (id int)")
    run = known.run("public.t")
    known.tick(run)
    with psycopg.connect(known.dsn, autocommit=True) as conn:
        for statement in write.split("; "):
            conn.execute(statement)
    touched = known.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["3"]


def test_a_frozen_copy_is_told_or_everything_is_looked_at(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    with psycopg.connect(known.dsn) as conn:
        conn.execute("CREATE TABLE fresh (id int PRIMARY KEY)")
        with conn.cursor().copy("COPY fresh FROM STDIN (FREEZE)") as copy:
            copy.write("1\n2\n")
    fresh = known.run("public.fresh")
    assert known.tick(fresh) is None
    with psycopg.connect(known.dsn) as conn, conn.cursor().copy("COPY fresh FROM STDIN") as copy:
        copy.write("3\n4\n")
    touched = known.tick(fresh)
    assert touched is not None
    assert texts(touched.new, "id") == ["3", "4"]


@pytest.mark.parametrize(
    "statements",
    [
        ["TRUNCATE t"],
        ["TRUNCATE t, other"],
        ["ALTER TABLE t ALTER note TYPE varchar(20)"],
        ["ALTER TABLE t ALTER id TYPE bigint"],
        ["ALTER TABLE t ADD COLUMN more int DEFAULT 1"],
        ["ALTER TABLE t RENAME note TO text"],
        ["ALTER TABLE t REPLICA IDENTITY FULL"],
        ["ALTER TABLE t REPLICA IDENTITY NOTHING", "DELETE FROM t", "ALTER TABLE t REPLICA IDENTITY DEFAULT"],
        ["ALTER TABLE t DROP CONSTRAINT t_pkey"],
        ["ALTER TABLE t SET UNLOGGED", "INSERT INTO t VALUES (3)", "ALTER TABLE t SET LOGGED"],
        ["ALTER TABLE t RENAME TO u", "INSERT INTO u VALUES (3)", "ALTER TABLE u RENAME TO t"],
        [
            "ALTER SCHEMA public RENAME TO away",
            "INSERT INTO away.t VALUES (3)",
            "ALTER SCHEMA away RENAME TO public",
        ],
        ["DROP TABLE t", TABLE],
        ["CREATE TABLE below () INHERITS (t)"],
        ["VACUUM FULL t"],
    ],
    ids=lambda each: each[0],
)
def test_a_definition_that_changed_makes_everything_be_looked_at(known: World, statements: list[str]) -> None:
    known.execute("CREATE TABLE other (id int)")
    run = known.run("public.t")
    known.tick(run)
    assert known.tick(run) is not None
    known.execute(*statements)
    assert known.tick(run) is None


def test_what_vacuum_and_analyze_note_is_no_change(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    known.execute("VACUUM (ANALYZE, FREEZE) t", "CREATE INDEX ON t (note)")
    assert known.tick(run) is not None


@pytest.mark.parametrize(
    "table",
    [
        "CREATE UNLOGGED TABLE t (id int PRIMARY KEY)",
        "CREATE VIEW t AS SELECT 1 AS id",
        "CREATE MATERIALIZED VIEW t AS SELECT 1 AS id",
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE below () INHERITS (t)",
        "CREATE TABLE t (id int) PARTITION BY LIST (id); CREATE UNLOGGED TABLE t1 PARTITION OF t DEFAULT",
    ],
)
def test_what_leaves_no_trace_is_always_looked_at(world: World, table: str) -> None:
    world.execute(table)
    run = world.run("public.t")
    for _ in range(3):
        assert world.tick(run) is None


def test_partitions_speak_for_their_table(world: World) -> None:
    world.execute(
        "CREATE TABLE p (id int, part int, PRIMARY KEY (id, part)) PARTITION BY LIST (part)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)",
        "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2, 3) PARTITION BY LIST (part)",
        "CREATE TABLE p22 PARTITION OF p2 FOR VALUES IN (2)",
        "INSERT INTO p VALUES (1, 1), (2, 2)",
    )
    run = world.run("public.p")
    world.tick(run)
    world.execute(
        "INSERT INTO p VALUES (3, 2)", "UPDATE p SET part = 2 WHERE id = 1", "DELETE FROM p WHERE id = 2"
    )
    touched = world.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["1", "3"]
    assert texts(touched.old, "id") == ["1", "2"]
    assert touched.identity == {"id", "part"}
    for statement in (
        "ALTER TABLE p DETACH PARTITION p1",
        "ALTER TABLE p ATTACH PARTITION p1 FOR VALUES IN (1)",
        "ALTER TABLE p2 DETACH PARTITION p22 CONCURRENTLY",
        "CREATE TABLE p23 PARTITION OF p2 FOR VALUES IN (3)",
    ):
        world.execute(statement)
        assert world.tick(run) is None
        assert world.tick(run) is not None
    world.execute("TRUNCATE p23")
    assert world.tick(run) is None


def test_the_replica_identity_says_what_is_told_of_a_row_before(known: World) -> None:
    known.execute(
        "CREATE TABLE f (id int PRIMARY KEY, a text, b text)",
        "ALTER TABLE f REPLICA IDENTITY FULL",
        "CREATE TABLE i (id int PRIMARY KEY, a text NOT NULL, b text)",
        "CREATE UNIQUE INDEX ix ON i (a) INCLUDE (b)",
        "ALTER TABLE i REPLICA IDENTITY USING INDEX ix",
        "CREATE TABLE n (id int PRIMARY KEY DEFERRABLE, a text)",
        "INSERT INTO f VALUES (1, 'x', NULL); INSERT INTO i VALUES (1, 'x', 'y'); INSERT INTO n VALUES (1)",
    )
    runs = {name: known.run(f"public.{name}") for name in "fin"}
    for run in runs.values():
        known.tick(run)
    known.execute("DELETE FROM f", "DELETE FROM i")
    full, by_index = known.tick(runs["f"]), known.tick(runs["i"])
    assert full == Touched(old=({"id": "1", "a": "x", "b": None},), identity=frozenset({"id", "a", "b"}))
    assert by_index == Touched(old=({"a": "x"},), identity=frozenset({"a"}))
    nothing = known.tick(runs["n"])
    assert nothing == Touched()


def test_a_generated_column_is_not_told(world: World) -> None:
    world.execute("CREATE TABLE g (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (2 * id) STORED)")
    run = world.run("public.g")
    world.tick(run)
    world.execute("INSERT INTO g VALUES (1)")
    touched = world.tick(run)
    assert touched is not None
    assert touched.new == ({"id": "1"},)


def test_a_schema_that_was_renamed_beneath_a_transaction_makes_everything_be_looked_at(world: World) -> None:
    world.execute("CREATE SCHEMA s", "CREATE TABLE s.t (id int PRIMARY KEY)")
    run = world.run("renamed.t")
    with psycopg.connect(world.dsn) as writer:
        world.changes.begin_tick()
        writer.execute("INSERT INTO s.t VALUES (1)")
        world.execute("ALTER SCHEMA s RENAME TO renamed")
        assert world.tick(run) is None
        writer.commit()
    # Its row goes under the old name.
    assert world.tick(run) is None
    assert world.tick(run) is not None


def test_writers_beside_are_told_each_once_or_more_but_never_missed(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    over = threading.Event()

    def write(first: int) -> None:
        with psycopg.connect(known.dsn, autocommit=True) as conn:
            conn.execute("SET synchronous_commit = off")
            number = first
            while not over.is_set():
                conn.execute("BEGIN; SAVEPOINT s")
                conn.execute("INSERT INTO t VALUES (%s)", [number])
                conn.execute("RELEASE s; COMMIT")
                number += 1

    writers = [threading.Thread(target=write, args=[first]) for first in (1_000, 1_000_000)]
    told: set[str | None] = {"1", "2"}
    for writer in writers:
        writer.start()
    try:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            _judge(known, run, told)
    finally:
        over.set()
        for writer in writers:
            writer.join()
    _judge(known, run, told)


def _judge(world: World, run: Run, told: set[str | None]) -> None:
    """Compare all rows that a run's own snapshot sees with what was told so far."""
    world.changes.begin_tick()
    [table] = [one for one in world.target.read_catalog().tables if one.name == "t"]
    with world.target.snapshot("test") as snapshot:
        asking = world.changes.asking(Note.read(run.memory), "it", run.now)
        touched = asking.touched(snapshot.fetch, table)
        assert touched is not None
        told |= set(texts(touched.new, "id"))
        rows = {str(row["id"]) for row in snapshot.fetch("SELECT id FROM public.t")}
    assert told == rows
    run.asked = asking
    run.commit()
    world.changes.done()


def test_more_than_memory_may_hold_makes_everything_be_looked_at(
    open_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil.changes.slot.MOST_LINES", 50)
    monkeypatch.setattr("pgvigil.changes.changes.MOST_LINES", 50)
    world = open_world()
    world.execute(TABLE)
    run = world.run("public.t")
    world.tick(run)
    world.execute("INSERT INTO t SELECT generate_series(1, 60)")
    with capture_logs() as logs:
        assert world.tick(run) is None
    assert [line.get("reason") for line in logs] == ["more than 50 changed rows were to be read"]
    world.tick(run)
    world.execute("INSERT INTO t VALUES (100)")
    touched = world.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["100"]


def test_more_text_than_memory_may_hold_makes_everything_be_looked_at(
    open_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil.changes.slot.MOST_BYTES", 1 << 20)
    world = open_world()
    world.execute(TABLE)
    run = world.run("public.t")
    world.tick(run)
    world.execute("INSERT INTO t VALUES (1, repeat('x', 2000000))")
    with capture_logs() as logs:
        assert world.tick(run) is None
    assert [line.get("reason") for line in logs] == ["more than 1 MB of changed rows were to be read"]
    world.tick(run)
    assert world.tick(run) is not None


def test_who_wrote_before_schemas_were_swapped_is_not_missed(known: World) -> None:
    """Its lines go under the name that the table had, which is another table's by now."""
    known.execute("CREATE SCHEMA live", "CREATE SCHEMA staging", "CREATE TABLE live.t (id int PRIMARY KEY)")
    known.execute("CREATE TABLE staging.t (id int PRIMARY KEY)")
    swap = "BEGIN; ALTER SCHEMA live RENAME TO old; ALTER SCHEMA staging RENAME TO live; COMMIT"
    with psycopg.connect(known.dsn) as slow:
        slow.execute("INSERT INTO live.t VALUES (1)")
        known.execute(swap)
        run = known.run("old.t")
        for _ in range(2):
            known.tick(run)
        slow.commit()
    assert known.tick(run) is None
    known.tick(run)
    assert known.tick(run) == Touched(identity=frozenset({"id"}))


def test_a_replacement_character_is_a_text_as_any_other(known: World) -> None:
    run = known.run("public.t")
    known.tick(run)
    known.execute("INSERT INTO t VALUES (3, U&'caf\\FFFD')")
    touched = known.tick(run)
    assert touched is not None
    assert texts(touched.new, "note") == ["caf\ufffd"]


def test_text_that_is_damaged_makes_its_own_table_be_looked_at_once(known: World) -> None:
    known.execute("CREATE TABLE other (id int PRIMARY KEY, note text)")
    run, other = known.run("public.t"), known.run("public.other")
    with careless(known.dsn) as writer:
        for each in (run, other):
            known.tick(each)
        writer.execute(
            "INSERT INTO other VALUES (1, E'caf\\xe9 \\xef\\xbf\\xbd'); INSERT INTO t VALUES (3, 'c')"
        )
    touched = known.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["3"]
    assert known.tick(other) is None
    assert known.tick(other) == Touched(identity=frozenset({"id"}))
    assert not known.changes.obstacle


def test_a_line_that_cannot_be_read_is_passed_and_everything_looked_at(
    known: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = known.run("public.t")
    known.tick(run)
    with monkeypatch.context() as patched:
        patched.setattr("pgvigil.changes.lines._LINE", re.compile("nothing"))
        known.execute("INSERT INTO t VALUES (3, 'c')")
        with capture_logs() as logs:
            assert known.tick(run) is None
        [skipped] = [line for line in logs if line["event"].startswith("slot skipped ahead")]
        assert skipped["reason"] == "a line of test_decoding could not be read"
    known.tick(run)
    known.execute("INSERT INTO t VALUES (4, 'd')")
    touched = known.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["4"]


def test_a_slot_that_takes_longer_to_read_than_a_statement_may_is_skipped(
    known: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = known.run("public.t")
    known.tick(run)
    known.execute("INSERT INTO t VALUES (3, 'c')")
    with monkeypatch.context() as patched:

        def over(*_: object) -> None:
            raise QueryTimeoutError("statement timeout")

        patched.setattr("pgvigil.changes.Slot.peek", over)
        known.changes.begin_tick()
    # Past what could not be read, and in use again.
    assert known.tick(run) is None
    known.execute("INSERT INTO t VALUES (4, 'd')")
    touched = known.tick(run)
    assert touched is not None
    assert texts(touched.new, "id") == ["4"]
