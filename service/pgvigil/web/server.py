"""The web server: uvicorn on a thread of its own, on a socket that is bound before anything else begins.

Connections are accepted here and handed to uvicorn one by one, so that each is encrypted as is right when it
comes: TLS is changed, switched on and off without the socket ever being closed.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from pgvigil.errors import PgvigilError
from pgvigil.web.connection import Connection
from pgvigil.web.security import LiveSecurity, Security

_STOP_SECONDS = 2.0
_HANDSHAKE_SECONDS = 10.0
_GOODBYE_SECONDS = 5.0
_RETRY_SECONDS = 0.1
_BACKLOG = 1024
_MOST_CONNECTIONS = 256


class WebServer:
    """Serves an ASGI app until it is stopped, over TLS while `security` says so. Leaves signals alone."""

    def __init__(self, app: ASGIApp, host: str, port: int, security: LiveSecurity | None = None) -> None:
        self.host = host
        self.port = port
        self._security = security or LiveSecurity(Security())
        self._server = _Server(
            uvicorn.Config(
                app,
                loop="asyncio",
                http="h11",
                # Logging is the process's own affair.
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                # What a client says of itself is not believed.
                proxy_headers=False,
                timeout_graceful_shutdown=1,
            ),
            self._security,
        )
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Bind the address and serve it; raises PgvigilError when it cannot be had.

        From here on requests are accepted. Port 0 takes a free one; `port` is then its number.
        """
        bound = _bind(self.host, self.port)
        self.port = bound.getsockname()[1]
        self._thread = threading.Thread(target=self._server.run, args=([bound],), name="web", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the console is; an address that stands for all is given as this machine's own."""
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - not bound to, replaced
        scheme = "http" if self._security.now.tls is None else "https"
        return f"{scheme}://{_address(host, self.port)}/"

    def stop(self, timeout: float = _STOP_SECONDS) -> bool:
        """Accept nothing more and let requests end; False when they did not within `timeout` seconds."""
        if self._thread is None:
            return True
        self._server.should_exit = True
        self._thread.join(timeout)
        return not self._thread.is_alive()


class _Server(uvicorn.Server):
    """uvicorn's, but for how connections come in. No client is turned away: the idlest makes room."""

    def __init__(self, config: uvicorn.Config, security: LiveSecurity) -> None:
        super().__init__(config)
        self._security = security
        self._accepting: list[asyncio.Task[None]] = []
        self._beginning: dict[asyncio.Task[None], float] = {}

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        self._accepting = [asyncio.create_task(self._accept(bound)) for bound in sockets or ()]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in (*self._accepting, *self._beginning):
            task.cancel()
        await asyncio.gather(*self._accepting, *self._beginning, return_exceptions=True)
        for bound in sockets or ():
            bound.close()
        await super().shutdown(sockets=[])

    async def _accept(self, bound: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        bound.setblocking(False)
        while True:
            try:
                client, _ = await loop.sock_accept(bound)
            except OSError:
                # No file descriptor is left, say; whoever is idle has one to give.
                self._make_room()
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if len(self.server_state.connections) + len(self._beginning) >= _MOST_CONNECTIONS:
                self._make_room()
            task = asyncio.create_task(self._begin(client))
            self._beginning[task] = loop.time()
            task.add_done_callback(partial(self._begun, client))
            # While others queue up, accepting waits for nothing; those who are here have their turn as well.
            await asyncio.sleep(0)

    def _begun(self, client: socket.socket, task: asyncio.Task[None]) -> None:
        self._beginning.pop(task, None)
        if task.cancelled():
            client.close()

    async def _begin(self, client: socket.socket) -> None:
        """Begin to speak with a client; one that does not know the language is left alone."""
        tls = self._security.now.tls
        protocol = partial(
            Connection, self.config, self.server_state, self.lifespan.state, self._security, tls
        )
        limits = (
            {}
            if tls is None
            else {
                "ssl_handshake_timeout": _HANDSHAKE_SECONDS,
                "ssl_shutdown_timeout": _GOODBYE_SECONDS,
            }
        )
        with suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(
                protocol, client, ssl=None if tls is None else tls.context, **limits
            )

    def _make_room(self) -> None:
        """End the connection whose client has let us wait longest; none while all wait for us."""
        waiting = [
            (each.since, each.give_up)
            for each in self.server_state.connections
            if isinstance(each, Connection) and each.owes
        ]
        waiting += [(since, partial(self._leave, task)) for task, since in self._beginning.items()]
        if waiting:
            min(waiting, key=lambda each: each[0])[1]()

    def _leave(self, task: asyncio.Task[None]) -> None:
        del self._beginning[task]
        task.cancel()


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return _listening(socket.socket(family, kind, protocol), address)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PgvigilError(
            f"cannot serve on {_address(host, port)}: {reason}; "
            "end what uses it, or give another address as `web.listen`"
        ) from error


def _listening(bound: socket.socket, address: tuple[object, ...]) -> socket.socket:
    try:
        # A port that the last process left a moment ago is free; one that somebody listens on is not.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if bound.family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind(address)
        bound.listen(_BACKLOG)
    except BaseException:
        bound.close()
        raise
    return bound


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
