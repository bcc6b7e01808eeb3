"""Under the role every installed check sees what it sees as a superuser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.assembly import build_watch
from pgvigil.catalog import Scope
from pgvigil.config import Config
from pgvigil.grants import grants
from pgvigil.once import check_once
from pgvigil.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from pgvigil.catalog import Catalog
    from pgvigil.once import Report

TABLES = """
    CREATE SCHEMA curated;
    CREATE SCHEMA hidden;
    CREATE DOMAIN hidden.code AS text;
    CREATE TABLE hidden.regions (code hidden.code, n int, PRIMARY KEY (code, n));
    CREATE TABLE curated.games (id int PRIMARY KEY, code hidden.code, n int, title text,
        FOREIGN KEY (code, n) REFERENCES hidden.regions MATCH FULL);
    CREATE TABLE curated.games_copy (id int PRIMARY KEY, title text);
    CREATE TABLE curated.events (id int, game_id int REFERENCES curated.games) PARTITION BY HASH (id);
    CREATE TABLE curated.events_0 PARTITION OF curated.events FOR VALUES WITH (modulus 1, remainder 0);
    INSERT INTO hidden.regions VALUES ('x', 1);
    INSERT INTO curated.games VALUES (1, 'x', 1, 'one'), (2, NULL, NULL, 'two');
    INSERT INTO curated.games_copy VALUES (1, 'one'), (2, 'zwei'), (3, 'drei');
    INSERT INTO curated.events VALUES (1, 1), (2, 2);
    SET session_replication_role = replica;
    DELETE FROM curated.games WHERE id = 2;
    UPDATE curated.games SET n = 7;
    RESET session_replication_role;
    ALTER TABLE curated.games_copy ENABLE ROW LEVEL SECURITY;
"""
CITEXT = """
    CREATE EXTENSION citext SCHEMA hidden;
    CREATE TABLE curated.tags (tag hidden.citext PRIMARY KEY);
    CREATE TABLE curated.tagged (tag hidden.citext REFERENCES curated.tags);
    INSERT INTO curated.tags VALUES ('A');
    INSERT INTO curated.tagged VALUES ('a');
"""
WATCHED = Scope(exclude=("hidden",))
CHECKS = {
    "orphan_rows": {"relations": ["curated.games_copy(id) -> curated.games(id)"]},
    "table_drift": {"pairs": [{"left": "curated.games", "right": "curated.games_copy", "key": {"id": "id"}}]},
}


def swept(dsn: str) -> Report:
    settings = {
        "dsn": dsn,
        "schemas": {"exclude": list(WATCHED.exclude)},
        "budget": {"duty_cycle": 1},
        "checks": CHECKS,
    }
    config = Config.model_validate({"targets": {"t": settings}})
    watch = build_watch(config, "t", Registry.load())
    try:
        return check_once(watch)
    finally:
        watch.stop()
        watch.target.close()


def judged(report: Report) -> list[tuple[object, ...]]:
    return sorted((run.check, run.subject, run.outcome, run.error, run.findings) for run in report.runs)


@pytest.mark.every_pg
def test_checks_judge_alike(
    admin_conn: psycopg.Connection,
    database: str,
    role: str,
    login: Callable[[str], str],
    catalog_of: Callable[..., Catalog],
) -> None:
    admin_conn.execute(TABLES)
    admin_conn.execute(grants(role, catalog_of(database, WATCHED)))
    as_superuser, as_role = swept(database), swept(login(role))
    assert judged(as_role) == judged(as_superuser)
    assert as_role.coverage()["unknown"] == 0
    assert {run.check for run, _ in as_role.findings} >= {"orphan_rows", "table_drift"}


@pytest.mark.contrib
def test_operators_of_an_extension_in_a_schema_of_its_own_can_be_used(
    admin_conn: psycopg.Connection,
    database: str,
    role: str,
    login: Callable[[str], str],
    catalog_of: Callable[..., Catalog],
) -> None:
    admin_conn.execute(TABLES)
    admin_conn.execute(CITEXT)
    admin_conn.execute(grants(role, catalog_of(database, WATCHED)))
    as_role = swept(login(role))
    assert judged(as_role) == judged(swept(database))
    assert as_role.coverage()["unknown"] == 0
