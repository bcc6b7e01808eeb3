"""What a person adopted is examined as if it were configured."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pgvigil.adoption import complaining, with_adopted
from pgvigil.clock import SystemClock
from pgvigil.config import Config
from pgvigil.config.origin import Origin
from pgvigil.errors import TargetError
from pgvigil.metrics import Counters
from pgvigil.proposal import Kind, Offer, Proposal
from pgvigil.registry import Registry
from pgvigil.store import Store
from pgvigil.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SALES = "public.sales(game_id) -> public.games(id)"
PAIR = "public.games <> public.plays"
PAIR_SETTINGS = {"left": "public.games", "right": "public.plays", "key": {"id": "id"}, "columns": {"t": "t"}}
NOW = datetime(2031, 5, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


def config_of(dsn: str, **checks: Any) -> Config:
    return Config.read({"targets": {"main": {"dsn": dsn, "every": "1h", "checks": checks}}}, Origin())


def offer(subject: str, settings: Any = None) -> Offer:
    kind = Kind.PAIR if " <> " in subject else Kind.RELATION
    return Offer(kind=kind, subject=subject, settings=settings or subject, probability=0.9)


def adopt(store: Store, *offers: Offer) -> list[Proposal]:
    store.proposals.propose("main", offers, source="inference", at=NOW)
    proposed = [one for one in store.proposals.all() if one.decision is None]
    return [store.proposals.adopt(one.id, who="anna", at=NOW) for one in proposed]


@pytest.fixture
def watching(
    database: str, admin_conn: psycopg.Connection, store: Store, registry: Registry
) -> Iterator[Watching]:
    admin_conn.execute("""
        CREATE TABLE games (id int PRIMARY KEY, t text); INSERT INTO games VALUES (1, 'a'), (2, 'b');
        CREATE TABLE plays (id int PRIMARY KEY, t text); INSERT INTO plays VALUES (1, 'a');
        CREATE TABLE sales (id int PRIMARY KEY, game_id int); INSERT INTO sales VALUES (1, 7);
    """)
    watching = Watching(store, registry, Counters(), SystemClock())
    watching.follow(config_of(database))
    yield watching
    watching.stop()


def test_what_there_is_is_read_where_the_daemon_watches(watching: Watching) -> None:
    assert {str(table) for table in watching.catalog("main").tables} == {
        "public.games",
        "public.plays",
        "public.sales",
    }
    with pytest.raises(TargetError, match="target mian: is not watched"):
        watching.catalog("mian")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def states(store: Store) -> dict[str, str]:
    return {key[2]: one.state.value for key, one in store.view().subjects.items() if key[2] in (SALES, PAIR)}


@pytest.mark.every_pg
def test_what_is_adopted_is_examined_and_what_is_rejected_no_longer(store: Store, watching: Watching) -> None:
    adopted = adopt(store, offer(SALES), offer(PAIR, PAIR_SETTINGS))
    watching.follow_adoptions()
    until(lambda: states(store) == {SALES: "failed", PAIR: "failed"})
    for one in adopted:
        store.proposals.reject(one.id, who="bob", at=NOW)
    watching.follow_adoptions()
    # The last subjects of a check are believed to be gone at the second look.
    until(lambda: bool(watching.examine("main", None)) and states(store) == {})


def test_what_is_adopted_is_examined_after_a_restart(
    store: Store, watching: Watching, database: str, registry: Registry
) -> None:
    watching.stop()
    adopt(store, offer(SALES))
    again = Watching(store, registry, Counters(), SystemClock())
    try:
        again.follow(config_of(database))
        again.examine("main", "orphan_rows")
        until(lambda: states(store) == {SALES: "failed"})
    finally:
        again.stop()


def test_what_does_not_change_disturbs_nobody(store: Store, watching: Watching) -> None:
    before = watching.next_due
    watching.follow_adoptions()
    assert watching.next_due == before


def test_what_is_adopted_follows_what_is_configured(store: Store, registry: Registry, database: str) -> None:
    adopted = adopt(
        store, offer(SALES), offer("public.a <> public.b", {"left": "public.a", "right": "public.b"})
    )
    config = config_of(
        database,
        orphan_rows={"relations": ["a.b(c) -> d.e(f)"], "every": "5m"},
        table_drift={"pairs": [{"left": "public.b", "right": "public.a"}]},
    )
    checks = registry.bind(with_adopted(config, "main", adopted, registry), "main")
    assert [str(one) for one in checks["orphan_rows"].params.relations] == ["a.b(c) -> d.e(f)", SALES]
    # The same pair, the other way round.
    assert len(checks["table_drift"].params.pairs) == 1
    assert with_adopted(config, "main", [], registry) == config


def test_what_no_check_takes_is_left_out(store: Store, registry: Registry, database: str) -> None:
    adopted = adopt(store, offer(SALES), offer(PAIR, {"left": "public.games", "colour": "red"}))
    checks = registry.bind(with_adopted(config_of(database), "main", adopted, registry), "main")
    assert [str(one) for one in checks["orphan_rows"].params.relations] == [SALES]
    assert checks["table_drift"].params.pairs == ()


def test_an_adopted_relation_that_no_longer_fits_says_how_to_be_rid_of_it(
    store: Store, registry: Registry, database: str
) -> None:
    adopted = adopt(store, offer(SALES))
    config = config_of(database, orphan_rows={"relations": ["a.b(c) -> d.e(f)"]})
    complain = complaining(config.error_at, config, adopted)
    path = ("targets", "main", "checks", "orphan_rows", "relations")
    assert str(complain((*path, 0), "no table")) == "targets.main.checks.orphan_rows.relations[0]: no table"
    told = str(complain((*path, 1), "no table"))
    assert told == f"adopted {SALES}: no table; `pgvigil proposals reject {adopted[0].id}`"
    assert "adopted" not in str(complain((*path, 2), "no table"))
