"""What is told of a schema that changed, on real servers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.catalog import SchemaState, compare_schemas
from tests.catalog.conftest import told

if TYPE_CHECKING:
    from tests.catalog.conftest import Look

GIVEN = """
    CREATE SCHEMA shop;
    CREATE TABLE shop.games (
        id int PRIMARY KEY, title text NOT NULL, price numeric CHECK (price > 0), code text UNIQUE
    );
    CREATE TABLE shop.sales (
        id bigint PRIMARY KEY, game_id int, at timestamptz,
        CONSTRAINT sales_game FOREIGN KEY (game_id) REFERENCES shop.games ON DELETE CASCADE
    );
    CREATE UNIQUE INDEX sales_once ON shop.sales (game_id, at);
    CREATE VIEW shop.cheap AS SELECT id FROM shop.games WHERE price < 5;
    CREATE TABLE shop.days (day date) PARTITION BY RANGE (day);
    CREATE TABLE shop.days_1 PARTITION OF shop.days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
"""


@pytest.mark.every_pg
def test_a_state_survives_json_and_equals_itself(look: Look, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(GIVEN)
    state = look()
    assert SchemaState.from_json(json.loads(json.dumps(state.to_json()))) == state
    assert compare_schemas(state, look()) == ()
    assert [table.name for table in state.tables] == ["cheap", "days", "games", "sales"]
    definitions = {one.name: one.definition for table in state.tables for one in table.constraints}
    assert definitions == {
        "games_pkey": "PRIMARY KEY (id)",
        "games_price_check": "CHECK (price)",
        "games_code_key": "UNIQUE (code)",
        "sales_pkey": "PRIMARY KEY (id)",
        "sales_game": "FOREIGN KEY (game_id) REFERENCES shop.games (id) ON DELETE CASCADE",
        "sales_once": "UNIQUE INDEX (game_id, at)",
    }


@pytest.mark.parametrize(
    ("ddl", "expected"),
    [
        ("CREATE TABLE shop.new (id int)", ["table shop.new added"]),
        ("DROP TABLE shop.days", ["table shop.days removed: partitioned !"]),
        ("DROP VIEW shop.cheap", ["table shop.cheap removed: view"]),
        (
            "DROP TABLE shop.games CASCADE",
            [
                (
                    "constraint shop.sales/sales_game removed: "
                    "FOREIGN KEY (game_id) REFERENCES shop.games (id) ON DELETE CASCADE !"
                ),
                "table shop.cheap removed: view",
                "table shop.games removed !",
            ],
        ),
        ("ALTER TABLE shop.games RENAME TO plays", ["table shop.plays was shop.games"]),
        (
            "CREATE SCHEMA attic; ALTER TABLE shop.games SET SCHEMA attic",
            ["table attic.games was shop.games"],
        ),
        (
            (
                "ALTER TABLE shop.games RENAME TO passing; ALTER TABLE shop.sales RENAME TO games; "
                "ALTER TABLE shop.passing RENAME TO sales"
            ),
            ["table shop.games was shop.sales", "table shop.sales was shop.games"],
        ),
        ("ALTER TABLE shop.games ADD stars int", ["column shop.games.stars added: integer"]),
        (
            "ALTER TABLE shop.sales DROP at",
            [
                "column shop.sales.at removed: timestamp with time zone !",
                "constraint shop.sales/sales_once removed: UNIQUE INDEX (game_id, at) !",
            ],
        ),
        ('ALTER TABLE shop.games RENAME code TO "Code"', ['column shop.games."Code" was code']),
        ("ALTER TABLE shop.games RENAME id TO game_id", ["column shop.games.game_id was id"]),
        (
            "ALTER TABLE shop.sales ALTER game_id TYPE bigint",
            ["type of shop.sales.game_id was integer, is bigint"],
        ),
        (
            'ALTER TABLE shop.games ALTER title TYPE text COLLATE "C"',
            ['collation of shop.games.title was pg_catalog."default", is pg_catalog."C"'],
        ),
        ("ALTER TABLE shop.games ALTER title DROP NOT NULL", ["not null of shop.games.title removed !"]),
        ("ALTER TABLE shop.games ALTER code SET NOT NULL", ["not null of shop.games.code added"]),
        (
            "ALTER TABLE shop.games DROP CONSTRAINT games_price_check",
            ["constraint shop.games/games_price_check removed: CHECK (price) !"],
        ),
        (
            (
                "ALTER TABLE shop.games DROP CONSTRAINT games_price_check, "
                "ADD CONSTRAINT games_price_check CHECK (price > 1)"
            ),
            [
                (
                    "constraint shop.games/games_price_check was CHECK (price), "
                    "is CHECK (price) with another expression"
                )
            ],
        ),
        (
            (
                "ALTER TABLE shop.games DROP CONSTRAINT games_price_check, "
                "ADD CONSTRAINT games_price_check CHECK (  price>0)"
            ),
            [],
        ),
        (
            (
                "ALTER TABLE shop.sales DROP CONSTRAINT sales_game, "
                "ADD CONSTRAINT sales_game FOREIGN KEY (game_id) REFERENCES shop.games NOT VALID"
            ),
            [
                (
                    "constraint shop.sales/sales_game was "
                    "FOREIGN KEY (game_id) REFERENCES shop.games (id) ON DELETE CASCADE, "
                    "is FOREIGN KEY (game_id) REFERENCES shop.games (id) NOT VALID"
                )
            ],
        ),
        (
            "ALTER TABLE shop.sales RENAME CONSTRAINT sales_game TO game_fk",
            ["constraint shop.sales/game_fk was sales_game"],
        ),
        (
            "DROP INDEX shop.sales_once",
            ["constraint shop.sales/sales_once removed: UNIQUE INDEX (game_id, at) !"],
        ),
        # What ends as it was has not changed.
        ("DROP TABLE shop.days; CREATE TABLE shop.days (day date) PARTITION BY RANGE (day)", []),
        (
            "CREATE TABLE shop.rest PARTITION OF shop.days DEFAULT",
            [],
        ),
        (
            "CREATE INDEX ON shop.sales (at); REINDEX TABLE shop.sales; CLUSTER shop.sales USING sales_once",
            [],
        ),
    ],
)
def test_what_a_statement_changes(
    ddl: str, expected: list[str], look: Look, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute(GIVEN)
    before = look()
    admin_conn.execute(ddl)
    assert told(compare_schemas(before, look())) == expected


def test_an_owner_that_changed(look: Look, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(GIVEN)
    before = look()
    admin_conn.execute('CREATE ROLE "Keeper"; ALTER TABLE shop.games OWNER TO "Keeper"')
    try:
        (change,) = compare_schemas(before, look())
        assert str(change).endswith(', is "Keeper"')
        assert str(change).startswith("owner of shop.games was ")
    finally:
        admin_conn.execute('ALTER TABLE shop.games OWNER TO CURRENT_USER; DROP ROLE "Keeper"')


def test_a_restored_copy_is_compared_by_its_names(look: Look, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(GIVEN)
    before = look()
    # Made anew in another order, so that the oids say nothing, or something wrong.
    admin_conn.execute("DROP SCHEMA shop CASCADE; CREATE SCHEMA shop; CREATE TABLE shop.first (id int)")
    admin_conn.execute(GIVEN.replace("CREATE SCHEMA shop;", ""))
    assert told(compare_schemas(before, look())) == ["table shop.first added"]


def test_expressions_of_another_major_version_are_not_compared(
    look: Look, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute(GIVEN)
    before = look()
    admin_conn.execute(
        "ALTER TABLE shop.games DROP CONSTRAINT games_price_check, "
        "ADD CONSTRAINT games_price_check CHECK (price > 1)"
    )
    after = look()
    other = SchemaState(before.server - 1, before.tables)
    assert compare_schemas(other, after) == ()


@pytest.mark.parametrize(
    "value", [None, [], {}, {"version": 3}, {"version": 2}, {"version": 1}, {"version": 1, "tables": [{}]}]
)
def test_something_else_is_no_state(value: object) -> None:
    with pytest.raises(ValueError, match="not the state of a schema"):
        SchemaState.from_json(value)
