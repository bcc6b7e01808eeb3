"""Rows of `community`."""

from __future__ import annotations

from pgvigil.sample.table import Table
from pgvigil.sample.vocabulary import ADJECTIVES, NOUNS, REVIEW_WORDS
from pgvigil.sample.world import GUILDS, POSTS, THREADS

TABLES = (
    Table(
        "community.Gilden",
        "Nr., Name, Gründung",
        GUILDS,
        lambda w, d, i: (i, f"{d.pick(ADJECTIVES)} {d.pick(NOUNS)}", d.day()),
    ),
    Table(
        "community.Gilden-Mitglieder",
        "Gilde Nr., player_id, Rang",
        400,
        lambda w, d, i: (d.skewed(w.guilds), w.player_uuid(i), d.pick(("Meister", "Geselle", "Anwärter"))),
    ),
    Table(
        "community.threads",
        "id, title, locked",
        THREADS,
        lambda w, d, i: (i, d.words(REVIEW_WORDS, 4), d.chance(0.05)),
    ),
    Table(
        "community.posts",
        "id, thread_id, reply_to, author_id, body",
        POSTS,
        lambda w, d, i: (
            i,
            d.skewed(w.threads),
            d.between(1, i - 1) if i > 1 and d.chance(0.6) else None,
            w.player_uuid(w.active_player(d)),
            d.words(REVIEW_WORDS, 7),
        ),
    ),
    Table(
        "community.likes",
        "post_id, player_id",
        900,
        lambda w, d, i: (d.skewed(w.posts), w.player_uuid(i)),
    ),
    Table(
        "community.blocks",
        "player_id, blocked_id",
        60,
        lambda w, d, i: (w.player_uuid(i), w.player_uuid(i + d.between(1, 100))),
    ),
)
