"""Rows of `ml`."""

from __future__ import annotations

from pgvigil.sample.table import Table
from pgvigil.sample.vocabulary import MODELS
from pgvigil.sample.world import igdb_id

_VERSIONS = 4

TABLES = (
    Table(
        "ml.model_versions",
        "model, version, metrics",
        len(MODELS) * _VERSIONS,
        lambda w, d, i: (
            MODELS[(i - 1) // _VERSIONS],
            1 + (i - 1) % _VERSIONS,
            f'{{"auc": 0.{d.between(600, 950)}}}',
        ),
        grows=False,
    ),
    Table(
        "ml.predictions",
        "id, model, version, player_id, churn",
        1_000,
        lambda w, d, i: (
            i,
            d.pick(MODELS),
            d.between(1, _VERSIONS),
            w.player_uuid(i),
            d.between(0, 1_000) / 1_000,
        ),
    ),
    Table("ml.features", "name, definition", 30, lambda w, d, i: (f"f{i:02}", "SELECT 1"), grows=False),
    Table(
        "ml.embeddings",
        "igdb_id, vector",
        150,
        lambda w, d, i: (igdb_id(i), f"{{{d.between(-99, 99) / 100},{d.between(-99, 99) / 100}}}"),
    ),
    Table(
        "ml.training_runs",
        "id, model, loss, ran_at",
        40,
        lambda w, d, i: (i, d.pick(MODELS), d.share(), d.moment()),
        grows=False,
    ),
)
