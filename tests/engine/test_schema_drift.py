"""The daemon watches a schema, and takes a person's word for what is right."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from pgvigil.catalog import quote
from pgvigil.errors import UsageError
from pgvigil.store import Deployment
from pgvigil_checks.schema_drift import SchemaDrift, SchemaDriftParams
from tests.engine.world import World, watch_of

if TYPE_CHECKING:
    from collections.abc import Callable

CHECK = "schema_drift"


@pytest.fixture
def world(database: str, admin_conn: psycopg.Connection, world_of: Callable[..., World]) -> World:
    admin_conn.execute("CREATE SCHEMA shop; CREATE TABLE shop.games (id int PRIMARY KEY); CREATE TABLE t ()")
    world = world_of(watch_of(database, SchemaDrift(SchemaDriftParams())))  # type: ignore[arg-type]
    world.tick(CHECK)
    return world


def incidents(world: World) -> list[tuple[str, str, str, str]]:
    return [
        (one.subject, one.code, one.severity.value, one.state.value)
        for one in world.store.view().incidents.values()
    ]


@pytest.mark.every_pg
def test_a_change_is_an_incident_until_it_is_accepted(world: World, admin_conn: psycopg.Connection) -> None:
    assert world.states(CHECK) == {"all schemas": "passed", "public": "passed", "shop": "passed"}
    admin_conn.execute("DROP TABLE shop.games")
    world.tick(CHECK)
    world.tick(CHECK)
    assert incidents(world) == [("shop", "lost", "critical", "open")]
    world.store.acceptances.accept(("main", CHECK, "shop"), who="anna", at=datetime.now(UTC))
    world.tick(CHECK)
    assert incidents(world) == []
    assert set(world.states(CHECK).values()) == {"passed"}


def test_a_deployment_announces_what_changes(world: World, admin_conn: psycopg.Connection) -> None:
    world.store.record_deployments([Deployment("main", "7", datetime.now(UTC), "ci")])
    admin_conn.execute("DROP TABLE shop.games; ALTER TABLE t ADD n int; ALTER TABLE t RENAME TO u")
    world.tick(CHECK)
    world.tick(CHECK)
    assert sorted(incidents(world)) == [
        ("public", "changed", "info", "open"),
        ("public", "new", "info", "open"),
        ("shop", "lost", "warning", "open"),
    ]


def test_a_deployment_that_is_marked_when_it_is_done_announces_what_it_changed(
    world: World, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("DROP TABLE shop.games")
    world.tick(CHECK)
    assert incidents(world) == [("shop", "lost", "critical", "suspect")]
    world.store.record_deployments([Deployment("main", "7", datetime.now(UTC), "ci")])
    world.tick(CHECK)
    assert incidents(world) == [("shop", "lost", "warning", "open")]


def test_a_later_deployment_does_not_explain_what_was_lost_before(
    world: World, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("DROP TABLE shop.games")
    for _ in range(4):
        world.tick(CHECK)
    world.store.record_deployments([Deployment("main", "7", datetime.now(UTC), "ci")])
    world.tick(CHECK)
    assert incidents(world) == [("shop", "lost", "critical", "open")]


def test_a_dropped_schema_is_told_of(world: World, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute("DROP SCHEMA shop CASCADE")
    world.tick(CHECK)
    world.tick(CHECK)
    assert incidents(world) == [("all schemas", "schemas_lost", "critical", "open")]


def listed(world: World) -> dict[str, str]:
    return {
        one.subject: "gone" if one.gone else "differs" if one.differs else "the same"
        for one in world.store.acceptances.all("main", CHECK)
    }


def test_a_schema_that_came_after_the_first_look_is_missed_until_its_end_is_accepted(
    world: World, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute('CREATE SCHEMA "Late"; CREATE TABLE "Late".money (id int)')
    world.tick(CHECK)
    assert listed(world)['"Late"'] == "the same"
    admin_conn.execute('DROP SCHEMA "Late" CASCADE')
    world.tick(CHECK)
    world.tick(CHECK)
    assert incidents(world) == [("all schemas", "schemas_lost", "critical", "open")]
    assert listed(world) == {
        '"Late"': "gone",
        "all schemas": "differs",
        "public": "the same",
        "shop": "the same",
    }
    with pytest.raises(UsageError, match="is gone: to take it out, accept all schemas"):
        world.store.acceptances.accept(("main", CHECK, '"Late"'), who="anna", at=datetime.now(UTC))
    world.store.acceptances.accept(("main", CHECK, "all schemas"), who="anna", at=datetime.now(UTC))
    world.tick(CHECK)
    assert incidents(world) == []
    assert listed(world) == {"all schemas": "the same", "public": "the same", "shop": "the same"}


def test_what_was_made_anew_with_the_same_meaning_differs_nowhere(
    world: World, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute("DROP TABLE shop.games; CREATE TABLE shop.games (id int PRIMARY KEY)")
    world.tick(CHECK)
    assert set(world.states(CHECK).values()) == {"passed"}
    assert set(listed(world).values()) == {"the same"}
    admin_conn.execute("ALTER TABLE shop.games ADD title text")
    world.tick(CHECK)
    assert listed(world)["shop"] == "differs"
    admin_conn.execute("ALTER TABLE shop.games DROP title")
    world.tick(CHECK)
    assert listed(world)["shop"] == "the same"


@pytest.mark.parametrize("schema", ["Sales", "it's", "`touch x`", "all schemas", "$(id)", "-x"])
def test_the_command_of_a_remedy_is_safe_to_paste_and_names_the_subject(
    world: World, admin_conn: psycopg.Connection, schema: str
) -> None:
    admin_conn.execute(sql.SQL("CREATE SCHEMA {0}; CREATE TABLE {0}.t ()").format(sql.Identifier(schema)))
    world.tick(CHECK)
    admin_conn.execute(sql.SQL("DROP TABLE {}.t").format(sql.Identifier(schema)))
    world.tick(CHECK)
    remedies = {one.subject: one.finding.remedy for one in world.store.incidents()}
    for subject in ("all schemas", quote(schema)):
        command = remedies[subject].splitlines()[0].partition(": ")[2]
        assert shlex.split(command) == ["pgvigil", "schema", "accept", "--target", "main", subject]
        assert "`" not in command.replace(shlex.quote(subject), "")
