"""Tables are filled as their constraints allow, and the same way every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from evaluation.fill import fill

if TYPE_CHECKING:
    from collections.abc import Callable

GIVEN = """
    CREATE TYPE colour AS ENUM ('red', 'green');
    CREATE TABLE country (code char(2) PRIMARY KEY, name text UNIQUE);
    CREATE TABLE person (
        id serial PRIMARY KEY, country char(2) NOT NULL REFERENCES country, boss_id int REFERENCES person,
        team_id int, colour colour NOT NULL, kind text NOT NULL CHECK (kind IN ('clerk', 'guest')),
        age int NOT NULL CHECK (age >= 18 AND age <= 120), token uuid NOT NULL DEFAULT gen_random_uuid()
    );
    CREATE TABLE team (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lead_id int NOT NULL REFERENCES person
    );
    ALTER TABLE person ADD FOREIGN KEY (team_id) REFERENCES team;
    CREATE TABLE profile (person_id int PRIMARY KEY REFERENCES person, bio varchar(40));
    CREATE TABLE tenant (id varchar(36) PRIMARY KEY);
    CREATE TABLE project (
        tenant_id varchar(36) NOT NULL REFERENCES tenant, number int, PRIMARY KEY (tenant_id, number)
    );
    CREATE TABLE task (
        id uuid PRIMARY KEY, tenant_id varchar(36) NOT NULL REFERENCES tenant, project_number int NOT NULL,
        FOREIGN KEY (tenant_id, project_number) REFERENCES project (tenant_id, number)
    );
    CREATE TABLE event (at timestamptz NOT NULL, person_id int REFERENCES person) PARTITION BY RANGE (at);
    CREATE TABLE event_all PARTITION OF event DEFAULT;
    CREATE TABLE impossible (n int NOT NULL CHECK (n * n = 2));
"""


@pytest.fixture
def make(database_from: Callable[[str, Callable[[str], None]], str]) -> Callable[[], str]:
    def build(dsn: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(GIVEN.encode())

    return lambda: database_from("to_be_filled", build)


def digest(dsn: str, table: str) -> object:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            f"SELECT count(*), md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM {table} AS t".encode()
        ).fetchone()


def test_all_is_filled_but_what_cannot_be(make: Callable[[], str]) -> None:
    filled = fill(make(), "seed")
    assert filled.empty == ("public.impossible",)
    assert filled.tables == 9
    assert filled.rows > 500


def test_keys_that_refer_in_a_circle_or_to_themselves_are_set(make: Callable[[], str]) -> None:
    dsn = make()
    fill(dsn, "seed")
    with psycopg.connect(dsn) as connection:
        counts = connection.execute("SELECT count(boss_id), count(team_id), count(*) FROM person").fetchone()
    assert counts is not None
    boss, team, people = counts
    assert 0 < boss < people
    assert 0 < team < people


def test_the_same_seed_gives_the_same_rows_and_another_one_others(make: Callable[[], str]) -> None:
    one, same, other = make(), make(), make()
    fill(one, "seed")
    fill(same, "seed")
    fill(other, "another")
    assert digest(one, "task") == digest(same, "task") != digest(other, "task")
