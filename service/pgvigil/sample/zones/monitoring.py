"""Rows of `monitoring`."""

from __future__ import annotations

from pgvigil.sample.dice import YEAR_SECONDS, moment
from pgvigil.sample.table import Table
from pgvigil.sample.vocabulary import FIRST_NAMES, METRICS, OBJECTIVES, SERVICES, TEAMS
from pgvigil.sample.world import ALERTS, PROBES

_RESULTS = 2_000
_WATCHED = ("raw.igdb_payloads", "staging.games", "curated.enhanced_games", "curated.games_complete")

TABLES = (
    Table(
        "monitoring.services",
        "id, name, owner_team",
        len(SERVICES),
        lambda w, d, i: (i, SERVICES[i - 1], d.pick(TEAMS)),
        grows=False,
    ),
    Table(
        "monitoring.slos",
        "service, objective, target",
        len(SERVICES) * len(OBJECTIVES),
        lambda w, d, i: (
            SERVICES[(i - 1) // len(OBJECTIVES)],
            OBJECTIVES[(i - 1) % len(OBJECTIVES)],
            d.pick(("0.99000", "0.99900", "0.99990")),
        ),
        grows=False,
    ),
    # A breach of the platform as a whole names neither service nor objective.
    Table(
        "monitoring.slo_breaches",
        "id, service, objective, breached_at, burn_rate",
        100,
        lambda w, d, i: (
            i,
            d.pick(SERVICES) if i % 10 else None,
            d.pick(OBJECTIVES) if i % 10 else None,
            d.moment(),
            d.between(10, 144) / 10,
        ),
        grows=False,
    ),
    Table(
        "monitoring.alerts",
        "id, name, labels",
        ALERTS,
        lambda w, d, i: (i, f"{d.pick(SERVICES)}-{i}", f'{{"severity": "{d.pick(("page", "ticket"))}"}}'),
        grows=False,
    ),
    Table(
        "monitoring.alert_events",
        "id, alert_id, fired_at, acknowledged_by",
        300,
        lambda w, d, i: (i, d.skewed(ALERTS), d.moment(), d.pick((*FIRST_NAMES[:5], None))),
    ),
    Table(
        "monitoring.checks",
        "id, service, url",
        PROBES,
        lambda w, d, i: (i, d.pick(SERVICES), f"https://status.example.com/{i}"),
        grows=False,
    ),
    Table(
        "monitoring.check_results",
        "id, check_id, checked_at, verdict, latency_ms",
        _RESULTS,
        lambda w, d, i: (
            i,
            d.between(1, PROBES),
            moment((i - 1) * YEAR_SECONDS // (_RESULTS * w.scale)),
            d.pick(("ok", "ok", "ok", "ok", "degraded", "down")),
            d.between(5, 9_000) / 8 if i % 50 else None,
        ),
    ),
    Table(
        "monitoring.metric_samples",
        "id, service, metric, sampled_at, value",
        1_500,
        lambda w, d, i: (
            i,
            d.pick(SERVICES),
            d.pick(METRICS) if i % 40 else None,
            d.moment(),
            d.pick(("NaN", "-0", "0.1", "1e300")) if i % 97 == 0 else d.share(),
        ),
    ),
    Table(
        "monitoring.pipeline_runs",
        "id, pipeline, zone, finished_at, rows_written",
        200,
        lambda w, d, i: (
            i,
            d.pick(("igdb", "steam", "telemetry")),
            d.pick(("raw", "staging", "curated")),
            d.moment() if i % 18 else None,
            d.skewed(10**6),
        ),
    ),
    Table(
        "monitoring.freshness",
        "table_name, newest_row_at, expected_every",
        len(_WATCHED),
        lambda w, d, i: (_WATCHED[i - 1], d.moment(), d.pick(("1 hour", "1 day"))),
        grows=False,
    ),
)
