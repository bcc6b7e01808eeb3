"""A bound on a whole request: a connection is cut when its time is over.

A socket's own timeout begins anew with every byte: an answer in drops would be waited for for hours.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Timer
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection


class Deadline:
    """Cuts the connection over which one request at a time is made; whoever reads from it finds its end.

    To look a name up and to connect is not cut short; a connection that comes too late is cut at once.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._line: socket.socket | None = None
        self._request: object | None = None
        self.passed = False
        """Whether the last request took too long: what seems to be its answer may be a part of it."""

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Make a request in the block; it is cut when the block takes longer."""
        request = object()
        with self._lock:
            self._request, self.passed = request, False
        timer = Timer(seconds, self._pass, [request])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            with self._lock:
                self._request = None
            timer.cancel()

    def watch(self, pool: urllib3.HTTPConnectionPool) -> None:
        """Let the connections that a pool makes from now on be cut."""
        pool.ConnectionCls = _TlsLine if pool.scheme == "https" else _Line
        pool.conn_kw["connected"] = self.connected

    def connected(self, line: socket.socket) -> None:
        """Let this be the connection that is cut, for this request and those after it."""
        with self._lock:
            self._line = line
            if self._request and self.passed:
                _cut(line)

    def _pass(self, request: object) -> None:
        with self._lock:
            # It may have ended while we were about to.
            if self._request is request:
                self.passed = True
                if self._line is not None:
                    _cut(self._line)


class _Line(HTTPConnection):
    """Says so when it is connected."""

    def __init__(self, *args: Any, connected: Callable[[socket.socket], None], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._connected = connected

    def connect(self) -> None:
        super().connect()
        self._connected(self.sock)


class _TlsLine(_Line, HTTPSConnection):
    """The same over TLS."""


def _cut(line: socket.socket) -> None:
    """Let who waits for this connection find its end; the TLS in it is its own thread's."""
    with suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)
