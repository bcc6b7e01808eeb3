"""The web server: uvicorn on a thread of its own, on a socket that is bound before anything else begins."""

from __future__ import annotations

import socket
import threading

import uvicorn
from starlette.types import ASGIApp

from pgvigil.errors import PgvigilError

_STOP_SECONDS = 2.0


class WebServer:
    """Serves an ASGI app until it is stopped. Leaves the process's signals alone."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                # Logging is the process's own affair.
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=1,
            )
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
        return f"http://{_address(host, self.port)}/"

    def stop(self, timeout: float = _STOP_SECONDS) -> bool:
        """Accept nothing more and let requests end; False when they did not within `timeout` seconds."""
        if self._thread is None:
            return True
        self._server.should_exit = True
        self._thread.join(timeout)
        return not self._thread.is_alive()


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
        bound.listen(128)
    except BaseException:
        bound.close()
        raise
    return bound


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
