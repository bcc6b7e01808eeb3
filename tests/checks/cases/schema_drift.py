"""Cases of the check `schema_drift`."""

from __future__ import annotations

from pgvigil.catalog import Scope
from pgvigil.check import Severity
from tests.checks.case import Case, Found, fails, passes

_SHOP = """
    CREATE SCHEMA shop;
    CREATE TABLE shop.games (id int PRIMARY KEY, title text NOT NULL);
    CREATE TABLE shop.sales (id int PRIMARY KEY, game_id int REFERENCES shop.games);
"""

CASES = (
    Case(
        title="the first look is what is accepted",
        given=_SHOP,
        expected={"all schemas": passes(), "public": passes(), "shop": passes()},
    ),
    Case(
        title="what is as it was accepted passes",
        given=_SHOP,
        afterwards="INSERT INTO shop.games VALUES (1, 'x'); CREATE INDEX ON shop.sales (game_id)",
        expected={"all schemas": passes(), "public": passes(), "shop": passes()},
    ),
    Case(
        title="a table that is gone is critical, and so is the protection that went with it",
        given=_SHOP,
        afterwards="DROP TABLE shop.games CASCADE",
        expected={
            "all schemas": passes(),
            "public": passes(),
            "shop": fails(
                lost=Found(
                    2,
                    (
                        {
                            "change": "constraint shop.sales/sales_game_id_fkey removed: "
                            "FOREIGN KEY (game_id) REFERENCES shop.games (id)"
                        },
                        {"change": "table shop.games removed"},
                    ),
                    Severity.CRITICAL,
                    title="Gone from schema shop: table shop.games, and 1 more",
                )
            ),
        },
    ),
    Case(
        title="what is different is a warning",
        given=_SHOP,
        afterwards="ALTER TABLE shop.sales ALTER game_id TYPE bigint; ALTER TABLE shop.games RENAME TO plays",
        expected={
            "all schemas": passes(),
            "public": passes(),
            "shop": fails(
                changed=Found(
                    2,
                    (
                        {"change": "table shop.plays was shop.games"},
                        {"change": "type of shop.sales.game_id was integer, is bigint"},
                    ),
                    Severity.WARNING,
                )
            ),
        },
    ),
    Case(
        title="a unique index of some rows is a protection",
        given=f"{_SHOP} CREATE UNIQUE INDEX once ON shop.games (title) WHERE id > 0;",
        afterwards="DROP INDEX shop.once",
        expected={
            "all schemas": passes(),
            "public": passes(),
            "shop": fails(
                lost=Found(
                    1,
                    ({"change": "constraint shop.games/once removed: UNIQUE INDEX (title) WHERE …"},),
                    Severity.CRITICAL,
                )
            ),
        },
    ),
    Case(
        title="a schema that has another owner is a warning",
        given='CREATE SCHEMA "Shop"',
        afterwards='ALTER SCHEMA "Shop" OWNER TO pg_database_owner',
        expected={
            "all schemas": passes(),
            "public": passes(),
            '"Shop"': fails(
                changed=Found(
                    1,
                    ({"change": 'owner of schema "Shop" was postgres, is pg_database_owner'},),
                    Severity.WARNING,
                )
            ),
        },
    ),
    Case(
        title="a column that was made anew is a warning, and a table that became a partition",
        given=f"{_SHOP} CREATE TABLE shop.day (id int);"
        "CREATE TABLE shop.days (id int) PARTITION BY RANGE (id)",
        afterwards="ALTER TABLE shop.sales DROP game_id, ADD game_id int REFERENCES shop.games;"
        "ALTER TABLE shop.days ATTACH PARTITION shop.day DEFAULT",
        expected={
            "all schemas": passes(),
            "public": passes(),
            "shop": fails(
                changed=Found(
                    2,
                    (
                        {
                            "change": "column shop.sales.game_id re-created: integer, "
                            "its values are gone unless they were copied"
                        },
                        {"change": "table shop.day attached: a partition of shop.days"},
                    ),
                    Severity.WARNING,
                )
            ),
        },
    ),
    Case(
        title="what is new is a note",
        given=_SHOP,
        afterwards='ALTER TABLE shop.games ADD "Année" int; CREATE SCHEMA "New"; CREATE TABLE "New".t ()',
        expected={
            "all schemas": passes(schemas_new=Found(1, ({"schema": '"New"'},), Severity.INFO)),
            "public": passes(),
            '"New"': passes(),
            "shop": passes(
                new=Found(1, ({"change": 'column shop.games."Année" added: integer'},), Severity.INFO)
            ),
        },
    ),
    Case(
        title="a table that moved out of what is watched is not gone",
        given=f"{_SHOP} CREATE SCHEMA attic;",
        scope=Scope(exclude=("attic",)),
        afterwards="ALTER TABLE shop.games SET SCHEMA attic",
        expected={
            "all schemas": passes(),
            "public": passes(),
            "shop": fails(changed=Found(1, ({"change": "table attic.games was shop.games"},))),
        },
    ),
    Case(
        title="a schema that is gone as a whole is critical",
        given=_SHOP,
        afterwards="DROP SCHEMA shop CASCADE",
        expected={
            "all schemas": fails(
                schemas_lost=Found(1, ({"schema": "shop"},), Severity.CRITICAL, title="Schema shop is gone")
            ),
            "public": passes(),
        },
    ),
)
