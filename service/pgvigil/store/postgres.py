"""PostgreSQL under the store: connections on which no answer is waited for without an end."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Lock, Timer
from typing import Any, TypeVar
from weakref import WeakSet

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import URL, Connection, Engine, create_engine, event

T = TypeVar("T")

# What an answer may take, as a multiple of what a locked row may be waited for: the server's own bound on
# that wait has to come first.
_PATIENCE = 3


class Line(psycopg.Connection[Any]):
    """A connection that breaks when the server does not answer within `patience` seconds.

    The server's timeouts do not help when it is the server that stands still, or a network that swallows
    what it says; and TCP is content as long as the kernel at the other end acknowledges.
    """

    patience = 30.0
    _silent = False

    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        """Carry out one exchange with the server; psycopg sends all of them through here."""
        try:
            with self._limited():
                return super().wait(gen, *args, **kwargs)
        except psycopg.OperationalError as error:
            if self._silent:
                raise psycopg.OperationalError(f"no answer within {self.patience:g} s") from error
            raise

    def cut(self) -> None:
        """Break the connection under whoever waits for its answer; may come from any thread."""
        # Not close(): libpq is not safe against a second thread, a shutdown of its socket is.
        with (
            suppress(psycopg.Error, OSError),
            socket.socket(fileno=os.dup(self.fileno())) as handle,
        ):
            handle.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _limited(self) -> Iterator[None]:
        timer = Timer(self.patience, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self._silent = True
        self.cut()


class Lines:
    """All connections to one store, to end them at once."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._lines: WeakSet[Line] = WeakSet()
        self._ended = False

    def connect(self, patience: float, settings: dict[str, Any]) -> Line:
        """Open one more; `settings` are psycopg's."""
        if self._ended:
            raise psycopg.OperationalError("the store was closed")
        line = Line.connect(**settings)
        line.patience = patience
        with self._guard:
            self._lines.add(line)
        return line

    def cut(self) -> None:
        """Break all of them, and open no more."""
        self._ended = True
        with self._guard:
            lines = list(self._lines)
        for line in lines:
            line.cut()


def postgres_engine(url: URL, wait_seconds: float, lines: Lines) -> Engine:
    """Prepare the connections to a store on PostgreSQL; they are opened through `lines`."""
    # A server that is gone without a word is noticed in seconds, not when TCP gives up after a quarter of
    # an hour. What the URL says has precedence.
    patience = {
        "connect_timeout": max(2, int(wait_seconds)),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        "client_encoding": "utf8",
    }
    connect_args = {name: value for name, value in patience.items() if name not in url.query}
    engine = create_engine(url, pool_pre_ping=True, pool_timeout=wait_seconds, connect_args=connect_args)
    event.listen(engine, "do_connect", partial(_connect, lines, _PATIENCE * wait_seconds))
    event.listen(engine, "begin", partial(_begin, milliseconds=int(wait_seconds * 1000)))
    return engine


def _connect(
    lines: Lines, patience: float, _dialect: object, _record: object, _args: object, settings: dict[str, Any]
) -> Line:
    return lines.connect(patience, settings)


def _begin(connection: Connection, milliseconds: int) -> None:
    """Bound the waits on both sides: a writer that is paused must not keep the others waiting for ever."""
    if not connection.get_execution_options().get("pgvigil_writes"):
        return
    connection.exec_driver_sql(
        "SELECT set_config('lock_timeout', %(limit)s, true),"
        " set_config('idle_in_transaction_session_timeout', %(limit)s, true)",
        {"limit": str(milliseconds)},
    )
