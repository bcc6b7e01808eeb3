"""While writers keep two tables in step, `table_drift` sees nothing; when one of them does not, it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.check import Outcome
from pgvigil_checks.table_drift import TableDrift
from pgvigil_checks.table_drift_settings import TableDriftParams
from tests.checks.writers import Writers

if TYPE_CHECKING:
    from random import Random

    from tests.checks.examining import Examiner

RUNS, KEYS = 1000, 200
GIVEN = """
    CREATE TABLE l (id int PRIMARY KEY, name text, score numeric, updated_at timestamptz);
    CREATE TABLE r (id int, name text, score float8, updated_at timestamptz);
    INSERT INTO l SELECT n, 'game ' || n, n, now() FROM generate_series(1, 200) AS n;
    INSERT INTO r SELECT * FROM l;
"""
DELETE = [f"DELETE FROM {table} WHERE id = %(id)s" for table in ("l", "r")]
INSERT = [f"INSERT INTO {table} VALUES (%(id)s, 'new', %(score)s, now())" for table in ("r", "l")]
UPDATE = [
    f"UPDATE {table} SET score = %(score)s, updated_at = now() WHERE id = %(id)s" for table in ("l", "r")
]
CHANGES = [UPDATE, DELETE, DELETE + INSERT]
CHECK = TableDrift(
    TableDriftParams.model_validate(
        {"pairs": [{"left": "public.l", "right": "public.r", "key": {"id": "id"}}]}
    )
)


def in_step(conn: psycopg.Connection, random: Random, key: int) -> None:
    """Change one entity on both sides, in one transaction."""
    with conn.transaction():
        values = {"id": key, "score": random.randint(0, 100)}
        for statement in random.choice(CHANGES):
            conn.execute(statement.encode(), values)


def out_of_step(conn: psycopg.Connection, random: Random, key: int) -> None:
    """Change one entity on both sides, but not at once."""
    name = f"name {random.random()}"
    for table in ("l", "r"):
        conn.execute(f"UPDATE {table} SET name = %s WHERE id = %s".encode(), [name, key])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_thousand_runs_under_writers_in_step_report_nothing(database: str, examining: Examiner) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(GIVEN)
    before = examining.examine(CHECK).only
    with Writers(database, in_step, KEYS) as writers:
        runs = [examining.examine(CHECK).only for _ in range(RUNS)]
    assert before.outcome is Outcome.PASS
    assert {run.outcome for run in runs} == {Outcome.PASS}
    assert all(not any(run.measures.values()) for run in runs)
    assert min(writers.commits) > RUNS / 10
    assert len({run.rows_examined for run in runs}) > 10


def test_writers_out_of_step_are_seen(database: str, examining: Examiner) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(GIVEN)
    with Writers(database, out_of_step, KEYS):
        outcomes = {examining.examine(CHECK).only.outcome for _ in range(200)}
    assert Outcome.FAIL in outcomes
    # What is over shows as over: nothing is kept between two runs.
    assert examining.examine(CHECK).only.outcome is Outcome.PASS
