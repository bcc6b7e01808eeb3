"""Which strategy is chosen, and what becomes of it where the statistics are wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.catalog import Operator, Scope
from pgvigil.check import Outcome
from pgvigil.context import Assistance
from pgvigil.runner import RunLimits, Runner
from pgvigil.target import Target
from pgvigil_checks import orphan_rows
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams
from pgvigil_checks.orphans import Facts, gap, paths, planner
from pgvigil_checks.orphans.facts import Side
from pgvigil_checks.orphans.planner import choose
from pgvigil_checks.references import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.run import Run

SUBJECT = "public.child(parent_id) -> public.parent(id)"
CHILDREN, PARENTS, ORPHANS = 30_000, 1_000, 30
# Every 1000th child refers to a parent that is not there; the parents' ids are 1 to 1000.
GIVEN = f"""
    CREATE TABLE parent (id int, CONSTRAINT parent_key UNIQUE (id));
    CREATE TABLE child (n int PRIMARY KEY, parent_id int);
    ALTER TABLE parent SET (autovacuum_enabled = off); ALTER TABLE child SET (autovacuum_enabled = off);
    INSERT INTO parent SELECT generate_series(1, {PARENTS});
    INSERT INTO child
    SELECT n, CASE WHEN n % 1000 = 0 THEN 5000 + n ELSE 1 + n % {PARENTS} END
    FROM generate_series(1, {CHILDREN}) AS n;
    CREATE INDEX child_parent_id ON child (parent_id);
"""
CHECK = OrphanRows(OrphanRowsParams.model_validate({"relations": [SUBJECT]}))


class Examiner:
    def __init__(self, database: str, target: Target) -> None:
        self.conn = psycopg.connect(database, autocommit=True)
        self.target = target
        self.read_catalog()

    def sql(self, *statements: str) -> None:
        # One by one, as VACUUM and CREATE INDEX CONCURRENTLY are not for transactions.
        for statement in statements:
            self.conn.execute(statement.encode())

    def read_catalog(self) -> None:
        self.catalog = self.target.read_catalog(Scope())

    def run(self, memory: Any = None, runner: Runner | None = None) -> Run:
        """Run with the catalog that was read last."""
        (subject,) = CHECK.discover(self.catalog).subjects
        assistance = Assistance(memory=memory or {})
        execution = (runner or Runner(self.target)).execute(CHECK, subject, self.catalog, assistance)
        assert execution is not None
        assert execution.run.outcome.completed, execution.run.error
        return execution.run


@pytest.fixture
def given(emptied_database: str) -> Iterator[Examiner]:
    with psycopg.connect(emptied_database, autocommit=True) as conn:
        conn.execute(GIVEN)
        conn.execute("VACUUM ANALYZE parent, child")
    target = Target("test", emptied_database)
    examiner = Examiner(emptied_database, target)
    yield examiner
    examiner.conn.close()
    target.close()


def found(run: Run) -> int:
    return sum(finding.count for finding in run.findings)


def test_dense_keys_are_proved_by_three_numbers(given: Examiner) -> None:
    run = given.run()
    assert (run.strategy, found(run)) == ("dense", ORPHANS)
    assert run.rows_examined == PARENTS + ORPHANS
    assert run.explain.startswith("dense: cost in row reads: dense 2.5k; ")


def test_a_hole_that_the_statistics_do_not_show_sends_on_to_the_next_strategy(given: Examiner) -> None:
    given.sql("DELETE FROM parent WHERE id = 7")
    run = given.run()
    assert run.strategy in ("gap", "loose")
    assert found(run) == ORPHANS + CHILDREN // PARENTS
    assert "dense was broken off" in run.explain
    again = given.run(run.memory)
    assert (again.strategy, found(again)) == (run.strategy, found(run))
    assert "broken off" not in again.explain


def test_what_was_broken_off_is_tried_again_after_a_while(given: Examiner) -> None:
    given.sql("DELETE FROM parent WHERE id = 7")
    run = given.run()
    given.sql("INSERT INTO parent VALUES (7)")
    for runs in range(1, 30):  # noqa: B007 -- asked after the loop
        run = given.run(run.memory)
        assert found(run) == ORPHANS
        if run.strategy == "dense":
            break
    assert runs > 10
    assert run.strategy == "dense"


def test_far_more_values_than_was_estimated(given: Examiner) -> None:
    given.sql(
        "ALTER TABLE child ALTER parent_id SET (n_distinct = 2)",
        "TRUNCATE parent",
        f"INSERT INTO parent SELECT n * 5 FROM generate_series(1, {PARENTS}) AS n",
        "UPDATE child SET parent_id = n",
        "VACUUM ANALYZE parent, child",
    )
    given.read_catalog()
    run = given.run()
    assert run.strategy != "loose"
    assert "loose was broken off" in run.explain
    assert found(run) == CHILDREN - PARENTS


def test_a_big_child_is_walked_where_what_was_to_be_quick_is_not(
    given: Examiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_FEWEST_ROWS", 0)
    monkeypatch.setattr(orphan_rows, "_SHORT", 5_000)
    runner = Runner(given.target, RunLimits(chunk_seconds=0.02))
    assert given.run(runner=runner).strategy == "dense"
    given.sql("DELETE FROM parent WHERE id = 7")
    run = given.run(runner=runner)
    assert (run.strategy, found(run)) == ("walk_values", ORPHANS + CHILDREN // PARENTS)
    assert run.memory["left_out"] == {"dense": 20}


def test_far_more_holes_than_was_estimated(given: Examiner) -> None:
    given.sql("ALTER TABLE child ALTER parent_id SET (n_distinct = -1)", "VACUUM ANALYZE parent, child")
    given.read_catalog()
    given.sql(
        "INSERT INTO parent SELECT n FROM generate_series(1001, 9000) AS n WHERE n % 2 = 0",
    )
    # There are 4,000 holes now; known of are 8,000 keys between the ends, and 1,000 parents.
    run = given.run({"left_out": {"bitmap": 9, "merge": 9, "loose": 9, "dense": 9}})
    assert found(run) == len([n for n in range(6000, 35001, 1000) if n > 9000])


def test_far_more_keys_than_was_estimated(given: Examiner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof that takes ever longer would end by a timeout, and be tried again by the next run."""
    monkeypatch.setattr(gap, "_FEWEST", 10)
    given.sql("DELETE FROM parent WHERE id = 7", "UPDATE pg_class SET reltuples = 3 WHERE relname = 'parent'")
    given.read_catalog()
    run = given.run({"left_out": dict.fromkeys(["bitmap", "merge", "loose", "dense"], 9)})
    assert "gap was broken off" in run.explain
    assert found(run) == ORPHANS + CHILDREN // PARENTS
    assert isinstance(run.memory["left_out"], dict)
    assert "gap" in run.memory["left_out"]


def test_tables_that_were_never_analysed(emptied_database: str) -> None:
    with psycopg.connect(emptied_database, autocommit=True) as conn:
        conn.execute(GIVEN.replace("CREATE INDEX child_parent_id ON child (parent_id);", ""))
    target = Target("test", emptied_database)
    examiner = Examiner(emptied_database, target)
    run = examiner.run()
    assert (run.strategy, found(run)) == ("hash", ORPHANS)
    assert run.explain == "hash: the tables were never analysed, or are empty"
    examiner.conn.close()
    target.close()


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE pg_class SET reltuples = 3 WHERE relname = 'parent'",
        "UPDATE pg_class SET reltuples = 1e9 WHERE relname = 'parent'",
        "UPDATE pg_class SET reltuples = 6000 WHERE relname = 'child'",
        "UPDATE pg_class SET relallvisible = 0 WHERE relname IN ('parent', 'child')",
        "DELETE FROM pg_statistic WHERE starelid = 'child'::regclass",
        "ALTER TABLE child ALTER parent_id SET (n_distinct = 1); ANALYZE child",
    ],
)
def test_wrong_statistics_change_no_answer(wrong: str, given: Examiner) -> None:
    given.sql("DELETE FROM parent WHERE id = 500", wrong)
    given.read_catalog()
    assert found(given.run()) == ORPHANS + CHILDREN // PARENTS


def test_a_unique_index_that_went_since_the_catalog_was_read_proves_nothing(given: Examiner) -> None:
    """A duplicate makes up for a hole: by their number alone the keys would be all there."""
    given.sql(
        "ALTER TABLE parent DROP CONSTRAINT parent_key",
        "UPDATE parent SET id = 8 WHERE id = 7",
    )
    run = given.run()
    assert run.strategy != "dense"
    assert found(run) == ORPHANS + CHILDREN // PARENTS


def test_an_index_that_went_since_the_catalog_was_read_is_not_relied_on(given: Examiner) -> None:
    given.sql("DELETE FROM parent WHERE id = 7", "DROP INDEX child_parent_id")
    run = given.run()
    assert run.strategy in ("bitmap", "hash")
    assert found(run) == ORPHANS + CHILDREN // PARENTS


def test_an_invalid_index_is_not_relied_on(given: Examiner) -> None:
    given.sql(
        "ALTER TABLE parent DROP CONSTRAINT parent_key",
        "UPDATE parent SET id = 8 WHERE id = 7",
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        given.sql("CREATE UNIQUE INDEX CONCURRENTLY parent_key ON parent (id)")
    given.read_catalog()
    run = given.run()
    assert run.strategy != "dense"
    assert found(run) == ORPHANS + CHILDREN // PARENTS


@pytest.mark.parametrize("index", ["(parent_id text_pattern_ops)", '(parent_id COLLATE "C")'])
def test_an_index_in_another_order_is_none(index: str, given: Examiner) -> None:
    given.sql(
        "ALTER TABLE parent ALTER id TYPE text",
        "ALTER TABLE child ALTER parent_id TYPE text",
        "DROP INDEX child_parent_id",
        f"CREATE INDEX ON child {index}",
        "VACUUM ANALYZE parent, child",
    )
    given.read_catalog()
    run = given.run()
    assert (run.strategy, found(run)) == ("hash", ORPHANS)


def facts(given: Examiner, children: float, parents: float, child: Side, parent: Side, **more: Any) -> Facts:
    """Return the facts of the given relation, with other figures."""
    (subject,) = CHECK.discover(given.catalog).subjects
    reference = Reference.configured(subject.payload, (INTEGER_EQUALITY,))
    of_size = replace(
        reference,
        child=replace(reference.child, rows_estimate=children),
        parent=replace(reference.parent, rows_estimate=parents),
    )
    return Facts(of_size, child, parent, **more)


INTEGER_EQUALITY = Operator("pg_catalog", "=", "integer", "integer")
ONE = frozenset({(1,)})
SEEN = Side(orders=ONE, visible=1.0)
KEYS = Side(orders=ONE, unique=True, visible=1.0)
CHOICES = [
    # children, parents, the child's side, the ends of the parent's keys, what is best
    (1e7, 1e6, SEEN, (1, 10**6), "dense"),
    (1e7, 1e5, replace(SEEN, distinct=1e3), (1, 10**9), "loose"),
    (1e7, 1e5, SEEN, (1, 100_500 + 2_000), "gap"),
    (1e7, 1e6, SEEN, (1, 10**9), "merge"),
    (1e7, 1e6, replace(SEEN, visible=0.0), (1, 4 * 10**6), "bitmap"),
    (1e7, 1e6, Side(), (1, 10**6), "dense"),
    (1e7, 1e6, Side(), (1, 3 * 10**6), "bitmap"),
    (1e7, 1e6, Side(), (1, 10**9), "hash"),
    (1e7, 1e7, Side(), (1, 5 * 10**7), "bitmap"),
]


@pytest.mark.parametrize(("children", "parents", "child", "ends", "best"), CHOICES)
def test_the_choice(
    children: float, parents: float, child: Side, ends: tuple[int, int], best: str, given: Examiner
) -> None:
    plan = choose(facts(given, children, parents, child, KEYS, ends=ends), {})
    assert plan.order[0][0].name == best
    assert plan.order[-1][0].name == "hash"


def test_what_was_slow_beside_the_others_is_left_for_a_while(given: Examiner) -> None:
    known = facts(given, 1e7, 1e6, SEEN, KEYS, ends=(1, 10**9))
    assert choose(known, {}).order[0][0].name == "merge"
    slow = {"paces": {"merge": 1e-5, "hash": 1e-7}}
    assert choose(known, slow).order[0][0].name != "merge"
    # All of them slow: a busy server, which says nothing of one of them.
    assert choose(known, {"paces": {"merge": 1e-5, "hash": 1e-5}}).order[0][0].name == "merge"


def test_small_tables_are_joined_without_further_questions(
    given: Examiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "_FEW_CHILDREN", CHILDREN + 1)
    monkeypatch.delattr(planner, "gather_facts")
    run = given.run()
    assert (run.strategy, run.outcome) == ("hash", Outcome.FAIL)
    assert run.explain == "hash: the tables are small"
