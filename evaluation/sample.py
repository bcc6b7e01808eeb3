"""pgvigil's own sample database as one more schema: in its crisis, with the relations nobody declared."""

from __future__ import annotations

import psycopg
import yaml

from evaluation.databases import Databases, catalog_of
from evaluation.fill import Filled
from evaluation.judging import declared, judge, plain
from evaluation.results import Result
from evaluation.sources import Source
from pgvigil.catalog import parse_relation
from pgvigil.sample import build, configuration, plant_crisis

SAMPLE = Source("sample", "pgvigil's sample database", "pgvigil demo", lambda workshop: build(workshop.dsn))


def evaluate_sample(databases: Databases) -> Result:
    """Evaluate it; what is true is what it declared before its crisis, and what its team configured."""
    dsn = databases.create(SAMPLE.name)
    build(dsn)
    catalog = catalog_of(dsn)
    settings = yaml.safe_load(configuration(dsn))["targets"]["games"]["checks"]["orphan_rows"]
    configured = {plain(parse_relation(text)) for text in settings["relations"]}
    truth = declared(catalog) | configured
    plant_crisis(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ANALYZE")
    # Its crisis has done away with some of the keys.
    judged = judge(SAMPLE.name, databases.without_keys(SAMPLE, catalog_of(dsn)), truth)
    return Result(SAMPLE, len(truth), Filled(len(catalog.tables), 0, ()), tuple(judged))
