"""Rows of `analytics`."""

from __future__ import annotations

from pgvigil.sample.dice import YEAR_SECONDS, Dice, day, moment
from pgvigil.sample.table import Row, Table
from pgvigil.sample.vocabulary import EVENT_NAMES, NOUNS, PLATFORMS, REGIONS
from pgvigil.sample.world import CAMPAIGNS, COHORTS, EVENTS, World, account_no, campaign, igdb_id

_EXPERIMENTS = ("big-button", "dark-mode", "free-shipping", "new-tutorial", "price-anchor", "weekly-mail")


def _session(world: World, dice: Dice, number: int) -> Row:
    start = dice.between(0, YEAR_SECONDS - 20_000)
    game = world.popular_game(dice) if dice.chance(0.95) else None
    player = world.player_uuid(world.active_player(dice))
    return number, player, game, moment(start), moment(start + dice.skewed(20_000))


def _annotation(world: World, dice: Dice, number: int) -> Row:
    event = dice.between(1, world.events)
    return number, event, world.event_at(event), dice.pick(("seen in support", "replayed", "suspicious"))


def _regional_revenue(dice: Dice, number: int) -> Row:
    """Where the platform or the region is not known, the row has no parent and needs none."""
    platform = dice.pick(PLATFORMS) if dice.chance(0.95) else None
    region = dice.pick(REGIONS[:-1]) if dice.chance(0.95) else None
    if platform is None and dice.chance(0.5):
        region = REGIONS[-1]
    return number, platform, region, dice.day(), dice.cents(0, 900_000)


TABLES = (
    Table(
        "analytics.player_sessions",
        "id, player_id, game_id, started_at, ended_at",
        3_500,
        _session,
    ),
    Table(
        "analytics.events",
        "id, occurred_at, player_id, name, properties",
        EVENTS,
        lambda w, d, i: (
            i,
            w.event_at(i),
            w.player_uuid(w.active_player(d)) if i % 20 else None,
            d.pick(EVENT_NAMES),
            f'{{"level": {d.skewed(60)}}}' if i % 3 else None,
        ),
    ),
    Table("analytics.event_annotations", "id, event_id, event_at, note", 200, _annotation),
    Table(
        "analytics.regional_revenue",
        "id, platform, region, day, revenue",
        600,
        lambda w, d, i: _regional_revenue(d, i),
    ),
    Table(
        "analytics.cohorts",
        "id, name, starts",
        COHORTS,
        lambda w, d, i: (i, f"Cohort {i}", day(30 * (i - 1))),
        grows=False,
    ),
    Table(
        "analytics.cohort_members",
        "cohort_id, player_id",
        900,
        lambda w, d, i: (d.between(1, COHORTS), w.player_uuid(i)),
    ),
    Table(
        "analytics.wishlists",
        "id, player_id, game_uuid, added_at",
        700,
        lambda w, d, i: (
            i,
            w.player_uuid(w.active_player(d)),
            w.game_uuid(w.popular_game(d)),
            d.moment(),
        ),
    ),
    Table(
        "analytics.experiments",
        "key, hypothesis, arms",
        len(_EXPERIMENTS),
        lambda w, d, i: (_EXPERIMENTS[i - 1], f"More {d.pick(NOUNS).lower()}", '{control,"variant A"}'),
        grows=False,
    ),
    Table(
        "analytics.experiment_assignments",
        "id, experiment, player_id, arm",
        900,
        lambda w, d, i: (
            i,
            d.pick(_EXPERIMENTS),
            w.player_uuid(w.active_player(d)) if i % 25 else None,
            d.pick(("control", "variant A")),
        ),
    ),
    Table(
        "analytics.campaign_touches",
        "id, campaign, player_id, touched_at",
        600,
        lambda w, d, i: (
            i,
            campaign(d.skewed(CAMPAIGNS)) if i % 15 else None,
            w.player_uuid(w.active_player(d)),
            d.moment(),
        ),
    ),
    Table(
        "analytics.search_clicks",
        "id, query, game_id, position",
        800,
        lambda w, d, i: (i, d.pick(NOUNS).lower(), w.popular_game(d) if i % 12 else None, d.skewed(50)),
    ),
    Table(
        "analytics.revenue_events",
        "id, account_no, amount, booked_at",
        600,
        lambda w, d, i: (i, account_no(d.skewed(w.accounts)), d.cents(-2_000, 9_000), d.moment()),
    ),
    Table(
        "analytics.daily_game_stats",
        "day, igdb_id, players, average_minutes",
        800,
        lambda w, d, i: (
            day(i // w.games),
            igdb_id(1 + i % w.games),
            d.skewed(10_000),
            d.between(10, 9_000) / 10,
        ),
    ),
    Table(
        "analytics.retention",
        "cohort_id, week, share",
        COHORTS * 8,
        lambda w, d, i: (1 + (i - 1) // 8, (i - 1) % 8, d.between(5, 100) / 100),
        grows=False,
    ),
    Table(
        "analytics.Überblick je Tag",
        "Zeile, Tag, Spiel-Nr., Umsatz in €",
        500,
        lambda w, d, i: (i, d.day(), w.popular_game(d) if i % 30 else None, d.cents(0, 200_000)),
    ),
)
