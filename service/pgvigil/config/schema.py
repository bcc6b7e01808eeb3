"""The JSON Schema of a configuration file, with the settings of the checks that are installed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core.core_schema import ModelSchema

from pgvigil.config.section import Section
from pgvigil.config.settings import Settings, TargetSettings
from pgvigil.timing import format_duration

_NULL = {"type": "null"}


class _Generator(GenerateJsonSchema):
    def model_schema(self, schema: ModelSchema) -> dict[str, Any]:
        """Let a section be null, as it is when all of its lines are commented out, if it may be empty."""
        described = super().model_schema(schema)
        if issubclass(schema["cls"], Section) and "required" not in described:
            described["type"] = ["object", "null"]
        return described

    def encode_default(self, dft: Any) -> Any:
        """Write defaults as a person would; a default is no secret."""
        if isinstance(dft, timedelta):
            return format_duration(dft)
        return super().encode_default(dft.get_secret_value() if isinstance(dft, SecretStr) else dft)


def json_schema(checks: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """Return the schema of a file (draft 2020-12); `checks` maps names to the models of their settings.

    It describes the values after `!env` and `!file` were followed.
    """
    models: tuple[type[BaseModel], ...] = (Settings, TargetSettings, *checks.values())
    references, schema = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(models)], schema_generator=_Generator
    )
    definitions = schema["$defs"]
    target = definitions[_name(references[TargetSettings, "validation"])]
    sections = {name: references[model, "validation"] for name, model in checks.items()}
    target["properties"]["checks"] = _checks(target["properties"]["checks"], sections, definitions)
    root = definitions.pop(_name(references[Settings, "validation"]))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **root,
        "title": "pgvigil configuration",
        "$defs": definitions,
    }


def _checks(
    described: Mapping[str, Any], sections: Mapping[str, Mapping[str, Any]], definitions: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the schema of a target's checks: only those that there are; null stands for an empty section."""
    properties = {
        name: section if "required" in definitions[_name(section)] else {"anyOf": [section, _NULL]}
        for name, section in sections.items()
    }
    known = {"type": "object", "properties": properties, "additionalProperties": False}
    words = {key: described[key] for key in ("title", "description")}
    return {**words, "anyOf": [known, _NULL]}


def settings_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of one model, with defaults as they are written in a file."""
    return model.model_json_schema(schema_generator=_Generator)


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]
