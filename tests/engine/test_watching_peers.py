"""A daemon's targets find one another, whichever is watched first, and after their settings change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.clock import SystemClock
from pgvigil.config import Config
from pgvigil.config.origin import Origin
from pgvigil.metrics import Counters
from pgvigil.registry import Registry
from pgvigil.watching import Watching
from tests.databases import fresh_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.embedded import Server
    from pgvigil.store import Store

PAIR = {"left": "public.g", "right": "public.g", "right_target": "warehouse"}
SUBJECT = ("main", "table_drift", "public.g <> warehouse:public.g")


@pytest.fixture
def dsns(pg_server: Server) -> Iterator[tuple[str, str]]:
    with fresh_database(pg_server) as main, fresh_database(pg_server) as warehouse:
        for dsn in (main, warehouse):
            with psycopg.connect(dsn, autocommit=True) as conn:
                conn.execute("CREATE TABLE g (id int PRIMARY KEY); INSERT INTO g VALUES (1), (2)")
        yield main, warehouse


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def config_of(dsns: tuple[str, str], **warehouse: Any) -> Config:
    main = {"dsn": dsns[0], "every": "1s", "checks": {"table_drift": {"pairs": [PAIR]}}}
    settings = {"main": main, "warehouse": {"dsn": dsns[1], "every": "1h", **warehouse}}
    return Config.read({"targets": settings}, Origin())


def test_targets_find_each_other(store: Store, dsns: tuple[str, str]) -> None:
    def outcome() -> str | None:
        status = store.view().subjects.get(SUBJECT)
        return status.outcome if status else None

    def examined_anew() -> bool:
        status = store.view().subjects.get(SUBJECT)
        return status is not None and status.finished_at != before and status.outcome == "pass"

    watching = Watching(store, Registry.load(), Counters(), SystemClock())
    try:
        watching.follow(config_of(dsns))
        until(lambda: outcome() is not None)
        assert outcome() == "pass", store.view().subjects[SUBJECT].error
        # The other target begins anew; who compares with it finds it again.
        before = store.view().subjects[SUBJECT].finished_at
        watching.follow(config_of(dsns, budget={"connections": 1}))
        until(examined_anew)
    finally:
        watching.stop()
