"""The daemon follows what DDL makes of its subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.check import Params
from pgvigil.clock import SystemClock
from pgvigil.metrics import Exposition
from pgvigil_checks.orphan_rows import OrphanRows, OrphanRowsParams
from pgvigil_checks.tables import Tables
from tests.engine.world import World, watch_of

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = "orphan_rows"
FIRST = "shop.sales(game_id) -> shop.games(id)"


@pytest.fixture
def world(database: str, admin_conn: psycopg.Connection, world_of: Callable[..., World]) -> World:
    admin_conn.execute("""
        CREATE SCHEMA shop;
        CREATE TABLE shop.games (id int PRIMARY KEY);
        CREATE TABLE shop.sales (id int PRIMARY KEY, game_id int REFERENCES shop.games);
        SET session_replication_role = replica;
        INSERT INTO shop.sales VALUES (1, 7);
        RESET session_replication_role;
    """)
    checks = OrphanRows(OrphanRowsParams()), Tables(Params())
    world = world_of(watch_of(database, *checks))  # type: ignore[arg-type]
    world.tick(KEYS)
    world.tick("tables")
    assert world.states(KEYS) == {FIRST: "failed"}
    return world


def history(world: World) -> list[tuple[str, str]]:
    """Return what happened to the one incident after it was opened."""
    (incident,) = world.store.incidents()
    found = world.store.incident(incident.id)
    assert found is not None
    return [(event.kind.value, event.text) for event in found.events[1:]]


def series(world: World) -> str:
    return Exposition(world.counters, SystemClock()).text(world.store.view()).decode()


@pytest.mark.every_pg
def test_a_new_foreign_key_is_a_subject_at_the_next_tick(
    world: World, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("CREATE TABLE shop.notes (sale_id int REFERENCES shop.sales)")
    world.tick(KEYS)
    assert world.states(KEYS) == {FIRST: "failed", "shop.notes(sale_id) -> shop.sales(id)": "passed"}


@pytest.mark.every_pg
@pytest.mark.parametrize(
    ("ddl", "why"),
    [
        ("DROP TABLE shop.sales", "table shop.sales was dropped"),
        ("DROP TABLE shop.games CASCADE", "table shop.games was dropped"),
        (
            "ALTER TABLE shop.sales DROP CONSTRAINT sales_game_id_fkey",
            "constraint shop.sales/sales_game_id_fkey was dropped",
        ),
        ("DROP SCHEMA shop CASCADE", "table shop.sales was dropped"),
    ],
)
def test_the_history_says_why_a_subject_and_its_series_are_gone(
    ddl: str, why: str, world: World, admin_conn: psycopg.Connection
) -> None:
    assert FIRST in series(world)
    admin_conn.execute(f"CREATE TABLE a (id int PRIMARY KEY, a int REFERENCES a); {ddl}")
    world.tick(KEYS)
    assert history(world) == [("vanished", why)]
    assert FIRST not in series(world)
    assert world.states(KEYS) == {"public.a(a) -> public.a(id)": "passed"}


@pytest.mark.every_pg
def test_what_is_renamed_goes_on_under_its_new_name(world: World, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(
        "ALTER TABLE shop.games RENAME TO plays; ALTER TABLE shop.sales RENAME game_id TO play"
    )
    world.tick(KEYS)
    world.tick("tables")
    now = "shop.sales(play) -> shop.plays(id)"
    assert world.states(KEYS) == {now: "failed"}
    assert history(world) == [("renamed", f"the subject was {FIRST}")]
    assert world.live() == ["open"]
    assert world.states("tables") == {"shop.plays": "passed", "shop.sales": "passed"}
    assert len([stored for stored in world.store.runs() if stored.run.subject == "shop.plays"]) == 2
    assert FIRST not in series(world)
    assert now in series(world)


def test_a_table_that_moves_to_another_schema_goes_on_there(
    world: World, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("CREATE SCHEMA attic; ALTER TABLE shop.sales SET SCHEMA attic")
    world.tick(KEYS)
    assert world.states(KEYS) == {"attic.sales(game_id) -> shop.games(id)": "failed"}
    assert world.live() == ["open"]


def test_a_table_that_is_no_longer_watched_says_where_it_went(
    world: World, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute(
        "CREATE SCHEMA pgvigil_kept; ALTER TABLE shop.sales SET SCHEMA pgvigil_kept;"
        "CREATE TABLE a (id int PRIMARY KEY, a int REFERENCES a)"
    )
    world.tick(KEYS)
    assert history(world) == [("vanished", "table shop.sales was renamed to pgvigil_kept.sales")]


def test_a_restart_forgets_no_lineage(
    world: World, database: str, admin_conn: psycopg.Connection, world_of: Callable[..., World]
) -> None:
    world.close()
    admin_conn.execute("ALTER TABLE shop.games RENAME TO plays")
    again = world_of(watch_of(database, OrphanRows(OrphanRowsParams())))  # type: ignore[arg-type]
    again.tick(KEYS)
    assert history(again) == [("renamed", f"the subject was {FIRST}")]
