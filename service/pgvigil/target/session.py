"""The safe session: one read-only snapshot with bounds on everything."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from itertools import islice
from typing import Any, cast
from weakref import WeakSet

import psycopg
from psycopg import errors, sql
from psycopg.pq import TransactionStatus

from pgvigil.check import Bound, Query, Row
from pgvigil.errors import CancelledError, QueryFailedError, TargetError, TargetUnreachableError
from pgvigil.target.connecting import Connection, Limits
from pgvigil.target.patience import Patience
from pgvigil.target.translate import query_error

# With these on, rows on damaged pages vanish or change without an error, and what is left looks clean.
_HIDES_DAMAGE = ("zero_damaged_pages", "ignore_checksum_failure")

# The SELECT takes the snapshot: from then on the server refuses SET TRANSACTION READ WRITE. Behind one name
# there may be several servers; since when each runs tells them apart.
_BEGIN = sql.SQL("""\
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
{shared}
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
SET LOCAL array_nulls = on;
SELECT {since}::text AS server,
       (SELECT name FROM unnest({hides_damage}::text[]) AS name
        WHERE current_setting(name)::bool LIMIT 1) AS hides
""")

# How long an answer may take beyond the server's own timeout before its connection counts as lost.
_NETWORK_SECONDS = 10.0

_PATIENCE = Patience()

# Their servers do not tell since when they run: a right was taken away, or they are not PostgreSQL itself.
_SILENT: WeakSet[Connection] = WeakSet()

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

    def __init__(self, label: str, connection: Connection, limits: Limits) -> None:
        self.server = ""
        """Since when the snapshot's server runs, which tells it from others; empty before it has begun."""
        self.answered = 0
        """How many were answered of the queries that were sent together last: the next one is what failed."""
        self._label = label
        self._connection = connection
        self._limits = limits
        self._ending = threading.Lock()
        self._over = False
        self._aborted = False
        self._expired = False
        self._unfit = False
        self._streamed = False

    def begin(self, application_name: str, shared: str | None = None) -> None:
        """Open the transaction, every bound and every output format set locally; raises TargetError.

        `shared` is what `share` of another one returned: both then see the same. A session that would not
        notice damaged pages is refused.
        """
        with self._watched():
            row = self._opened(application_name, shared)
        self.server = row["server"]
        on = row["hides"]
        if on:
            # Reset in the catalog, the setting is off in new sessions alone.
            self._unfit = True
            raise TargetError(
                f"{self._label}: {on} is on, so damaged pages pass for sound ones: turn it off "
                f"for pgvigil's sessions (ALTER DATABASE or ALTER ROLE … RESET {on})"
            )

    def _opened(self, application_name: str, shared: str | None) -> Row:
        """Open the transaction, and return what the server is, where it tells."""
        told = self._connection not in _SILENT
        try:
            answers = self._connection.execute(_begin(application_name, shared, self._limits, told=told))
        except (errors.InsufficientPrivilege, errors.UndefinedFunction):
            if not told:
                raise
            _SILENT.add(self._connection)
            self._connection.execute("ROLLBACK")
            return self._opened(application_name, shared)
        while answers.nextset():
            pass
        return next(iter(answers))

    def fetch(
        self, query: Query, params: Mapping[str, Any] | None = None, *, most_rows: int | None = MOST_ROWS
    ) -> list[Row]:
        """Return all rows of one query; raises TargetError, also when there are more than `most_rows`."""
        with self._watched():
            text = self._reading(query)
            self._streamed = True
            # Streams use the extended protocol, in which the server takes no second statement.
            values = query.values if isinstance(query, Bound) else params
            stream = self._cursor(query).stream(text, values, size=_CHUNK_ROWS)
            with closing(cast("Generator[Row]", stream)):
                rows = list(islice(stream, None if most_rows is None else most_rows + 1))
        if most_rows is not None and len(rows) > most_rows:
            raise QueryFailedError(f"the result has more than {most_rows} rows")
        return rows

    def fetch_each(self, queries: Sequence[Query], *, most_rows: int | None = MOST_ROWS) -> list[list[Row]]:
        """Return all rows of each query, sent without waiting for the answers in between; raises TargetError.

        The answers are held in memory whole, before it is known whether one has more than `most_rows`.
        """
        with self._watched():
            answers = [cursor.fetchall() for cursor in self._sent(queries)]
        if most_rows is not None and any(len(rows) > most_rows for rows in answers):
            raise QueryFailedError(f"the result has more than {most_rows} rows")
        return answers

    def fetch_last(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Return all rows of each query as `fetch_each` does, however many; raises TargetError.

        The server ends the transaction as soon as it has answered, whenever that is read here.
        """
        with self._watched():
            cursors = self._sent(queries, b"ROLLBACK")
        return [cursor.fetchall() for cursor in cursors]

    def fetch_and_end(self, query: bytes) -> list[Row]:
        """Return all rows of a last query, and end the transaction with it; raises TargetError."""
        with self._watched():
            answers = self._connection.execute(query + b";\nROLLBACK")
            rows = answers.fetchall()
            while answers.nextset():
                pass
        return rows

    def _sent(self, queries: Sequence[Query], *then: bytes) -> list[psycopg.Cursor[Row]]:
        """Send queries together, and return what holds their answers once all of them are there."""
        if self._streamed:
            # libpq takes the answers within a pipeline by pieces, too, until another query came between.
            self._connection.execute("")
            self._streamed = False
        cursors: list[psycopg.Cursor[Row]] = []
        try:
            with self._connection.pipeline():
                for query in queries:
                    cursors.append(self._cursor(query))
                    values = query.values if isinstance(query, Bound) else None
                    cursors[-1].execute(self._reading(query), values)
                for statement in then:
                    self._connection.execute(statement)
        finally:
            self.answered = sum(cursor.pgresult is not None for cursor in cursors)
        return cursors

    def share(self) -> str | None:
        """Return what lets other sessions see the very same, for as long as this transaction is open.

        None where the role may not let them.
        """
        (allowed,) = self.fetch(
            "SELECT has_function_privilege('pg_catalog.pg_export_snapshot()', 'execute') AS so"
        )
        if not allowed["so"]:
            return None
        return cast("str", self.fetch("SELECT pg_export_snapshot() AS id")[0]["id"])

    def end(self) -> bool:
        """End the transaction; tells whether the connection is as good as new."""
        if self._connection.info.transaction_status != TransactionStatus.IDLE:
            with suppress(psycopg.Error), self._limited():
                self._connection.execute("ROLLBACK")
        idle = self._connection.info.transaction_status == TransactionStatus.IDLE
        with self._ending:
            self._over = True
            return idle and not self._aborted and not self._unfit

    def abort(self, timeout: float) -> None:
        """Cancel the running query, if any, and refuse further ones."""
        with self._ending:
            # The connection may be another snapshot's by now, whose query is none of ours.
            if self._over:
                return
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

    def _cursor(self, query: Query) -> psycopg.Cursor[Row]:
        # A raw one takes `$1` for what the server does, and a percent sign for nothing special.
        bound = isinstance(query, Bound)
        return psycopg.RawCursor(self._connection) if bound else self._connection.cursor()

    def _reading(self, query: Query) -> bytes:
        """Return the text of a query that reads; raises QueryFailedError about any other."""
        query = query.text if isinstance(query, Bound) else query
        text = query.encode() if isinstance(query, str) else query.as_bytes(self._connection)
        if not _READS.match(text):
            raise QueryFailedError("only a query that reads can be run here: SELECT, WITH, VALUES or TABLE")
        return text

    def raise_if_aborted(self) -> None:
        """Raise CancelledError once the snapshot was aborted."""
        if self._aborted:
            raise CancelledError(f"{self._label}: cancelled")

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
                    f"{self._label}: connection lost: no answer within {self._patience:g} s"
                ) from error
            raise query_error(
                self._label,
                error,
                statement_timeout=self._limits.statement_timeout,
                lost=self._connection.broken or self._connection.closed,
            ) from error

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Break the connection when the server, or a proxy before it, does not answer in time."""
        with _PATIENCE.bound(self._patience, self._expire):
            yield

    @property
    def _patience(self) -> float:
        return self._limits.statement_timeout + _NETWORK_SECONDS

    def _expire(self) -> None:
        self._expired = True
        self.disconnect()


@lru_cache(maxsize=64)
def _begin(application_name: str, shared: str | None, limits: Limits, *, told: bool) -> bytes:
    """Return what begins a transaction: the same text for most runs of a check."""
    # An idle transaction is ours between two queries of one run: a check that computes longer is broken.
    idle_timeout = max(60.0, 2 * limits.statement_timeout)
    return _BEGIN.format(
        since=sql.SQL("pg_postmaster_start_time()" if told else "''"),
        shared=sql.SQL("SET TRANSACTION SNAPSHOT {};").format(shared) if shared else sql.SQL(""),
        statement_timeout=_milliseconds(limits.statement_timeout),
        lock_timeout=_milliseconds(limits.lock_timeout),
        idle_timeout=_milliseconds(idle_timeout),
        # The server shows ASCII only, and its encoding may have nothing else.
        application_name=sql.Literal(application_name.encode("ascii", "replace").decode()[:63]),
        hides_damage=sql.Literal(list(_HIDES_DAMAGE)),
    ).as_bytes()


def _milliseconds(seconds: float) -> sql.Literal:
    return sql.Literal(f"{max(1, round(seconds * 1000))}ms")
