"""The configuration of the sample: pgvigil takes it, and what it names is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from pgvigil.catalog import parse_relation
from pgvigil.config import Config, load
from pgvigil.sample import Kind, configuration, plant_crisis
from tests.sample import recount

if TYPE_CHECKING:
    from pathlib import Path

DSN = "postgresql://postgres:s%22e#c'r\\et@127.0.0.1:5432/games"


def read(path: Path, text: str) -> Config:
    file = path / "pgvigil.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def checks_of(path: Path, text: str) -> dict[str, Any]:
    return read(path, text).targets["games"].checks


def test_it_says_what_it_is_told(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        configuration(DSN, name="sample", state="sqlite:////tmp/a b.db", listen="[::1]:0", every="10s"),
    )
    target = config.targets["sample"]
    assert target.dsn.get_secret_value() == DSN
    assert target.every.total_seconds() == 10
    assert config.state.get_secret_value() == "sqlite:////tmp/a b.db"
    assert config.web.listen == "[::1]:0"
    assert target.schemas.deprecated == ("legacy",)
    assert target.zones == ("raw", "staging", "curated")


def test_every_relation_exists_and_holds(sample: str, tmp_path: Path) -> None:
    checks = checks_of(tmp_path, configuration(sample))
    with psycopg.connect(sample) as connection:
        relations = [*checks["orphan_rows"]["relations"], *checks["foreign_keys"]["expected"]]
        assert {one: n for one in relations if (n := recount.orphans_of(connection, one))} == {}


def test_every_expected_key_is_declared(sample: str, tmp_path: Path) -> None:
    expected = checks_of(tmp_path, configuration(sample))["foreign_keys"]["expected"]
    with psycopg.connect(sample) as connection:
        declared = set(recount.declared(connection))
    assert {str(parse_relation(one)) for one in expected} <= declared
    assert len(set(expected)) == len(expected) == 27


def test_the_pair_is_the_game_entity(sample: str, tmp_path: Path) -> None:
    (pair,) = checks_of(tmp_path, configuration(sample))["table_drift"]["pairs"]
    assert set(pair["columns"]) == set(recount.COMPARED)
    with psycopg.connect(sample) as connection:
        for side, columns in ((pair["left"], pair["columns"]), (pair["right"], pair["columns"].values())):
            rows = connection.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass", [side]
            )
            assert {"igdb_id", *columns} <= {row[0] for row in rows}


def test_it_knows_of_all_that_the_database_does_not_declare(sample: str, tmp_path: Path) -> None:
    checks = checks_of(tmp_path, configuration(sample))
    answer = plant_crisis(sample, seed=1)
    configured = {fault.relation for fault in answer.planted if fault.configured and fault.relation}
    missing = {fault.relation for fault in answer.planted if fault.kind is Kind.MISSING_KEY}
    assert configured <= set(checks["orphan_rows"]["relations"])
    assert configured & set(checks["foreign_keys"]["expected"]) == missing
