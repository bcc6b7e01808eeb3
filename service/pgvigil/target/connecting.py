"""A session's connection: bounded in time, through poolers as well, and plain values out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import adapters, postgres
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

Connection = psycopg.Connection[dict[str, Any]]

# What keeps Python's own type; all else arrives as the text that PostgreSQL writes, which has no limits
# (infinity, BC dates, numerics of a thousand digits) and is the same for samples, logs and JSON.
_NATIVE_TYPES = {"bool", "int2", "int4", "int8", "oid", "float4", "float8"}


class _TextLoader(Loader):
    """Text as it is. Invalid bytes (a damaged page) are shown as U+FFFD: they must not break a run."""

    def load(self, data: Buffer) -> str:
        return str(data, "utf-8", "replace")


def _plain_adapters() -> AdaptersMap:
    plain = AdaptersMap(adapters)
    for info in postgres.types:
        if info.name not in _NATIVE_TYPES:
            plain.register_loader(info.oid, _TextLoader)
    plain.register_loader(0, _TextLoader)
    return plain


class _PlainContext(AdaptContext):
    """Hands the adapters above to new connections."""

    adapters = _plain_adapters()
    connection = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The part of a budget that a session enforces; times in seconds."""

    connections: int = 2
    statement_timeout: float = 30.0
    lock_timeout: float = 1.0
    connect_timeout: int = 5


def connect(dsn: str, limits: Limits) -> Connection:
    """Open a connection that works through PgBouncer in transaction mode; raises psycopg.Error.

    Prepared statements are off: a pooler hands each transaction another server session. Dead peers are
    noticed, whether we wait for an answer (keep-alives) or for our query to arrive (tcp_user_timeout).
    """
    settings = {**_network(limits), **conninfo_to_dict(dsn), "client_encoding": "UTF8"}
    return psycopg.connect(
        autocommit=True, prepare_threshold=None, row_factory=dict_row, context=_PlainContext(), **settings
    )


def _network(limits: Limits) -> dict[str, Any]:
    """Return the settings of the connection itself; those in the DSN go before them."""
    return {
        "connect_timeout": limits.connect_timeout,
        "fallback_application_name": "pgvigil",
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 25_000,
    }
