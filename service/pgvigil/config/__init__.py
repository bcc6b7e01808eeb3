"""The configuration: what a file may say, reading it, and errors that lead back to its lines."""

from pgvigil.config.config import Config, load
from pgvigil.config.explain import near_match
from pgvigil.config.origin import KeyPath, joined, one_line
from pgvigil.config.schema import json_schema
from pgvigil.config.settings import (
    Budget,
    Listen,
    Log,
    Retention,
    Schemas,
    StateUrl,
    TargetSettings,
    Web,
)
from pgvigil.config.starting import starting_file

__all__ = [
    "Budget",
    "Config",
    "KeyPath",
    "Listen",
    "Log",
    "Retention",
    "Schemas",
    "StateUrl",
    "TargetSettings",
    "Web",
    "joined",
    "json_schema",
    "load",
    "near_match",
    "one_line",
    "starting_file",
]
