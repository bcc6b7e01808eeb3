"""Tables that change under a snapshot: nothing is said of what the snapshot can't see."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from pgvigil.check import Outcome
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams
from pgvigil_checks.table_drift import TableDrift
from pgvigil_checks.table_drift_settings import TableDriftParams
from tests.checks.across.between import between, two_databases
from tests.checks.examining import examine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.check import Check, Context, Subject, Verdict
    from pgvigil.embedded import Server
    from pgvigil.run import Run

CHANGED = "was changed while pgvigil looked at it"
ORPHANS = """
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (day int, parent int) PARTITION BY LIST (day);
    CREATE TABLE child_1 PARTITION OF child FOR VALUES IN (1);
    CREATE TABLE plain (parent int);
    CREATE TABLE heir () INHERITS (plain);
    CREATE VIEW inner_view AS SELECT * FROM plain;
    CREATE VIEW viewed AS SELECT * FROM inner_view;
    CREATE VIEW parents AS SELECT parent.id FROM parent WHERE EXISTS (SELECT FROM pg_class);
    INSERT INTO parent VALUES (1), (2);
    INSERT INTO child VALUES (1, 1), (1, 3);
    INSERT INTO heir VALUES (1), (3)
"""
OTHER_PARTITION = """
    CREATE TABLE child_2 (LIKE child_1); INSERT INTO child_2 TABLE child_1;
    ALTER TABLE child DETACH PARTITION child_1; ALTER TABLE child ATTACH PARTITION child_2 FOR VALUES IN (1)
"""
OTHER_HEIR = """
    CREATE TABLE heir_2 () INHERITS (plain); INSERT INTO heir_2 TABLE heir;
    ALTER TABLE heir NO INHERIT plain
"""
REFRESHED_PARENTS = "TRUNCATE parent; INSERT INTO parent VALUES (1), (2)"
REFRESHED_HEIR = "TRUNCATE heir; INSERT INTO heir VALUES (1), (3)"
OTHER_VIEW = """
    CREATE TABLE plain_2 AS TABLE plain; CREATE OR REPLACE VIEW inner_view AS SELECT * FROM plain_2
"""
TABLES = """
    CREATE TABLE one (id bigint CONSTRAINT one_id UNIQUE NOT NULL, v int);
    CREATE TABLE two (id bigint UNIQUE NOT NULL, v int);
    CREATE MATERIALIZED VIEW made AS TABLE one;
    INSERT INTO one VALUES (1, 1); REFRESH MATERIALIZED VIEW made
"""
REFRESHED = "TRUNCATE one; INSERT INTO one VALUES (1, 1)"
SWAPPED = """
    CREATE TABLE one_2 (LIKE one INCLUDING ALL); INSERT INTO one_2 TABLE one;
    ALTER TABLE one RENAME TO one_1; ALTER TABLE one_2 RENAME TO one
"""
AWAITED = """
    SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
    WHERE d.datname = current_database() AND l.relation = %s AND NOT l.granted
"""
REWRITTEN = "ALTER TABLE two ALTER v TYPE bigint"


@pytest.mark.parametrize(
    ("relation", "change"),
    [
        ("public.child(parent) -> public.parent(id)", OTHER_PARTITION),
        ("public.plain(parent) -> public.parent(id)", OTHER_HEIR),
        ("public.viewed(parent) -> public.parent(id)", REFRESHED_HEIR),
        ("public.viewed(parent) -> public.parent(id)", OTHER_HEIR),
        ("public.viewed(parent) -> public.parent(id)", OTHER_VIEW),
        ("public.child(parent) -> public.parents(id)", REFRESHED_PARENTS),
    ],
)
def test_orphans_that_a_snapshot_cannot_see_are_unknown(
    emptied_database: str, relation: str, change: str
) -> None:
    check = OrphanRows(OrphanRowsParams.model_validate({"relations": [relation]}))
    execute(emptied_database, ORPHANS)
    assert outcome(examine(check, emptied_database, relation)[relation]) == (Outcome.FAIL, None)
    late = after(check, emptied_database, change)
    run = examine(late, emptied_database, relation)[relation]
    assert run.outcome is Outcome.SKIPPED
    assert CHANGED in (run.error or "")
    assert outcome(examine(check, emptied_database, relation)[relation]) == (Outcome.FAIL, None)


def test_an_exchange_that_was_taken_back_is_none(emptied_database: str) -> None:
    relation = "public.child(parent) -> public.parent(id)"
    check = OrphanRows(OrphanRowsParams.model_validate({"relations": [relation]}))
    execute(emptied_database, ORPHANS, f"BEGIN; {OTHER_PARTITION}; ROLLBACK")
    assert outcome(examine(check, emptied_database, relation)[relation]) == (Outcome.FAIL, None)


@pytest.mark.parametrize(
    ("left", "change"),
    [("one", REFRESHED), ("one", SWAPPED), ("one", REWRITTEN), ("made", "REFRESH MATERIALIZED VIEW made")],
)
def test_drift_that_a_snapshot_cannot_see_is_unknown(emptied_database: str, left: str, change: str) -> None:
    pair = {"left": f"public.{left}", "right": "public.two", "key": {"id": "id"}}
    check = drift(pair)
    execute(emptied_database, TABLES)
    assert outcome(examine(check, emptied_database).only) == (Outcome.FAIL, None)
    run = examine(after(check, emptied_database, change), emptied_database).only
    assert run.outcome is Outcome.SKIPPED
    assert CHANGED in (run.error or "")


BROKEN = {
    "key": "ALTER TABLE one DROP CONSTRAINT one_id; INSERT INTO one VALUES (1, 1)",
    "not null": "ALTER TABLE one ALTER id DROP NOT NULL; INSERT INTO one VALUES (NULL, 1)",
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_constraint_is_not_believed_when_it_is_gone(pg_server: Server, change: str) -> None:
    here = {"left": "public.one", "right": "public.two", "key": {"id": "id"}}
    there = between({**here, "right": "public.one"})
    with two_databases(pg_server, pg_server) as two:
        for dsn in (two.left, two.right):
            execute(dsn, TABLES, "INSERT INTO two TABLE one")
        for pair in (here, there):
            late = after(drift(pair), two.left, change, within=False)
            (before,) = two.runs(drift(pair)).values()
            (run,) = two.runs(late).values()
            assert outcome(before) == (Outcome.PASS, None)
            assert run.outcome is Outcome.SKIPPED
            assert CHANGED in (run.error or "")
            execute(two.left, "DROP TABLE one CASCADE; DROP TABLE two", TABLES)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("change", [REFRESHED, SWAPPED], ids=["refreshed", "swapped"])
def test_drift_between_two_databases_that_a_snapshot_cannot_see_is_unknown(
    pg_server: Server, side: str, change: str
) -> None:
    pair = {"left": "public.one", "right": "public.one", "key": {"id": "id"}}
    with two_databases(pg_server, pg_server) as two:
        for dsn in (two.left, two.right):
            execute(dsn, TABLES)
        execute(two.left if side == "right" else two.right, "DELETE FROM one")

        class Awaiting(TableDrift):
            """Knows both catalogs when the change is under way."""

            def run(self, context: Context, subject: Subject) -> Verdict:
                assert context.peer("other").catalog
                with committed_when_awaited(two.left if side == "left" else two.right, change):
                    return super().run(context, subject)

        (run,) = two.runs(Awaiting(drift(between(pair)).params)).values()
    assert run.outcome is Outcome.SKIPPED
    where = "target other: " if side == "right" else ""
    assert run.error == f"{where}public.one {CHANGED}"


def drift(pair: dict[str, Any]) -> TableDrift:
    return TableDrift(TableDriftParams.model_validate({"pairs": [pair]}))


def outcome(run: Run) -> tuple[Outcome, str | None]:
    return run.outcome, run.error


def execute(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


def after(check: Check[Any], dsn: str, change: str, *, within: bool = True) -> Any:
    """Return a check whose runs begin when the change has been made: after their snapshot, or before it."""

    class Late(type(check)):  # type: ignore[misc]
        """Looks at its subjects late."""

        def run(self, context: Context, subject: Subject) -> Verdict:
            if within:
                context.fetch(sql.SQL("SELECT"))
            execute(dsn, f"BEGIN; {change}; COMMIT")
            verdict: Verdict = super().run(context, subject)
            return verdict

    return Late(check.params)


@contextmanager
def committed_when_awaited(dsn: str, change: str) -> Iterator[None]:
    """Make a change in a transaction that is committed as soon as somebody waits for its locks."""
    over = threading.Event()
    with psycopg.connect(dsn) as conn, psycopg.connect(dsn, autocommit=True) as looking:
        ((table,),) = looking.execute("SELECT 'one'::regclass::oid").fetchall()
        conn.execute(change.encode())

        def commit() -> None:
            while not over.is_set() and not looking.execute(AWAITED, [table]).rowcount:
                over.wait(0.005)
            conn.commit()

        thread = threading.Thread(target=commit)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
