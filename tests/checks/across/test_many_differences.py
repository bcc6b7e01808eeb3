"""Pairs of which much differs, as where a column is missing under `ignore`: what is asked stays in bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.check import Outcome
from pgvigil_checks.across.both import Both
from pgvigil_checks.across.moving import Moving
from tests.checks.across.between import hurry, two_databases
from tests.checks.across.test_comparison import PAIR, broken_off, execute, fill, in_ranges_of, on_both

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.embedded import Server
    from tests.checks.across.between import TwoDatabases


@pytest.fixture
def two(pg_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwoDatabases]:
    hurry(monkeypatch)
    monkeypatch.setattr("pgvigil_checks.across.walk.LEAF_KEYS", 20)
    monkeypatch.setattr("pgvigil_checks.across.walk.MOST_FETCHED", 200)
    monkeypatch.setattr("pgvigil_checks.across.walk._MOST_FIRST_BITS", 6)
    monkeypatch.setattr("pgvigil_checks.across.moving.MOST_KEYS", 200)
    monkeypatch.setattr("pgvigil_checks.across.moving._AT_ONCE", 100)
    with two_databases(pg_server, pg_server) as databases:
        yield databases


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For each question, how many rows the sides answered with at the most."""
    seen: list[int] = []
    ask = Both.ask

    def counting(both: Both, *queries: Any) -> Any:
        answers = ask(both, *queries)
        seen.append(max((len(rows) for side in answers for rows in side), default=0))
        return answers

    monkeypatch.setattr(Both, "ask", counting)
    return seen


def filled_without_index(two: TwoDatabases, rows: int) -> None:
    fill(two, rows)
    on_both(two, "ALTER TABLE g DROP CONSTRAINT g_pkey", "ANALYZE g")


def questions(two: TwoDatabases, asked: list[int]) -> int:
    asked.clear()
    two.compare(PAIR)
    return len(asked)


def test_along_an_index_questions_grow_with_what_differs_and_no_faster(
    two: TwoDatabases, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_ranges_of(500, monkeypatch)
    two.chunk_seconds = None
    counts = []
    for rows in (1000, 2000):
        on_both(two, "DROP TABLE IF EXISTS g")
        fill(two, rows)
        same = questions(two, asked)
        execute(two.right, "UPDATE g SET score = score + 1")
        run = two.compare(PAIR)
        assert run.measures["changed"] == rows
        counts.append(questions(two, asked) - same)
    assert counts[1] <= 2.2 * counts[0]


def test_without_an_index_it_ends_with_a_reason(
    two: TwoDatabases, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil_checks.across.walk.MOST_READ", 60)
    filled_without_index(two, 8000)
    execute(two.right, "UPDATE g SET score = score + 1 WHERE id <= 200")
    few = two.compare(PAIR)
    assert (few.outcome, few.measures["changed"]) == (Outcome.FAIL, 200), few.error
    execute(two.right, "UPDATE g SET score = score + 1")
    asked.clear()
    run = two.compare(PAIR)
    assert run.outcome is Outcome.SKIPPED
    assert "too many rows differ" in (run.error or "")
    assert "`ignore`" in (run.error or "")
    assert max(asked) <= 200


def test_what_differs_here_and_there_is_narrowed_down_before_keys_are_fetched(
    two: TwoDatabases, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgvigil_checks.across.walk._SMALL_LEAF", 4)
    filled_without_index(two, 8000)
    execute(two.right, "UPDATE g SET score = score + 1 WHERE id % 400 = 0")
    asked.clear()
    run = two.compare(PAIR)
    assert run.measures["changed"] == 20
    # Of 8,000 keys, 200 at a time.
    assert len(asked) < 30


def test_hot_keys_are_not_taken_for_keys_that_wait(
    two: TwoDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When all waiting is over, the rest is decided at once; what both sides go on writing has its time."""
    monkeypatch.setattr("pgvigil_checks.across.moving._MOST_WAITING", 0.0)
    monkeypatch.setattr("pgvigil_checks.across.moving.WAITS", (30.0, 30.0))
    fill(two, 10)
    execute(two.right, "UPDATE g SET score = score + 1")
    settle = Moving.settle

    def settling(moving: Moving) -> None:
        key = next(iter(moving._keys))
        moving._hot[key] = moving._keys.pop(key)
        settle(moving)

    monkeypatch.setattr(Moving, "settle", settling)
    assert two.compare(PAIR).measures["changed"] == 10


def test_a_run_begins_anew_when_another_partition_is_there(
    two: TwoDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_ranges_of(500, monkeypatch)
    execute(two.left, "CREATE TABLE g AS SELECT n::bigint AS id FROM generate_series(1, 5000) AS n")
    execute(two.left, "ALTER TABLE g ADD PRIMARY KEY (id)", "ANALYZE g")
    execute(
        two.right,
        "CREATE TABLE g (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE g_1 PARTITION OF g FOR VALUES FROM (0) TO (1000)",
        "CREATE TABLE g_2 PARTITION OF g FOR VALUES FROM (1000) TO (10000)",
        "INSERT INTO g SELECT generate_series(1, 5000)",
        "ANALYZE g",
    )
    state = broken_off(two)
    went_on = two.compare(PAIR, resumed=state)
    assert went_on.outcome is Outcome.PASS
    execute(
        two.right,
        "CREATE TABLE g_3 (LIKE g INCLUDING ALL)",
        "INSERT INTO g_3 SELECT * FROM g_1 WHERE id <> 7",
        "ALTER TABLE g DETACH PARTITION g_1",
        "ALTER TABLE g ATTACH PARTITION g_3 FOR VALUES FROM (0) TO (1000)",
    )
    run = two.compare(PAIR, resumed=state)
    assert run.measures["left_only"] == 1
