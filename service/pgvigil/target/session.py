"""The safe session: one read-only snapshot with bounds on everything, and plain values out of it."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import psycopg
from psycopg import adapters, postgres, sql
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from pgvigil.check import Query, Row
from pgvigil.errors import CancelledError, QueryFailedError, TargetError, TargetUnreachableError
from pgvigil.target.translate import query_error

Connection = psycopg.Connection[dict[str, Any]]

# What keeps Python's own type; all else arrives as the text that PostgreSQL writes, which has no limits
# (infinity, BC dates, numerics of a thousand digits) and is the same for samples, logs and JSON.
_NATIVE_TYPES = {"bool", "int2", "int4", "int8", "oid", "float4", "float8"}


class _TextLoader(Loader):
    """Text as it is. Invalid bytes (a damaged page) are shown as U+FFFD: they must not break a run."""

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


# With these on, rows on damaged pages vanish or change without an error, and what is left looks clean.
_HIDES_DAMAGE = ("zero_damaged_pages", "ignore_checksum_failure")

# The SELECT takes the snapshot: from then on the server refuses SET TRANSACTION READ WRITE.
_BEGIN = sql.SQL("""\
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL quote_all_identifiers = off;
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
SET LOCAL xmloption = content;
SELECT name FROM unnest({hides_damage}::text[]) AS name WHERE current_setting(name)::bool
""")

# How long an answer may take beyond the server's own timeout before its connection counts as lost.
_NETWORK_SECONDS = 10.0

MOST_ROWS = 100_000
"""What a query may return by default, so that no check fills the memory."""

_CHUNK_ROWS = 1000 if psycopg.capabilities.has_stream_chunked() else 1

# These obey the transaction's READ ONLY. What is left out can end the transaction, change its bounds, reach
# the server's files from it (COPY), or slip through (EXPLAIN ANALYZE CREATE TABLE AS).
_READS = re.compile(
    rb"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:SELECT|WITH|VALUES|TABLE|SHOW)\b", re.IGNORECASE | re.DOTALL
)


class Snapshot:
    """One transaction of a safe session.

    Not thread-safe, but `abort` and `disconnect` may come from any thread.
    """

    def __init__(self, name: str, connection: Connection, limits: Limits) -> None:
        self._name = name
        self._connection = connection
        self._limits = limits
        self._aborted = False
        self._expired = False
        self._unfit = False

    def begin(self, application_name: str) -> None:
        """Open the transaction, every bound and every output format set locally; raises TargetError.

        A session that would not notice damaged pages is refused.
        """
        # An idle transaction is ours between two queries of one run: a check that computes longer is broken.
        idle_timeout = max(60.0, 2 * self._limits.statement_timeout)
        query = _BEGIN.format(
            statement_timeout=_milliseconds(self._limits.statement_timeout),
            lock_timeout=_milliseconds(self._limits.lock_timeout),
            idle_timeout=_milliseconds(idle_timeout),
            # The server shows ASCII only, and its encoding may have nothing else.
            application_name=sql.Literal(application_name.encode("ascii", "replace").decode()[:63]),
            hides_damage=sql.Literal(list(_HIDES_DAMAGE)),
        )
        with self._watched():
            answers = self._connection.execute(query)
            while answers.nextset():
                pass
            on = [row["name"] for row in answers]
        if on:
            # Reset in the catalog, the setting is off in new sessions alone.
            self._unfit = True
            raise TargetError(
                f"target {self._name}: {on[0]} is on, so damaged pages pass for sound ones: turn it off "
                f"for pgvigil's sessions (ALTER DATABASE or ALTER ROLE … RESET {on[0]})"
            )

    def fetch(
        self, query: Query, params: Mapping[str, Any] | None = None, *, most_rows: int | None = MOST_ROWS
    ) -> list[Row]:
        """Return all rows of one query; raises TargetError, also when there are more than `most_rows`."""
        with self._watched():
            text = query.encode() if isinstance(query, str) else query.as_bytes(self._connection)
            if not _READS.match(text):
                raise QueryFailedError(
                    "only a query that reads can be run here: SELECT, WITH, VALUES or TABLE"
                )
            # Streams use the extended protocol, in which the server takes no second statement.
            stream = self._connection.cursor().stream(text, params, size=_CHUNK_ROWS)
            with closing(cast("Generator[Row]", stream)):
                rows = list(islice(stream, None if most_rows is None else most_rows + 1))
        if most_rows is not None and len(rows) > most_rows:
            raise QueryFailedError(f"the result has more than {most_rows} rows")
        return rows

    def end(self) -> bool:
        """End the transaction; tells whether the connection is as good as new."""
        with suppress(psycopg.Error), self._limited():
            self._connection.execute("ROLLBACK")
        idle = self._connection.info.transaction_status == TransactionStatus.IDLE
        return idle and not self._aborted and not self._unfit

    def abort(self, timeout: float) -> None:
        """Cancel the running query, if any, and refuse further ones."""
        self._aborted = True
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=timeout)

    def disconnect(self) -> None:
        """Break the connection under a query that would not be cancelled: the network may be gone."""
        # Not connection.close(): libpq is not safe against a second thread, a shutdown of its socket is.
        with (
            suppress(psycopg.Error, OSError),
            socket.socket(fileno=os.dup(self._connection.fileno())) as handle,
        ):
            handle.shutdown(socket.SHUT_RDWR)

    def raise_if_aborted(self) -> None:
        """Raise CancelledError once the snapshot was aborted."""
        if self._aborted:
            raise CancelledError(f"target {self._name}: cancelled")

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Bound what the block asks the server in time, and translate how it fails."""
        self.raise_if_aborted()
        try:
            with self._limited():
                yield
        except psycopg.Error as error:
            self.raise_if_aborted()
            if self._expired:
                raise TargetUnreachableError(
                    f"target {self._name}: connection lost: no answer within {self._patience:g} s"
                ) from error
            raise query_error(
                self._name,
                error,
                statement_timeout=self._limits.statement_timeout,
                lost=self._connection.broken or self._connection.closed,
            ) from error

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Break the connection when the server, or a proxy before it, does not answer in time."""
        timer = threading.Timer(self._patience, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @property
    def _patience(self) -> float:
        return self._limits.statement_timeout + _NETWORK_SECONDS

    def _expire(self) -> None:
        self._expired = True
        self.disconnect()


def _milliseconds(seconds: float) -> sql.Literal:
    return sql.Literal(f"{max(1, round(seconds * 1000))}ms")
