"""The file that `pgvigil init` writes loads as it is, and with every one of its examples put into force."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ConfigDict, Field

from pgvigil.catalog import parse_relation, parse_table
from pgvigil.check import Params
from pgvigil.config import Config, load, starting_file
from pgvigil.config.candidates import candidate_relations
from pgvigil.registry import Registry
from pgvigil.runner import discover
from pgvigil.target import Target
from tests.registry.announced import announce
from tests.registry.samples import Picky, Plain

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from pgvigil.catalog import Catalog


class Pair(BaseModel):
    model_config = ConfigDict(extra="forbid")

    left: str
    right: str
    key: dict[str, str]


class TwinsParams(Params):
    pairs: tuple[Pair, ...] = Field(default=(), description="The pairs to compare. " * 10)
    limit: int | None = Field(default=None, description="Nothing by default.")
    words: dict[str, str] = Field(
        default={"ключ": "no", 'q"\n\u2028': "12"}, description="\u2028\x85 odd\nprose"
    )


class Twins(Plain):
    """Compares pairs.

    Proves: nothing.
    Cost: nothing.
    False positives: none.
    Remedy: none.
    """

    name = "twins"
    params_type = TwinsParams


REGISTRY = Registry.load([announce(Plain, Picky, Twins)])

ORDINARY = """
    CREATE SCHEMA curated;
    CREATE SCHEMA analytics;
    CREATE TABLE curated.games_complete (igdb_id bigint PRIMARY KEY, name text);
    CREATE TABLE curated.enhanced_games (igdb_id bigint PRIMARY KEY, title text, name text);
    CREATE TABLE curated.games_notes (
        igdb_id bigint PRIMARY KEY REFERENCES curated.enhanced_games, title text, name text
    );
    CREATE TABLE curated.players (id int PRIMARY KEY);
    CREATE TABLE analytics.sessions (
        id int PRIMARY KEY, player_id int, game_id int REFERENCES curated.players
    );
"""
# What a name says of a relation, and what no name can say.
NAMED = """
    CREATE TABLE countries (country_code text PRIMARY KEY, name text UNIQUE);
    CREATE TABLE cities (id int PRIMARY KEY, country_code text, name text);
    CREATE TABLE categories (id int PRIMARY KEY);
    CREATE TABLE visits (city_id bigint, category_id int, cities_id int REFERENCES cities, country_code text);
    ALTER TABLE visits ADD FOREIGN KEY (country_code) REFERENCES countries;
    CREATE TABLE one (shared_key int PRIMARY KEY);
    CREATE TABLE two (shared_key int PRIMARY KEY);
    CREATE TABLE three (shared_key int);
    CREATE VIEW view AS SELECT country_code FROM cities;
"""
WEIRD = """
    CREATE SCHEMA "no";
    CREATE SCHEMA "ünï 🐘: {x}, [y] # z";
    CREATE TABLE "no"."a: 'b' ""c"", \u2028 d" ("null" int PRIMARY KEY, "12:30" text);
    CREATE TABLE "ünï 🐘: {x}, [y] # z"."line
break" ("id
 -> x" int PRIMARY KEY, "~" int REFERENCES "no"."a: 'b' ""c"", \u2028 d");
    CREATE TABLE "ünï 🐘: {x}, [y] # z"."same {{words}}_and more" (a int, "b: c" int, UNIQUE (a, "b: c"));
    CREATE TABLE "no"."same {{words}}_but not" (a int, "b: c" int, PRIMARY KEY (a, "b: c"));
    CREATE TABLE "no"."true" ("line
break_id" int);
"""


def catalog_of(dsn: str) -> Catalog:
    target = Target("t", dsn)
    try:
        return target.read_catalog()
    finally:
        target.close()


def reload(folder: Path, text: str) -> Config:
    path = folder / "pgvigil.yaml"
    path.write_text(text, encoding="utf-8")
    config = load(path, {"PGVIGIL_DSN": "dbname=t"})
    REGISTRY.bind_all(config)
    return config


def in_force(text: str) -> str:
    """Put every setting into force that is commented out."""
    return re.sub(r"^( *)#(?=\S)|^( *)#( +-? +)", r"\1\2\3", text, flags=re.MULTILINE)


def test_without_a_database_it_means_the_defaults(tmp_path: Path) -> None:
    config = reload(tmp_path, starting_file("main", None, REGISTRY.types))
    default = Config.from_dsn("dbname=t", "main")
    assert config.model_dump(exclude={"targets": {"main": {"checks"}}}) == default.model_dump(
        exclude={"targets": {"main": {"checks"}}}
    )
    assert config.targets["main"].checks.keys() == REGISTRY.types.keys()


@pytest.mark.parametrize("tables", ["", ORDINARY, WEIRD], ids=["empty", "ordinary", "weird"])
def test_whatever_is_discovered_it_loads_and_so_do_its_examples(
    database: str, admin_conn: psycopg.Connection, tmp_path: Path, tables: str
) -> None:
    admin_conn.execute(tables)
    catalog = catalog_of(database)
    text = starting_file("games", catalog, REGISTRY.types)
    assert reload(tmp_path, text).targets["games"].checks["picky"] == {"enabled": True}
    examples = reload(tmp_path, in_force(text)).targets["games"]
    assert examples.checks["picky"]["threshold"] == 1
    assert examples.checks["twins"]["words"] == {"ключ": "no", 'q"\n\u2028': "12"}
    if not tables:
        return
    assert set(examples.zones) <= {table.schema for table in catalog.tables}
    assert examples.checks["picky"]["relations"]
    for relation in examples.checks["picky"]["relations"]:
        name = parse_relation(relation)
        assert catalog.table(name.child).column(*name.child_columns)
        assert catalog.table(name.parent).column(*name.parent_columns)
    (pair,) = examples.checks["twins"]["pairs"]
    for side in ("left", "right"):
        assert all(catalog.table(parse_table(pair[side])).column(key) for key in pair["key"])


@pytest.mark.parametrize("tables", [ORDINARY, WEIRD], ids=["ordinary", "weird"])
def test_its_examples_fit_the_installed_checks_and_the_database(
    database: str, admin_conn: psycopg.Connection, tmp_path: Path, tables: str
) -> None:
    admin_conn.execute(tables)
    catalog = catalog_of(database)
    registry = Registry.load()
    path = tmp_path / "pgvigil.yaml"
    path.write_text(in_force(starting_file("games", catalog, registry.types)), encoding="utf-8")
    checks = registry.bind(load(path, {"PGVIGIL_DSN": database}), "games")
    assert checks.keys() == registry.types.keys()
    assert checks["table_drift"].params.pairs
    declared = {key.relation for key in catalog.foreign_keys}
    assert declared.isdisjoint(checks["orphan_rows"].params.relations)
    assert set(checks["foreign_keys"].params.expected) == declared
    assert [discover(check, catalog).problems for check in checks.values()] == [()] * len(checks)


def test_its_examples_are_what_a_person_would_look_at_first(
    database: str, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute(ORDINARY)
    text = starting_file("games", catalog_of(database), REGISTRY.types)
    assert f"database {admin_conn.info.dbname}: 2 schemas, 5 tables, 2 foreign keys." in text
    assert "# analytics: 1 table, 1 foreign key\n" in text
    assert "#  - analytics.sessions(player_id) -> curated.players(id)\n" in text
    assert "game_id" not in text
    assert text.count("Going by names alone, for example:") == 2
    assert "#  - left: curated.enhanced_games\n        #    right: curated.games_complete\n" in text
    assert "key: {igdb_id: igdb_id}" in text


def test_names_suggest_relations_that_no_key_declares(database: str, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(NAMED)
    assert list(map(str, candidate_relations(catalog_of(database), 20))) == [
        "public.cities(country_code) -> public.countries(country_code)",
        "public.visits(category_id) -> public.categories(id)",
    ]


def test_where_every_relation_is_declared_the_example_is_made_up(
    database: str, admin_conn: psycopg.Connection
) -> None:
    admin_conn.execute(
        "CREATE TABLE players (id int PRIMARY KEY);"
        "CREATE TABLE sessions (id int PRIMARY KEY, player_id int REFERENCES players)"
    )
    text = starting_file("games", catalog_of(database), Registry.load().types)
    made_up = "#  - schema.child(column) -> schema.parent(column)\n"
    assert f"# For example:\n        #relations:\n        {made_up}" in text
    declared = "#  - public.sessions(player_id) -> public.players(id)\n"
    assert f"# Some that are declared today:\n        #expected:\n        {declared}" in text
    assert text.count("public.sessions(") == 1


def test_no_command_and_no_relation_stands_on_two_lines() -> None:
    text = starting_file("games", None, Registry.load().types)
    assert [line for line in text.splitlines() if line.count("`") % 2] == []


def test_it_names_the_variable_and_never_a_dsn(database: str) -> None:
    text = starting_file("games", catalog_of(database), REGISTRY.types)
    assert "dsn: !env PGVIGIL_DSN" in text
    assert "postgresql://" not in text
    assert "password=" not in text


def test_no_line_is_wider_than_a_screen_but_for_names(database: str, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(ORDINARY)
    text = starting_file("games", catalog_of(database), REGISTRY.types)
    assert max(map(len, text.splitlines())) <= 110
