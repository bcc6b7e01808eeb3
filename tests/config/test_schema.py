"""The JSON Schema: what an editor accepts is what the loader accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import Field

from pgvigil.check import Params
from pgvigil.config import json_schema
from pgvigil.errors import ConfigError
from pgvigil.registry import Registry
from tests.config.test_load import EXAMPLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.config import Config


class PairParams(Params):
    pairs: tuple[dict[str, str | dict[str, str | float]], ...] = Field(default=(), description="The pairs.")


class RelationParams(Params):
    relations: tuple[str, ...] = ()


SCHEMA = json_schema({"orphan_rows": RelationParams, "table_drift": PairParams})
VALIDATOR = Draft202012Validator(SCHEMA)

GOOD = [
    "targets: {a: {dsn: dbname=a}}",
    "targets: {a: {dsn: dbname=a, every: 1h30m}, b: {dsn: dbname=b, cron: '*/5 * * * *'}}",
    "targets: {a: {dsn: dbname=a, checks: {orphan_rows: {enabled: false, every: 1d, confirm: 3}}}}",
    "targets: {a: {dsn: dbname=a}}\nretention: {runs: 7d, size: 500MB, runs_per_subject: 10}",
    "targets: {a: {dsn: dbname=a}}\nlog: {level: debug, format: json}",
    # Sections whose lines are all commented out.
    "targets: {a: {dsn: dbname=a}}\nweb:\nlog:\nretention:",
    "targets: {a: {dsn: dbname=a, schemas: , budget: , checks: }}",
    "targets: {a: {dsn: dbname=a, checks: {orphan_rows: , table_drift: }}}",
]
BAD = [
    "{}",
    "targets: {}",
    "targets:",
    "targets: {a: {}}",
    "targets: {a: }",
    "targets: {a: {dsn: }}",
    "targets: {a: {dsn: dbname=a, zones: }}",
    "targets: {a: {dsn: dbname=a, schemas: {include: }}}",
    "targets: {a: {dsn: dbname=a}}\nnonsense: 1",
    "targets: {a: {dsn: dbname=a, every: 5}}",
    "targets: {a: {dsn: dbname=a, every: soon}}",
    "targets: {a: {dsn: dbname=a, schemas: {include: []}}}",
    "targets: {a: {dsn: dbname=a, budget: {duty_cycle: 2}}}",
    "targets: {a: {dsn: dbname=a, budget: {connections: [2]}}}",
    "targets: {a: {dsn: dbname=a}}\nretention: {size: 500}",
    "targets: {a: {dsn: dbname=a}}\nlog: {level: loud}",
]


def test_it_is_a_schema_of_the_draft_that_it_names() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", GOOD)
def test_what_loads_is_valid(read: Callable[..., Config], text: str) -> None:
    read(text)
    assert list(VALIDATOR.iter_errors(yaml.safe_load(text))) == []


def test_the_example_of_the_contract_is_valid() -> None:
    # The schema describes what `!env` stands for.
    text = EXAMPLE.replace("!env GAMES_DSN", "dbname=games")
    assert list(VALIDATOR.iter_errors(yaml.safe_load(text))) == []


def test_the_example_of_the_contract_fits_the_installed_checks(read: Callable[..., Config]) -> None:
    registry = Registry.load()
    checks = registry.bind(read(EXAMPLE, GAMES_DSN="dbname=games"), "games")
    assert str(checks["table_drift"].params.pairs[0].left) == "curated.enhanced_games"
    assert len(checks["orphan_rows"].params.relations) == 1
    schema = json_schema(registry.params_types)
    Draft202012Validator.check_schema(schema)
    text = EXAMPLE.replace("!env GAMES_DSN", "dbname=games")
    assert list(Draft202012Validator(schema).iter_errors(yaml.safe_load(text))) == []


def test_the_settings_of_every_installed_check_are_described() -> None:
    models = Registry.load().params_types
    bare = [
        f"{check}: {name}"
        for check, model in models.items()
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert bare == []


@pytest.mark.parametrize("text", BAD)
def test_what_does_not_load_is_not_valid(read: Callable[..., Config], text: str) -> None:
    with pytest.raises(ConfigError):
        read(text)
    assert list(VALIDATOR.iter_errors(yaml.safe_load(text))) != []


@pytest.mark.parametrize(
    "checks",
    ["{nonsense: {}}", "{orphan_rows: {nonsense: 1}}", "{orphan_rows: {severity: {'*': loud}}}"],
)
def test_the_settings_of_checks_are_part_of_it(checks: str) -> None:
    document = yaml.safe_load(f"targets: {{a: {{dsn: dbname=a, checks: {checks}}}}}")
    assert list(VALIDATOR.iter_errors(document)) != []


def test_every_setting_is_described() -> None:
    definitions = {"the file": SCHEMA, **SCHEMA["$defs"]}
    definitions.pop(RelationParams.__name__)
    bare = [
        f"{name}: {key}"
        for name, definition in definitions.items()
        for key, setting in definition.get("properties", {}).items()
        # A section that is described as its model is, is only referred to.
        if "description" not in setting and "$ref" not in setting
    ]
    assert bare == []


def test_defaults_are_written_as_a_person_would() -> None:
    definitions = SCHEMA["$defs"]
    assert definitions["TargetSettings"]["properties"]["every"]["default"] == "5m"
    assert definitions["Budget"]["properties"]["lock_timeout"]["default"] == "1s"
    assert definitions["Retention"]["properties"]["size"]["default"] == "1GB"
    assert SCHEMA["properties"]["state"]["default"] == "sqlite:///pgvigil.db"


def test_two_plugins_may_call_their_settings_the_same() -> None:
    twins = [type("Settings", (Params,), {"__annotations__": {name: int}, name: 0}) for name in ("a", "b")]
    schema = json_schema(dict(zip(("one", "two"), twins, strict=True)))
    validator = Draft202012Validator(schema)
    document = {"targets": {"t": {"dsn": "dbname=t", "checks": {"one": {"a": 1}, "two": {"b": 2}}}}}
    assert list(validator.iter_errors(document)) == []
    document["targets"]["t"]["checks"] = {"one": {"b": 1}}
    assert list(validator.iter_errors(document)) != []
