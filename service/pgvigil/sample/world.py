"""The things that several tables speak of, so that what a child says of a parent is true.

A game, a player or an account is a number from 1 to how many there are; this module turns the number into
keys and attributes, the same ones wherever they are asked for. Nothing is kept, so memory does not grow with
the scale.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from pgvigil.sample.dice import YEAR_SECONDS, Dice, day, decimal, moment, scattered
from pgvigil.sample.vocabulary import (
    ADJECTIVES,
    COUNTRIES,
    ENDINGS,
    FIRST_NAMES,
    NOUNS,
    PLATFORMS,
    SUBTITLES,
)

# How many there are at scale 1.
GAMES = 800
PLAYERS = 1_000
ACCOUNTS = 500
INVOICES = 800
EVENTS = 4_000
POSTS = 900
THREADS = 150
GUILDS = 40
# How many there are at every scale.
STUDIOS = 60
PUBLISHERS = 24
FRANCHISES = 40
COHORTS = 12
ALERTS = 25
PROBES = 30
STAFF = 30
CAMPAIGNS = 30
# A step through the numbers that no scale divides: neighbours in popularity are not neighbours by number.
_STRIDE = 1_000_003
_JSON_BOOLEANS = ("false", "true")


class Game(NamedTuple):
    """What both game tables know of one game, in the words that they are written with."""

    igdb_id: int
    title: str
    subtitle: str | None
    developer: str | None
    released_on: str
    price: str
    score: str
    platforms: str
    attributes: str
    updated_at: str


class World:
    """One sample: its seed, its scale and how many there are of what grows with the scale."""

    def __init__(self, seed: int, scale: int) -> None:
        self.seed = seed
        self.scale = scale
        self.games = GAMES * scale
        self.players = PLAYERS * scale
        self.accounts = ACCOUNTS * scale
        self.invoices = INVOICES * scale
        self.events = EVENTS * scale
        self.posts = POSTS * scale
        self.threads = THREADS * scale
        self.guilds = GUILDS * scale

    def game(self, number: int) -> Game:
        """Describe a game."""
        bits = hashlib.blake2b(f"{self.seed}/game/{number}".encode(), digest_size=16).digest()
        title = f"{ADJECTIVES[bits[0] % len(ADJECTIVES)]} {NOUNS[bits[1] % len(NOUNS)]}"
        first = bits[4] % (len(PLATFORMS) - 3)
        return Game(
            igdb_id=igdb_id(number),
            title=title + ENDINGS[bits[2] % len(ENDINGS)],
            subtitle=SUBTITLES[bits[3] % len(SUBTITLES)] if bits[3] % 2 else None,
            developer=f"{NOUNS[bits[5] % len(NOUNS)]} Studio" if bits[5] > 8 else None,
            released_on=day(-20 * bits[6] - bits[7]),
            price=decimal(99 + 100 * (bits[8] % 70), 2),
            score=decimal(2_000 + int.from_bytes(bits[9:11]) % 7_000, 2),
            platforms=f"{{{','.join(PLATFORMS[first : first + 1 + bits[11] % 4])}}}",
            attributes=f'{{"engine": "E{bits[12] % 6}", "coop": {_JSON_BOOLEANS[bits[13] % 2]}}}',
            updated_at=moment(int.from_bytes(bits[12:16]) % YEAR_SECONDS),
        )

    def game_uuid(self, number: int) -> str:
        """Return the key of a game in `curated.enhanced_games`."""
        return scattered(self.seed, "game", number)

    def player_uuid(self, number: int) -> str:
        """Return the key of a player."""
        return scattered(self.seed, "player", number)

    def handle(self, number: int) -> str:
        """Return what a player is called."""
        return f"{FIRST_NAMES[number % len(FIRST_NAMES)]}{number}"

    def country(self, number: int) -> str | None:
        """Return where a player lives, when it is known."""
        return COUNTRIES[number * 7 % len(COUNTRIES)] if number % 10 else None

    def joined_at(self, number: int) -> str:
        """Return when a player joined: in the years before the sample's."""
        return moment(-(number * _STRIDE) % (3 * YEAR_SECONDS) - 3 * YEAR_SECONDS)

    def popular_game(self, dice: Dice) -> int:
        """Pick a game: a few come up very often."""
        return 1 + dice.skewed(self.games) * _STRIDE % self.games

    def active_player(self, dice: Dice) -> int:
        """Pick a player: a few come up very often."""
        return 1 + dice.skewed(self.players) * _STRIDE % self.players

    def event_at(self, number: int) -> str:
        """Return when an event happened: evenly spread over the year, in the order of their numbers."""
        return moment((number - 1) * YEAR_SECONDS // self.events)


def igdb_id(number: int) -> int:
    """Return the number that the outside world knows a game by; both game tables hold it."""
    return 1_000 + 7 * number


def account_no(number: int) -> int:
    """Return the number of an account, longer than a bigint allows."""
    return 40_000_000_000_000_000_000 + 97 * number


def stream_id(number: int) -> int:
    """Return the number of a stream, longer than a bigint allows."""
    return 18_000_000_000_000_000_000 + number


def campaign(number: int) -> str:
    """Return the code of a campaign; all of them are upper case."""
    return f"{('SPRING', 'SUMMER', 'AUTUMN', 'WINTER')[number % 4]}-{10 + number}"


def publisher(number: int) -> str:
    """Return the code of a publisher."""
    return f"PUB{number:03}"
