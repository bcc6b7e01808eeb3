"""What a broken-off run leaves is found by the next one, for as long as it is about the same tables."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.check import Discovery, Examined, Skipped, Subject
from pgvigil.runner import RunLimits, Runner
from tests.engine.gated import Content, GatedWorld
from tests.schedule.test_scheduler import HandClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.catalog import Catalog
    from pgvigil.check import Context, Verdict
    from pgvigil.store import Note, Store

NAME = "public.t"


class Walk(Content):
    """Comes to as many checkpoints as it is told, six seconds apart, and breaks off or not."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__()
        self.clock = clock
        self.checkpoints = 0
        self.seconds = 6.0
        self.completes = False
        self.given: list[tuple[Any, Any]] = []

    def discover(self, catalog: Catalog) -> Discovery:
        return Discovery(tuple(self.subject(table) for table in catalog.named("t")))

    def run(self, context: Context, subject: Subject) -> Verdict:
        self.given.append((dict(context.memory), dict(context.resumed)))
        for number in range(1, self.checkpoints + 1):
            self.clock.pass_(timedelta(seconds=self.seconds))
            context.checkpoint({"at": number}, number / 10)
        return Examined(memory={"known": True}) if self.completes else Skipped("broken off")


class Walking:
    """A world with such a check."""

    def __init__(self, store: Store, dsn: str) -> None:
        self.clock = HandClock()
        self.check = Walk(self.clock)
        self.store = store
        self.world = GatedWorld(store, dsn, self.check, clock=self.clock)
        watch = self.world.watches[0]
        runner = Runner(watch.target, RunLimits(chunk_seconds=0.02), self.clock)
        self.world.engine.watches["main"] = replace(watch, runner=runner)

    def walk(self, checkpoints: int, *, completes: bool = False, seconds: float = 6.0) -> tuple[Any, Any]:
        """Let it run once; return the memory and the resumed state that it was given."""
        self.check.checkpoints, self.check.completes, self.check.seconds = checkpoints, completes, seconds
        self.world.engine.ask("main", "content")
        self.world.tick("content")
        return self.check.given[-1]

    def note(self) -> Note | None:
        return self.store.notes("main", "content").get(NAME)


@pytest.fixture
def walking(store: Store, quiet: str) -> Iterator[Walking]:
    with psycopg.connect(quiet) as conn:
        conn.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    walking = Walking(store, quiet)
    with closing(walking.world):
        yield walking


def test_a_run_goes_on_where_one_was_broken_off_and_remembers_what_one_completed(walking: Walking) -> None:
    assert walking.walk(3) == ({}, {})
    assert walking.walk(2) == ({}, {"at": 3})
    note = walking.note()
    assert note is not None
    assert note.done == 0.2
    assert walking.walk(1, completes=True) == ({}, {"at": 2})
    assert walking.walk(0) == ({"known": True}, {})


def test_a_state_is_written_down_now_and_then_only(walking: Walking) -> None:
    walking.walk(4, seconds=1.0)
    assert walking.note() is None
    walking.walk(9, seconds=1.0)
    note = walking.note()
    assert note is not None
    assert note.done == 0.5


def test_what_is_older_than_a_day_is_not_gone_on_with(walking: Walking) -> None:
    walking.walk(3)
    walking.clock.pass_(timedelta(hours=25))
    assert walking.walk(0) == ({}, {})


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE t ALTER id TYPE bigint",
        "VACUUM FULL t",
        "TRUNCATE t",
        "ALTER TABLE t ADD other int",
        "DROP TABLE t; CREATE TABLE t (id int)",
        "CREATE TABLE heir () INHERITS (t)",
    ],
)
def test_of_tables_that_are_not_the_same_any_more_nothing_is_gone_on_with(
    walking: Walking, quiet: str, change: str
) -> None:
    walking.walk(3)
    with psycopg.connect(quiet, autocommit=True) as conn:
        for statement in change.split("; "):
            conn.execute(statement)
    assert walking.walk(0) == ({}, {})


def test_rows_that_come_and_go_are_no_reason_to_begin_anew(walking: Walking, quiet: str) -> None:
    walking.walk(3)
    with psycopg.connect(quiet, autocommit=True) as conn:
        conn.execute("INSERT INTO t VALUES (2)")
    assert walking.walk(0) == ({}, {"at": 3})
