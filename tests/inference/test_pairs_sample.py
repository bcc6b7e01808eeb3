"""On the sample database, of which pgvigil is told nothing, the game entity is found by itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import yaml

from pgvigil.inference.pairs_judgement import LIKELY
from pgvigil.sample import build, configuration, plant_crisis
from tests.inference.pairs import named, proposed

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.inference import ProposedPair

GAMES = "curated.enhanced_games <> curated.games_complete"
# The same entities one zone earlier, rebuilt by every load: true, and no second truth.
STAGES = {
    "curated.enhanced_games <> staging.games",
    "curated.games_complete <> staging.games",
    "curated.players <> staging.players",
}


@pytest.fixture
def sample(database_from: Callable[[str, Callable[[str], None]], str]) -> str:
    """The DSN of a healthy sample of this test's own."""
    return database_from("sample", partial(build, scale=1, seed=1))


@pytest.mark.every_pg
def test_the_game_pair_comes_first_with_the_key_and_columns_that_its_team_wrote_down(sample: str) -> None:
    pairs = proposed(sample)
    check_against_what_the_team_wrote(pairs[0])
    assert_nothing_else_is_likely(pairs)


def test_the_faults_of_the_crisis_do_not_hide_it(sample: str) -> None:
    plant_crisis(sample)
    pairs = proposed(sample)
    check_against_what_the_team_wrote(pairs[0])
    assert_nothing_else_is_likely(pairs)


def check_against_what_the_team_wrote(pair: ProposedPair) -> None:
    written = yaml.safe_load(configuration("dbname=games"))
    (team,) = written["targets"]["games"]["checks"]["table_drift"]["pairs"]
    assert (str(pair.left), str(pair.right)) == (team["left"], team["right"])
    assert (pair.key, pair.columns) == (team["key"], team["columns"])
    assert pair.tolerance == {}
    assert pair.referenced == "left"


def assert_nothing_else_is_likely(pairs: tuple[ProposedPair, ...]) -> None:
    assert [one for one in pairs if one.probability >= LIKELY] == [pairs[0]]
    assert set(named(pairs)) == {GAMES, *STAGES}


def test_going_by_names_and_statistics_it_comes_first_too(sample: str) -> None:
    (pair,) = proposed(sample, sampled=False)
    check_against_what_the_team_wrote(pair)
    assert 0 < pair.probability < LIKELY
