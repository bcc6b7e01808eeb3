"""The file that `pgvigil init` writes loads as it is, and with every one of its examples put into force."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from pgvigil.catalog import RelationName, TableName, parse_relation
from pgvigil.check import Params
from pgvigil.config import Config, load
from pgvigil.config.proposed import Adopted, Proposals
from pgvigil.config.starting import starting_file
from pgvigil.inference import LIKELY, ProposedPair, ProposedRelation
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
    columns: dict[str, str] = {}
    tolerance: dict[str, float | str] = {}


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
    config = load(path, {"PGVIGIL_DSN": "dbname=t", "PGVIGIL_TOKEN": "t" * 32})
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


def relation(text: str, probability: float, *evidence: str, **more: Any) -> ProposedRelation:
    return ProposedRelation(parse_relation(text), probability, evidence or ("its name",), **more)


def of_ordinary() -> Proposals:
    pair = ProposedPair(
        left=TableName("curated", "enhanced_games"),
        right=TableName("curated", "games_complete"),
        probability=0.97,
        key={"igdb_id": "igdb_id"},
        columns={"title": "name"},
        evidence=("title with name (100 %) agree", "both have `igdb_id`"),
    )
    return Proposals(
        relations=(
            relation("analytics.sessions(player_id) -> curated.players(id)", 0.95, "1 of 1 # values: exist"),
            relation("curated.games_notes(title) -> curated.players(id)", 0.5),
        ),
        pairs=(pair, replace(pair, probability=0.4, columns={"name": "name"}, tolerance={"name": "15m"})),
    )


def of_weird() -> Proposals:
    odd = TableName("no", "a: 'b' \"c\", \u2028 d")
    same = "same {{words}}_and more", "same {{words}}_but not"
    return Proposals(
        relations=(
            ProposedRelation(
                RelationName(TableName("no", "true"), ("line\nbreak_id",), odd, ("null",)),
                0.99,
                ("line\nbreak: \u2028 # {x} - 'y' \"z\"",),
            ),
        ),
        pairs=(
            ProposedPair(
                left=TableName("no", same[1]),
                right=TableName("ünï 🐘: {x}, [y] # z", same[0]),
                probability=0.99,
                key={"a": "a"},
                columns={"b: c": "b: c"},
                evidence=("- odd: [{",),
                tolerance={"b: c": 0.5},
            ),
        ),
    )


GAMES = "curated.enhanced_games <> curated.games_complete"
CASES = [pytest.param(ORDINARY, of_ordinary(), id="ordinary"), pytest.param(WEIRD, of_weird(), id="weird")]


def test_of_an_empty_database_it_loads_with_all_of_its_examples(database: str, tmp_path: Path) -> None:
    text = starting_file("games", catalog_of(database), REGISTRY.types, Proposals())
    assert reload(tmp_path, text).targets["games"].checks["picky"] == {"enabled": True}
    examples = reload(tmp_path, in_force(text)).targets["games"]
    assert examples.checks["picky"]["threshold"] == 1
    assert examples.checks["twins"]["words"] == {"ключ": "no", 'q"\n\u2028': "12"}


@pytest.mark.parametrize(("tables", "proposals"), CASES)
def test_of_other_checks_proposals_are_examples(
    database: str, admin_conn: psycopg.Connection, tmp_path: Path, tables: str, proposals: Proposals
) -> None:
    admin_conn.execute(tables)
    catalog = catalog_of(database)
    text = starting_file("games", catalog, REGISTRY.types, proposals)
    assert reload(tmp_path, text).targets["games"].checks["picky"] == {"enabled": True}
    examples = reload(tmp_path, in_force(text)).targets["games"]
    assert set(examples.zones) <= {table.schema for table in catalog.tables}
    assert examples.checks["picky"]["relations"] == [str(one.relation) for one in proposals.relations]
    assert [one["left"] for one in examples.checks["twins"]["pairs"]] == [
        str(one.left) for one in proposals.pairs
    ]


@pytest.mark.parametrize(("tables", "proposals"), CASES)
def test_none_that_was_inferred_is_in_force_by_itself(
    database: str, admin_conn: psycopg.Connection, tmp_path: Path, tables: str, proposals: Proposals
) -> None:
    admin_conn.execute(tables)
    registry = Registry.load()
    path = tmp_path / "pgvigil.yaml"
    text = starting_file("games", catalog_of(database), registry.types, proposals)
    path.write_text(text, encoding="utf-8")
    checks = registry.bind(load(path, {"PGVIGIL_DSN": database}), "games")
    assert (checks["orphan_rows"].params.relations, checks["table_drift"].params.pairs) == ((), ())
    path.write_text(in_force(text), encoding="utf-8")
    checks = registry.bind(load(path, {"PGVIGIL_DSN": database, "PGVIGIL_TOKEN": "t" * 32}), "games")
    assert list(checks["orphan_rows"].params.relations) == [one.relation for one in proposals.relations]
    assert len(checks["table_drift"].params.pairs) == len(proposals.pairs)


@pytest.mark.parametrize(("tables", "proposals"), CASES)
def test_what_somebody_adopts_unseen_is_in_force_and_fits_the_checks_and_the_database(
    database: str, admin_conn: psycopg.Connection, tmp_path: Path, tables: str, proposals: Proposals
) -> None:
    admin_conn.execute(tables)
    catalog = catalog_of(database)
    registry = Registry.load()
    path = tmp_path / "pgvigil.yaml"
    text = starting_file("games", catalog, registry.types, replace(proposals, adopt=0.95))
    path.write_text(text, encoding="utf-8")
    checks = registry.bind(load(path, {"PGVIGIL_DSN": database}), "games")
    assert checks.keys() == registry.types.keys()
    (found,) = checks["orphan_rows"].params.relations
    assert found == proposals.relations[0].relation
    (pair,) = checks["table_drift"].params.pairs
    proposed = proposals.pairs[0]
    assert (pair.left, pair.right, pair.key, pair.columns) == (
        proposed.left,
        proposed.right,
        proposed.key,
        proposed.columns,
    )
    assert [float(one) for one in pair.tolerance.values()] == list(proposed.tolerance.values())
    unfit = [one for check in checks.values() for one in discover(check, catalog).problems]
    assert [one for one in unfit if "tolerance" not in one.path] == []


def test_evidence_stands_above_what_it_speaks_for(database: str, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(ORDINARY)
    text = starting_file(
        "games", catalog_of(database), Registry.load().types, replace(of_ordinary(), adopt=0.9)
    )
    assert "In force are those of 0.9 and more, as `--adopt` said" in " ".join(text.split()).replace("# ", "")
    assert f"database {admin_conn.info.dbname}: 2 schemas, 5 tables, 2 foreign keys." in text
    assert "# analytics: 1 table, 1 foreign key\n" in text
    assert (
        "        relations:\n"
        "          # 0.95: 1 of 1 # values: exist.\n"
        "          - analytics.sessions(player_id) -> curated.players(id)\n"
        "          # 0.50: its name.\n"
        "          #- curated.games_notes(title) -> curated.players(id)\n"
    ) in text
    assert (
        "          # 0.40: title with name (100 %) agree; both have `igdb_id`.\n"
        "          #- left: curated.enhanced_games\n"
        "          #  right: curated.games_complete\n"
        "          #  key: {igdb_id: igdb_id}\n"
        "          #  columns:\n"
        "          #    name: name\n"
        "          #  tolerance: {name: 15m}\n"
    ) in text


def test_what_cannot_be_examined_is_left_out_and_says_why() -> None:
    proposals = replace(of_ordinary(), left_out={GAMES: "of this"}, adopt=0.5)
    text = starting_file("games", None, Registry.load().types, proposals)
    assert "          # Left out, as of this. 0.97: title with" in text
    assert "        #pairs:\n" in text


def test_what_holds_for_some_rows_alone_is_no_relation_of_all() -> None:
    some = relation("a.b(c_id) -> a.d(id)", 0.99, condition=("c_type", "Post"))
    text = starting_file("games", None, Registry.load().types, Proposals((some,)))
    assert "- a.b(c_id)" not in text
    told = " ".join(text.split()).replace("# ", "")
    assert "which no setting can say and `pgvigil audit` shows: `a.b(c_id) -> a.d(id)` by c_type." in told
    # What a row holds has no place in the file.
    assert "Post" not in text


def test_what_people_adopted_does_not_stand_under_a_word_that_nothing_is() -> None:
    adopted = Adopted("relations", "a.b(c) -> a.d(id)", "a.b(c) -> a.d(id)", "adopted by anna")
    proposals = replace(of_ordinary(), adopted=(adopted,))
    text = starting_file("games", None, Registry.load().types, proposals)
    relations, pairs = " ".join(text.split()).replace("# ", "").split(" relations: ", 1)
    assert "In force is what people say, as stands above each." in relations
    assert "None of them is in force" not in relations
    assert "None of them is in force before a person has adopted it." in pairs


def test_who_may_adopt_is_an_example(tmp_path: Path) -> None:
    text = starting_file("games", None, REGISTRY.types)
    assert reload(tmp_path, text).web.tokens == {}
    assert reload(tmp_path, in_force(text)).web.tokens["me"].scope == "write"


def test_a_catalog_full_of_guesses_makes_no_endless_file() -> None:
    many = tuple(relation(f"a.b(c{n}) -> a.d(id)", 0.5) for n in range(1000))
    text = starting_file("games", None, Registry.load().types, Proposals(many))
    assert len(text.splitlines()) < 300
    assert "… and 980 less likely, " in text


def test_however_many_are_likely_they_are_all_there_and_the_likeliest_first() -> None:
    likely = [relation(f"a.likely(c{n}) -> a.d(id)", LIKELY) for n in range(100)]
    unlikely = [relation(f"a.b(c{n}) -> a.d(id)", 0.5) for n in range(21)]
    text = starting_file("games", None, Registry.load().types, Proposals((*likely, *unlikely)))
    assert text.count("#- a.likely(") == 100
    assert text.count("#- a.b(") == 20
    assert "… and 1 less likely, " in text
    assert text.index("#- a.likely(c99)") < text.index("#- a.b(c0)")


def test_nothing_that_was_inferred_is_said_to_be_certain() -> None:
    nearly = relation("a.b(c) -> a.d(id)", 0.99999)
    text = starting_file("games", None, Registry.load().types, Proposals((nearly,)))
    assert "# >0.99: its name.\n" in text
    assert "1.00" not in text


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


def test_no_figure_stands_on_another_line_than_its_unit() -> None:
    many = tuple(relation(f"a.b(c{'c' * n}) -> a.d(id)", 0.9, f"{'c' * n} 100 %") for n in range(60, 100))
    text = starting_file("games", None, Registry.load().types, Proposals(many))
    assert "# %" not in text
    assert "100 %" in text


def test_it_names_the_variable_and_never_a_dsn(database: str) -> None:
    text = starting_file("games", catalog_of(database), REGISTRY.types)
    assert "dsn: !env PGVIGIL_DSN" in text
    assert "postgresql://" not in text
    assert "password=" not in text


def test_no_line_is_wider_than_a_screen_but_for_names(database: str, admin_conn: psycopg.Connection) -> None:
    admin_conn.execute(ORDINARY)
    text = starting_file("games", catalog_of(database), Registry.load().types, of_ordinary())
    assert max(map(len, text.splitlines())) <= 110


def test_it_names_the_settings_that_a_team_decides_on_first() -> None:
    text = starting_file("games", None, Registry.load().types)
    for setting in ("every: ", "#zones: ", "budget:", "#window: ", "#changes: "):
        assert f" {setting}" in text
