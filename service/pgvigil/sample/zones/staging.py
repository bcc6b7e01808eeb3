"""Rows of `staging`."""

from __future__ import annotations

from pgvigil.sample.dice import day
from pgvigil.sample.table import Row, Table
from pgvigil.sample.vocabulary import CURRENCIES, PLATFORMS
from pgvigil.sample.world import GAMES, PLAYERS, World, account_no, igdb_id, stream_id

_LOADED = ("games", "game_titles", "releases", "reviews", "players", "prices", "streams", "transactions")


def _game(world: World, number: int) -> Row:
    game = world.game(number)
    return game.igdb_id, game.title, game.developer, game.released_on, game.price


TABLES = (
    Table(
        "staging.games",
        "igdb_id, title, developer, release_date, list_price",
        GAMES,
        lambda w, d, i: _game(w, i),
    ),
    Table(
        "staging.game_titles",
        "igdb_id, language, title",
        GAMES,
        lambda w, d, i: (igdb_id(i), d.pick(("en", "de", "ja")), w.game(i).title),
    ),
    Table(
        "staging.releases",
        "igdb_id, platform, released_on",
        GAMES,
        lambda w, d, i: (igdb_id(i), d.pick(PLATFORMS), w.game(i).released_on),
    ),
    Table(
        "staging.reviews",
        "id, igdb_id, stars, words",
        600,
        lambda w, d, i: (i, igdb_id(w.popular_game(d)), d.between(2, 10) / 2, d.skewed(900)),
    ),
    Table(
        "staging.players",
        "id, handle, country, joined_at",
        PLAYERS,
        lambda w, d, i: (w.player_uuid(i), w.handle(i), w.country(i), w.joined_at(i)),
    ),
    Table(
        "staging.prices",
        "igdb_id, seen_on, price",
        900,
        lambda w, d, i: (igdb_id(1 + i % w.games), day(i // w.games), d.cents(99, 6_999)),
    ),
    Table(
        "staging.streams",
        "stream_id, igdb_id, minutes",
        400,
        lambda w, d, i: (stream_id(i), igdb_id(w.popular_game(d)) if i % 9 else None, d.skewed(600)),
    ),
    Table(
        "staging.transactions",
        "webhook_id, account_no, amount, currency",
        300,
        lambda w, d, i: (i, account_no(d.skewed(w.accounts)), d.cents(99, 9_999), d.pick(CURRENCIES)),
    ),
    Table(
        "staging.merge_candidates",
        "left_igdb_id, right_igdb_id, likeness",
        120,
        lambda w, d, i: (igdb_id(i), igdb_id(i + d.between(1, 50)), d.between(500, 999) / 1_000),
    ),
    Table(
        "staging.load control",
        "Step, Table, Last Row",
        len(_LOADED),
        lambda w, d, i: (i, _LOADED[i - 1], d.between(1, 10**9)),
        grows=False,
    ),
)
