"""Many small subjects together: what each is told is what it is told alone, also beside a broken one."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.check import Outcome
from pgvigil.governor import Governor
from pgvigil.runner import RunLimits, Runner
from pgvigil.sweep import sweep
from pgvigil.target import Limits, Target
from pgvigil_checks import CHECKS
from tests.checks.test_cases import verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.check import Check
    from pgvigil.run import Run

COUNT = 12
GIVEN = (
    "".join(
        f"""
    CREATE TABLE p{n} (id int PRIMARY KEY); INSERT INTO p{n} SELECT generate_series(1, 50);
    CREATE TABLE c{n} (id int PRIMARY KEY, p{n}_id int REFERENCES p{n});
    INSERT INTO c{n} SELECT i, 1 + i % 50 FROM generate_series(1, 100) AS i;
    """
        for n in range(COUNT)
    )
    + """
    SET session_replication_role = replica;
    DELETE FROM p3 WHERE id < 4; UPDATE c4 SET p4_id = 1000; DELETE FROM p5;
    RESET session_replication_role;
    ALTER TABLE c6 DISABLE TRIGGER ALL;
"""
)


@pytest.fixture
def target(emptied_database: str) -> Iterator[Target]:
    with psycopg.connect(emptied_database, autocommit=True) as conn:
        conn.execute(GIVEN)
        conn.execute("VACUUM ANALYZE")
    with closing(Target("test", emptied_database, Limits(connections=2, lock_timeout=0.2))) as target:
        yield target


def examined(target: Target, check: Check[Any], *, together: bool) -> tuple[dict[str, Run], int]:
    """Sweep over all subjects; return the runs, and how many of them were in a batch."""
    runner, catalog = Runner(target, RunLimits(sample=5)), target.read_catalog()
    subjects = check.discover(catalog).subjects
    alone = () if together else {subject.name for subject in subjects}
    swept = sweep(runner, Governor(2), check, subjects, catalog, alone=alone)
    runs = {run.subject: run for some in swept for run in some}
    assert len(runs) == len(subjects)
    moments = [run.started_at for run in runs.values()]
    return runs, sum(moments.count(moment) > 1 for moment in moments)


@pytest.mark.parametrize("kind", [kind for kind in CHECKS if kind.name != "table_drift"])
def test_a_batch_is_what_its_subjects_are_alone(target: Target, kind: type[Check[Any]]) -> None:
    check = kind(kind.params_type())
    together, batched = examined(target, check, together=True)
    alone, none = examined(target, check, together=False)
    assert {name: verdict(run) for name, run in together.items()} == {
        name: verdict(run) for name, run in alone.items()
    }
    # Tables are but there, and schemas as the first look found them.
    sound = check.name in {"tables", "schema_drift"}
    assert sound or {run.outcome for run in alone.values()} > {Outcome.PASS}
    # A parent that is empty may have a twin: it is looked into alone.
    assert batched >= len(together) - 1 > none == 0


@pytest.mark.parametrize("kind", [kind for kind in CHECKS if kind.name in {"orphan_rows", "tables"}])
def test_a_broken_one_takes_nobody_elses_verdict(target: Target, kind: type[Check[Any]]) -> None:
    check = kind(kind.params_type())
    sound, _ = examined(target, check, together=True)
    with psycopg.connect(target._dsn) as conn:
        conn.execute("LOCK TABLE c7 IN ACCESS EXCLUSIVE MODE")
        runs, _ = examined(target, check, together=True)
    broken = {name for name, run in runs.items() if run.outcome is Outcome.TIMEOUT}
    assert [name.partition("(")[0] for name in broken] == ["public.c7"]
    assert {name: verdict(run) for name, run in runs.items() if name not in broken} == {
        name: verdict(run) for name, run in sound.items() if name not in broken
    }
