"""Random relations of every kind, loaded unguarded: `orphan_rows` must agree with a plain Python answer."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.check import Outcome
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams
from tests.checks.examining import examine
from tests.checks.random_relations import RandomRelation

if TYPE_CHECKING:
    from pgvigil.check import Finding
    from pgvigil.run import Run
    from tests.checks.examining import Runs

RELATIONS = 25
"""In one database, so that they share its creation and one reading of its catalog."""
SAMPLE = 5


@pytest.mark.parametrize("seed", range(4))
def test_oracle(seed: int, emptied_database: str) -> None:
    compare(seed, emptied_database)


@pytest.mark.slow
@pytest.mark.every_pg
@pytest.mark.parametrize("seed", range(100, 108))
def test_oracle_at_length(seed: int, emptied_database: str) -> None:
    compare(seed, emptied_database)


def compare(seed: int, database: str) -> None:
    dice = Random(seed)
    relations = [RandomRelation(f"s{number}", dice) for number in range(RELATIONS)]
    with psycopg.connect(database) as conn:
        conn.execute("SET session_replication_role = replica")
        for relation in relations:
            conn.execute(relation.sql().encode())
    params = OrphanRowsParams.model_validate(
        {"relations": [relation.subject for relation in relations if relation.configured]}
    )
    runs = examine(OrphanRows(params), database, sample=SAMPLE)
    assert set(runs.by_subject) == {relation.subject for relation in relations}
    assert not runs.problems
    assert {found for relation in relations for found in relation.orphans()}, (
        "a batch without orphans proves little"
    )
    for relation in relations:
        agree(runs[relation.subject], relation, database)
    follow_remedies(runs, database)
    healed = examine(OrphanRows(params), database)
    assert {run.outcome for run in healed.by_subject.values()} == {Outcome.PASS}


def agree(run: Run, relation: RandomRelation, database: str) -> None:
    expected = {"orphans": relation.orphans(), "partial_nulls": relation.partial_nulls()}
    found = {finding.code: finding for finding in run.findings}
    assert run.outcome is (Outcome.FAIL if any(expected.values()) else Outcome.PASS), (
        relation.sql(),
        run.error,
    )
    assert run.rows_examined == len(relation.judged)
    assert found.keys() == {code for code, rows in expected.items() if rows}, relation.sql()
    for code, finding in found.items():
        assert finding.count == len(expected[code]), relation.sql()
        assert [row["n"] for row in finding.sample] == expected[code][:SAMPLE]
        assert rows_of_evidence(finding, database) == expected[code]


def follow_remedies(runs: Runs, database: str) -> None:
    """Run the statements with which every remedy ends: what they change or delete, they have copied."""
    with psycopg.connect(database, autocommit=True) as conn:
        for finding in runs.findings.values():
            words, *statements = finding.remedy.splitlines()
            begin, patience, schema, copy, change, commit = (one.strip() for one in statements)
            assert ("DELETE THE ROWS" in words) is change.startswith("DELETE FROM "), words
            assert ("set the references to NULL" in words) is change.startswith("UPDATE "), words
            for statement in (begin, patience, schema):
                conn.execute(statement.encode())
            assert conn.execute(copy.encode()).rowcount == finding.count
            assert conn.execute(change.encode()).rowcount == finding.count
            conn.execute(commit.encode())


def test_a_second_fault_of_a_relation_has_a_copy_of_its_own(emptied_database: str) -> None:
    relation = "public.c(p) -> public.p(id)"
    params = OrphanRowsParams.model_validate({"relations": [relation]})
    with psycopg.connect(emptied_database, autocommit=True) as conn:
        conn.execute(
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL)"
        )
        for key in (7, 8):
            conn.execute("INSERT INTO c VALUES (%s, 1)", [key])
            follow_remedies(examine(OrphanRows(params), emptied_database), emptied_database)
        copies = conn.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'pgvigil_kept'::regnamespace"
        )
        assert copies.fetchone() == (2,)
        assert conn.execute("SELECT FROM c").rowcount == 0


def rows_of_evidence(finding: Finding, database: str) -> list[int]:
    with psycopg.connect(database) as conn:
        keys = finding.evidence_sql.removesuffix(";")
        return [row[0] for row in conn.execute(f"SELECT n FROM ({keys}) AS evidence".encode())]
