"""`table_drift` counts in random pairs what a few lines of plain Python count.

All pairs of a test live in one database.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil_checks.table_drift import TableDrift
from pgvigil_checks.table_drift_settings import TableDriftParams
from tests.checks.evidence import shown
from tests.checks.random_pairs import Pair, create, expect

if TYPE_CHECKING:
    from pgvigil.run import Run
    from tests.checks.examining import Examiner

FAST, SLOW, CHUNK = 100, 900, 100


def expect_with_evidence(run: Run, pair: Pair, conn: psycopg.Connection[Any]) -> None:
    """Hold a run against plain Python, and what it shows against what its evidence shows."""
    drift = expect(run, pair)
    if drift is not None:
        keys, rows = pair.count().keys, shown(conn, drift.evidence_sql)
        assert Counter(row["drift"] for row in rows) == +keys, pair
        assert sum(row["copies"] for row in rows) == drift.count, pair
        assert [row["drift"] for row in drift.sample] == [row["drift"] for row in rows][:20], pair


def compare(seeds: range, database: str, examining: Examiner) -> None:
    pairs = [Pair(seed) for seed in seeds]
    with psycopg.connect(database, autocommit=True, row_factory=psycopg.rows.dict_row) as conn:
        create(conn, pairs)
        conn.execute("SET timezone = 'UTC'")
        check = TableDrift(TableDriftParams.model_validate({"pairs": [pair.settings for pair in pairs]}))
        runs = examining.examine(check)
        assert not runs.problems
        for pair in pairs:
            expect_with_evidence(runs[pair.subject], pair, conn)


def test_random_pairs_are_counted_as_in_plain_python(database: str, examining: Examiner) -> None:
    compare(range(FAST), database, examining)


@pytest.mark.slow
@pytest.mark.every_pg
@pytest.mark.parametrize("first", range(FAST, FAST + SLOW, CHUNK))
def test_many_random_pairs_are_counted_as_in_plain_python(
    first: int, database: str, examining: Examiner
) -> None:
    compare(range(first, first + CHUNK), database, examining)
