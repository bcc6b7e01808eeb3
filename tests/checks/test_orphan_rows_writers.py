"""While writers keep to relations in every transaction, `orphan_rows` sees nothing; else it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.check import Outcome
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams
from tests.checks.writers import Writers

if TYPE_CHECKING:
    from random import Random

    from tests.checks.examining import Examiner

RUNS, PARENTS = 1000, 60
GIVEN = """
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE declared (
        n serial PRIMARY KEY, parent_id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED
    );
    CREATE TABLE parted (n serial, parent_id int REFERENCES parent ON DELETE CASCADE) PARTITION BY HASH (n);
    CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE undeclared (n serial PRIMARY KEY, parent_id bigint);
"""
CHILDREN = ("declared", "parted", "undeclared")
CHECK = OrphanRows(
    OrphanRowsParams.model_validate({"relations": ["public.undeclared(parent_id) -> public.parent(id)"]})
)
SUBJECTS = [f"public.{child}(parent_id) -> public.parent(id)" for child in CHILDREN]


def one_family(conn: psycopg.Connection, random: Random, key: int) -> None:
    """Insert, replace or delete a parent with all of its children, in one transaction."""
    values = {"key": key, "next": key + PARENTS * random.randint(1, 9)}
    with conn.transaction():
        family = [f"DELETE FROM {child} WHERE mod(parent_id, {PARENTS}) = %(key)s" for child in CHILDREN]
        removed = [*family, f"DELETE FROM parent WHERE mod(id, {PARENTS}) = %(key)s"]
        added = [
            f"INSERT INTO {child} (parent_id) VALUES (%(next)s), (%(next)s), (NULL)" for child in CHILDREN
        ]
        parent = "INSERT INTO parent VALUES (%(next)s)"
        # A deferred key allows the children first.
        steps = random.choice((removed, [*removed, parent, *added], [*removed, added[0], added[2], parent]))
        for statement in steps:
            conn.execute(statement.encode(), values)


def children_later(conn: psycopg.Connection, random: Random, key: int) -> None:
    """Delete a parent, and its children of the undeclared relation in a transaction of their own."""
    conn.execute("INSERT INTO parent VALUES (%s) ON CONFLICT DO NOTHING", [key])
    conn.execute("INSERT INTO undeclared (parent_id) VALUES (%s)", [key])
    conn.execute("DELETE FROM parent WHERE id = %s", [key])
    conn.execute("DELETE FROM undeclared WHERE parent_id = %s", [key])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_thousand_runs_under_consistent_writers_report_nothing(database: str, examining: Examiner) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(GIVEN)
    with Writers(database, one_family, PARENTS) as writers:
        sweeps = [examining.examine(CHECK, *SUBJECTS) for _ in range(RUNS)]
    runs = [sweep[subject] for sweep in sweeps for subject in SUBJECTS]
    assert {(run.outcome, run.error) for run in runs} == {(Outcome.PASS, None)}
    assert min(writers.commits) > RUNS / 10
    assert len({run.rows_examined for run in runs}) > 10


def test_writers_that_break_a_relation_are_seen(database: str, examining: Examiner) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(GIVEN)
    with Writers(database, children_later, PARENTS):
        runs = (examining.examine(CHECK, SUBJECTS[2]).only for _ in range(RUNS))
        assert any(run.outcome is Outcome.FAIL for run in runs)
    # What is over shows as over: nothing is kept between two runs.
    assert examining.examine(CHECK, SUBJECTS[2]).only.outcome is Outcome.PASS
