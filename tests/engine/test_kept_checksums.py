"""Checksums that are kept from one run to the next: what they spare, and that they hide nothing."""

from __future__ import annotations

import random
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.embedded import serve
from pgvigil.runner import RunLimits, Runner
from pgvigil.store import Store
from pgvigil_checks.across.query import Asked
from tests.checks.across.between import OTHER, check_of, hurry
from tests.databases import fresh_database
from tests.engine.gated import QUIET
from tests.engine.world import World, watch_of
from tests.seeds import seeds
from tests.servers import by_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pgvigil.embedded import Server
    from pgvigil.run import Run
    from pgvigil.watch import Watch
    from pgvigil_checks.across.keys import Scope

NOW = datetime(2031, 1, 1, 12, tzinfo=UTC)
DAY = 86_400.0
ROWS = 3000
PAIR = {"left": "public.g", "right": "public.g", "key": {"id": "id"}}
SIDES = ("left", "right")
BOTH_KEPT = "kept ones of public.g and other:public.g: nothing was written there since they were read"
LEFT_KEPT = "kept ones of public.g: nothing was written there since they were read"
RIGHT_KEPT = "kept ones of other:public.g: nothing was written there since they were read"


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - NOW).total_seconds()


class Between:
    """An engine that compares two databases on two servers, on which nobody else writes."""

    def __init__(self, store: Store, left: str, right: str, pair: Mapping[str, Any] = PAIR) -> None:
        self.clock = HandClock()
        self.store = store
        self.dsns = {"left": left, "right": right}
        self._connections = {
            side: psycopg.connect(dsn, autocommit=True, prepare_threshold=None)
            for side, dsn in self.dsns.items()
        }
        self.follow(pair)

    def follow(self, pair: Mapping[str, Any], full_every: float | None = DAY) -> None:
        """Watch both databases, with these settings from now on."""
        check = check_of(pair)
        self._watches = [
            self._watch(self.dsns["left"], check, "main", full_every),
            self._watch(self.dsns["right"], None, OTHER, full_every),
        ]
        self.world = World(self.store, self._watches, self.clock)

    def _watch(self, dsn: str, check: Any, name: str, full_every: float | None) -> Watch:
        watch = watch_of(dsn, *([check] if check else []), name=name, clock=self.clock)
        runner = Runner(watch.target, RunLimits(20, chunk_seconds=0.02), self.clock)
        return replace(watch, runner=runner, full_every=full_every)

    def execute(self, side: str, *statements: str) -> None:
        for statement in statements:
            self._connections[side].execute(statement.encode())

    def on_both(self, *statements: str) -> None:
        for side in SIDES:
            self.execute(side, *statements)

    def fill(self, rows: int = ROWS) -> None:
        self.on_both(
            "CREATE TABLE g (id bigint PRIMARY KEY, name text)",
            f"INSERT INTO g SELECT n, 'game ' || n FROM generate_series(1, {rows}) AS n",
            "VACUUM (FREEZE, ANALYZE) g",
        )

    def rows(self, side: str) -> list[tuple[Any, ...]]:
        return self._connections[side].execute("SELECT id, name FROM g").fetchall()

    def tick(self) -> Run:
        """Look, and return the run."""
        self.world.tick("table_drift")
        return max(self.store.runs(), key=lambda stored: stored.id).run

    def ask(self) -> Run:
        """Look as somebody does who wants to know."""
        self.world.engine.ask("main", "table_drift")
        return self.tick()

    def reconnect(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections = {
            side: psycopg.connect(dsn, autocommit=True, prepare_threshold=None)
            for side, dsn in self.dsns.items()
        }

    def close(self) -> None:
        self.world.close()
        for connection in self._connections.values():
            connection.close()


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Server, Server]]:
    """The oldest version on the left, the newest on the right."""
    versions = by_version()
    with (
        serve(bindir=versions[min(versions)].bindir, settings=QUIET) as left,
        serve(bindir=versions[max(versions)].bindir, settings=QUIET) as right,
    ):
        yield left, right


@pytest.fixture
def between(
    servers: tuple[Server, Server], store: Store, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Between]:
    hurry(monkeypatch)
    monkeypatch.setattr("pgvigil_checks.across.walk.FIRST_ROWS", 500)
    monkeypatch.setattr("pgvigil_checks.across.walk._MOST_RANGE", 500)
    with ExitStack() as stack:
        left, right = (stack.enter_context(fresh_database(server)) for server in servers)
        yield stack.enter_context(closing(Between(store, left, right)))


def how(run: Run) -> tuple[int, str]:
    """Return how many rows a run has read, and what it says of those that it has not."""
    assert run.error is None, run.error
    return run.rows_examined, run.explain.partition("; ")[2]


def test_where_nothing_was_written_nothing_is_read_again(between: Between) -> None:
    between.fill()
    assert how(between.tick()) == (2 * ROWS, "")
    run = between.tick()
    assert (run.outcome, *how(run)) == ("pass", 0, BOTH_KEPT)
    assert run.measures == {"left_only": 0, "right_only": 0, "changed": 0, "budget_rows": 0}


@pytest.mark.parametrize(("side", "kept"), [("left", RIGHT_KEPT), ("right", LEFT_KEPT)])
def test_of_two_sides_only_the_one_that_was_written_to_is_read(
    between: Between, side: str, kept: str
) -> None:
    between.fill()
    between.tick()
    between.execute(side, "CREATE TABLE other ()")
    run = between.tick()
    assert (run.outcome, *how(run)) == ("pass", ROWS, kept)
    # What was read counts as well as what was kept.
    assert how(between.tick()) == (0, BOTH_KEPT)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("statement", "measure"),
    [
        ("UPDATE g SET name = 'other' WHERE id = 1234", "changed"),
        ("DELETE FROM g WHERE id = 1", ""),
        (f"DELETE FROM g WHERE id = {ROWS}", ""),
        ("INSERT INTO g VALUES (0, 'first')", "_only"),
        ("INSERT INTO g VALUES (90000, 'last')", "_only"),
    ],
)
def test_what_was_written_is_found_beside_what_is_kept(
    between: Between, side: str, statement: str, measure: str
) -> None:
    between.fill()
    between.tick()
    between.execute(side, statement)
    other = "right" if side == "left" else "left"
    expected = measure if measure == "changed" else f"{side if measure else other}_only"
    for _ in range(2):
        run = between.tick()
        assert (run.outcome, run.measures[expected]) == ("fail", 1)
        assert sum(run.measures.values()) == 1
        assert run.rows_examined < 2 * ROWS
    between.execute(other, statement)
    for _ in range(2):
        assert between.tick().outcome == "pass"


def test_whoever_asks_gets_all_of_it_read(between: Between) -> None:
    between.fill()
    between.tick()
    assert how(between.tick()) == (0, BOTH_KEPT)
    assert how(between.ask()) == (2 * ROWS, "")


def test_after_a_run_that_could_not_be_completed_all_of_it_is_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asked has found a page that is damaged: what was kept from before would hide it again."""
    hurry(monkeypatch)
    newest = by_version()[max(by_version())]
    with (
        serve(bindir=newest.bindir, settings={**QUIET, "shared_buffers": "1MB"}) as server,
        fresh_database(server) as left,
        fresh_database(server) as right,
        closing(Between(store, left, right)) as between,
    ):
        between.fill(20 * ROWS)
        between.execute("right", "CHECKPOINT")
        for _ in range(3):
            between.tick()
        damage(server, right)
        assert how(between.tick()) == (0, BOTH_KEPT)
        assert between.ask().outcome == "error"
        assert between.tick().outcome == "error"


def damage(server: Server, dsn: str) -> None:
    """Break a page of a table in its file, which is too large for the server to remember all of it."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute("SELECT pg_relation_filepath('g')").fetchone()
    assert row is not None
    with (server.data_dir / row[0]).open("r+b") as file:
        file.seek(3 * 8192)
        file.write(b"\xff" * 64)


@pytest.mark.parametrize("later", ["at once", "written", "next day", "asked"])
def test_a_run_that_was_broken_off_goes_on_while_what_it_believed_is_believed(
    between: Between, monkeypatch: pytest.MonkeyPatch, later: str
) -> None:
    between.fill()
    between.tick()
    between.execute("right", "UPDATE g SET name = 'other' WHERE id = 2900")
    with monkeypatch.context() as patch:
        patch.setattr("pgvigil.progress._SAVE_SECONDS", 0.0)
        going_on = iter([True] * 7)
        patch.setattr("pgvigil.gate.Gate.for_tick", lambda *_: lambda: next(going_on, False))
        between.world.tick("table_drift")
    (note,) = between.store.notes("main", "table_drift").values()
    assert "low" in note.resumed["state"]  # type: ignore[index,operator]
    if later == "written":
        between.execute("left", "CREATE TABLE other ()")
    elif later == "next day":
        between.clock.at += timedelta(hours=23, minutes=59)
    from_the_start = begun(monkeypatch)
    run = between.ask() if later == "asked" else between.tick()
    assert (run.outcome, run.measures["changed"]) == ("fail", 1)
    assert from_the_start == (set() if later == "at once" else set(SIDES))
    assert (run.rows_examined < 2 * ROWS) == (later == "at once")


def begun(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the sides whose first range is read from now on."""
    sides, sums = set(), Asked.sums

    def noted(asked: Asked, scope: Scope) -> Any:
        if scope.low is None and scope.high is not None:
            sides.add(asked.side)
        return sums(asked, scope)

    monkeypatch.setattr(Asked, "sums", noted)
    return sides


def test_once_a_day_all_of_it_is_read(between: Between) -> None:
    between.fill()
    began, looks = between.clock.at, []
    while between.clock.at - began < timedelta(days=3):
        run = between.tick()
        if run.rows_examined:
            assert how(run)[0] in {ROWS, 2 * ROWS}
            looks.append(between.clock.at)
        between.clock.at += timedelta(hours=1)
    assert looks[0] == began
    assert len(looks) > 3
    assert max(b - a for a, b in pairwise(looks)) <= timedelta(days=1)


@pytest.mark.parametrize("full_every", [None, 0.0])
def test_where_the_gate_is_off_all_of_it_is_read(between: Between, full_every: float | None) -> None:
    between.fill()
    between.follow(PAIR, full_every)
    for _ in range(2):
        assert how(between.tick()) == (2 * ROWS, "")


def test_other_settings_make_other_checksums(between: Between) -> None:
    between.fill()
    between.execute("right", "UPDATE g SET name = 'other' WHERE id = 7")
    assert between.tick().outcome == "fail"
    between.follow({**PAIR, "ignore": ["name"]})
    run = between.tick()
    assert (run.outcome, *how(run)) == ("pass", 2 * ROWS, "")
    between.follow(PAIR)
    run = between.tick()
    assert (run.outcome, *how(run)) == ("fail", 2 * ROWS, "")


def test_a_server_that_was_restarted_is_read_anew(between: Between, servers: tuple[Server, Server]) -> None:
    between.fill()
    between.tick()
    servers[1].restart("fast")
    between.reconnect()
    between.tick()
    run = between.tick()
    assert (run.outcome, run.rows_examined) == ("pass", 0)


def test_what_is_in_no_wal_is_always_read(between: Between) -> None:
    between.fill()
    between.execute("right", "ALTER TABLE g SET UNLOGGED", "VACUUM (FREEZE, ANALYZE) g")
    between.tick()
    for _ in range(2):
        assert how(between.tick()) == (ROWS, LEFT_KEPT)


def test_keys_without_a_common_order_are_kept_as_a_whole(between: Between) -> None:
    between.on_both(
        "CREATE TABLE g (id text, name text)",
        f"INSERT INTO g SELECT n, n FROM generate_series(1, {ROWS}) AS n",
        "INSERT INTO g VALUES (NULL, 'nobody'), (NULL, 'no one')",
        "VACUUM (FREEZE, ANALYZE) g",
    )
    first = between.tick()
    assert (first.strategy, how(first)) == ("checksum_buckets", (2 * ROWS + 4, ""))
    second = between.tick()
    assert how(second) == (0, BOTH_KEPT)
    assert second.findings == first.findings
    between.execute("left", "DELETE FROM g WHERE id = '5'")
    run = between.tick()
    assert (run.outcome, run.measures["right_only"]) == ("fail", 1)


def test_copies_and_rows_without_a_key_are_counted_as_before(between: Between) -> None:
    between.on_both(
        "CREATE TABLE g (id bigint, name text)",
        "CREATE INDEX ON g (id)",
        f"INSERT INTO g SELECT n, n FROM generate_series(1, {ROWS}) AS n",
        "INSERT INTO g VALUES (NULL, 'nobody'), (3, 'again')",
        "VACUUM (FREEZE, ANALYZE) g",
    )
    between.execute("left", "INSERT INTO g VALUES (3, 'and again')", "VACUUM g")
    first, second = between.tick(), between.tick()
    assert how(second) == (0, BOTH_KEPT)
    assert {one.code for one in first.findings} >= {"duplicate_keys", "null_keys"}
    assert second.findings == first.findings


def test_however_much_is_kept_it_stays_small(between: Between, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgvigil_checks.across.walk.FIRST_ROWS", 20)
    monkeypatch.setattr("pgvigil_checks.across.walk._MOST_RANGE", 20)
    monkeypatch.setattr("pgvigil_checks.across.kept.LARGEST", 2000)
    between.fill()
    between.tick()
    note = between.store.notes("main", "table_drift")["public.g <> other:public.g"]
    assert 1000 < len(str(note.memory)) < 4000
    between.execute("right", "UPDATE g SET name = 'other' WHERE id IN (3, 1500)")
    run = between.tick()
    assert (run.outcome, run.measures["changed"]) == ("fail", 2)
    assert ROWS < run.rows_examined < 2 * ROWS


def test_what_differs_everywhere_is_walked_as_if_nothing_were_kept(between: Between) -> None:
    between.fill()
    between.execute("right", "UPDATE g SET name = 'other' WHERE id % 100 = 0")
    for _ in range(2):
        run = between.tick()
        assert (run.measures["changed"], run.rows_examined) == (ROWS / 100, 2 * ROWS)
    note = between.store.notes("main", "table_drift")["public.g <> other:public.g"]
    assert len(note.memory["kept"]["spans"]) == 1  # type: ignore[index,arg-type,call-overload]


WRITES = (
    "INSERT INTO g SELECT n, 'new' FROM generate_series({a}, {a} + {b} % 9) AS n ON CONFLICT DO NOTHING",
    "UPDATE g SET name = name || 'x' WHERE id BETWEEN {a} AND {a} + {b} % 5",
    "UPDATE g SET name = 'same' WHERE id BETWEEN {a} AND {a} + {b}",
    "DELETE FROM g WHERE id BETWEEN {a} AND {a} + {b} % 40",
    "TRUNCATE g",
    "VACUUM g",
    "BEGIN; DELETE FROM g; ROLLBACK",
    "ALTER TABLE g ALTER name TYPE varchar(100)",
    "ALTER TABLE g ALTER name TYPE text",
    "ALTER TABLE g DROP CONSTRAINT g_pkey; ALTER TABLE g ADD PRIMARY KEY (id)",
)


def expected(between: Between) -> dict[str, int]:
    """Count in plain Python."""
    left, right = (dict(between.rows(side)) for side in SIDES)
    return {
        "left_only": len(left.keys() - right.keys()),
        "right_only": len(right.keys() - left.keys()),
        "changed": sum(left[key] != right[key] for key in left.keys() & right.keys()),
        "budget_rows": 0,
    }


@pytest.mark.parametrize("seed", seeds(0, usual=2, slow=6))
def test_after_any_history_what_is_told_is_what_there_is(
    between: Between, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever side was written to, and however much was kept."""
    monkeypatch.setattr("pgvigil_checks.across.walk.FIRST_ROWS", 40)
    monkeypatch.setattr("pgvigil_checks.across.walk._MOST_RANGE", 40)
    dice = random.Random(seed)
    between.fill(400)
    kept = 0
    for _ in range(40):
        for side in SIDES:
            if dice.random() < 0.4:
                statement = dice.choice(WRITES).format(a=dice.randint(-5, 450), b=dice.randint(0, 99))
                between.execute(side, *statement.split("; "))
                if dice.random() < 0.8:
                    other = "right" if side == "left" else "left"
                    between.execute(other, *statement.split("; "))
        if dice.random() < 0.2:
            between.on_both("TRUNCATE g", "INSERT INTO g SELECT n, 'anew' FROM generate_series(1, 400) AS n")
        if dice.random() < 0.1:
            between.ask()
        run = between.tick()
        assert run.error is None, run.error
        assert run.measures == expected(between)
        kept += "kept" in run.explain
    # Else nothing was tried here.
    assert 6 < kept < 40
