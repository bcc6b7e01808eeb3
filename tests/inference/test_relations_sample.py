"""Zero configuration on the sample database: all that its team knows of, and no foreign key says."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.catalog import parse_relation
from pgvigil.catalog.statistics_read import read_statistics
from pgvigil.inference import Sampler, propose_relations, relevant_columns
from pgvigil.sample import build, plant_crisis
from pgvigil.target import Target
from tests.inference.schemas import by_relation

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg.sql import Composed

    from pgvigil.inference import ProposedRelation

# As the sample's own configuration has them, but for those that foreign keys declare.
UNDECLARED = """
    raw.igdb_payloads(ingest_run) -> raw.ingest_runs(id)
    staging.games(igdb_id) -> curated.games_complete(igdb_id)
    staging.streams(stream_id) -> raw.twitch_streams(stream_id)
    staging.streams(igdb_id) -> staging.games(igdb_id)
    analytics.player_sessions(player_id) -> curated.players(id)
    analytics.experiment_assignments(player_id) -> curated.players(id)
    analytics.experiment_assignments(experiment) -> analytics.experiments(key)
    analytics.campaign_touches(campaign) -> reference.campaigns(code)
    analytics.search_clicks(game_id) -> curated.games_complete(id)
    analytics.revenue_events(account_no) -> billing.accounts(account_no)
    analytics.daily_game_stats(igdb_id) -> curated.games_complete(igdb_id)
    analytics.retention(cohort_id) -> analytics.cohorts(id)
    analytics."Überblick je Tag"("Spiel-Nr.") -> curated.games_complete(id)
    monitoring.checks(service) -> monitoring.services(name)
    monitoring.check_results(check_id) -> monitoring.checks(id)
    monitoring.metric_samples(service, metric) -> ops.metric_definitions(service, metric)
    billing.payments(invoice_id) -> billing.invoices(id)
    billing.subscriptions(account_no) -> billing.accounts(account_no)
    community.likes(post_id) -> community.posts(id)
    ml.predictions(player_id) -> curated.players(id)
"""


def proposed(dsn: str) -> dict[str, ProposedRelation]:
    target = Target("games", dsn)

    def fetch(query: Composed) -> list[dict[str, Any]]:
        with target.snapshot() as snapshot:
            return snapshot.fetch(query)

    made = target.read_catalog()
    with target.snapshot() as snapshot:
        statistics = read_statistics(snapshot.fetch, made, relevant_columns(made))
    found = propose_relations(made, statistics, Sampler(fetch))
    target.close()
    return by_relation(found)


@pytest.fixture
def sample(database_from: Callable[[str, Callable[[str], None]], str]) -> str:
    return database_from("sample", partial(build, scale=1, seed=1))


def test_all_undeclared_relations_of_the_healthy_sample_are_proposed(sample: str) -> None:
    expected = {str(parse_relation(line)) for line in UNDECLARED.strip().splitlines()}
    assert expected <= proposed(sample).keys()


def test_orphans_and_broken_keys_hide_none_of_them(sample: str) -> None:
    answer = plant_crisis(sample)
    expected = {str(parse_relation(line)) for line in UNDECLARED.strip().splitlines()}
    found = proposed(sample)
    planted = {str(one.relation) for one in answer.planted if one.relation and one.configured}
    assert planted <= found.keys() | {str(key) for key in declared(sample)}
    assert expected <= found.keys()


def declared(dsn: str) -> list[str]:
    target = Target("games", dsn)
    keys = [str(key.relation) for key in target.read_catalog().foreign_keys]
    target.close()
    return keys
