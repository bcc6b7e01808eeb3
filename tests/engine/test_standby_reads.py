"""What checks read on a standby: what functions make of rows, and tables that change under its snapshot."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.check import Outcome
from pgvigil.once import check_once
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams
from pgvigil_checks.table_drift import TableDrift
from pgvigil_checks.table_drift_settings import TableDriftParams
from tests.checks.examining import examine
from tests.checks.test_changes import (
    CHANGED,
    ORPHANS,
    OTHER_HEIR,
    OTHER_PARTITION,
    OTHER_VIEW,
    REFRESHED_HEIR,
    REFRESHED_PARENTS,
)
from tests.engine.standby import pair, servers
from tests.engine.world import watch_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.check import Check, Context, Subject, Verdict
    from pgvigil.run import Run
    from tests.engine.standby import Pair

__all__ = ["pair", "servers"]

FUNCTIONS = """
CREATE TABLE other AS TABLE logged;
CREATE TABLE added AS SELECT 1 AS number;
CREATE FUNCTION more(int) RETURNS int STABLE LANGUAGE sql AS 'SELECT $1 + number FROM public.added';
CREATE FUNCTION lost(int) RETURNS int STABLE LANGUAGE sql AS 'SELECT $1 + count(*)::int FROM public.unlogged';
"""


def looked(pair: Pair, check: Check, *, fallback: bool = False) -> Run:  # type: ignore[type-arg]
    """Return the only run of one look that reads the standby."""
    watch = pair.reading(watch_of(pair.dsn, check), fallback=fallback)  # type: ignore[arg-type]
    with closing(watch.target):
        # What a reader tidies up would wait for somebody's flush.
        watch.target.read_catalog()
        pair.replayed()
        (run,) = check_once(watch).runs
    return run


def execute(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


def drift(key: str) -> TableDrift:
    pair = {"left": "public.logged", "right": "public.other", "key": {key: key}}
    return TableDrift(TableDriftParams.model_validate({"pairs": [pair]}))


@pytest.mark.parametrize("key", ["id + 1", "public.more(id)"])
def test_a_pair_with_a_computed_key_is_read_on_the_standby(pair: Pair, key: str) -> None:
    execute(pair.dsn, FUNCTIONS)
    run = looked(pair, drift(key))
    assert (run.outcome, run.explain.splitlines()[-1]) == (Outcome.PASS, "read on the standby")
    execute(pair.dsn, "DELETE FROM other WHERE id = 7")
    assert looked(pair, drift(key)).outcome is Outcome.FAIL


def test_a_key_that_no_standby_can_compute_is_read_on_the_primary_or_unknown(pair: Pair) -> None:
    execute(pair.dsn, FUNCTIONS)
    reason = "cannot access temporary or unlogged relations during recovery"
    run = looked(pair, drift("public.lost(id)"), fallback=True)
    assert (run.outcome, reason in run.explain) == (Outcome.PASS, True)
    assert run.explain.splitlines()[-1].startswith("read on the primary instead: ")
    run = looked(pair, drift("public.lost(id)"))
    assert (run.outcome, (run.error or "").startswith(reason)) == (Outcome.ERROR, True)


RELATIONS = {
    "partition": ("public.child(parent) -> public.parent(id)", OTHER_PARTITION),
    "heir": ("public.plain(parent) -> public.parent(id)", OTHER_HEIR),
    "emptied behind a view": ("public.viewed(parent) -> public.parent(id)", REFRESHED_HEIR),
    "heir behind a view": ("public.viewed(parent) -> public.parent(id)", OTHER_HEIR),
    "view": ("public.viewed(parent) -> public.parent(id)", OTHER_VIEW),
    "parents": ("public.child(parent) -> public.parents(id)", REFRESHED_PARENTS),
}
# More subtransactions than a standby keeps account of.
MANY = """
    DO $$ BEGIN FOR i IN 1..70 LOOP
        BEGIN INSERT INTO scratch VALUES (i); EXCEPTION WHEN division_by_zero THEN NULL; END;
    END LOOP; END $$
"""


class Late(OrphanRows):
    """Looks once the standby has replayed something that was changed since its snapshot."""

    change: Iterator[None]

    def run(self, context: Context, subject: Subject) -> Verdict:
        context.fetch("SELECT")
        next(self.change, None)
        return super().run(context, subject)


def committed(pair: Pair, change: str) -> Iterator[None]:
    """Begin the change after the snapshot."""
    execute(pair.dsn, f"BEGIN; {change}; COMMIT")
    pair.replayed()
    yield


def going_on(pair: Pair, change: str) -> Iterator[None]:
    """Begin the change before the snapshot, in one of many subtransactions, and commit it afterwards."""
    with psycopg.connect(pair.dsn) as conn:
        conn.execute(f"{MANY}; SAVEPOINT one; {change}; RELEASE one; {MANY}".encode())
        pair.replayed()
        yield
        conn.commit()
    pair.replayed()
    yield


def orphans(relation: str, kind: type[OrphanRows] = OrphanRows) -> OrphanRows:
    return kind(OrphanRowsParams.model_validate({"relations": [relation]}))


@pytest.mark.parametrize("begun", [committed, going_on])
@pytest.mark.parametrize("case", RELATIONS)
def test_what_the_snapshot_of_a_standby_cannot_see_is_unknown(
    pair: Pair, case: str, begun: Callable[[Pair, str], Iterator[None]]
) -> None:
    relation, change = RELATIONS[case]
    execute(pair.dsn, "CREATE TABLE scratch (id int)", ORPHANS)
    pair.replayed()
    assert examine(orphans(relation), pair.standby_dsn)[relation].outcome is Outcome.FAIL
    late = orphans(relation, Late)
    late.change = begun(pair, change)
    if begun is going_on:
        next(late.change)
    run = examine(late, pair.standby_dsn)[relation]
    assert (run.outcome, CHANGED in (run.error or "")) == (Outcome.SKIPPED, True)
    assert examine(orphans(relation), pair.standby_dsn)[relation].outcome is Outcome.FAIL


@pytest.mark.parametrize("case", ["partition", "heir", "view"])
def test_what_was_taken_back_before_is_none(pair: Pair, case: str) -> None:
    relation, change = RELATIONS[case]
    execute(pair.dsn, ORPHANS, f"BEGIN; {change}; ROLLBACK")
    pair.replayed()
    assert examine(orphans(relation), pair.standby_dsn)[relation].outcome is Outcome.FAIL


@pytest.mark.every_pg
@pytest.mark.parametrize("case", ["partition", "heir"])
def test_where_a_standby_is_read_it_is_unknown_as_well(pair: Pair, case: str) -> None:
    relation, change = RELATIONS[case]
    execute(pair.dsn, ORPHANS)
    assert looked(pair, orphans(relation)).outcome is Outcome.FAIL
    late = orphans(relation, Late)
    late.change = committed(pair, change)
    run = looked(pair, late)
    assert (run.outcome, CHANGED in (run.error or "")) == (Outcome.SKIPPED, True)
    assert run.explain == "read on the standby"
