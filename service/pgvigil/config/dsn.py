"""How a database is reached: libpq's connection strings and URIs, as settings."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo
from pydantic import AfterValidator, SecretStr

DSN_VARIABLE = "PGVIGIL_DSN"
"""Names the variable of the environment that holds a DSN which is given nowhere else."""

_UNKNOWN = re.compile(r'invalid (?:connection option|URI query parameter:) "(.*)"')


def read_dsn(text: str) -> dict[str, Any]:
    """Take a DSN apart into libpq's parameters; raises ValueError, whose message never repeats it."""
    if not text.strip():
        raise ValueError("is empty: expected postgresql://USER@HOST/DATABASE or host=… dbname=…")
    try:
        return conninfo_to_dict(text)
    except (psycopg.Error, ValueError) as error:
        raise ValueError(
            f"is no libpq connection string{_misspelt(str(error))}: "
            "expected postgresql://USER@HOST/DATABASE or host=… dbname=…"
        ) from None


def _misspelt(complaint: str) -> str:
    """Say which option libpq may have missed. What it quotes is not repeated: it may be of a password."""
    named = _UNKNOWN.match(complaint)
    if named is None:
        return ""
    options = [one.keyword.decode() for one in Conninfo.get_defaults()]
    meant = get_close_matches(named[1], options, n=1)
    return f" (it has an option that libpq does not know{f'; is {meant[0]} meant?' if meant else ''})"


def _dsn(value: SecretStr) -> SecretStr:
    read_dsn(value.get_secret_value())
    return value


Dsn = Annotated[SecretStr, AfterValidator(_dsn)]
"""A libpq connection string or URI, which may hold a password."""
