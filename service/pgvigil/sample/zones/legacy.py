"""Rows of `legacy`: what the migration left behind. `legacy.players` and `legacy.games` are empty."""

from __future__ import annotations

from pgvigil.sample.dice import scattered
from pgvigil.sample.table import Table
from pgvigil.sample.vocabulary import ADJECTIVES, NOUNS
from pgvigil.sample.world import igdb_id

TABLES = (
    Table(
        "legacy.GameMaster",
        "GameID, GameName, Active",
        120,
        lambda w, d, i: (i, f"{d.pick(ADJECTIVES)} {d.pick(NOUNS)}", d.pick("YN")),
        grows=False,
    ),
    Table(
        "legacy.sessions_2019",
        "session_key, player_no, seconds",
        200,
        lambda w, d, i: (scattered(w.seed, "2019", i).replace("-", ""), d.skewed(500), d.skewed(9_000)),
        grows=False,
    ),
    Table(
        "legacy.scores",
        "player_no, game_no, score",
        100,
        lambda w, d, i: (i, d.between(1, 120), d.cents(0, 10_000)),
        grows=False,
    ),
    Table(
        "legacy.import_map",
        "old_game_no, igdb_id",
        120,
        lambda w, d, i: (i, igdb_id(i)),
        grows=False,
    ),
)
