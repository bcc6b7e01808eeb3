"""The configuration: what a file may say, reading it, and errors that lead back to its lines."""

from pgvigil.config.config import Config, load
from pgvigil.config.draft import Draft
from pgvigil.config.dsn import read_dsn
from pgvigil.config.explain import near_match
from pgvigil.config.notifying import Alertmanager, Notify
from pgvigil.config.origin import KeyPath, joined, one_line
from pgvigil.config.proposed import Adopted, Proposals, Setting
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
from pgvigil.config.starting import DSN_VARIABLE, starting_file

__all__ = [
    "DSN_VARIABLE",
    "Adopted",
    "Alertmanager",
    "Budget",
    "Config",
    "Draft",
    "KeyPath",
    "Listen",
    "Log",
    "Notify",
    "Pause",
    "Proposals",
    "Retention",
    "Schemas",
    "Setting",
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
    "starting_file",
]
