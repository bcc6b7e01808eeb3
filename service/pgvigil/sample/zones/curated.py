"""Rows of `curated`. Both game tables are made of the same attributes, so that they agree to the last bit."""

from __future__ import annotations

from pgvigil.sample.dice import Dice
from pgvigil.sample.table import Row, Table
from pgvigil.sample.vocabulary import GENRES, LANGUAGES, NOUNS, PLATFORMS, REVIEW_WORDS
from pgvigil.sample.world import (
    FRANCHISES,
    GAMES,
    PLAYERS,
    PUBLISHERS,
    STUDIOS,
    World,
    igdb_id,
    publisher,
)

ACHIEVEMENTS = 900


def _enhanced(world: World, dice: Dice, number: int) -> Row:
    franchise = dice.between(1, FRANCHISES) if dice.chance(0.3) else None
    return world.game_uuid(number), *world.game(number), franchise


def _complete(world: World, dice: Dice, number: int) -> Row:
    studio = dice.skewed(STUDIOS) if dice.chance(0.9) else None
    return number, *world.game(number), studio, publisher(dice.skewed(PUBLISHERS))


TABLES = (
    Table(
        "curated.studios",
        "id, name, founded",
        STUDIOS,
        lambda w, d, i: (i, f"{d.pick(NOUNS)} Studio", d.between(1985, 2023)),
        grows=False,
    ),
    Table(
        "curated.publishers",
        "code, name",
        PUBLISHERS,
        lambda w, d, i: (publisher(i), f"{d.pick(NOUNS)} & Sons"),
        grows=False,
    ),
    Table(
        "curated.franchises",
        "id, parent_id, name",
        FRANCHISES,
        lambda w, d, i: (i, d.between(1, i - 1) if i > 1 and d.chance(0.4) else None, d.pick(NOUNS)),
        grows=False,
    ),
    Table(
        "curated.enhanced_games",
        "id, igdb_id, title, subtitle, developer, release_date, list_price, quality_score, platforms, "
        "attributes, updated_at, franchise_id",
        GAMES,
        _enhanced,
    ),
    Table(
        "curated.games_complete",
        "id, igdb_id, name, tagline, developed_by, released_on, price, quality_score, platforms, "
        "metadata, updated_at, studio_id, publisher_code",
        GAMES,
        _complete,
    ),
    Table(
        "curated.players",
        "id, handle, country, email, joined_at",
        PLAYERS,
        lambda w, d, i: (
            w.player_uuid(i),
            w.handle(i),
            w.country(i),
            f"player{i}@example.com",
            w.joined_at(i),
        ),
    ),
    Table(
        "curated.releases",
        "id, game_id, platform, released_on",
        1_000,
        lambda w, d, i: (i, w.popular_game(d), d.pick(PLATFORMS), d.day()),
    ),
    Table(
        "curated.reviews",
        "id, game_id, stars, body",
        1_000,
        lambda w, d, i: (i, w.game_uuid(w.popular_game(d)), d.between(2, 10) / 2, d.words(REVIEW_WORDS, 9)),
    ),
    Table(
        "curated.achievements",
        "id, game_id, name, points",
        ACHIEVEMENTS,
        lambda w, d, i: (i, w.game_uuid(w.popular_game(d)), f"The {d.pick(NOUNS)}", d.between(1, 20) * 5),
    ),
    Table(
        "curated.player_achievements",
        "player_id, achievement_id, unlocked_at",
        1_500,
        lambda w, d, i: (
            w.player_uuid(1 + i % w.players),
            1 + (i + i // w.players) % (ACHIEVEMENTS * w.scale),
            d.moment(),
        ),
    ),
    Table(
        "curated.localizations",
        "id, igdb_id, language, title",
        900,
        lambda w, d, i: (i, igdb_id(1 + i % w.games), d.pick(LANGUAGES), w.game(1 + i % w.games).title),
    ),
    Table(
        "curated.game_genres",
        "igdb_id, genre_id, weight",
        2 * GAMES,
        lambda w, d, i: (
            igdb_id(1 + (i - 1) // 2),
            1 + (i % 2 * 11 + i) % len(GENRES),
            d.between(1, 100) / 100,
        ),
    ),
)
