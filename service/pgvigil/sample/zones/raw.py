"""Rows of `raw`: the payloads repeat what the later zones say of the same things."""

from __future__ import annotations

from pgvigil.sample.dice import scattered
from pgvigil.sample.table import Table
from pgvigil.sample.vocabulary import CURRENCIES, FIRST_NAMES, LANGUAGES, REVIEW_WORDS, STORES
from pgvigil.sample.world import GAMES, igdb_id, stream_id

TABLES = (
    Table(
        "raw.ingest_runs",
        "id, source, started_at, took",
        40,
        lambda w, d, i: (i, d.pick(STORES), d.moment(), f"{d.between(3, 900)} seconds"),
    ),
    Table(
        "raw.igdb_payloads",
        "id, ingest_run, payload, checksum",
        GAMES,
        lambda w, d, i: (i, 1 + i % 40, _payload(w.game(i).title, igdb_id(i)), _bytes(w.seed, "igdb", i)),
    ),
    Table(
        "raw.steam.payloads",
        "id, appId, payload, fetched_at",
        500,
        lambda w, d, i: (i, f"app-{i * 10}", _payload(w.game(i).title, igdb_id(i)), d.moment()),
    ),
    Table(
        "raw.epic_payloads",
        "id, payload, fetched_at",
        200,
        lambda w, d, i: (scattered(w.seed, "epic", i), _payload(w.game(i).title, igdb_id(i)), d.moment()),
    ),
    Table(
        "raw.store_prices",
        "id, store, external_id, price, currency",
        900,
        lambda w, d, i: (
            i,
            d.pick(STORES),
            f"app-{w.popular_game(d) * 10}",
            d.pick(("free", None, "19,99", "9.99", "59.99 ")),
            d.pick(CURRENCIES),
        ),
    ),
    Table(
        "raw.twitch_streams",
        "stream_id, channel, tags, viewers, started_at",
        400,
        lambda w, d, i: (
            stream_id(i),
            f"{d.pick(FIRST_NAMES)}_tv",
            d.pick(("{}", "{speedrun}", '{"first play",cosy}')),
            d.skewed(50_000),
            d.moment(),
        ),
    ),
    Table(
        "raw.review_feed",
        "id, body, stars, language",
        600,
        lambda w, d, i: (i, d.words(REVIEW_WORDS, 12), d.between(2, 10) / 2, d.pick(LANGUAGES)),
    ),
    Table(
        "raw.telemetry_batches",
        "batch, received_at, compressed",
        200,
        lambda w, d, i: (scattered(w.seed, "batch", i), d.moment(), _bytes(w.seed, "telemetry", i)),
    ),
    Table(
        "raw.payment_webhooks",
        "id, body, signature",
        300,
        lambda w, d, i: (i, f'{{"event": "paid", "cents": {d.between(99, 9_999)}}}', f"sig-{i:08}"),
    ),
    Table("raw.forum_dump", "line_no, line", 200, lambda w, d, i: (i, d.words(REVIEW_WORDS, 8))),
)


def _payload(title: str, number: int) -> str:
    return f'{{"name": "{title}", "id": {number}, "tags": ["a", "b"], "rating": null}}'


def _bytes(seed: int, kind: str, number: int) -> str:
    return "\\x" + scattered(seed, kind, number).replace("-", "")
