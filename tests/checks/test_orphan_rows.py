"""What `orphan_rows` promises beyond what its cases show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from pydantic import ValidationError

from pgvigil.check import Outcome
from pgvigil.target import Limits
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams
from tests.checks.conftest import DROP_ALL
from tests.checks.examining import examine

if TYPE_CHECKING:
    from pgvigil.check import Context, Subject, Verdict
    from tests.bouncer import PgBouncer

GIVEN = """
    CREATE TABLE parent (id int PRIMARY KEY);
    CREATE TABLE child (n int PRIMARY KEY, declared int REFERENCES parent, configured int);
    INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1, 2)
"""
DECLARED, CONFIGURED = (
    f"public.child({column}) -> public.parent(id)" for column in ("declared", "configured")
)
CHECK = OrphanRows(OrphanRowsParams.model_validate({"relations": [DECLARED, CONFIGURED]}))


@pytest.fixture
def given(emptied_database: str) -> str:
    with psycopg.connect(emptied_database, autocommit=True) as conn:
        conn.execute(GIVEN)
    return emptied_database


def test_what_may_be_in_flight_is_confirmed_by_a_second_run(given: str) -> None:
    runs = examine(CHECK, given)
    assert {run.subject: run.confirm for run in runs.by_subject.values()} == {DECLARED: 1, CONFIGURED: 2}


def test_it_works_through_pgbouncer(given: str, pgbouncer: PgBouncer) -> None:
    runs = examine(CHECK, pgbouncer.through(given))
    assert (runs[DECLARED].outcome, runs[CONFIGURED].outcome) == (Outcome.PASS, Outcome.FAIL)


def test_a_table_that_somebody_locks_is_unknown(given: str) -> None:
    with psycopg.connect(given) as conn:
        conn.execute("LOCK TABLE child IN ACCESS EXCLUSIVE MODE")
        runs = examine(CHECK, given, limits=Limits(lock_timeout=0.05))
    assert {run.outcome for run in runs.by_subject.values()} == {Outcome.TIMEOUT}


def test_rows_that_are_not_committed_are_not_judged(given: str) -> None:
    with psycopg.connect(given) as conn:
        conn.execute("UPDATE child SET configured = 1")
        assert examine(CHECK, given)[CONFIGURED].outcome is Outcome.FAIL
        conn.commit()
    assert examine(CHECK, given)[CONFIGURED].outcome is Outcome.PASS


def test_a_table_that_went_since_discovery_is_unknown(given: str) -> None:
    class Late(OrphanRows):
        """Looks at its subjects after their table was dropped."""

        def run(self, context: Context, subject: Subject) -> Verdict:
            with psycopg.connect(given, autocommit=True) as conn:
                conn.execute("DROP TABLE IF EXISTS child")
            return super().run(context, subject)

    runs = examine(Late(CHECK.params), given)
    assert runs[DECLARED].outcome is Outcome.ERROR
    assert runs[CONFIGURED].outcome is Outcome.SKIPPED


CHANGES = {
    "partitioned": """
        ALTER TABLE child RENAME TO child_1;
        CREATE TABLE child (n int NOT NULL, declared int REFERENCES parent, configured int)
            PARTITION BY LIST (n);
        ALTER TABLE child ATTACH PARTITION child_1 DEFAULT
    """,
    "replaced": """
        ALTER TABLE child RENAME TO old;
        CREATE TABLE child (n int, declared int REFERENCES parent, configured int)
    """,
    "inherited": "CREATE TABLE heir () INHERITS (child)",
    "its parent inherited": "CREATE TABLE heir () INHERITS (parent)",
    "its parent replaced": """
        ALTER TABLE parent RENAME TO old; CREATE TABLE parent (id int); INSERT INTO parent VALUES (1), (2)
    """,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_table_that_changed_since_discovery_is_unknown(given: str, change: str) -> None:
    class Late(OrphanRows):
        """Looks at its subjects after their tables were changed."""

        def run(self, context: Context, subject: Subject) -> Verdict:
            with psycopg.connect(given, autocommit=True) as conn:
                conn.execute(change)
            return super().run(context, subject)

    for subject in (DECLARED, CONFIGURED):
        with psycopg.connect(given, autocommit=True) as conn:
            conn.execute(DROP_ALL)
            conn.execute(GIVEN)
        run = examine(Late(CHECK.params), given, subject)[subject]
        assert run.outcome is Outcome.SKIPPED
        assert "changed while pgvigil looked at it" in (run.error or "")


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE child ALTER declared TYPE bigint",
        "TRUNCATE child",
        "ALTER TABLE parent ALTER id TYPE bigint",
        "ALTER TABLE child RENAME TO old; CREATE TABLE child (LIKE old)",
    ],
)
def test_rows_that_a_rewrite_hides_from_the_snapshot_are_not_passed_over(given: str, change: str) -> None:
    class Slow(OrphanRows):
        """Looks at its subjects while their tables are written anew, after its snapshot was taken."""

        def run(self, context: Context, subject: Subject) -> Verdict:
            context.fetch("SELECT 1")
            with psycopg.connect(given, autocommit=True) as conn:
                conn.execute(change)
            return super().run(context, subject)

    assert examine(Slow(CHECK.params), given, CONFIGURED).only.outcome is Outcome.SKIPPED


def test_what_a_function_behind_a_view_reads_is_asked_about_as_well(given: str) -> None:
    with psycopg.connect(given, autocommit=True) as conn:
        conn.execute("""
            CREATE FUNCTION told() RETURNS SETOF child LANGUAGE sql STABLE AS 'TABLE public.child';
            CREATE VIEW seen AS SELECT * FROM told()
        """)
    subject = "public.seen(configured) -> public.parent(id)"

    class Slow(OrphanRows):
        """Looks at its subject after its snapshot was taken and the table behind the function emptied."""

        def run(self, context: Context, subject: Subject) -> Verdict:
            context.fetch("SELECT 1")
            with psycopg.connect(given, autocommit=True) as conn:
                conn.execute("TRUNCATE child")
            return super().run(context, subject)

    params = OrphanRowsParams.model_validate({"relations": [subject]})
    assert examine(Slow(params), given, subject)[subject].outcome is Outcome.SKIPPED


@pytest.mark.every_pg
def test_tables_without_statistics_are_not_joined_row_by_row(database: str) -> None:
    # Rows so wide by their types that the planner, before 17, expects none: a nested loop takes for ever.
    wide = ", ".join(f"c{number} varchar(2000)" for number in range(20))
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"CREATE TABLE t (id bigint PRIMARY KEY, other bigint REFERENCES t, {wide})")
        conn.execute("ALTER TABLE t SET (autovacuum_enabled = off)")
        conn.execute("CREATE INDEX ON t (other)")
        conn.execute("INSERT INTO t SELECT n, 1 + n / 2 FROM generate_series(1, 60000) AS n")
    run = examine(OrphanRows(OrphanRowsParams()), database).only
    assert (run.outcome, run.rows_examined) == (Outcome.PASS, 60_000)


def test_a_problem_names_its_setting(given: str) -> None:
    params = OrphanRowsParams.model_validate(
        {"relations": [CONFIGURED, "public.child(x) -> public.parent(id)"]}
    )
    (problem,) = examine(OrphanRows(params), given).problems
    assert problem.path == ("relations", 1)


@pytest.mark.parametrize(
    "relation", ["", "child(a) -> parent(b)", "a.b(c) -> d.e(f, g)", 7, None, ["a.b(c)"]]
)
def test_a_relation_that_cannot_be_read_is_refused(relation: object) -> None:
    with pytest.raises(ValidationError, match=r"expected|parent columns"):
        OrphanRowsParams.model_validate({"relations": [relation]})


def test_settings_are_written_as_they_are_read() -> None:
    assert CHECK.params.model_dump(mode="json")["relations"] == [DECLARED, CONFIGURED]
    schema = OrphanRowsParams.model_json_schema()
    assert schema["properties"]["relations"]["items"]["type"] == "string"
