"""Every strategy that fits a relation gives the oracle's answer, whatever the planner would have chosen."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, TypeAlias

import psycopg
import pytest

from pgvigil.catalog import Scope
from pgvigil.check import Examined
from pgvigil.context import RunContext
from pgvigil.target import Target
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams, judge, reference_of
from pgvigil_checks.orphans import STRATEGIES, Plan, gather_facts
from pgvigil_checks.orphans import hash as hash_join
from pgvigil_checks.references import Reference
from tests.checks.integer_relations import IntegerRelation
from tests.checks.random_relations import RandomRelation
from tests.seeds import seeds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pgvigil.catalog import Catalog
    from pgvigil.check import Verdict

AnyRelation: TypeAlias = "RandomRelation | IntegerRelation"

ANY_KIND, INTEGERS = 40, 120
SAMPLE = 5
FEWEST = {"hash": 160, "bitmap": 80, "merge": 50, "loose": 45, "gap": 35, "dense": 40}
"""Cases of one seed; five seeds make more than 2,000."""


@pytest.mark.parametrize("seed", seeds(0, usual=2, slow=3))
def test_oracle(seed: int, emptied_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Big tables' rows are not counted by the way; here they are big from one row on, in every other batch.
    monkeypatch.setattr(hash_join, "_COUNTED", 0 if seed % 2 else 200_000)
    cases = compare(seed, emptied_database)
    assert all(cases[name] >= fewest for name, fewest in FEWEST.items()), cases
    assert cases.total() >= 410, cases


@pytest.mark.slow
@pytest.mark.every_pg
@pytest.mark.parametrize("seed", range(100, 120))
def test_oracle_at_length(seed: int, emptied_database: str) -> None:
    compare(seed, emptied_database)


def compare(seed: int, database: str) -> Counter[str]:
    """Make relations, run each through every strategy that fits, and count the cases by strategy."""
    dice = Random(seed)
    relations: list[AnyRelation] = [RandomRelation(f"r{number}", dice) for number in range(ANY_KIND)]
    relations += [IntegerRelation(f"i{number}", dice) for number in range(INTEGERS)]
    with psycopg.connect(database) as conn:
        conn.execute("SET session_replication_role = replica")
        for relation in relations:
            conn.execute(relation.sql().encode())
            if isinstance(relation, RandomRelation) and dice.random() < 0.8:
                conn.execute(f"CREATE INDEX ON child ({', '.join(relation.columns)})".encode())
    cases: Counter[str] = Counter()
    with looking(database, relations) as (target, catalog, check):
        subjects = {subject.name: subject for subject in check.discover(catalog).subjects}
        for relation in relations:
            # All in one transaction: what one of them sets must not reach the next one.
            with RunContext(target, "test", catalog, sample=SAMPLE) as context:
                reference = reference_of(context, subjects[relation.subject].payload)
                assert isinstance(reference, Reference)
                cases.update(run_each(context, reference, relation))
    return cases


@contextmanager
def looking(database: str, relations: Sequence[AnyRelation]) -> Iterator[tuple[Target, Catalog, OrphanRows]]:
    wanted = [relation.subject for relation in relations if relation.configured]
    target = Target("test", database)
    try:
        check = OrphanRows(OrphanRowsParams.model_validate({"relations": wanted}))
        yield target, target.read_catalog(Scope()), check
    finally:
        target.close()


def run_each(context: RunContext, reference: Reference, relation: AnyRelation) -> Iterator[str]:
    facts = gather_facts(context, reference)
    for strategy in STRATEGIES.values():
        if not strategy.fits(facts):
            continue
        if strategy.count(context, facts) is None:
            assert given_up_rightly(strategy.name, relation), relation.sql()
            continue
        verdict = judge(context, reference, Plan(facts, ((strategy, 0.0),)))
        agree(verdict, relation, strategy.name)
        yield strategy.name


def given_up_rightly(strategy: str, relation: AnyRelation) -> bool:
    return strategy == "dense" and has_holes(relation)


def has_holes(relation: AnyRelation) -> bool:
    if isinstance(relation, RandomRelation):
        return len(relation.parents) > 1
    keys = {key for key in relation.parents if key is not None}
    return relation.width + 1 > len(keys)


def agree(verdict: Verdict, relation: AnyRelation, strategy: str) -> None:
    assert isinstance(verdict, Examined), (strategy, verdict)
    found = {finding.code: finding for finding in verdict.findings}
    for code, keys in (("orphans", relation.orphans()), ("partial_nulls", relation.partial_nulls())):
        assert (found[code].count if code in found else 0) == len(keys), (strategy, relation.sql())
        shown = [row[relation.named_by] for row in found[code].sample] if code in found else []
        assert shown == relation.shown(keys)[:SAMPLE], (strategy, relation.sql())
    assert verdict.strategy == strategy
