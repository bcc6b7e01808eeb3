"""What the runbooks say at three in the morning works: their SQL on real servers, their PromQL."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import yaml
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.alerts.rules import ROOT, recorded
from tests.background import program
from tests.cli.command import pgvigil

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = sorted((ROOT / "docs/runbooks").glob("Pgvigil*.md"))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# What the examples are about: a relation with an orphan behind a key that was off, and a pair that drifted.
WORLD = """
    CREATE SCHEMA analytics;
    CREATE SCHEMA curated;
    CREATE TABLE curated.games_complete
        (id bigint PRIMARY KEY, igdb_id bigint, name text, updated_at timestamptz);
    CREATE TABLE curated.enhanced_games
        (id bigint PRIMARY KEY, igdb_id bigint, title text, updated_at timestamptz);
    CREATE UNIQUE INDEX enhanced_games_igdb_id ON curated.enhanced_games (igdb_id);
    CREATE TABLE analytics.player_sessions (id bigint PRIMARY KEY, game_id bigint, started_at timestamptz);
    INSERT INTO curated.games_complete VALUES (1, 10, 'Tetris', now());
    INSERT INTO curated.enhanced_games VALUES (1, 10, 'Tetris II', now());
    INSERT INTO analytics.player_sessions VALUES (1, 1, now()), (2, 99, now());
    ALTER TABLE analytics.player_sessions ADD CONSTRAINT player_sessions_game_id_fkey
        FOREIGN KEY (game_id) REFERENCES curated.games_complete (id) NOT VALID;
"""
ORPHANS = """
    SELECT count(*) FROM analytics.player_sessions AS c WHERE c.game_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM curated.games_complete AS p WHERE p.id = c.game_id)
"""


def blocks(page: Path, language: str, section: str | None = None) -> list[str]:
    text = page.read_text(encoding="utf-8")
    if section:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [block for kind, block in FENCE.findall(text) if kind == language]


@pytest.fixture
def world(database: str) -> Iterator[str]:
    """A database as the examples have it, in which pgvigil's role exists."""
    role = sql.Identifier(role_of(database))
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(WORLD)
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'secret'").format(role))
        yield database
        conn.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(role))


def role_of(dsn: str) -> str:
    """Return who stands for the role `pgvigil`: roles are the server's, and other tests alter theirs."""
    return f"pgvigil_{conninfo_to_dict(dsn)['dbname']}"


def carry_out(dsn: str, script: str) -> None:
    """Run a block as psql does: each statement in a transaction of its own unless it says BEGIN."""
    script = script.replace("DATABASE games", f'DATABASE "{conninfo_to_dict(dsn)["dbname"]}"')
    script = re.sub(r"\bpgvigil\b", role_of(dsn), script)
    with psycopg.connect(dsn, autocommit=True) as conn:
        for statement in re.split(r";\s*(?:--[^\n]*)?\n", script):
            if statement.strip():
                conn.execute(statement)


def value(dsn: str, query: str) -> object:
    with psycopg.connect(dsn, autocommit=True) as conn:
        row = conn.execute(query).fetchone()
        return row[0] if row else None


@pytest.mark.every_pg
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_sql_runs_from_the_first_block_to_the_last(world: str, page: Path) -> None:
    if page.stem == "PgvigilForeignKeyNotProtecting":
        # It asks for orphans to be mended first.
        carry_out(world, "DELETE FROM analytics.player_sessions WHERE game_id = 99;\n")
    for script in blocks(page, "sql"):
        carry_out(world, script)


@pytest.mark.parametrize("page", ["PgvigilOrphanRows", "PgvigilDriftAboveBudget"])
def test_the_copies_that_a_runbook_keeps_leave_coverage_as_it_was(
    world: str, page: str, tmp_path: Path
) -> None:
    """The role may read what there was; the copies are not watched, as the page says."""
    with psycopg.connect(world, autocommit=True) as conn:
        for right in ("USAGE ON SCHEMA", "SELECT ON ALL TABLES IN SCHEMA"):
            conn.execute(f"GRANT {right} analytics, curated TO {role_of(world)}")
    for script in blocks(ROOT / f"docs/runbooks/{page}.md", "sql", "Fix"):
        carry_out(world, script)
    assert value(world, "SELECT count(*) FROM pg_tables WHERE schemaname = 'pgvigil_kept'") == 1
    assert unknown(world, tmp_path) == 0
    carry_out(world, "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.t (id int);")
    assert unknown(world, tmp_path) == 1


def unknown(dsn: str, tmp_path: Path) -> int:
    """Return how many subjects are unknown to pgvigil's role."""
    as_role = make_conninfo(dsn, user=role_of(dsn), password="secret")
    config = tmp_path / "pgvigil.yaml"
    config.write_text(f"targets:\n  games:\n    dsn: {json.dumps(as_role)}\n", encoding="utf-8")
    answer = pgvigil("check", "--config", config, "--format", "json")
    assert answer.json["coverage"]["known"] > 0, answer.json
    return int(answer.json["coverage"]["unknown"])


def test_the_runbook_of_orphans_mends_them_and_takes_that_back(world: str) -> None:
    page = ROOT / "docs/runbooks/PgvigilOrphanRows.md"
    assert value(world, ORPHANS) == 1
    for script in blocks(page, "sql", "Fix"):
        carry_out(world, script)
    assert value(world, ORPHANS) == 0
    assert value(
        world, "SELECT convalidated FROM pg_constraint WHERE conname = 'player_sessions_game_id_fkey'"
    )
    for script in blocks(page, "sql", "Undo"):
        carry_out(world, script)
    assert value(world, ORPHANS) == 1


def test_the_runbook_of_drift_brings_both_in_line_and_takes_that_back(world: str) -> None:
    page = ROOT / "docs/runbooks/PgvigilDriftAboveBudget.md"
    for script in blocks(page, "sql", "Fix"):
        carry_out(world, script)
    assert value(world, "SELECT name FROM curated.games_complete") == "Tetris II"
    for script in blocks(page, "sql", "Undo"):
        carry_out(world, script)
    assert value(world, "SELECT name FROM curated.games_complete") == "Tetris"


def test_their_promql_is_understood(tmp_path: Path) -> None:
    queries = [query for page in PAGES for query in blocks(page, "promql")]
    assert len(queries) > len(PAGES)
    rules = [{"record": f"runbook:query:{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "runbooks", "rules": rules}]}), encoding="utf-8")
    command = [program("promtool"), "check", "rules", str(file)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_they_ask_for_series_that_exist() -> None:
    reference = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    known = set(re.findall(r"`(pgvigil_\w+)`", reference)) | set(recorded())
    known |= {f"{name}_sum" for name in known}
    text = " ".join(query for page in PAGES for query in blocks(page, "promql"))
    asked = set(re.findall(r"\b(?:[a-z_]+:)?pgvigil\w*(?::\w+)*", re.sub(r'"[^"]*"', "", text)))
    assert asked - known == set()
