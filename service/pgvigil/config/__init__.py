"""The configuration: what a file may say, reading it, and errors that lead back to its lines."""

from pgvigil.config.config import Config, load
from pgvigil.config.draft import Draft
from pgvigil.config.dsn import DSN_VARIABLE, read_dsn
from pgvigil.config.explain import near_match
from pgvigil.config.notifying import Alertmanager, Notify
from pgvigil.config.origin import KeyPath, joined, one_line
from pgvigil.config.schema import json_schema
from pgvigil.config.serving import Listen, Token, Web
from pgvigil.config.settings import (
    Budget,
    Log,
    Pause,
    Retention,
    Schemas,
    StateUrl,
    TargetSettings,
)

__all__ = [
    "DSN_VARIABLE",
    "Alertmanager",
    "Budget",
    "Config",
    "Draft",
    "KeyPath",
    "Listen",
    "Log",
    "Notify",
    "Pause",
    "Retention",
    "Schemas",
    "StateUrl",
    "TargetSettings",
    "Token",
    "Web",
    "joined",
    "json_schema",
    "load",
    "near_match",
    "one_line",
    "read_dsn",
]
