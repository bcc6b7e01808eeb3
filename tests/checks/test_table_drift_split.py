"""A comparison that is split by ranges of the key says what the whole one says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.check import Outcome
from pgvigil.target import Limits
from pgvigil_checks import table_drift_split
from pgvigil_checks.table_drift import TableDrift
from pgvigil_checks.table_drift_settings import TableDriftParams
from tests.checks.examining import examiner
from tests.checks.random_pairs import Pair, create
from tests.checks.test_table_drift_oracle import expect_with_evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pgvigil.run import Run
    from tests.checks.examining import Examiner

PAIRS = 250
SEEDS = (10_000, pytest.param(10_250, marks=pytest.mark.slow))
LARGE = """
    CREATE TABLE l (id bigint PRIMARY KEY, name text, score numeric);
    CREATE TABLE r (id int, name text, score numeric);
    INSERT INTO l SELECT n, 'game ' || n, n FROM generate_series(1, 120000) AS n;
    INSERT INTO r SELECT * FROM l;
    CREATE INDEX ON r (id);
    UPDATE r SET score = score + 2 WHERE id % 40000 = 7;
    DELETE FROM l WHERE id = 119999;
    INSERT INTO r VALUES (NULL, 'lost'), (60000, 'twice');
    VACUUM ANALYZE l, r;
"""


def check_of(*pairs: dict[str, Any]) -> TableDrift:
    return TableDrift(TableDriftParams.model_validate({"pairs": pairs}))


def said(run: Run) -> tuple[Any, ...]:
    """Return all that a run says of its pair, whichever way it came to it."""
    findings = {
        finding.code: replace(finding, details={}, sample=tuple(map(spelled, finding.sample)))
        for finding in run.findings
    }
    details = [dict(finding.details) for finding in run.findings]
    return run.outcome, run.rows_examined, run.measures, findings, details


def spelled(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sampled row, but for a key that stands for several: any of their spellings may be shown."""
    several = "drift" in row and "copies" in row
    return {name: row[name] for name in (("drift", "copies") if several else row)}


@pytest.fixture
def three(database: str) -> Iterator[Examiner]:
    """An examiner with three connections."""
    examining = examiner(database, limits=Limits(connections=3))
    yield examining
    examining.target.close()


@pytest.mark.parametrize("first", SEEDS)
def test_random_pairs_are_the_same_split_and_whole(
    first: int, database: str, three: Examiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [Pair(seed) for seed in range(first, first + PAIRS)]
    check = check_of(*(pair.settings for pair in pairs))
    with psycopg.connect(database, autocommit=True, row_factory=psycopg.rows.dict_row) as conn:
        create(conn, pairs)
        conn.execute("SET timezone = 'UTC'")
        whole = three.examine(check)
        monkeypatch.setattr(table_drift_split, "not_worthwhile", lambda _pair: None)
        split = three.examine(check)
        for pair in pairs:
            assert said(split[pair.subject]) == said(whole[pair.subject]), f"seed {pair.number}"
            expect_with_evidence(split[pair.subject], pair, conn)
    assert {run.strategy for run in whole.by_subject.values()} == {"full_join"}
    ranges = [run.explain[0] for run in split.by_subject.values() if run.strategy == "full_join_split"]
    assert len(ranges) > PAIRS / 3
    assert len(set(ranges)) > 2


@pytest.mark.every_pg
def test_a_large_pair_with_indexes_is_split(
    database: str, three: Examiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        for statement in LARGE.split(";")[:-1]:
            conn.execute(statement.encode())
    check = check_of({"left": "public.l", "right": "public.r", "key": {"id": "id"}})
    split = three.examine(check).only
    assert split.strategy == "full_join_split"
    assert split.explain == "5 ranges of id on one snapshot, side by side where the budget allows"
    monkeypatch.setattr(table_drift_split, "not_worthwhile", lambda _pair: "said so")
    whole = three.examine(check).only
    assert (whole.strategy, whole.explain) == ("full_join", "one query: said so")
    assert said(split) == said(whole)
    (drift,) = (finding for finding in split.findings if finding.code == "drift")
    assert [row["id"] for row in drift.sample] == [7, 40_007, 80_007, 119_999]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "about 9 rows are read sooner than split"),
        ("", "nobody knows yet how large the tables are"),
        ("DROP INDEX r_id_idx", "no index of public.r begins with id: every range would read all of it"),
        ("ALTER TABLE r ALTER id TYPE numeric", "id is compared in another form than an index holds"),
    ],
)
def test_what_would_not_pay_is_compared_in_one_query(
    given: str, reason: str, database: str, three: Examiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "sooner" not in reason:
        monkeypatch.setattr(table_drift_split, "_LEAST_ROWS", 1)
    with psycopg.connect(database, autocommit=True) as conn:
        for table in ("l", "r"):
            conn.execute(f"CREATE TABLE {table} (id int)".encode())
            conn.execute(f"CREATE INDEX ON {table} (id)".encode())
            conn.execute(f"INSERT INTO {table} SELECT n FROM generate_series(1, 9) AS n".encode())
        conn.execute(given.encode())
        if "nobody" not in reason:
            conn.execute("VACUUM ANALYZE")
    run = three.examine(check_of({"left": "public.l", "right": "public.r", "key": {"id": "id"}})).only
    assert (run.outcome, run.strategy) == (Outcome.PASS, "full_join")
    assert run.explain == f"one query: {reason}"


FOLDED = "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
KEYS = {
    "int / int": None,
    'text COLLATE "POSIX" / text': None,
    "char(4) / char(4)": "keys of k can be told apart but not split: character",
    "mood / mood": "keys of k can be told apart but not split: public.mood",
    "jsonb / jsonb": "keys of k can be told apart but not split: jsonb",
}


@pytest.mark.parametrize(("types", "reason"), KEYS.items(), ids=str)
def test_only_keys_of_a_known_order_are_split(
    types: str, reason: str | None, database: str, three: Examiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_drift_split, "not_worthwhile", lambda _pair: None)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TYPE mood AS ENUM ('1', '2', '3')")
        for table, kind in zip(("l", "r"), types.split(" / "), strict=True):
            conn.execute(f"CREATE TABLE {table} (k {kind})".encode())
            conn.execute(f"INSERT INTO {table} VALUES ('1'), ('2'), ('3')".encode())
    run = three.examine(check_of({"left": "public.l", "right": "public.r", "key": {"k": "k"}})).only
    assert run.outcome is Outcome.PASS, run.error
    assert run.strategy == ("full_join" if reason else "full_join_split")
    assert reason is None or run.explain == f"one query: {reason}"


def test_keys_that_are_null_in_an_inheriting_table_are_seen(
    database: str, three: Examiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NOT NULL of the table above need not hold there."""
    monkeypatch.setattr(table_drift_split, "not_worthwhile", lambda _pair: None)
    constraint = "NO INHERIT" if three.target.read_catalog().server_version >= 180_000 else ""
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            f"CREATE TABLE l (id int NOT NULL {constraint}); CREATE TABLE r (id int NOT NULL)".encode()
        )
        conn.execute("INSERT INTO l SELECT generate_series(1, 9); INSERT INTO r SELECT generate_series(1, 9)")
        conn.execute("CREATE TABLE kid () INHERITS (l); ALTER TABLE kid ALTER id DROP NOT NULL")
        conn.execute("INSERT INTO kid VALUES (NULL), (NULL)")
    run = three.examine(check_of({"left": "public.l", "right": "public.r", "key": {"id": "id"}})).only
    assert run.strategy == "full_join_split"
    assert {finding.code: finding.count for finding in run.findings} == {"null_keys": 2}


@pytest.mark.contrib
def test_keys_alike_by_their_collation_are_in_one_range(
    database: str, three: Examiner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_drift_split, "not_worthwhile", lambda _pair: None)
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(FOLDED)
        conn.execute("CREATE TABLE l (k text COLLATE folded)")
        conn.execute("CREATE TABLE r (k text COLLATE folded)")
        conn.execute("INSERT INTO l SELECT chr(64 + n) FROM generate_series(1, 26) AS n")
        conn.execute("INSERT INTO r SELECT chr(96 + n) FROM generate_series(1, 26) AS n")
    run = three.examine(check_of({"left": "public.l", "right": "public.r", "key": {"k": "k"}})).only
    assert (run.outcome, run.strategy, run.rows_examined) == (Outcome.PASS, "full_join_split", 52)


@pytest.mark.parametrize(
    ("key", "right", "reads"),
    [({"id": "id"}, "r", True), ({"id + 1": "id + 1"}, "r", False), ({"id": "id"}, "v", False)],
    ids=str,
)
def test_a_verdict_stands_while_its_tables_do_unless_an_expression_or_a_view_has_a_say(
    key: dict[str, str], right: str, reads: bool, database: str, three: Examiner
) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE l (id int); CREATE TABLE r (id int); CREATE VIEW v AS TABLE r")
    catalog = three.target.read_catalog()
    pair = {"left": "public.l", "right": f"public.{right}", "key": key}
    (subject,) = check_of(pair).discover(catalog).subjects
    named = [str(table) for table in subject.reads] if subject.reads else None
    assert named == (["public.l", "public.r"] if reads else None)
