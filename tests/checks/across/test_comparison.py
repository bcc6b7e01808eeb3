"""What a comparison of two databases shows, refuses, goes on with, and forgives."""

from __future__ import annotations

import re
import sys
import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil import peer
from pgvigil.check import Outcome
from pgvigil.errors import BrokenOffError
from pgvigil.target import Limits
from pgvigil_checks.across.both import Both
from tests.checks.across.between import TwoDatabases, check_of, hurry, targets, two_databases
from tests.databases import careless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.embedded import Server

PAIR = {"left": "public.g", "right": "public.g", "key": {"id": "id"}}
SUBJECT = "public.g <> other:public.g"


@pytest.fixture
def two(pg_server: Server) -> Iterator[TwoDatabases]:
    with two_databases(pg_server, pg_server) as databases:
        yield databases


def execute(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement.encode())


def on_both(two: TwoDatabases, *statements: str) -> None:
    for dsn in (two.left, two.right):
        execute(dsn, *statements)


def fill(two: TwoDatabases, rows: int) -> None:
    on_both(
        two,
        "CREATE TABLE g (id bigint PRIMARY KEY, name text, score numeric)",
        f"INSERT INTO g SELECT n, 'game ' || n, n FROM generate_series(1, {rows}) AS n",
        "ANALYZE g",
    )


def in_ranges_of(keys: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a walk go on in steps of so many keys, from the first one on."""
    monkeypatch.setattr("pgvigil_checks.across.walk.FIRST_ROWS", keys)
    monkeypatch.setattr("pgvigil_checks.across.walk._MOST_RANGE", keys)


def evidence_shown(two: TwoDatabases, text: str) -> list[list[Any]]:
    """Return the rows of the evidence's query for the left target, and of that for the right one."""
    _, *queries = re.split(r"-- On target (?:test|other):\n", text)
    shown = []
    for dsn, query in zip((two.left, two.right), queries, strict=True):
        with psycopg.connect(dsn) as conn:
            shown.append(conn.execute(query.encode()).fetchall())
    return shown


def test_what_differs_is_shown_on_both_sides(two: TwoDatabases, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    fill(two, 20_000)
    execute(two.left, "DELETE FROM g WHERE id = 7", "UPDATE g SET score = 1.50 WHERE id = 9")
    execute(two.right, "DELETE FROM g WHERE id = 19999", "UPDATE g SET name = 'other' WHERE id = 12345")
    run = two.compare(PAIR)
    assert (run.outcome, run.strategy, run.subject) == (Outcome.FAIL, "checksum_ranges", SUBJECT), run.error
    assert run.explain == "checksums of ranges of id"
    assert run.measures == {"left_only": 1, "right_only": 1, "changed": 2, "budget_rows": 0}
    (drift,) = run.findings
    assert drift.title == (
        "public.g and other:public.g: 2 rows differ, 1 row is missing in public.g, "
        "1 row is missing in other:public.g"
    )
    assert drift.sample == (
        {"id": 7, "drift": "right_only"},
        {"id": 9, "drift": "changed", "differing": {"score": {"left": "1.50", "right": "9"}}},
        {"id": 12345, "drift": "changed", "differing": {"name": {"left": "game 12345", "right": "other"}}},
        {"id": 19999, "drift": "left_only"},
    )
    assert drift.details["score_drift"] == {"score": {"mean": 7.5, "largest": 7.5}}
    assert "1 row is only in other:public.g: insert it into public.g" in drift.remedy
    shown = [[row[0] for row in rows] for rows in evidence_shown(two, drift.evidence_sql)]
    assert shown == [[9, 12345, 19999], [7, 9, 12345]]


def test_without_a_sample_no_key_leaves_the_databases(
    two: TwoDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    two.sample = 0
    fill(two, 10)
    execute(two.left, "DELETE FROM g WHERE id = 7")
    (drift,) = two.compare(PAIR).findings
    assert (drift.count, drift.sample) == (1, ())
    here, there = map(set, evidence_shown(two, drift.evidence_sql))
    assert [row[0] for row in there - here] == [7]
    assert not here - there


def test_up_to_its_budget_a_pair_passes(two: TwoDatabases, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    fill(two, 10)
    execute(two.left, "DELETE FROM g WHERE id = 7")
    assert two.compare({**PAIR, "budget": 1}).outcome is Outcome.PASS


@pytest.mark.slow
def test_rows_that_are_copied_with_a_delay_are_no_drift(two: TwoDatabases) -> None:
    fill(two, 3000)
    over, copied = threading.Event(), threading.Event()

    def copy_slowly() -> None:
        with (
            psycopg.connect(two.left, autocommit=True) as here,
            psycopg.connect(two.right, autocommit=True) as there,
        ):
            number = 0
            while not over.is_set():
                number += 1
                change = f"UPDATE g SET score = {number}.5 WHERE id % 100 = {number % 100}"
                insert = f"INSERT INTO g VALUES ({3000 + number}, 'new', 1)"
                for conn in (here, there):
                    conn.execute(change.encode())
                    conn.execute(insert.encode())
                    over.wait(0.1)
                copied.set()

    writer = threading.Thread(target=copy_slowly)
    writer.start()
    try:
        copied.wait()
        runs = [two.compare(PAIR) for _ in range(4)]
    finally:
        over.set()
        writer.join()
    assert [(run.outcome, run.error) for run in runs] == [(Outcome.PASS, None)] * 4
    assert [run.measures["changed"] for run in runs] == [0] * 4


def while_waiting(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], None]) -> None:
    """Let one thing after the other happen, each while a run waits."""
    left = iter(steps)
    monkeypatch.setattr(Both, "wait", lambda _both, _seconds: next(left, lambda: None)())


def test_what_arrives_while_a_run_waits_is_no_drift(
    two: TwoDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(two, 100)
    changes = [
        "DELETE FROM g WHERE id = 7",
        "INSERT INTO g VALUES (101)",
        "UPDATE g SET score = 0 WHERE id = 9",
    ]
    execute(two.left, *changes)
    while_waiting(monkeypatch, lambda: execute(two.right, *changes))
    assert two.compare(PAIR).outcome is Outcome.PASS


def test_a_copy_that_is_always_behind_is_no_drift(two: TwoDatabases, monkeypatch: pytest.MonkeyPatch) -> None:
    """At no moment the two sides are alike."""
    fill(two, 100)

    def write(score: int) -> Callable[[], None]:
        def step() -> None:
            execute(two.left, f"UPDATE g SET score = {score} WHERE id = 3")
            execute(two.right, f"UPDATE g SET score = {score - 1} WHERE id = 3")

        return step

    write(1001)()
    while_waiting(monkeypatch, *map(write, range(1002, 1009)))
    assert two.compare(PAIR).outcome is Outcome.PASS


@pytest.mark.parametrize("tolerance", [{}, {"updated_at": "15m"}])
def test_a_hot_row_is_watched_until_its_copy_comes_by(
    tolerance: dict[str, str], two: TwoDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is several versions behind; with a tolerance it has a moment of its own."""
    on_both(
        two,
        "CREATE TABLE g (id int PRIMARY KEY, score int, updated_at timestamptz)",
        "INSERT INTO g SELECT n, 0, '2026-01-01' FROM generate_series(1, 9) AS n",
    )

    def write(score: int, behind: int) -> Callable[[], None]:
        moment = "clock_timestamp()" if tolerance else "updated_at"

        def step() -> None:
            for dsn, value in ((two.left, score), (two.right, score - behind)):
                execute(dsn, f"UPDATE g SET score = {value}, updated_at = {moment} WHERE id = 3")

        return step

    write(100, 5)()
    while_waiting(monkeypatch, *[write(score, 5) for score in range(101, 120)])
    assert two.compare({**PAIR, "tolerance": tolerance}).outcome is Outcome.PASS
    while_waiting(monkeypatch, *[write(score, 1000) for score in range(120, 180)])
    assert two.compare({**PAIR, "tolerance": tolerance}).measures["changed"] == 1


def test_what_is_within_a_tolerance_is_not_waited_for(
    two: TwoDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil_checks.across.moving.MOST_KEYS", 50)
    fill(two, 3000)
    execute(two.right, "UPDATE g SET score = score + 0.5", "UPDATE g SET score = 0 WHERE id = 2000")
    waits: list[None] = []

    def arrive() -> None:
        waits.append(None)
        execute(two.right, "UPDATE g SET score = 2000 WHERE id = 2000")

    while_waiting(monkeypatch, arrive)
    assert two.compare({**PAIR, "tolerance": {"score": 1}}).outcome is Outcome.PASS
    assert len(waits) == 1


def test_a_row_that_only_one_side_goes_on_writing_is_drift(
    two: TwoDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What never meets is not on its way, however often it is written."""
    fill(two, 100)
    update = "UPDATE g SET score = score + 1000 WHERE id = 3"
    execute(two.left, update)
    while_waiting(monkeypatch, *[lambda: execute(two.left, update)] * 9)
    assert two.compare(PAIR).measures["changed"] == 1


def test_massive_drift_is_counted_exactly_in_bounded_memory(
    two: TwoDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    monkeypatch.setattr("pgvigil_checks.across.walk.LEAF_KEYS", 100)
    monkeypatch.setattr("pgvigil_checks.across.walk.MOST_FETCHED", 300)
    monkeypatch.setattr("pgvigil_checks.across.moving.MOST_KEYS", 200)
    held: list[int] = []
    ask = Both.ask

    def counting(both: Both, *queries: Any) -> Any:
        answers = ask(both, *queries)
        held.extend(len(rows) for side in answers for rows in side)
        return answers

    monkeypatch.setattr(Both, "ask", counting)
    fill(two, 5000)
    execute(two.right, "UPDATE g SET name = name || '!', score = score + 1 WHERE id % 10 <> 0")
    execute(two.left, "DELETE FROM g WHERE id % 10 = 0")
    run = two.compare(PAIR)
    assert run.measures == {"left_only": 0, "right_only": 500, "changed": 4500, "budget_rows": 0}
    (drift,) = run.findings
    assert drift.details["changed_by_column"] == {"name": 4500, "score": 4500}
    assert drift.details["score_drift"] == {"score": {"mean": 1.0, "largest": 1.0}}
    shown = [row["id"] for row in drift.sample]
    assert (len(shown), shown) == (20, sorted(shown))
    assert max(held) <= 300


def broken_off(two: TwoDatabases) -> Any:
    """Return what is left of a run that ends when more than half of it is done."""
    left: list[Any] = []

    def save(state: Any, done: float) -> None:
        left.append((state, done))

    def rest(_busy: float) -> None:
        if left and left[-1][1] > 0.5:
            raise BrokenOffError("later")

    with pytest.raises(AssertionError, match="cancelled"):
        two.compare(PAIR, save=save, rest=rest)
    return left[-1][0]


def test_a_run_that_was_broken_off_goes_on(two: TwoDatabases, monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    in_ranges_of(500, monkeypatch)
    fill(two, 5000)
    execute(two.left, "DELETE FROM g WHERE id = 7")
    execute(two.right, "DELETE FROM g WHERE id = 4999")

    state = broken_off(two)
    # What was the same before is not looked at again.
    execute(two.left, "DELETE FROM g WHERE id = 8")
    run = two.compare(PAIR, resumed=state)
    assert run.measures == {"left_only": 1, "right_only": 1, "changed": 0, "budget_rows": 0}
    assert run.rows_examined == 2 * 4999
    # Another table of the same name is another one.
    execute(two.right, "ALTER TABLE g RENAME TO h", "CREATE TABLE g (LIKE h INCLUDING ALL)")
    execute(two.right, "INSERT INTO g SELECT * FROM h")
    assert two.compare(PAIR, resumed=state).measures["right_only"] == 2


@pytest.mark.parametrize("kept", [1000, 1])
def test_what_was_mended_since_a_run_was_broken_off_is_no_drift(
    kept: int, two: TwoDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its keys were few enough to be kept, or the walk goes on before the first of them."""
    hurry(monkeypatch)
    in_ranges_of(500, monkeypatch)
    monkeypatch.setattr("pgvigil_checks.across.tally.MOST_KEPT", kept)
    fill(two, 5000)
    execute(two.left, "DELETE FROM g WHERE id IN (607, 608)")
    execute(two.right, "UPDATE g SET score = 0 WHERE id IN (609, 610)")
    state = broken_off(two)
    execute(two.left, "INSERT INTO g VALUES (607, 'game 607', 607)")
    execute(two.right, "UPDATE g SET score = 609 WHERE id = 609", "DELETE FROM g WHERE id = 611")
    run = two.compare(PAIR, resumed=state)
    seen = {"left_only": 0 if kept > 1 else 1, "right_only": 1, "changed": 1, "budget_rows": 0}
    assert (run.measures, run.rows_examined) == (seen, 9998)
    execute(two.left, "INSERT INTO g VALUES (608, 'game 608', 608)")
    execute(two.right, "UPDATE g SET score = 610 WHERE id = 610", "INSERT INTO g SELECT 611, 'game 611', 611")
    assert two.compare(PAIR, resumed=state).outcome is Outcome.PASS


def test_numbers_of_thousands_of_digits_are_measured(
    two: TwoDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    in_ranges_of(2, monkeypatch)
    fill(two, 20)
    execute(two.right, "UPDATE g SET score = 10::numeric ^ 5000 WHERE id = 1")
    (drift,) = two.compare(PAIR).findings
    largest = sys.float_info.max
    assert drift.details["score_drift"] == {"score": {"mean": largest, "largest": largest}}


@pytest.mark.parametrize(
    ("given", "settings", "reason"),
    [
        ("DROP TABLE g", {}, "there is no table public.g on target other"),
        (
            "ALTER TABLE g RENAME score TO points",
            {"columns": {"score": "score"}},
            "public.g has no column 'score'",
        ),
        (
            "ALTER TABLE g ALTER score TYPE date USING NULL",
            {"columns": {"score": "score"}},
            "numeric cannot be",
        ),
        (
            "ALTER TABLE g ADD price money",
            {"columns": {"name": "name"}, "key": {"id": "price"}},
            "id is bigint and",
        ),
    ],
)
def test_what_the_other_side_lacks_is_named(
    given: str, settings: dict[str, Any], reason: str, two: TwoDatabases
) -> None:
    fill(two, 3)
    execute(two.right, given)
    run = two.compare({**PAIR, **settings})
    assert run.outcome is Outcome.SKIPPED
    assert str(run.error).startswith(reason)


MONEY = (
    "a column cannot be compared with another database: price is money, for which no text is known that is"
)


def test_what_has_no_canonical_text_is_skipped_with_the_reason(two: TwoDatabases) -> None:
    fill(two, 3)
    on_both(two, "ALTER TABLE g ADD price money")
    run = two.compare(PAIR)
    assert (run.outcome, run.error) == (
        Outcome.SKIPPED,
        f"{MONEY} the same in every database; list it under ignore",
    )
    assert two.compare({**PAIR, "ignore": ["price"]}).outcome is Outcome.PASS


@pytest.mark.contrib
def test_texts_are_compared_by_bytes_whatever_their_collations(
    two: TwoDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    names = "('a'), ('B'), ('c'), ('é'), ('e'), ('Z'), ('ä')"
    for dsn, locale in ((two.left, "de"), (two.right, "und-u-kf-upper")):
        execute(
            dsn,
            f"CREATE COLLATION of_here (provider = icu, locale = '{locale}')",
            "CREATE TABLE g (id text COLLATE of_here PRIMARY KEY)",
            f"INSERT INTO g VALUES {names}",
        )
    execute(two.right, "UPDATE g SET id = 'É' WHERE id = 'é'")
    run = two.compare(PAIR)
    assert (run.strategy, run.measures["left_only"], run.measures["right_only"]) == ("checksum_buckets", 1, 1)
    assert run.explain == "checksums of all keys at once: the collations of id do not order by bytes"
    folded = "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
    on_both(two, folded, "ALTER TABLE g ALTER id TYPE text COLLATE folded")
    run = two.compare(PAIR)
    assert run.outcome is Outcome.SKIPPED
    assert "a collation decides what is equal in id" in str(run.error)


@pytest.mark.contrib
def test_a_type_of_an_extension_is_skipped(two: TwoDatabases) -> None:
    on_both(two, "CREATE EXTENSION citext", "CREATE TABLE g (id int PRIMARY KEY, name citext)")
    run = two.compare(PAIR)
    assert run.outcome is Outcome.SKIPPED
    assert "name is public.citext" in str(run.error)


def test_databases_of_other_encodings_are_skipped(two: TwoDatabases, pg_server: Server) -> None:
    fill(two, 3)
    with psycopg.connect(pg_server.dsn(), autocommit=True) as conn:
        conn.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    try:
        with targets(two.left, pg_server.dsn("latin")) as mixed:
            execute(mixed.right, "CREATE TABLE g (id bigint PRIMARY KEY, name text, score numeric)")
            run = mixed.compare(PAIR)
    finally:
        with psycopg.connect(pg_server.dsn(), autocommit=True) as conn:
            conn.execute("DROP DATABASE latin WITH (FORCE)")
    assert run.outcome is Outcome.SKIPPED
    assert run.error == "texts have no common bytes: the encoding of the databases is LATIN1 and UTF8"


@pytest.mark.parametrize("text", [r"convert_from('\x8fa2f1', 'EUC_JP') || n", "n"])
@pytest.mark.parametrize("key", ["id", "expression"])
def test_keys_that_come_back_otherwise_are_skipped(pg_server: Server, text: str, key: str) -> None:
    """One of two forms in EUC_JP comes back as the other: whoever looks a key up again finds none."""
    with two_databases(pg_server, pg_server, "EUC_JP") as two:
        on_both(two, "CREATE TABLE g (id text PRIMARY KEY, v int)")
        on_both(two, f"INSERT INTO g SELECT {text}, n FROM generate_series(1, 9) AS n")
        execute(two.right, "UPDATE g SET v = 0", f"INSERT INTO g SELECT {text}, n FROM (SELECT 10) AS t (n)")
        run = two.compare(PAIR if key == "id" else {**PAIR, "key": {"lower(id)": "lower(id)"}})
        name = "id" if key == "id" else "lower(id)"
        reason = f"keys that differ may not be found again by what they are as text: {name} (text) in EUC_JP"
        assert (run.outcome, run.error) == (Outcome.SKIPPED, reason)
        on_both(two, "ALTER TABLE g DROP CONSTRAINT g_pkey", "ALTER TABLE g ADD n serial PRIMARY KEY")
        run = two.compare({**PAIR, "key": {"n": "n"}, "columns": {"id": "id", "v": "v"}})
        assert run.outcome is Outcome.FAIL, run.error


@pytest.mark.parametrize("index", [True, False])
def test_keys_that_are_damaged_are_skipped(
    pg_server: Server, index: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several of them may have the same text on the client."""
    hurry(monkeypatch)
    with two_databases(pg_server, pg_server, "UTF8") as two:
        for dsn, shift in ((two.left, 0), (two.right, 1)):
            with careless(dsn) as conn:
                conn.execute(
                    f"CREATE TABLE g (id text NOT NULL, v int{', PRIMARY KEY (id)' * index})".encode()
                )
                conn.execute(f"INSERT INTO g VALUES (E'a\\xe8', {shift}), (E'a\\xe9', 7)".encode())
        run = two.compare(PAIR)
        assert run.outcome is Outcome.SKIPPED
        assert "a key holds U+FFFD" in str(run.error)
        # What does not differ is told by the servers alone.
        execute(two.right, "UPDATE g SET v = 0 WHERE v = 1")
        assert two.compare(PAIR).outcome is Outcome.PASS


def test_keys_of_ranges_that_are_damaged_are_skipped(
    pg_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U+FFFD sorts behind what it stands for: rows between the two would be passed by."""
    in_ranges_of(3, monkeypatch)
    with two_databases(pg_server, pg_server, "UTF8") as two:
        for dsn, value in ((two.left, 1), (two.right, 2)):
            with careless(dsn) as conn:
                conn.execute(b"CREATE TABLE g (id text PRIMARY KEY, v int)")
                conn.execute(b"INSERT INTO g SELECT 'a' || n, 0 FROM generate_series(1, 3) AS n")
                conn.execute(rb"INSERT INTO g SELECT E'b\xe9' || n, 0 FROM generate_series(1, 5) AS n")
                conn.execute(f"INSERT INTO g VALUES (E'b\\xe99', {value})".encode())
        run = two.compare(PAIR)
    assert run.outcome is Outcome.SKIPPED
    assert "a key holds U+FFFD" in str(run.error)


def test_a_role_without_privileges_is_an_error_that_names_the_other_target(
    two: TwoDatabases, pg_server: Server
) -> None:
    fill(two, 3)
    with psycopg.connect(two.right, autocommit=True) as conn:
        conn.execute("CREATE ROLE stranger LOGIN PASSWORD 'strange'")
    try:
        stranger = psycopg.conninfo.make_conninfo(two.right, user="stranger", password="strange")
        with targets(two.left, stranger) as refused:
            run = refused.compare(PAIR)
    finally:
        execute(two.right, "DROP ROLE stranger")
    assert run.outcome is Outcome.ERROR
    assert str(run.error).startswith("target other: permission denied for table g")


def test_a_peer_without_sessions_is_an_error(two: TwoDatabases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "PATIENCE_SECONDS", 0.2)
    fill(two, 3)
    with targets(two.left, two.right, Limits(connections=1)) as scarce:
        with scarce.other.target.snapshot():
            run = scarce.compare(PAIR)
        assert str(run.error).startswith("target other has no session to spare for target test")
        assert scarce.compare(PAIR).outcome is Outcome.PASS


def test_a_peer_that_is_lost_in_the_middle_is_an_error(two: TwoDatabases) -> None:
    fill(two, 3)
    killed = threading.Event()

    def kill(_state: Any, done: float) -> None:
        query = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND pid <> pg_backend_pid()"
        )
        if done > 0 and not killed.is_set():
            killed.set()
            with psycopg.connect(two.right, autocommit=True) as conn:
                conn.execute(query, [conn.info.dbname])
                conn.execute("ALTER TABLE g RENAME TO gone")

    on_both(two, "INSERT INTO g SELECT n FROM generate_series(10, 9000) AS n")
    run = two.compare(PAIR, save=kill)
    assert killed.is_set()
    assert run.outcome is Outcome.ERROR
    assert "public.g" in str(run.error)


def test_a_large_pair_is_read_in_short_snapshots(two: TwoDatabases, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other side may have its keys anywhere: all of them are counted."""
    hurry(monkeypatch)
    monkeypatch.setattr("pgvigil_checks.across.walk._MOST_RANGE", 1000)
    fill(two, 9000)
    execute(two.left, "DELETE FROM g WHERE id BETWEEN 3001 AND 9000")
    run = two.compare(PAIR)
    assert run.measures == {"left_only": 0, "right_only": 6000, "changed": 0, "budget_rows": 0}
    assert len(two.saved) > 9
    execute(two.right, "DELETE FROM g")
    assert two.compare(PAIR).measures["left_only"] == 3000


def test_a_foreign_table_on_the_other_side_is_skipped(two: TwoDatabases) -> None:
    execute(two.left, "CREATE TABLE g (id int PRIMARY KEY)")
    execute(
        two.right,
        "CREATE FOREIGN DATA WRAPPER nothing",
        "CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing",
        "CREATE FOREIGN TABLE g (id int) SERVER nowhere",
    )
    run = two.compare(PAIR)
    assert run.outcome is Outcome.SKIPPED
    assert str(run.error).startswith("target other: public.g is a foreign table")


def test_a_pair_is_always_looked_at_and_can_go_on(two: TwoDatabases) -> None:
    fill(two, 3)
    subject = two.subject(PAIR)
    assert (subject.name, subject.confirm, subject.reads) == (SUBJECT, 2, None)
    assert [str(table) for table in subject.walks] == ["public.g"]


def test_pairs_are_told_apart_by_their_targets(two: TwoDatabases) -> None:
    fill(two, 3)
    found = two.discover(check_of(PAIR, PAIR))
    assert [problem.message for problem in found.problems] == ["this pair is already there"]
    (missing,) = two.discover(check_of({**PAIR, "left": "public.lost"})).problems
    assert (missing.path, missing.subject) == (("pairs", 0, "left"), "public.lost <> other:public.g")
    assert missing.message.startswith("there is no table public.lost")
