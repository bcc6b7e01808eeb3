"""The JSON Schema of a configuration file, with the settings of the checks that are installed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from pgvigil.config.settings import Settings, TargetSettings
from pgvigil.timing import format_duration


class _Generator(GenerateJsonSchema):
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
    target["properties"]["checks"] |= {
        "properties": {name: references[model, "validation"] for name, model in checks.items()},
        "additionalProperties": False,
    }
    root = definitions.pop(_name(references[Settings, "validation"]))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **root,
        "title": "pgvigil configuration",
        "$defs": definitions,
    }


def settings_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of one model, with defaults as they are written in a file."""
    return model.model_json_schema(schema_generator=_Generator)


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]
