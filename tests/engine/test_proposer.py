"""The daemon proposes what nobody declared, and never more than that."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from structlog.testing import capture_logs

from pgvigil.adoption import with_adopted
from pgvigil.assembly import build_watch
from pgvigil.config import Config
from pgvigil.config.origin import Origin
from pgvigil.proposal import Offer
from pgvigil.proposer import Proposer
from pgvigil.registry import Registry
from pgvigil.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SALES = "shop.sales(customer_id) -> shop.customers(id)"
GIVEN = """
    CREATE SCHEMA shop; CREATE SCHEMA old;
    CREATE TABLE shop.customers (id int PRIMARY KEY, name text, mail text);
    INSERT INTO shop.customers
        SELECT n, 'customer ' || n, n || '@example.org' FROM generate_series(1, 500) AS n;
    CREATE TABLE shop.sales (id int PRIMARY KEY, customer_id int NOT NULL, amount numeric);
    INSERT INTO shop.sales SELECT n, 1 + n % 500, n / 7.0 FROM generate_series(1, 2000) AS n;
    CREATE TABLE old.customers (id int PRIMARY KEY, name text, mail text);
    INSERT INTO old.customers SELECT * FROM shop.customers WHERE id < 490;
    ANALYZE;
"""


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2031, 5, 6, 3, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def passes(self, **of: float) -> None:
        self.time += timedelta(**of)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


@pytest.fixture
def given(database: str, admin_conn: psycopg.Connection) -> str:
    admin_conn.execute(GIVEN)
    return database


@pytest.fixture
def proposer_of(
    given: str, store: Store, registry: Registry, clock: Clock
) -> Iterator[Callable[..., Proposer]]:
    """`proposer_of(**checks)`: one for a configuration with these settings of checks."""
    with ExitStack() as stack:

        def make(**checks: Any) -> Proposer:
            settings = {"dsn": given, "budget": {"duty_cycle": 1.0}, "checks": checks}
            config = Config.read({"targets": {"main": settings}}, Origin())
            adopted = store.proposals.adopted().get("main", ())
            watch = build_watch(with_adopted(config, "main", adopted, registry), "main", registry)
            stack.callback(watch.target.close)
            return Proposer(watch, config.targets["main"], store, clock)

        yield make


@pytest.fixture
def proposer(proposer_of: Callable[..., Proposer]) -> Proposer:
    return proposer_of()


def states(store: Store) -> dict[str, str]:
    return {one.subject: one.state.value for one in store.proposals.all()}


@pytest.mark.every_pg
def test_relations_and_pairs_are_proposed_with_their_evidence(
    proposer: Proposer, store: Store, registry: Registry, given: str, clock: Clock
) -> None:
    proposer.propose()
    found = {one.subject: one for one in store.proposals.all()}
    assert found[SALES].probability > 0.5
    assert found[SALES].evidence
    (pair,) = (one for one in found.values() if one.kind == "pair")
    assert set(pair.subject.split(" <> ")) == {"shop.customers", "old.customers"}
    assert proposer.busy_seconds > 0
    # What is proposed can be adopted as it is.
    for one in found.values():
        store.proposals.adopt(one.id, who="anna", at=clock.now())
    config, adopted = Config.from_dsn(given, "main"), store.proposals.adopted()["main"]
    checks = registry.bind(with_adopted(config, "main", adopted, registry), "main")
    assert len(checks["table_drift"].params.pairs) == 1
    assert SALES in map(str, checks["orphan_rows"].params.relations)


def test_what_was_decided_is_left_alone(
    proposer: Proposer, proposer_of: Callable[..., Proposer], store: Store, clock: Clock
) -> None:
    proposer.propose()
    (pair,) = (one for one in store.proposals.all() if one.kind == "pair")
    store.proposals.reject(pair.id, who="anna", at=clock.now())
    (sales,) = (one for one in store.proposals.all() if one.subject == SALES)
    store.proposals.adopt(sales.id, who="anna", at=clock.now())
    before = states(store)
    proposer_of().propose()
    assert states(store) == before
    assert (before[SALES], before[pair.subject]) == ("adopted", "rejected")


def test_what_is_declared_or_configured_by_now_is_superseded(
    proposer: Proposer,
    proposer_of: Callable[..., Proposer],
    store: Store,
    admin_conn: psycopg.Connection,
) -> None:
    proposer.propose()
    (pair,) = (one for one in store.proposals.all() if one.kind == "pair")
    admin_conn.execute("ALTER TABLE shop.sales ADD FOREIGN KEY (customer_id) REFERENCES shop.customers")
    drift = {"pairs": [{"left": "old.customers", "right": "shop.customers"}]}
    proposer_of(table_drift=drift).propose()
    assert (states(store)[SALES], states(store)[pair.subject]) == ("superseded", "superseded")


def test_it_looks_once_a_day_and_after_the_schema_changed(
    proposer: Proposer, store: Store, clock: Clock
) -> None:
    def due() -> bool:
        return proposer.is_due()

    assert not due()
    clock.passes(minutes=1)
    assert due()
    proposer._look()
    assert not due()
    clock.passes(hours=23)
    assert not due()
    store.sync_subjects("main", "tables", ["shop.sales"], clock.now(), 60)
    assert due()
    proposer._look()
    store.sync_subjects("main", "tables", ["shop.sales", "shop.new"], clock.now(), 60)
    assert not due()
    clock.passes(minutes=10)
    assert due()
    proposer._look()
    store.sync_subjects("other", "tables", ["shop.sales"], clock.now(), 60)
    clock.passes(hours=23)
    assert not due()
    clock.passes(hours=1)
    assert due()


def test_a_look_that_failed_is_told_and_tried_again_within_minutes(
    proposer: Proposer, store: Store, clock: Clock, given: str
) -> None:
    clock.passes(minutes=1)
    with psycopg.connect(given) as holder:
        holder.execute("LOCK TABLE pg_catalog.pg_statistic IN ACCESS EXCLUSIVE MODE")
        with capture_logs() as logged:
            proposer._look()
    assert [one["log_level"] for one in logged if one["event"] == "nothing was proposed"] == ["warning"]
    assert "lock" in store.proposals.failures()["main"]
    assert not proposer.is_due()
    clock.passes(minutes=6)
    assert proposer.is_due()
    proposer._look()
    assert store.proposals.failures() == {}
    assert SALES in states(store)


def test_a_target_that_does_not_answer_is_asked_again_later(
    proposer: Proposer, store: Store, clock: Clock
) -> None:
    proposer._watch.target.close()
    clock.passes(minutes=1)
    with pytest.raises(Exception, match="stopping"):
        proposer.propose()
    assert store.proposals.all() == []


@pytest.mark.parametrize(
    "rename",
    [
        "ALTER TABLE shop.sales RENAME TO orders; ALTER SCHEMA shop RENAME TO market",
        "ALTER TABLE shop.sales RENAME customer_id TO customers_id",
    ],
)
def test_what_was_rejected_is_not_proposed_again_under_another_name(
    proposer: Proposer, store: Store, admin_conn: psycopg.Connection, clock: Clock, rename: str
) -> None:
    proposer.propose()
    for one in store.proposals.all():
        store.proposals.reject(one.id, who="anna", at=clock.now(), why="chance")
    count = len(states(store))
    admin_conn.execute(rename)
    proposer.propose()
    found = store.proposals.all()
    assert SALES not in states(store)
    assert {one.state.value for one in found} == {"rejected"}
    assert {one.why for one in found} == {"chance"}
    assert len(found) == count
    # The id is that of the new name: whoever asks by name finds the decision.
    assert all(
        Offer(kind=one.kind, subject=one.subject, settings=None).id_on("main") == one.id for one in found
    )


def test_what_was_rejected_keeps_its_name_where_the_name_is_another_table_now(
    proposer: Proposer, store: Store, admin_conn: psycopg.Connection, clock: Clock
) -> None:
    proposer.propose()
    (rejected,) = (one for one in store.proposals.all() if one.subject == SALES)
    store.proposals.reject(rejected.id, who="anna", at=clock.now())
    admin_conn.execute(
        "CREATE TABLE shop.made AS TABLE shop.sales; ALTER TABLE shop.sales RENAME TO gone;"
        "ALTER TABLE shop.made RENAME TO sales; DROP TABLE shop.gone"
    )
    proposer.propose()
    admin_conn.execute("ALTER TABLE shop.sales RENAME TO orders")
    proposer.propose()
    assert states(store)["shop.orders(customer_id) -> shop.customers(id)"] == "rejected"
