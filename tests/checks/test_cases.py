"""Every case of every check, on every server version that it fits."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil_checks import CHECKS
from tests.checks.evidence import shown
from tests.checks.examining import Examiner, examiner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pgvigil.check import Check, Finding
    from pgvigil.embedded import Server
    from pgvigil.run import Run
    from tests.checks.case import Case, Expected, Found


def every_case() -> Iterable[Any]:
    for check in CHECKS:
        cases: Iterable[Case] = import_module(f"tests.checks.cases.{check.name}").CASES
        for case in cases:
            yield pytest.param(check, case, id=f"{check.name}: {case}", marks=case.server)


@pytest.fixture
def login(case: Case, pg_server: Server) -> Iterator[dict[str, str]]:
    """How the check logs in: as the superuser, or as the role of the case."""
    if case.role is None:
        yield {}
        return
    with psycopg.connect(pg_server.dsn(), autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {case.role} LOGIN PASSWORD 'secret'")
    yield {"user": case.role, "password": "secret"}
    with psycopg.connect(pg_server.dsn(), autocommit=True) as conn:
        conn.execute(f"DROP ROLE {case.role}")


@pytest.mark.every_pg
@pytest.mark.parametrize(("kind", "case"), list(every_case()))
def test_case(kind: type[Check[Any]], case: Case, login: dict[str, str], emptied_database: str) -> None:
    database = emptied_database
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(case.given)
    check = kind(kind.params_type.model_validate(case.settings))
    with closing_examiner(make_conninfo(database, **login), case) as looking:
        examiner = looking
        if case.afterwards:
            examiner = looking.accepting(looking.examine(check))
            with psycopg.connect(database, autocommit=True) as conn:
                conn.execute(case.afterwards)
        runs, together = examiner.examine(check), examiner.together(check)
    assert set(runs.by_subject) == set(case.expected)
    problems = {problem.subject: problem.message for problem in runs.problems}
    assert set(problems) == set(case.problems)
    for subject, words in case.problems.items():
        assert words in problems[subject]
    for subject, expected in case.expected.items():
        expect_run(runs[subject], expected, database, case.sample)
    for subject, run in together.by_subject.items():
        assert verdict(run) == verdict(runs[subject])


@contextmanager
def closing_examiner(database: str, case: Case) -> Iterator[Examiner]:
    examining = examiner(database, scope=case.scope, sample=case.sample)
    try:
        yield examining
    finally:
        examining.target.close()


def verdict(run: Run) -> tuple[Any, ...]:
    """Return all that a run says of its subject."""
    return (run.outcome, run.error, run.findings, run.rows_examined, run.confirm, run.measures, run.strategy)


def expect_run(run: Run, expected: Expected, database: str, sample: int) -> None:
    assert run.outcome in expected.outcomes, run
    assert expected.because in (run.error or "")
    if run.outcome.completed:
        assert {finding.code: finding.count for finding in run.findings} == {
            code: found.count for code, found in expected.findings.items()
        }
        assert expected.rows in (None, run.rows_examined)
    for finding in run.findings:
        expect_finding(finding, expected.findings[finding.code])
        expect_proof(finding, database, sample)


def expect_finding(finding: Finding, found: Found) -> None:
    assert found.sample in (None, finding.sample)
    assert found.severity in (None, finding.severity)
    assert found.title in (None, finding.title)
    assert found.remedy in (None, finding.remedy)
    assert dict(found.details).items() <= dict(finding.details).items()


def expect_proof(finding: Finding, database: str, sample: int) -> None:
    """Expect what every finding comes with: words, a sample, and a query that shows the fault."""
    assert finding.title
    assert finding.remedy
    assert min(sample, 1) <= len(finding.sample) <= sample
    with psycopg.connect(database, autocommit=True) as conn:
        assert shown(conn, finding.evidence_sql)
