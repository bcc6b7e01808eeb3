"""The safe session: one read-only snapshot with bounds on everything, and plain values out of it."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import adapters, postgres, sql
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.rows import dict_row

from pgvigil.check import Query, Row
from pgvigil.errors import CancelledError
from pgvigil.target.translate import query_error

Connection = psycopg.Connection[dict[str, Any]]

# What keeps Python's own type; all else arrives as the text that PostgreSQL writes, which has no limits
# (infinity, BC dates, numerics of a thousand digits) and is the same for samples, logs and JSON.
_NATIVE_TYPES = {"bool", "int2", "int4", "int8", "oid", "float4", "float8"}


class _TextLoader(Loader):
    """Text that is not valid in the session's encoding (SQL_ASCII databases) must not break a run."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode("utf-8", errors="replace")


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
    noticed by keep-alives, also while a query runs.
    """
    return psycopg.connect(
        dsn,
        autocommit=True,
        prepare_threshold=None,
        row_factory=dict_row,
        context=_PlainContext(),
        connect_timeout=limits.connect_timeout,
        client_encoding="UTF8",
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
    )


_BEGIN = sql.SQL("""\
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = {statement_timeout};
SET LOCAL lock_timeout = {lock_timeout};
SET LOCAL idle_in_transaction_session_timeout = {idle_timeout};
SET LOCAL row_security = off;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL application_name = {application_name};
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL jit = off;
SET LOCAL standard_conforming_strings = on;
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;
SET LOCAL xmloption = content
""")


def begin(connection: Connection, limits: Limits, application_name: str) -> None:
    """Open the transaction: read-only, one snapshot, every bound and every output format set locally."""
    # An idle transaction is ours between two queries of one run: a check that computes for longer is broken.
    idle_timeout = max(60.0, 2 * limits.statement_timeout)
    connection.execute(
        _BEGIN.format(
            statement_timeout=_milliseconds(limits.statement_timeout),
            lock_timeout=_milliseconds(limits.lock_timeout),
            idle_timeout=_milliseconds(idle_timeout),
            application_name=sql.Literal(application_name[:63]),
        )
    )


def _milliseconds(seconds: float) -> sql.Literal:
    return sql.Literal(f"{max(1, round(seconds * 1000))}ms")


class Snapshot:
    """One transaction of a safe session. Not thread-safe; `abort` may come from any thread."""

    def __init__(self, name: str, connection: Connection, limits: Limits) -> None:
        self._name = name
        self._connection = connection
        self._limits = limits
        self._aborted = False

    def fetch(self, query: Query, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Return all rows of a query; raises TargetError."""
        self.raise_if_aborted()
        try:
            return self._connection.execute(query, params).fetchall()
        except psycopg.Error as error:
            self.raise_if_aborted()
            raise query_error(
                self._name,
                error,
                statement_timeout=self._limits.statement_timeout,
                lost=self._connection.broken or self._connection.closed,
            ) from error

    def abort(self, timeout: float) -> None:
        """Cancel the running query, if any, and refuse further ones."""
        self._aborted = True
        with contextlib.suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=timeout)

    def disconnect(self) -> None:
        """Break the connection under a query that would not be cancelled: the network may be gone."""
        self._aborted = True
        # Not connection.close(): libpq is not safe against a second thread, a shutdown of its socket is.
        with (
            contextlib.suppress(psycopg.Error, OSError),
            socket.socket(fileno=os.dup(self._connection.fileno())) as handle,
        ):
            handle.shutdown(socket.SHUT_RDWR)

    def raise_if_aborted(self) -> None:
        """Raise CancelledError once the snapshot was aborted."""
        if self._aborted:
            raise CancelledError(f"target {self._name}: cancelled")
