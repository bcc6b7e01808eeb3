"""`pgvigil init`: a file about a database nobody described, which its checks can use as it is."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgvigil.proposal import Kind, Offer
from pgvigil.sample import build
from tests.cli.command import pgvigil, refused
from tests.cli.test_deployment import serve, site
from tests.config.test_starting import in_force
from tests.web.world import NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.web.conftest import Site

__all__ = ["serve", "site"]

# Names of every kind, a pair, and relations that hold without a key.
ODD = """
    CREATE SCHEMA "Lager: {x}";
    CREATE TABLE "Lager: {x}"."Artikel, neu # 1" (
        "Nr." bigint PRIMARY KEY, sku text UNIQUE, "null" text, "Preis: %s" numeric, "it's" text);
    CREATE TABLE "Lager: {x}"."Artikel ""alt"" 2" (
        sku varchar(40), "null" text, "Preis: %s" double precision, "it's" text);
    CREATE INDEX ON "Lager: {x}"."Artikel ""alt"" 2" (sku);
    CREATE TABLE "Lager: {x}"."on" ("yes" int PRIMARY KEY, "Artikel sku" text);
    INSERT INTO "Lager: {x}"."Artikel, neu # 1"
    SELECT n, 'S-' || n, md5(n::text), n * 1.5, 'it ' || n FROM generate_series(1, 300) AS n;
    INSERT INTO "Lager: {x}"."Artikel ""alt"" 2"
    SELECT sku, "null", "Preis: %s", "it's" FROM "Lager: {x}"."Artikel, neu # 1";
    INSERT INTO "Lager: {x}"."on" SELECT n, 'S-' || n FROM generate_series(1, 200) AS n;
    ANALYZE;
"""


@pytest.fixture
def sample(database_from: Callable[[str, Callable[[str], None]], str]) -> str:
    """The DSN of a healthy sample of this test's own."""
    return database_from("sample", partial(build, scale=1, seed=1))


def written(dsn: str, file: Path, *options: str) -> dict[str, Any]:
    """Write the file, have it checked against the database, and return what its one target says."""
    answer = pgvigil("init", "--dsn", dsn, "--output", file, *options)
    assert answer.status == 0, answer.err
    checked = pgvigil("config", "check", "--connect", file, PGVIGIL_DSN=dsn)
    assert checked.status == 0, checked.err
    return target_of(file.read_text(encoding="utf-8"))


def target_of(text: str) -> dict[str, Any]:
    """Return what the one target of a file says."""
    document = yaml.safe_load(text.replace("!env ", ""))
    (target,) = document["targets"].values()
    found: dict[str, Any] = target
    return found


def test_nothing_is_in_force_before_a_person_has_adopted_it(sample: str, tmp_path: Path) -> None:
    file = tmp_path / "pgvigil.yaml"
    checks = written(sample, file)["checks"]
    assert "relations" not in checks["orphan_rows"]
    assert "pairs" not in checks["table_drift"]
    text = file.read_text(encoding="utf-8")
    assert "\n          #- analytics.player_sessions(player_id) -> curated.players(id)\n" in text
    assert "\n          #- left: curated.enhanced_games\n" in text
    assert re.search(r"# (>0\.99|0\.9\d): \d+ of \d+ sampled values exist", text)
    assert "1.00:" not in text
    adopted = target_of(in_force(text))["checks"]["orphan_rows"]["relations"]
    assert "analytics.player_sessions(player_id) -> curated.players(id)" in adopted


def test_of_the_sample_the_game_pair_and_undeclared_relations_can_be_adopted_unseen(
    sample: str, tmp_path: Path
) -> None:
    checks = written(sample, tmp_path / "pgvigil.yaml", "--adopt", "0.9")["checks"]
    (pair,) = checks["table_drift"]["pairs"]
    assert (pair["left"], pair["right"]) == ("curated.enhanced_games", "curated.games_complete")
    assert pair["key"] == {"igdb_id": "igdb_id"}
    assert pair["columns"]["title"] == "name"
    relations = checks["orphan_rows"]["relations"]
    assert "analytics.player_sessions(player_id) -> curated.players(id)" in relations
    both = {pair["left"], pair["right"]}
    assert [one for one in relations if {one.split("(")[0], one.split(" -> ")[1].split("(")[0]} == both] == []


def test_of_the_healthy_sample_what_is_adopted_unseen_finds_no_orphan_and_no_drift(
    sample: str, tmp_path: Path
) -> None:
    file = tmp_path / "pgvigil.yaml"
    written(sample, file, "--adopt", "0.9")
    checks = [argument for name in ("orphan_rows", "table_drift") for argument in ("--check", name)]
    report = pgvigil("check", "--config", file, *checks, "--format", "json", PGVIGIL_DSN=sample).json
    assert [finding for finding in report["findings"] if finding["severity"] != "info"] == []
    assert report["coverage"]["unknown"] == 0


def test_names_of_every_kind_are_written_so_that_they_load(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(ODD.encode())
    checks = written(database, tmp_path / "pgvigil.yaml", "--adopt", "0.9")["checks"]
    (pair,) = checks["table_drift"]["pairs"]
    assert pair["columns"] == {"null": "null", "Preis: %s": "Preis: %s", "it's": "it's"}
    assert {pair["left"], pair["right"]} == {
        '"Lager: {x}"."Artikel, neu # 1"',
        '"Lager: {x}"."Artikel ""alt"" 2"',
    }


def test_what_the_role_may_not_read_is_not_put_in_force(sample: str, tmp_path: Path) -> None:
    role = sql.Identifier("init_reader")
    with psycopg.connect(sample, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'secret'").format(role))
        conn.execute(sql.SQL("GRANT USAGE ON SCHEMA curated, billing TO {}").format(role))
        conn.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA billing TO {}").format(role))
        conn.execute(sql.SQL("GRANT SELECT ON curated.enhanced_games TO {}").format(role))
    try:
        dsn = make_conninfo(sample, user="init_reader", password="secret")
        checks = written(dsn, tmp_path / "pgvigil.yaml", "--adopt", "0.9")["checks"]
        assert checks["table_drift"].get("pairs") is None
        assert all("curated." not in one for one in checks["orphan_rows"]["relations"])
        assert "the role may not read all of curated." in (tmp_path / "pgvigil.yaml").read_text("utf-8")
    finally:
        with psycopg.connect(sample, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP OWNED BY {}").format(role))
            conn.execute(sql.SQL("DROP ROLE {}").format(role))


def test_people_decide_what_is_in_force(sample: str, tmp_path: Path, site: Site) -> None:
    streams = "staging.streams(igdb_id) -> curated.games_complete(igdb_id)"
    wrong = "analytics.player_sessions(player_id) -> curated.players(id)"
    pair: dict[str, Any] = {
        "left": "curated.games_complete",
        "right": "curated.enhanced_games",
        "key": {"igdb_id": "igdb_id"},
        "columns": {"name": "title"},
    }
    named = "curated.games_complete <> curated.enhanced_games"
    offers = [
        Offer(kind=Kind.RELATION, subject=streams, settings=streams, probability=0.1),
        Offer(kind=Kind.RELATION, subject=wrong, settings=wrong),
        Offer(kind=Kind.PAIR, subject=named, settings=pair),
    ]
    site.store.proposals.propose("games", offers, source="somebody", at=NOW)
    for offer in offers:
        decide = site.store.proposals.reject if offer.subject == wrong else site.store.proposals.adopt
        decide(offer.id_on("games"), who="ann", at=NOW, why="seen to hold")
    file = tmp_path / "pgvigil.yaml"
    checks = written(sample, file, "--url", site.url())["checks"]
    assert checks["orphan_rows"]["relations"] == [streams]
    assert checks["table_drift"]["pairs"] == [pair]
    text = file.read_text(encoding="utf-8")
    assert f"# adopted by ann on {NOW:%Y-%m-%d}: seen to hold.\n" in text
    assert "\n          #- curated.player_achievements(player_id) -> curated.players(id)\n" in text
    assert wrong not in text
    assert "#- left: curated.enhanced_games\n          #  right: curated.games_complete" not in text


def test_what_is_adopted_unseen_comes_after_what_people_decided(
    sample: str, tmp_path: Path, site: Site
) -> None:
    wrong = "analytics.player_sessions(player_id) -> curated.players(id)"
    offer = Offer(kind=Kind.RELATION, subject=wrong, settings=wrong)
    site.store.proposals.propose("games", [offer], source="somebody", at=NOW)
    site.store.proposals.reject(offer.id_on("games"), who="ann", at=NOW, why="external")
    checks = written(sample, tmp_path / "pgvigil.yaml", "--url", site.url(), "--adopt", "0.9")["checks"]
    assert (
        "curated.player_achievements(player_id) -> curated.players(id)" in checks["orphan_rows"]["relations"]
    )
    assert wrong not in (tmp_path / "pgvigil.yaml").read_text(encoding="utf-8")


def test_what_is_asked_of_a_running_pgvigil_needs_a_database_and_a_pgvigil(database: str) -> None:
    refused(pgvigil("init", "--url", "http://127.0.0.1:1"), 2, "give its --dsn")
    refused(pgvigil("init", "--dsn", database, "--url", "http://127.0.0.1:1"), 3, "is pgvigil running there?")


def test_what_a_team_has_written_down_is_in_force(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE ci_builds (owner int)")
    keys, file = tmp_path / "loose.yml", tmp_path / "pgvigil.yaml"
    keys.write_text("ci_builds:\n  - {table: users, column: owner}\n  - {table: user, column: owner}\n")
    found = written(database, file, "--import", "loose-foreign-keys", str(keys))
    assert found["checks"]["orphan_rows"]["relations"] == ["public.ci_builds(owner) -> public.users(id)"]
    assert "# imported from loose-foreign-keys loose.yml.\n" in file.read_text(encoding="utf-8")
    refused(pgvigil("init", "--import", "dbt", str(keys)), 2, "give its --dsn")
    refused(pgvigil("init", "--dsn", database, "--import", "rails", str(keys)), 2, "'rails' is not one of")


@pytest.mark.parametrize("word", ["0.3", "1.5", "-1", "nan"])
def test_what_is_no_probability_adopts_nothing(database: str, word: str) -> None:
    answer = pgvigil("init", "--dsn", database, f"--adopt={word}")
    refused(answer, 2, "--adopt is a probability, from 0.5 to 1")


def test_what_is_adopted_unseen_needs_a_database() -> None:
    refused(pgvigil("init", "--adopt", "0.9"), 2, "give its --dsn")


def test_an_existing_file_is_never_overwritten(database: str, tmp_path: Path) -> None:
    file = tmp_path / "pgvigil.yaml"
    file.write_text("mine", encoding="utf-8")
    refused(pgvigil("init", "--dsn", database, "--output", file), 2, "exists and is left as it is")
    assert file.read_text(encoding="utf-8") == "mine"


def test_without_a_database_it_writes_what_anybody_may_start_from(tmp_path: Path) -> None:
    answer = pgvigil("init")
    assert answer.status == 0
    file = tmp_path / "pgvigil.yaml"
    file.write_text(answer.out, encoding="utf-8")
    assert pgvigil("config", "check", file, PGVIGIL_DSN="dbname=x").status == 0
