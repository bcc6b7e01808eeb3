"""What all sections of a configuration have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, model_validator


def nothing_is_empty(value: object) -> object:
    """Let a key without a value stand for an empty section, whose lines may all be commented out."""
    return {} if value is None else value


class Section(BaseModel):
    """Base of all settings: unknown keys are errors, nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    _empty = model_validator(mode="before")(nothing_is_empty)
