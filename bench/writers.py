"""Writers of the sample database that keep it sound: each change is one transaction, whole or not at all.

They work on what the checks look at: both tables of the game entity, children behind foreign keys and behind
relations that nobody declares, composite keys, a deferred key, a partitioned parent. New rows have keys of
their own, far above the sample's, so that nobody takes away another's parent.
"""

from __future__ import annotations

import threading
from collections import deque
from random import Random
from typing import Any, LiteralString, Self

import psycopg
from psycopg.errors import OperationalError
from psycopg.types.json import Jsonb

WRITERS = 3
_ABOVE_THE_SAMPLE = 5_000_000
_SHARE = 1_000_000
_MOST_ALIVE = 60
_PAUSE_SECONDS = 0.02

_NEW_GAME: LiteralString = """
    INSERT INTO curated.enhanced_games (
        id, igdb_id, title, release_date, list_price, quality_score, platforms, attributes, updated_at
    ) VALUES (
        %(uuid)s, %(id)s, %(title)s, '2024-05-06', %(price)s, %(score)s, '{PC}', %(more)s, now()
    );
    INSERT INTO curated.games_complete (
        id, igdb_id, name, released_on, price, quality_score, platforms, metadata, updated_at
    ) VALUES (
        %(id)s, %(id)s, %(title)s, '2024-05-06', %(price)s, %(score)s, '{PC}', %(more)s, now()
    );
    INSERT INTO curated.releases (game_id, platform, released_on) VALUES (%(id)s, 'PC', '2024-05-06');
    INSERT INTO curated.reviews (game_id, stars, body) VALUES (%(uuid)s, 4.5, 'good');
    INSERT INTO curated.achievements VALUES (%(id)s, %(uuid)s, 'first', 10);
    INSERT INTO analytics.wishlists SELECT %(id)s, id, %(uuid)s, now() FROM curated.players LIMIT 1;
    INSERT INTO analytics.search_clicks VALUES (%(id)s, 'a game', %(id)s, 1);
    INSERT INTO analytics.daily_game_stats VALUES ('2024-05-06', %(id)s, 5, 1.5);
    INSERT INTO analytics.player_sessions (player_id, game_id, started_at, ended_at)
    SELECT id, %(id)s, now(), now() + interval '1h' FROM curated.players LIMIT 1;
"""
_END_OF_GAME: LiteralString = """
    DELETE FROM analytics.daily_game_stats WHERE igdb_id = %(id)s;
    DELETE FROM analytics.search_clicks WHERE game_id = %(id)s;
    DELETE FROM analytics.wishlists WHERE game_uuid = %(uuid)s;
    DELETE FROM curated.releases WHERE game_id = %(id)s;
    DELETE FROM curated.games_complete WHERE id = %(id)s;
    DELETE FROM curated.enhanced_games WHERE id = %(uuid)s;
"""
# Any game, the sample's too: both sides say the same of it when it commits.
_CHANGED_GAME: LiteralString = """
    UPDATE curated.enhanced_games
    SET list_price = %(price)s, quality_score = %(score)s, title = %(title)s, updated_at = now()
    WHERE igdb_id = %(any)s;
    UPDATE curated.games_complete
    SET price = %(price)s, quality_score = %(score)s, name = %(title)s, updated_at = now()
    WHERE igdb_id = %(any)s;
"""
_NEW_INVOICE: LiteralString = """
    INSERT INTO billing.invoices (id, account_no, currency, net, tax, issued_on)
    SELECT %(id)s, account_no, 'EUR', 10, 2, '2024-05-06' FROM billing.accounts LIMIT 1;
    INSERT INTO billing.invoice_lines VALUES (%(id)s, 1, 'a', 5), (%(id)s, 2, 'b', 5);
    INSERT INTO billing.payments VALUES (%(uuid)s, %(id)s, now(), 'card');
    INSERT INTO billing.refunds VALUES (%(id)s, %(id)s, 2, 1), (-%(id)s, %(id)s, NULL, 1);
"""
_END_OF_INVOICE: LiteralString = """
    DELETE FROM billing.payments WHERE invoice_id = %(id)s;
    DELETE FROM billing.refunds WHERE invoice_id = %(id)s;
    DELETE FROM billing.invoices WHERE id = %(id)s;
"""
# The answer comes before the post that it answers: the key is checked when the transaction commits.
_NEW_THREAD: LiteralString = """
    INSERT INTO community.threads VALUES (%(id)s, 'a thread', false);
    INSERT INTO community.posts SELECT -%(id)s, %(id)s, %(id)s, id, 'answer' FROM curated.players LIMIT 1;
    INSERT INTO community.posts SELECT %(id)s, %(id)s, NULL, id, 'post' FROM curated.players LIMIT 1;
    INSERT INTO community.likes SELECT %(id)s, id FROM curated.players LIMIT 3;
"""
_END_OF_THREAD: LiteralString = """
    DELETE FROM community.likes WHERE post_id = %(id)s;
    DELETE FROM community.posts WHERE thread_id = %(id)s;
    DELETE FROM community.threads WHERE id = %(id)s;
"""
# In a partition, with what refers to it by a key of two columns.
_NEW_EVENT: LiteralString = """
    INSERT INTO analytics.events SELECT %(id)s, '2024-02-01Z', id, 'login', NULL FROM curated.players LIMIT 1;
    INSERT INTO analytics.event_annotations VALUES (%(id)s, %(id)s, '2024-02-01Z', 'seen');
"""
_END_OF_EVENT: LiteralString = """
    DELETE FROM analytics.event_annotations WHERE id = %(id)s;
    DELETE FROM analytics.events WHERE id = %(id)s;
"""
_KINDS = (
    (_NEW_GAME, _END_OF_GAME),
    (_NEW_INVOICE, _END_OF_INVOICE),
    (_NEW_THREAD, _END_OF_THREAD),
    (_NEW_EVENT, _END_OF_EVENT),
)

Alive = deque[tuple[int, dict[str, Any]]]
"""What a writer has made and not let go of: which kind, and its values."""


class SoundWriters:
    """Threads that write until the block ends; `commits` and `rollbacks` count what they did."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._counts = [[0, 0] for _ in range(WRITERS)]
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._go, args=[number]) for number in range(WRITERS)]

    @property
    def commits(self) -> int:
        return sum(commits for commits, _ in self._counts)

    @property
    def rollbacks(self) -> int:
        return sum(rollbacks for _, rollbacks in self._counts)

    @property
    def alive(self) -> bool:
        """Whether all of them still write."""
        return all(thread.is_alive() for thread in self._threads)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _go(self, number: int) -> None:
        random = Random(number)
        alive: Alive = deque()
        identity = _ABOVE_THE_SAMPLE + number * _SHARE
        # Whole scripts in one go, with their values: the client puts them in.
        with psycopg.connect(self._dsn, autocommit=True, cursor_factory=psycopg.ClientCursor) as conn:
            games = [row[0] for row in conn.execute("SELECT igdb_id FROM curated.games_complete LIMIT 800")]
            while not self._stopping.wait(_PAUSE_SECONDS):
                identity += 1
                values = _values(random, identity, random.choice(games))
                commits = random.random() < 0.95
                done = _change(conn, random, alive, values, commits=commits)
                self._counts[number][0 if done and commits else 1] += 1


def _change(
    conn: psycopg.Connection, random: Random, alive: Alive, values: dict[str, Any], *, commits: bool
) -> bool:
    """Make something, change something or let go of something; return whether it came about."""
    choice = random.random()
    if choice < 0.4:
        return _transaction(conn, _CHANGED_GAME, values, commits=commits)
    if choice < 0.7 and len(alive) < _MOST_ALIVE:
        kind = random.randrange(len(_KINDS))
        made = _transaction(conn, _KINDS[kind][0], values, commits=commits)
        if made and commits:
            alive.append((kind, values))
        return made
    if not alive:
        return False
    kind, values = alive.popleft()
    ended = _transaction(conn, _KINDS[kind][1], values, commits=commits)
    if not (ended and commits):
        alive.append((kind, values))
    return ended


def _transaction(
    conn: psycopg.Connection, script: LiteralString, values: dict[str, Any], *, commits: bool
) -> bool:
    """Execute a script, and commit or roll back; False when the server broke it off, as of a deadlock."""
    try:
        with conn.transaction(force_rollback=not commits):
            conn.execute(script, values)
    except OperationalError:
        return False
    return True


def _values(random: Random, identity: int, game: int) -> dict[str, Any]:
    return {
        "id": identity,
        "uuid": f"{random.getrandbits(128):032x}",
        "any": game,
        "title": f"Game {random.getrandbits(32)}",
        "price": f"{random.randrange(100, 7000) / 100:.2f}",
        "score": f"{random.randrange(0, 10_000) / 100:.2f}",
        "more": Jsonb({"engine": random.randrange(9)}),
    }
