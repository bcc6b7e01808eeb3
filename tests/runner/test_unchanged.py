"""Tables that DDL changes under a snapshot: no check, whatever it is, judges what it can't see."""

from __future__ import annotations

import contextlib
import re
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.check import Examined, Outcome, Subject
from pgvigil.context import Assistance
from pgvigil.errors import TargetError
from pgvigil.peer import Peers
from pgvigil.runner import RunLimits, Runner
from pgvigil.target import Target
from tests.databases import fresh_database
from tests.engine.world import watch_of
from tests.runner.plugins import CLEAN, EMPTY, ONE, Plugin, run_of
from tests.runner.test_batches import Batched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.catalog import Catalog
    from pgvigil.check import Context, Verdict
    from pgvigil.embedded import Server
    from pgvigil.run import Run

TABLES = """
    DROP SCHEMA IF EXISTS public CASCADE;
    CREATE SCHEMA public;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
    CREATE TABLE t (id int PRIMARY KEY, v int);
    INSERT INTO t VALUES (1, 1), (2, 2);
    CREATE TABLE u (id int, v int);
    INSERT INTO u VALUES (1, 1);
    CREATE TABLE roots (id int) PARTITION BY LIST (id);
    CREATE TABLE root_1 PARTITION OF roots FOR VALUES IN (1);
    CREATE TABLE root_2 (id int);
    INSERT INTO roots VALUES (1);
    CREATE TABLE base (id int);
    CREATE TABLE heir () INHERITS (base);
    INSERT INTO heir VALUES (1);
    CREATE COLLATION "Its ""own" (provider = libc, locale = 'C');
    CREATE TABLE words (w text, "O ""d" varchar(3) COLLATE "C", o text COLLATE "Its ""own", n name);
    CREATE VIEW seen AS SELECT * FROM t;
    CREATE MATERIALIZED VIEW made AS TABLE t;
    CREATE FUNCTION told() RETURNS bigint LANGUAGE plpgsql STABLE
        AS 'BEGIN RETURN (SELECT count(*) FROM public.t);END'
"""
FILL = "INSERT INTO t VALUES (3, 3)"
CHANGES = {
    "truncated": ("public.t", f"TRUNCATE t; {FILL}"),
    "written anew": ("public.u", "ALTER TABLE u ALTER v TYPE bigint"),
    "exchanged": ("public.t", "ALTER TABLE t RENAME TO t_1; ALTER TABLE u RENAME TO t"),
    "made anew": ("public.u", "DROP TABLE u; CREATE TABLE u AS TABLE t"),
    "renamed there": ("public.w", "CREATE TABLE w AS TABLE t"),
    "detached": ("public.roots", "ALTER TABLE roots DETACH PARTITION root_1"),
    "attached": ("public.roots", "ALTER TABLE roots ATTACH PARTITION root_2 FOR VALUES IN (2)"),
    "partition": ("public.roots", "TRUNCATE root_1"),
    "a column exchanged": (
        "public.t",
        "ALTER TABLE t ADD w int; ALTER TABLE t RENAME v TO x; ALTER TABLE t RENAME w TO v",
    ),
    "a root's column": ("public.roots", "ALTER TABLE roots ADD x int; ALTER TABLE roots RENAME id TO old"),
    "the first heir": (
        "public.u",
        "CREATE TABLE v (LIKE u); INSERT INTO v VALUES (9, 9); ALTER TABLE v INHERIT u",
    ),
    "another heir": ("public.base", "CREATE TABLE v (LIKE base); ALTER TABLE v INHERIT base"),
    "an heir that was there": (
        "public.u",
        "ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ALTER id DROP NOT NULL; ALTER TABLE t INHERIT u",
    ),
    "no heir": ("public.base", "ALTER TABLE heir NO INHERIT base"),
    "heir": ("public.base", "TRUNCATE heir"),
    "behind a view": ("public.seen", "TRUNCATE t"),
    "another view": ("public.seen", "CREATE OR REPLACE VIEW seen AS SELECT * FROM u"),
    "refreshed": ("public.made", f"{FILL}; REFRESH MATERIALIZED VIEW made"),
    "within a function": ("public.told()", "TRUNCATE t"),
}
PARTITIONED = (
    "ALTER TABLE t RENAME TO t_1; CREATE TABLE t (id int NOT NULL, v int) PARTITION BY LIST (id); "
    "ALTER TABLE t ATTACH PARTITION t_1 FOR VALUES IN (1, 2)"
)
NAMED = [name for name in CHANGES if name not in {"renamed there", "within a function"}]
HARMLESS = {
    "rows": FILL,
    "an index": "CREATE INDEX ON t (v)",
    "index anew": "REINDEX TABLE t",
    "a right": "GRANT SELECT ON t TO PUBLIC",
    "statistics": "ANALYZE t",
    "vacuum": "VACUUM t",
    "a column": "ALTER TABLE t ADD w int DEFAULT 1",
    "another table": "TRUNCATE u; CREATE TABLE w (id int)",
    "taken back": "BEGIN; TRUNCATE t; ROLLBACK",
}

# Their trace is that of a table that gained its first heir.
SEEN_AS_HEIRS = ("a right", "a column")


@pytest.fixture
def execute(database: str) -> Iterator[Callable[[str], Any]]:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(TABLES.encode())
        yield lambda statements: [conn.execute(one.encode()) for one in statements.split("; ")]


def count(read: str) -> str:
    return f"SELECT count(*) AS rows FROM {read}"


def late(read: str, change: Callable[[], Any]) -> Callable[[Context, Subject], Verdict]:
    """Return a run that reads after a change that its snapshot does not see."""

    def run(context: Context, _: Subject) -> Verdict:
        context.fetch("SELECT 1")
        change()
        return Examined(rows_examined=context.fetch(count(read))[0]["rows"])

    return run


def named(target: Target, read: str) -> tuple[Catalog, Subject]:
    """Return the catalog, and a subject that names the table that it reads."""
    catalog = target.read_catalog()
    return catalog, Subject("one", reads=tuple(one for one in catalog.tables if str(one) == read))


def said(run: Run) -> tuple[Outcome, str]:
    return run.outcome, run.error or ""


@pytest.mark.every_pg
@pytest.mark.parametrize("names", [False, True], ids=["locked", "named"])
def test_what_was_changed_under_its_snapshot_is_unknown_whatever_reads_it(
    runner: Runner, target: Target, execute: Callable[[str], Any], *, names: bool
) -> None:
    for name in NAMED if names else CHANGES:
        read, statements = CHANGES[name]
        execute(TABLES)
        catalog, subject = named(target, read) if names else (EMPTY, ONE)
        change = partial(execute, f"BEGIN; {statements}; COMMIT")
        run = runner.run(Plugin(late(read, change)), subject, catalog)
        assert run is not None
        assert run.outcome is Outcome.SKIPPED, name
        assert re.fullmatch(r"public\.\w+ was changed while pgvigil looked at it", run.error or ""), run.error
        again = run_of(runner, Plugin(late(read, lambda: None)))
        assert said(again) == (Outcome.PASS, ""), name


@pytest.mark.every_pg
@pytest.mark.parametrize("names", [False, True], ids=["locked", "named"])
def test_what_a_snapshot_sees_as_it_should_is_believed(
    runner: Runner, target: Target, execute: Callable[[str], Any], *, names: bool
) -> None:
    for change, statements in HARMLESS.items():
        if names and change in SEEN_AS_HEIRS:
            continue
        execute(TABLES)
        catalog, subject = named(target, "public.t")
        subject = subject if names else ONE
        run = runner.run(Plugin(late("public.t", partial(execute, statements))), subject, catalog)
        assert run is not None
        assert (said(run), run.rows_examined) == ((Outcome.PASS, ""), 2), change


@pytest.mark.parametrize(
    ("change", "table"),
    [
        ("ALTER TABLE t RENAME TO t_1; ALTER TABLE u RENAME TO t", "public.t"),
        ("CREATE TABLE h () INHERITS (t)", "public.t"),
        ("ALTER TABLE t RENAME v TO x; ALTER TABLE t ADD v int", "public.t"),
        (
            "ALTER TABLE root_1 RENAME TO root_0; CREATE TABLE root_1 PARTITION OF roots FOR VALUES IN (3)",
            "public.root_1",
        ),
        (PARTITIONED, "public.t"),
        ("DROP VIEW seen; DROP MATERIALIZED VIEW made; DROP TABLE t; CREATE VIEW t AS TABLE u", "public.t"),
        ('ALTER TABLE words ALTER w TYPE text COLLATE "C"', "public.words"),
        ("ALTER TABLE words ALTER o TYPE text", "public.words"),
    ],
)
def test_a_table_that_is_no_more_what_the_catalog_says_is_unknown(
    runner: Runner, target: Target, execute: Callable[[str], Any], change: str, table: str
) -> None:
    catalog, subject = named(target, table)
    execute(change)
    for one in (subject, ONE):
        run = runner.run(Plugin(late(table, lambda: None)), one, catalog)
        assert run is not None
        assert run.outcome is Outcome.SKIPPED


@pytest.mark.every_pg
def test_columns_of_any_name_type_and_collation_are_what_the_catalog_says(
    runner: Runner, target: Target, execute: Callable[[str], Any]
) -> None:
    execute('CREATE DOMAIN "Of it" AS text COLLATE "C"; CREATE TABLE of_it (a "Of it", b numeric(3, 1)[])')
    for table in ("public.words", "public.of_it"):
        catalog, subject = named(target, table)
        for one in (subject, ONE):
            run = runner.run(Plugin(late(table, lambda: None)), one, catalog)
            assert run is not None
            assert said(run) == (Outcome.PASS, "")


ROLLED_BACK = (
    "BEGIN; ALTER TABLE roots DETACH PARTITION root_1; ROLLBACK",
    "BEGIN; CREATE OR REPLACE VIEW seen AS SELECT * FROM t WHERE true; ROLLBACK",
    "BEGIN; ALTER TABLE t RENAME v TO x; ROLLBACK",
    "BEGIN; SAVEPOINT s; ALTER TABLE t RENAME v TO x; ROLLBACK TO s; SELECT pg_current_xact_id(); COMMIT",
)


@pytest.mark.every_pg
def test_what_was_rolled_back_is_no_change_while_others_go_on(
    runner: Runner, target: Target, database: str, execute: Callable[[str], Any]
) -> None:
    with psycopg.connect(database) as conn:
        # As long as it is open no snapshot has a younger end.
        conn.execute("SELECT pg_current_xact_id()")
        for statements in ROLLED_BACK:
            execute(statements)
        for read in ("public.roots", "public.seen", "public.t"):
            catalog, subject = named(target, read)
            for one in (subject, ONE):
                run = runner.run(Plugin(late(read, lambda: None)), one, catalog)
                assert run is not None
                assert said(run) == (Outcome.PASS, ""), read


def test_a_partition_that_is_being_detached_is_no_obstacle_for_ever(
    runner: Runner, target: Target, database: str, execute: Callable[[str], Any]
) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("TABLE roots")
        with pytest.raises(psycopg.errors.QueryCanceled):
            execute("SET statement_timeout = '0.3s'; ALTER TABLE roots DETACH PARTITION root_1 CONCURRENTLY")
    for read in ("public.roots", "public.root_1"):
        catalog, subject = named(target, read)
        for one in (subject, ONE):
            run = runner.run(Plugin(late(read, lambda: None)), one, catalog)
            assert run is not None
            assert said(run) == (Outcome.PASS, "")


@pytest.fixture
def reader(execute: Callable[[str], Any], database: str) -> Iterator[str]:
    """The DSN of a role that may read one view, and look into no other schema."""
    name = f"reader_{secrets.token_hex(6)}"
    execute(f"CREATE ROLE {name} LOGIN PASSWORD 'its password'; GRANT SELECT ON seen TO {name}")
    yield make_conninfo(database, user=name, password="its password")
    execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_schema_that_the_role_may_not_look_into_is_no_failure(
    execute: Callable[[str], Any], reader: str
) -> None:
    execute("CREATE SCHEMA hidden; ALTER TABLE t SET SCHEMA hidden")
    target = Target("main", reader)
    runner = Runner(target)
    assert said(run_of(runner, Plugin(late("public.seen", lambda: None)))) == (Outcome.PASS, "")
    run = run_of(runner, Plugin(late("public.seen", lambda: execute("TRUNCATE hidden.t"))))
    assert said(run) == (Outcome.SKIPPED, "hidden.t was changed while pgvigil looked at it")
    target.close()


def test_a_walk_ends_with_the_chunk_that_saw_a_change(target: Target, execute: Callable[[str], Any]) -> None:
    runner, saved, chunks = Runner(target, RunLimits(chunk_seconds=0.02)), [], []

    def walk(context: Context, _: Subject) -> Verdict:
        for chunk in range(4):
            context.fetch("SELECT 1")
            if chunk == 2:
                execute("TRUNCATE t")
            chunks.append(context.fetch(count("public.t"))[0]["rows"])
            with contextlib.suppress(TargetError):  # it makes light of it
                context.checkpoint({"chunk": chunk})
        return CLEAN

    execution = runner.execute(
        Plugin(walk),
        Subject("one"),
        target.read_catalog(),
        Assistance(save=lambda state, _: saved.append(state)),
    )
    assert execution is not None
    assert said(execution.run) == (Outcome.SKIPPED, "public.t was changed while pgvigil looked at it")
    assert saved == [{"chunk": 0}, {"chunk": 1}]


def test_the_last_chunk_is_asked_about_as_well(target: Target, execute: Callable[[str], Any]) -> None:
    def walk(context: Context, subject: Subject) -> Verdict:
        context.fetch(count("public.t"))
        context.checkpoint()
        return late("public.t", lambda: execute("TRUNCATE t"))(context, subject)

    run = run_of(Runner(target, RunLimits(chunk_seconds=0.02)), Plugin(walk))
    assert run.outcome is Outcome.SKIPPED


@pytest.mark.parametrize("change", ["TRUNCATE t", "SELECT 1"])
def test_a_batch_that_saw_a_change_leaves_all_of_its_subjects_alone(
    runner: Runner, target: Target, execute: Callable[[str], Any], change: str
) -> None:
    def many(context: Any, subjects: Any) -> Any:
        context.fetch("SELECT 1")
        execute(change)
        return context.side_by_side(check.run, subjects)

    check = Batched(lambda context, _: context.fetch(count("public.t")) and CLEAN, many)
    catalog, one = named(target, "public.t")
    for reads in (one.reads, None):
        subjects = tuple(Subject(name, reads=reads) for name in ("a", "b"))
        several = runner.execute_together(check, subjects, catalog)
        assert several is not None
        told = several.alone if change == "TRUNCATE t" else several.runs
        assert len(told) == 2


def test_each_session_that_reads_beside_the_own_one_is_asked(
    target: Target, execute: Callable[[str], Any]
) -> None:
    """The own session reads nothing of the table: another one does."""

    def run(context: Context, _: Subject) -> Verdict:
        context.fetch("SELECT 1")
        execute("TRUNCATE t")
        # The own session takes the first, and has it to the end of the others.
        context.fetch_split(["SELECT pg_sleep(1)::text AS rows", count("public.t")])
        return CLEAN

    assert run_of(Runner(target), Plugin(run)).outcome is Outcome.SKIPPED


@pytest.fixture
def other(pg_server: Server) -> Iterator[tuple[str, Callable[[str], Any]]]:
    with fresh_database(pg_server) as dsn, psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(TABLES.encode())
        yield dsn, lambda statement: conn.execute(statement.encode())


@pytest.mark.parametrize("renews", [True, False])
@pytest.mark.parametrize("change", ["TRUNCATE t", "SELECT 1"])
def test_another_target_is_asked_as_well(
    target: Target,
    execute: Callable[[str], Any],
    other: tuple[str, Callable[[str], Any]],
    change: str,
    *,
    renews: bool,
) -> None:
    dsn, execute_there = other

    def run(context: Context, _: Subject) -> Verdict:
        peer = context.peer("other")
        peer.fetch("SELECT 1")
        execute_there(change)
        peer.fetch(count("public.t"))
        if renews:
            peer.renew()
        return CLEAN

    watch = watch_of(dsn, name="other")
    peers = Peers(target, {"other": watch}.get)
    execution = Runner(target).execute(
        Plugin(run), Subject("one"), target.read_catalog(), Assistance(peer=peers.open)
    )
    watch.target.close()
    assert execution is not None
    text = "target other: public.t was changed while pgvigil looked at it"
    assert said(execution.run) == ((Outcome.SKIPPED, text) if change == "TRUNCATE t" else (Outcome.PASS, ""))


def test_subjects_whose_tables_are_none_are_their_own_fault(runner: Runner) -> None:
    subjects = tuple(Subject(name, reads=("nonsense",)) for name in ("a", "b"))  # type: ignore[arg-type]
    check = Batched(lambda context, _: context.fetch("SELECT 1") and CLEAN)
    several = runner.execute_together(check, subjects, EMPTY)
    assert several is not None
    assert several.alone == subjects
    run = run_of(runner, Plugin(lambda context, _: context.fetch("SELECT 1") and CLEAN), subjects[0])
    assert run.outcome is Outcome.ERROR
    assert "crashed: AttributeError" in (run.error or "")
