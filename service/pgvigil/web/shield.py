"""What goes around every answer: headers that browsers defend us with, and a plain page when we fail."""

from __future__ import annotations

import structlog
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    # Nothing but our own style and script, even if some identifier found a way around the escaping.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Row values do not belong on disks, and yesterday's state is no answer.
    "Cache-Control": "no-store",
}

log = structlog.get_logger(__name__)


class Shield:
    """ASGI middleware: adds `HEADERS` to every response, and turns a crash into a short one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = False

        async def send_shielded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_shielded)
        except Exception:
            log.exception("request crashed", path=scope["path"])
            if started:
                raise
            sorry = PlainTextResponse("pgvigil could not make this page; its log says why\n", status_code=500)
            await sorry(scope, receive, send_shielded)
