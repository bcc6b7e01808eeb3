"""What a configuration file may say, and what it then means."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pgvigil.config import Config, load
from pgvigil.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Read = Callable[..., Config]

# As the contract writes it.
EXAMPLE = """\
state: sqlite:///pgvigil.db                # or postgresql+psycopg://…
web: {listen: "127.0.0.1:9925"}
targets:
  games:
    dsn: !env GAMES_DSN                    # or !file /run/secrets/games_dsn
    every: 5m                              # or cron: "*/5 * * * *"; per check below too
    schemas: {include: ["*"], exclude: [scratch], deprecated: [legacy]}
    zones: [raw, staging, curated]
    budget: {connections: 2, statement_timeout: 30s, lock_timeout: 1s, duty_cycle: 0.2, sample: 20}
    checks:
      orphan_rows:
        relations:
          - analytics.player_sessions(game_id) -> curated.games_complete(id)
        severity: {"monitoring.*": warning}
      table_drift:
        pairs:
          - left: curated.enhanced_games
            right: curated.games_complete
            key: {igdb_id: igdb_id}
            columns: {title: name, quality_score: quality_score}
            tolerance: {quality_score: 0.01, updated_at: 15m}
"""


def test_the_example_of_the_contract_loads_as_it_is_written(read: Read) -> None:
    config = read(EXAMPLE, GAMES_DSN="dbname=games")
    assert config.state.get_secret_value() == "sqlite:///pgvigil.db"
    assert (config.web.host, config.web.port) == ("127.0.0.1", 9925)
    games = config.targets["games"]
    assert games.dsn.get_secret_value() == "dbname=games"
    assert games.schedule == timedelta(minutes=5)
    assert games.zones == ("raw", "staging", "curated")
    assert games.scope.watches("analytics")
    assert not games.scope.watches("scratch")
    assert games.scope.is_deprecated("legacy")
    assert games.budget.statement_timeout == timedelta(seconds=30)
    assert games.checks["table_drift"]["pairs"][0]["tolerance"] == {
        "quality_score": 0.01,
        "updated_at": "15m",
    }


def test_everything_has_a_default_but_the_dsn(read: Read) -> None:
    config = read("targets: {games: {dsn: dbname=games}}")
    assert config.targets == Config.from_dsn("dbname=games").targets
    games = config.targets["games"]
    assert games.schedule == timedelta(minutes=5)
    assert games.scope.watches("public")
    assert (games.budget.connections, games.budget.duty_cycle, games.budget.sample) == (2, 0.2, 20)
    assert config.state.get_secret_value() == "sqlite:///pgvigil.db"


def test_sections_whose_lines_are_all_commented_out_mean_the_defaults(read: Read) -> None:
    text = """\
    web:
      # listen: 0.0.0.0:9925
    targets:
      games:
        dsn: dbname=games
        budget:
        schemas:
        checks:
    """
    assert read(text).model_dump() == Config.from_dsn("dbname=games").model_dump()
    assert read("targets: {games: {dsn: dbname=games, checks: {orphan_rows: }}}").targets["games"].checks == {
        "orphan_rows": {}
    }


def test_a_cron_takes_the_place_of_the_interval(read: Read) -> None:
    config = read("targets: {games: {dsn: dbname=games, cron: '30 4 * * mon-fri'}}")
    assert str(config.targets["games"].schedule) == "30 4 * * mon-fri"


def test_words_mean_what_they_say(read: Read) -> None:
    """No Norway problem: YAML 1.1 would make false, 750 and a date of these."""
    zones = read("targets: {g: {dsn: dbname=g, zones: [no, on, 12:30, 2024-01-01, 1_000, =]}}")
    assert zones.targets["g"].zones == ("no", "on", "12:30", "2024-01-01", "1_000", "=")


@pytest.mark.parametrize(("chunk", "seconds"), [("50ms", 0.05), ("null", None)])
def test_a_scan_is_in_chunks_or_in_one_snapshot(read: Read, chunk: str, seconds: float | None) -> None:
    budget = read(f"targets: {{a: {{dsn: dbname=a, budget: {{chunk: {chunk}}}}}}}").targets["a"].budget
    assert budget.chunk_seconds == seconds


def test_an_alias_repeats_what_its_anchor_stands_for(read: Read) -> None:
    config = read(
        "targets: {a: {dsn: dbname=a, budget: &b {connections: 7}}, c: {dsn: dbname=c, budget: *b}}"
    )
    assert config.targets["c"].budget.connections == 7


def test_secrets_come_from_the_environment_or_from_a_file(read: Read, tmp_path: Path) -> None:
    (tmp_path / "dsn").write_text("host=files dbname=b\n")
    config = read(
        "targets: {a: {dsn: !env A}, b: {dsn: !file dsn}, c: {dsn: !env [C, dbname=fallback]}}",
        A="host=env dbname=a",
    )
    dsns = {name: target.dsn.get_secret_value() for name, target in config.targets.items()}
    assert dsns == {"a": "host=env dbname=a", "b": "host=files dbname=b", "c": "dbname=fallback"}


def test_a_number_may_come_from_the_environment(read: Read) -> None:
    config = read("targets: {a: {dsn: dbname=a, budget: {connections: !env N}}}", N="4")
    assert config.targets["a"].budget.connections == 4


def test_a_file_that_begins_with_a_byte_order_mark_loads(read: Read) -> None:
    assert read(b"\xef\xbb\xbftargets: {a: {dsn: dbname=a}}").targets.keys() == {"a"}


@pytest.mark.parametrize(
    ("dsn", "name"),
    [
        ("dbname=games", "games"),
        ("postgresql://me@db.example/games?sslmode=require", "games"),
        ("dbname='weird name/1'", "weird_name_1"),
        ("dbname=..", "target"),
        ("user=anna", "anna"),
    ],
)
def test_a_lone_target_is_named_after_its_database(
    monkeypatch: pytest.MonkeyPatch, dsn: str, name: str
) -> None:
    monkeypatch.delenv("PGDATABASE", raising=False)
    assert list(Config.from_dsn(dsn).targets) == [name]


def test_a_lone_target_may_be_named() -> None:
    assert list(Config.from_dsn("dbname=x", name="games").targets) == ["games"]


@pytest.mark.parametrize("dsn", ["", "  ", "nonsense", "postgresql://u:sekret@[::1", "port"])
def test_a_dsn_that_libpq_cannot_read_is_refused_without_being_repeated(dsn: str) -> None:
    with pytest.raises(ConfigError, match=r"^dsn: is (empty|no libpq connection string): expected") as caught:
        Config.from_dsn(dsn)
    assert "sekret" not in str(caught.value)


@pytest.mark.parametrize(
    ("dsn", "meant"),
    [
        ("host=x prot=1", "; is port meant?"),
        ("postgresql://x/y?ssl_mode=require", "; is sslmode meant?"),
        ("host=x password=un qzkv=1", ""),
    ],
)
def test_an_option_that_libpq_does_not_know_is_told_without_what_may_be_secret(dsn: str, meant: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_dsn(dsn)
    assert f"(it has an option that libpq does not know{meant}): expected" in str(caught.value)
    assert "qzkv" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read: No such file or directory"):
        load(tmp_path / "nowhere.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)
