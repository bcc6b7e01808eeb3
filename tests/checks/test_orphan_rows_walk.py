"""A big child is walked in chunks, each in a snapshot of its own: the same answer as one query's."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.catalog import Scope
from pgvigil.check import Outcome
from pgvigil.context import Assistance, RunContext
from pgvigil.errors import TargetError
from pgvigil.runner import RunLimits, Runner
from pgvigil.target import Target
from pgvigil_checks import orphan_rows
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams
from pgvigil_checks.orphans import bits, paths, sieve, walk
from pgvigil_checks.orphans.facts import GREATEST
from tests.checks.random_relations import RandomRelation
from tests.seeds import seeds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.embedded import Server
    from pgvigil.run import Run

RELATIONS = 40
SAMPLE = 5
SUBJECT = "public.child(parent_id) -> public.parent(id)"
CHILDREN = 500
ORPHANS = 20
GIVEN = f"""
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (n int PRIMARY KEY, parent_id int REFERENCES parent);
    INSERT INTO parent SELECT generate_series(1, 100);
    SET session_replication_role = replica;
    INSERT INTO child
    SELECT n, CASE WHEN n % {CHILDREN // ORPHANS} = 0 THEN 1000 + n / 50 ELSE 1 + n % 100 END
    FROM generate_series(1, {CHILDREN}) AS n;
"""
INDEX = "CREATE INDEX ON child (parent_id)"


@pytest.fixture(params=["walk_key", "walk_values"])
def walked(request: pytest.FixtureRequest, emptied_database: str) -> Iterator[Walker]:
    with psycopg.connect(emptied_database, autocommit=True) as conn:
        conn.execute(GIVEN)
        if request.param == "walk_values":
            conn.execute(INDEX)
        conn.execute("ANALYZE")
        with walker(emptied_database) as walking:
            yield walking


class Walker:
    """Runs `orphan_rows` in chunks of a few rows; `between` is called at every checkpoint."""

    def __init__(self, database: str, target: Target) -> None:
        self.database = database
        self.conn = psycopg.connect(database, autocommit=True)
        self.runner = Runner(target, RunLimits(sample=SAMPLE, chunk_seconds=1e-9))
        self.states: list[dict[str, Any]] = []
        self.done: list[float] = []

    def sql(self, statement: str) -> None:
        self.conn.execute("SET session_replication_role = replica")
        self.conn.execute(statement.encode())

    def run(
        self, subject: str = SUBJECT, between: Callable[[int], Any] = lambda _n: None, **given: Any
    ) -> Run:
        check = OrphanRows(OrphanRowsParams())
        self.states, self.done = [], []

        def save(state: Any, done: float) -> None:
            if not state:  # the parent's keys are being gathered
                return
            self.states.append(dict(state))
            self.done.append(done)
            between(len(self.states))

        catalog = self.runner.target.read_catalog(Scope())
        found = {one.name: one for one in check.discover(catalog).subjects}
        assistance = replace(Assistance(save=save), **given)
        execution = self.runner.execute(check, found[subject], catalog, assistance)
        assert execution is not None
        return execution.run


@contextmanager
def walker(database: str) -> Iterator[Walker]:
    target = Target("test", database)
    walking = Walker(database, target)
    patch = pytest.MonkeyPatch()
    patch.setattr(paths, "_FEWEST_ROWS", 0)
    patch.setattr(walk, "_FIRST_ROWS", 7)
    patch.setattr(walk, "_MOST_SMALL_CHUNKS", 1_000_000)
    patch.setattr(sieve, "_FEWEST_TO_SHARE", 2)
    patch.setattr(bits, "_FEWEST_TO_SHARE", 2)
    patch.setattr(orphan_rows, "_SHORT", -1)
    try:
        yield walking
    finally:
        patch.undo()
        walking.conn.close()
        target.close()


@pytest.mark.parametrize("seed", seeds(200, usual=2, slow=2))
@pytest.mark.parametrize("rows", [1, 2, 5])
def test_oracle(seed: int, rows: int, emptied_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = Random(seed)
    relations = [RandomRelation(f"s{number}", dice) for number in range(RELATIONS)]
    with psycopg.connect(emptied_database) as conn:
        conn.execute("SET session_replication_role = replica")
        for number, relation in enumerate(relations):
            conn.execute(relation.sql().encode())
            if number % 2:
                names = ", ".join(relation.columns)
                conn.execute(f"CREATE INDEX ON child ({names})".encode())
    walks = 0
    with walker(emptied_database) as walking:
        monkeypatch.setattr(walk, "_FIRST_ROWS", rows)
        check = OrphanRows(
            OrphanRowsParams.model_validate(
                {"relations": [relation.subject for relation in relations if relation.configured]}
            )
        )
        catalog = walking.runner.target.read_catalog(Scope())
        subjects = {one.name: one for one in check.discover(catalog).subjects}
        for relation in relations:
            run = walking.runner.run(check, subjects[relation.subject], catalog)
            assert run is not None
            assert run.outcome.completed, (run.error, relation.sql())
            found = {finding.code: finding for finding in run.findings}
            for code, keys in (
                ("orphans", relation.orphans()),
                ("partial_nulls", relation.partial_nulls()),
            ):
                assert (found[code].count if code in found else 0) == len(keys), relation.sql()
                shown = [row["n"] for row in found[code].sample] if code in found else []
                assert shown == keys[:SAMPLE], relation.sql()
            walks += run.strategy.startswith("walk")
    assert walks > RELATIONS / 2


def test_every_chunk_is_small_and_tells_how_far_it_is(walked: Walker) -> None:
    run = walked.run()
    assert run.outcome is Outcome.FAIL, run.error
    assert run.findings[0].count == ORPHANS
    assert len(walked.states) > 50
    assert walked.done == sorted(walked.done)
    assert 0 < walked.done[0] < walked.done[-1] <= 1


def test_what_is_an_orphan_all_the_time_is_found_while_rows_move(walked: Walker) -> None:
    """Updated rows get another place in the table; along an index they are met where their key is."""
    walked.sql("ALTER TABLE child ADD note text")

    def write(n: int) -> None:
        walked.sql(f"UPDATE child SET note = repeat('x', {n % 50}) WHERE parent_id >= 1000")
        walked.sql(f"INSERT INTO child VALUES ({-n}, 1), ({CHILDREN + n}, 100)")

    run = walked.run(between=lambda n: write(n) if n < 60 else None)
    assert run.findings[0].count == ORPHANS


def test_a_parent_that_goes_ahead_of_the_walk_is_missed(
    walked: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_WORTH", float("inf"))
    walked.sql("DELETE FROM child WHERE parent_id >= 1000")
    run = walked.run(
        between=lambda n: walked.sql("DELETE FROM parent WHERE id BETWEEN 90 AND 99") if n == 1 else None
    )
    assert run.outcome is Outcome.FAIL
    assert CHILDREN // 10 - 10 < run.findings[0].count <= CHILDREN // 10


def test_a_walk_that_was_broken_off_goes_on_where_it_was(walked: Walker) -> None:
    def break_off(n: int) -> None:
        if n == 30:
            raise TargetError("broken off")

    run = walked.run(between=break_off)
    assert run.outcome is Outcome.ERROR
    before = len(walked.states)
    resumed = walked.states[-1]
    run = walked.run(resumed=resumed)
    assert run.findings[0].count == ORPHANS
    assert len(walked.states) + before < CHILDREN + 10
    assert walked.done[1] > 0.01


def test_orphans_whose_parents_have_come_by_the_end_are_none(walked: Walker) -> None:
    def write(n: int) -> None:
        if n == chunks - 1:
            walked.sql("INSERT INTO parent SELECT generate_series(1000, 1004)")

    walked.run()
    chunks = len(walked.states)
    with psycopg.connect(walked.database) as conn:
        row = conn.execute("SELECT count(*) FROM child WHERE parent_id > 1004").fetchone()
    run = walked.run(between=write)
    assert row is not None
    assert 0 < run.findings[0].count == row[0] < ORPHANS


def test_what_another_index_led_to_is_not_gone_on_with(walked: Walker) -> None:
    run = walked.run(resumed={"path": "walk_other", "columns": ["n"], "rows": 400, "orphans": 0})
    assert run.findings[0].count == ORPHANS


def test_what_was_asked_by_another_key_is_not_gone_on_with(emptied_database: str) -> None:
    """Under MATCH FULL what was passed by may be at fault, though the tables and columns are the same."""
    subject = "public.child(a, b) -> public.parent(a, b)"
    with psycopg.connect(emptied_database, autocommit=True) as conn, walker(emptied_database) as walking:
        conn.execute("""
            CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
            CREATE TABLE child (n int PRIMARY KEY, a int, b int);
            INSERT INTO child SELECT n FROM generate_series(1, 60) AS n;
            INSERT INTO child VALUES (0, 1, NULL);
            ALTER TABLE child ADD CONSTRAINT refers FOREIGN KEY (a, b) REFERENCES parent;
            ANALYZE;
        """)
        assert walking.run(subject).outcome is Outcome.PASS
        resumed = walking.states[-1]
        assert resumed["each"][0]["rows"] > 10
        conn.execute("""
            ALTER TABLE child DROP CONSTRAINT refers;
            ALTER TABLE child ADD CONSTRAINT refers FOREIGN KEY (a, b) REFERENCES parent MATCH FULL NOT VALID;
        """)
        run = walking.run(subject, resumed=resumed)
    assert [finding.code for finding in run.findings] == ["partial_nulls"]


def test_that_all_is_well_again_is_seen_in_one_snapshot(walked: Walker) -> None:
    """A row whose key changes ahead of the walk is passed by: alone, a walk must not resolve an incident."""
    column = "n" if walked.run().strategy == "walk_key" else "parent_id"
    walked.sql("DELETE FROM child WHERE n % 50 = 0 OR parent_id >= 1001")
    walked.sql("DELETE FROM child WHERE parent_id >= 1000")
    walked.sql("INSERT INTO child VALUES (100000, 100000)")

    def move(n: int) -> None:
        if n == 3:
            walked.sql(f"UPDATE child SET {column} = -1 WHERE parent_id = 100000")

    blind = walked.run(between=move)
    assert blind.outcome is Outcome.PASS, "the fault that this test plants is not missed by a walk"
    walked.sql(f"UPDATE child SET {column} = 100000 WHERE {column} = -1")
    sighted = walked.run(between=move, memory={"faults": 1})
    assert sighted.outcome is Outcome.FAIL
    assert sighted.strategy == "hash"


@pytest.mark.parametrize("type_", ["smallint", "integer", "bigint"])
@pytest.mark.parametrize("shift", [0, -100, -32768, 32767 - 100])
def test_the_parents_keys_are_gathered_exactly(type_: str, shift: int, emptied_database: str) -> None:
    """At the ends of the types' ranges as well, with holes, and with references that lie beyond them."""
    keys = [shift + n for n in range(101) if n % 7]
    references = {shift + n for n in range(-3, 105) if -32768 <= shift + n <= 32767}
    with psycopg.connect(emptied_database, autocommit=True) as conn, walker(emptied_database) as walking:
        conn.execute(f"""
            SET session_replication_role = replica;
            CREATE TABLE parent (id {type_} PRIMARY KEY);
            CREATE TABLE child (n int PRIMARY KEY, parent_id smallint REFERENCES parent);
            INSERT INTO parent SELECT unnest(ARRAY{keys});
            INSERT INTO child SELECT n, n FROM unnest(ARRAY{sorted(references)}) AS n;
            INSERT INTO child SELECT n + 40000, {keys[0]} FROM generate_series(1, 200) AS n;
            ANALYZE;
        """)
        gathered: list[bits.Bits | None] = []
        gather = bits.gather_in_chunks

        def kept(*given: Any) -> bits.Bits | None:
            gathered.append(gather(*given))
            return gathered[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(paths, "gather_in_chunks", kept)
            patch.setattr(bits, "_SMALLEST_STEP", 10)
            run = walking.run()
        (found,) = gathered
        assert found
        assert found.bits
        assert found.ends == (keys[0], keys[-1])
        there = {keys[0] + n for n in range(8 * len(found.bits)) if found.bits[n >> 3] >> (n & 7) & 1}
        assert there == set(keys)
        assert run.findings[0].count == len(references - set(keys))


@pytest.mark.parametrize(
    "ends", ["-9223372036854775808, -9223372036854775807", "9223372036854775806, 9223372036854775807"]
)
def test_keys_at_the_ends_of_bigint(ends: str, emptied_database: str) -> None:
    with psycopg.connect(emptied_database, autocommit=True) as conn, walker(emptied_database) as walking:
        conn.execute(f"""
            SET session_replication_role = replica;
            CREATE TABLE parent (id bigint PRIMARY KEY);
            CREATE TABLE child (n int PRIMARY KEY, parent_id bigint REFERENCES parent);
            INSERT INTO parent SELECT unnest(ARRAY[{ends}]);
            INSERT INTO child SELECT row_number() OVER (), id FROM parent, generate_series(1, 9);
            INSERT INTO child VALUES (100, 0), (101, 9223372036854775805), (102, -9223372036854775806);
            ANALYZE;
        """)
        run = walking.run()
        assert run.strategy == "walk_key"
        assert run.findings[0].count == 3


@pytest.mark.parametrize(
    "ddl",
    [
        "ALTER TABLE child RENAME TO gone; CREATE TABLE child (n int PRIMARY KEY, parent_id int)",
        "CREATE TABLE more () INHERITS (parent)",
    ],
)
def test_tables_that_change_meanwhile_leave_it_unknown(walked: Walker, ddl: str) -> None:
    run = walked.run(between=lambda n: walked.sql(ddl) if n == 2 else None)
    assert run.outcome is Outcome.SKIPPED
    assert "was changed" in str(run.error)


def test_a_value_with_more_rows_than_a_chunk_is_counted_whole(walked: Walker) -> None:
    walked.sql("INSERT INTO child SELECT n, 7777 FROM generate_series(1000, 1099) AS n")
    walked.sql("INSERT INTO child SELECT n, 50 FROM generate_series(2000, 2099) AS n")
    assert walked.run().findings[0].count == ORPHANS + 100


def test_a_reference_beyond_the_parents_type_is_an_orphan(emptied_database: str) -> None:
    with psycopg.connect(emptied_database, autocommit=True) as conn, walker(emptied_database) as walking:
        conn.execute("""
            CREATE TABLE parent (id smallint PRIMARY KEY);
            CREATE TABLE child (n int PRIMARY KEY, parent_id bigint REFERENCES parent);
            CREATE INDEX ON child (parent_id);
            INSERT INTO parent VALUES (1), (2);
            SET session_replication_role = replica;
            INSERT INTO child VALUES (1, 1), (5, NULL), (4, 40000);
            INSERT INTO child VALUES (2, -9223372036854775808), (3, 9223372036854775807);
        """)
        run = walking.run()
        assert run.strategy == "walk_values"
        assert run.findings[0].count == 3


def test_what_is_mended_behind_the_walk_is_no_fault(emptied_database: str) -> None:
    """Neither more orphans than are kept, nor references that are NULL in part."""
    with psycopg.connect(emptied_database, autocommit=True) as conn, walker(emptied_database) as walking:
        conn.execute("""
            CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));
            CREATE TABLE child (n int PRIMARY KEY, a int, b int);
            ALTER TABLE child ADD FOREIGN KEY (a, b) REFERENCES parent MATCH FULL;
            SET session_replication_role = replica;
            INSERT INTO child SELECT n, n, n FROM generate_series(1, 40) AS n;
            INSERT INTO child VALUES (41, 1, NULL);
            INSERT INTO child SELECT n FROM generate_series(42, 60) AS n;
        """)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(paths, "MOST_LOST", 10)
            patch.setattr(walk, "MOST_LOST", 10)
            run = walking.run(
                "public.child(a, b) -> public.parent(a, b)",
                between=lambda n: (
                    walking.sql("UPDATE child SET a = NULL, b = NULL WHERE n <= 41") if n == 50 else None
                ),
            )
        assert len(walking.states) >= 50
        assert run.outcome is Outcome.PASS, run.findings


@pytest.mark.parametrize("mended", [0, 7, ORPHANS])
def test_of_more_orphans_than_are_kept_those_count_that_were_not_seen_to_heal(
    walked: Walker, monkeypatch: pytest.MonkeyPatch, mended: int
) -> None:
    """One that is left proves the fault; if none of the kept ones is, one snapshot tells."""
    monkeypatch.setattr(paths, "MOST_LOST", 3)
    monkeypatch.setattr(walk, "MOST_LOST", 3)
    column = "n" if walked.run().strategy == "walk_key" else "parent_id"
    chunks = len(walked.states)
    orphans = f"SELECT n FROM child WHERE parent_id >= 1000 ORDER BY {column}, n LIMIT {mended}"
    heal = f"UPDATE child SET parent_id = NULL WHERE n IN ({orphans})"
    run = walked.run(between=lambda n: walked.sql(heal) if n == chunks - 1 else None)
    kept = 3 if column == "n" else 6
    walks = f"walk_{'key' if column == 'n' else 'values'}"
    if mended < kept:
        assert (run.strategy, run.findings[0].count) == (walks, ORPHANS)
    elif mended < ORPHANS:
        assert (run.strategy, run.findings[0].count) == ("hash", ORPHANS - mended)
    else:
        assert (run.strategy, run.outcome) == ("hash", Outcome.PASS)


def test_of_more_orphans_than_are_kept_what_healed_of_these_is_left_out(
    walked: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "MOST_LOST", 3)
    monkeypatch.setattr(walk, "MOST_LOST", 3)
    walks = walked.run().strategy
    assert walks.startswith("walk_")
    chunks = len(walked.states)
    first = "SELECT n FROM child WHERE parent_id >= 1000 ORDER BY parent_id, n LIMIT 1"
    heal = f"DELETE FROM child WHERE n IN ({first})"
    run = walked.run(between=lambda n: walked.sql(heal) if n == chunks - 1 else None)
    assert (run.strategy, run.findings[0].count) == (walks, ORPHANS - 1)
    assert len(run.findings[0].sample) >= 2


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_walk_that_goes_around_in_a_circle_is_given_up(
    walked: Walker, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    path = paths.ByKey if walked.run().strategy == "walk_key" else paths.ByReference
    monkeypatch.setattr(paths, "_WORTH", float("inf"))
    chunk = path.chunk
    chunks: list[Any] = []

    def around(self: Any, last: Any, rows: int) -> Any:
        chunks.append(rows)
        assert len(chunks) < 100, "it never ends"
        return chunk(self, () if len(chunks) % length == 0 else last, 7)

    monkeypatch.setattr(path, "chunk", around)
    run = walked.run()
    assert (run.strategy, run.findings[0].count) == ("hash", ORPHANS)


def test_an_array_with_nulls_is_the_same_whatever_the_database_says(emptied_database: str) -> None:
    with psycopg.connect(emptied_database, autocommit=True) as conn:
        conn.execute("""
            CREATE TABLE parent (id text[] PRIMARY KEY);
            CREATE TABLE child (n int PRIMARY KEY, parent_id text[] REFERENCES parent);
            CREATE INDEX ON child (parent_id);
            INSERT INTO parent SELECT ARRAY['a' || n, NULL] FROM generate_series(1, 50) AS n;
            INSERT INTO child SELECT n, ARRAY['a' || n, NULL] FROM generate_series(1, 50) AS n;
            SET session_replication_role = replica;
            INSERT INTO child SELECT 100 + n, ARRAY['b' || n, NULL] FROM generate_series(1, 20) AS n;
            DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET array_nulls = off', current_database()); END $$;
        """)
    with walker(emptied_database) as walking:

        def ends(n: int) -> None:
            assert n < 200, "it never ends"

        run = walking.run(between=ends)
    assert (run.strategy, run.findings[0].count) == ("walk_values", 20), run.error


@pytest.mark.pg(">= 18")
def test_a_key_that_may_hold_nulls_by_now_is_not_walked(emptied_database: str) -> None:
    """NOT NULL that is not valid says nothing of older rows, and nothing leads to a NULL behind a place."""
    with psycopg.connect(emptied_database, autocommit=True) as conn, walker(emptied_database) as walking:
        conn.execute("""
            CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE child (n int NOT NULL UNIQUE, parent_id int REFERENCES parent);
            INSERT INTO parent VALUES (1);
            INSERT INTO child SELECT n, 1 FROM generate_series(1, 60) AS n;
            ANALYZE;
        """)

        def write(n: int) -> None:
            if n == 1:
                walking.sql("ALTER TABLE child ALTER n DROP NOT NULL")
                walking.sql("INSERT INTO child VALUES (NULL, 1000)")
                walking.sql("ALTER TABLE child ADD CONSTRAINT later NOT NULL n NOT VALID")

        run = walking.run(between=write)
    assert (run.outcome, run.strategy) == (Outcome.FAIL, "hash"), run.error
    assert run.findings[0].count == 1


def test_an_index_that_is_in_another_order_is_given_up(emptied_database: str) -> None:
    with psycopg.connect(emptied_database, autocommit=True) as conn, walker(emptied_database) as walking:
        conn.execute("""
            CREATE TABLE parent (id text PRIMARY KEY);
            CREATE TABLE child (n int PRIMARY KEY, parent_id text REFERENCES parent);
            CREATE INDEX ON child (parent_id text_pattern_ops);
            SET session_replication_role = replica;
            INSERT INTO child SELECT n, 'k' || n FROM generate_series(1, 300) AS n;
        """)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(walk, "_MOST_SMALL_CHUNKS", 5)
            run = walking.run()
        assert len(walking.states) < 20
        assert run.strategy not in ("walk_key", "walk_values")
        assert run.findings[0].count == 300


def test_a_key_that_is_unique_no_more_is_not_gone_on_with(emptied_database: str) -> None:
    """Rows with one key, of which a chunk ends with the first: the others would be passed by."""
    with psycopg.connect(emptied_database, autocommit=True) as conn, walker(emptied_database) as walking:
        conn.execute(GIVEN + "ANALYZE")

        def write(n: int) -> None:
            if n == 2:
                walking.sql("ALTER TABLE child DROP CONSTRAINT child_pkey")
                walking.sql(f"INSERT INTO child SELECT 30, 9999 FROM generate_series(1, {CHILDREN})")

        run = walking.run(between=write)
    assert run.strategy in ("bitmap", "hash")
    assert run.findings[0].count == ORPHANS + CHILDREN


def test_a_log_of_statements_can_leave_out_the_bits(emptied_database: str, pg_server: Server) -> None:
    """They are sent beside every query, and so bounded by what bounds parameters."""
    logged = "-c log_statement=all -c log_parameter_max_length=64"
    with (
        psycopg.connect(emptied_database, autocommit=True) as conn,
        walker(make_conninfo(emptied_database, options=logged)) as walking,
    ):
        conn.execute(GIVEN + "INSERT INTO parent VALUES (40000); ANALYZE")
        before = pg_server.log_file.stat().st_size
        run = walking.run()
    assert run.error is None
    assert (run.strategy, run.findings[0].count) == ("walk_key", ORPHANS)
    with pg_server.log_file.open("rb") as log:
        log.seek(before)
        lengths = [len(line) for line in log if rb"'\x" in line]
    assert len(lengths) > 5
    assert max(lengths) < 1_000


@pytest.mark.pg(">= 18")
def test_a_temporal_key_is_not_walked(emptied_database: str) -> None:
    """Its index knows no order: every chunk would sort the whole table."""
    with psycopg.connect(emptied_database, autocommit=True) as conn, walker(emptied_database) as walking:
        conn.execute("""
            CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE child (
                n int4range, during daterange, parent_id int REFERENCES parent,
                PRIMARY KEY (n, during WITHOUT OVERLAPS)
            );
            SET session_replication_role = replica;
            INSERT INTO child
            SELECT int4range(n, n + 1), '[2030-01-01,)', n FROM generate_series(1, 100) AS n;
            ANALYZE;
        """)
        run = walking.run()
    assert not walking.states
    assert run.findings[0].count == 100


@pytest.mark.pg("< 16")
def test_a_key_is_not_walked_by_a_collation_that_holds_others_equal(emptied_database: str) -> None:
    with psycopg.connect(emptied_database, autocommit=True) as conn, walker(emptied_database) as walking:
        conn.execute("""
            CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE child (k text COLLATE ci NOT NULL, parent_id int REFERENCES parent);
            CREATE UNIQUE INDEX ON child (k COLLATE "C");
            INSERT INTO parent VALUES (1);
            SET session_replication_role = replica;
            INSERT INTO child SELECT 'k' || n, 1 FROM generate_series(1, 100) AS n;
            INSERT INTO child SELECT 'K' || n, 2 FROM generate_series(1, 100) AS n;
        """)
        assert walking.run().findings[0].count == 100


def test_a_walk_says_how_it_went(walked: Walker) -> None:
    run = walked.run()
    figures = re.search(r"in short snapshots, for its size: (.+)$", run.explain)
    assert figures is not None, run.explain
    said = re.fullmatch(
        r"([\d,]+) chunks of ([\d,]+) rows, the longest snapshot (\d+\.\d{3}) s",
        figures[1],
    )
    assert said is not None, figures[1]
    chunks, rows = (int(number.replace(",", "")) for number in said.groups()[:2])
    assert chunks == len(walked.states)
    assert rows == run.rows_examined // chunks


def runs_of_numbers(dice: Random, least: int, greatest: int) -> list[int]:
    """Return keys that lie side by side here, and far apart there; both ends of their type among them."""
    starts = [least, greatest - 30, *(dice.randint(least, greatest - 40) for _ in range(6))]
    runs = [range(start, start + dice.choice([1, 31, 31]), dice.choice([1, 1, 1, 3])) for start in starts]
    return sorted({number for run in runs for number in run if dice.random() < 0.9} | {least, greatest})


@pytest.mark.parametrize("type_", ["smallint", "integer", "bigint"])
@pytest.mark.parametrize("seed", range(500, 504))
def test_each_row_is_met_once_however_its_key_lies(
    type_: str, seed: int, emptied_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk that ends at a number may hold nothing, or lie beyond the last row; two sessions share it."""
    dice = Random(seed)
    greatest = GREATEST[type_]
    keys = runs_of_numbers(dice, -greatest - 1, greatest)
    lost = sorted(dice.sample(keys, 5))
    rows = ", ".join(f"('{key}', {10_000 if key in lost else dice.randint(1, 20)})" for key in keys)
    sizes = [dice.choice([1, 2, 3, 10, 40]) for _ in range(1_000)]
    shared: list[int] = []
    with psycopg.connect(emptied_database, autocommit=True) as conn, walker(emptied_database) as walking:
        conn.execute(
            f"""
            SET session_replication_role = replica;
            CREATE TABLE parent (id int PRIMARY KEY);
            CREATE TABLE child (n {type_} PRIMARY KEY, parent_id int REFERENCES parent);
            INSERT INTO parent SELECT generate_series(1, 20);
            INSERT INTO child VALUES {rows};
            ANALYZE;
        """.encode()
        )
        split = RunContext.fetch_split

        def counted(context: RunContext, queries: Any) -> Any:
            shared.append(len(queries))
            return split(context, queries)

        monkeypatch.setattr(RunContext, "fetch_split", counted)
        monkeypatch.setattr(walk, "Pace", lambda *_: Steps(sizes))
        run = walking.run()
    assert run.strategy == "walk_key"
    assert run.rows_examined == len(keys)
    assert run.findings[0].count == 5
    assert [row["n"] for row in run.findings[0].sample] == lost
    assert shared


class Steps:
    """A pace that takes steps as they are given."""

    def __init__(self, sizes: list[int]) -> None:
        self.sizes = list(sizes)

    @property
    def size(self) -> int:
        return self.sizes[-1]

    def took(self, _seconds: float, _size: int) -> None:
        self.sizes.pop()
