"""The change gate as it is configured: by default, and passed by whoever asks."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.clock import SystemClock
from pgvigil.config import Config
from pgvigil.config.origin import Origin
from pgvigil.metrics import Counters
from pgvigil.registry import Registry
from pgvigil.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.store import Store

RELATION = "public.child(ref) -> public.parent(id)"


@pytest.fixture
def shop(quiet: str) -> str:
    with psycopg.connect(quiet, autocommit=True) as conn:
        conn.execute(
            "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (ref int REFERENCES parent)"
        )
        conn.execute("INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1)")
        conn.execute("VACUUM ANALYZE")
    return quiet


@contextmanager
def watched(store: Store, dsn: str, **settings: Any) -> Iterator[tuple[Watching, Callable[[], int]]]:
    """Watch every second; also return what counts the runs of the relation."""
    target = {"dsn": dsn, "every": "1s", "budget": {"duty_cycle": 1.0}, **settings}
    watching = Watching(store, Registry.load(), Counters(), SystemClock())
    watching.follow(Config.read({"targets": {"shop": target}}, Origin()))

    def runs() -> int:
        return sum(one.run.check == "orphan_rows" for one in store.runs())

    try:
        yield watching, runs
    finally:
        watching.stop()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def finished(store: Store) -> Any:
    status = store.view().subjects.get(("shop", "orphan_rows", RELATION))
    return status.finished_at if status else None


def test_by_default_an_idle_database_is_confirmed_until_somebody_asks(store: Store, shop: str) -> None:
    with watched(store, shop) as (watching, runs):
        until(lambda: runs() > 0)

        def at_rest() -> bool:
            """Whether a subject became fresher without a run."""
            before, count = finished(store), runs()
            until(lambda: finished(store) != before)
            return runs() == count

        until(at_rest)
        count = runs()
        assert watching.examine("shop", "orphan_rows") == ["orphan_rows"]
        until(lambda: runs() > count)


def test_with_the_gate_switched_off_every_tick_makes_a_run(store: Store, shop: str) -> None:
    with watched(store, shop, changes="none") as (_, runs):
        until(lambda: runs() >= 4)
