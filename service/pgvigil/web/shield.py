"""What goes around every answer: headers that browsers defend us with, and a plain page when we fail."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pgvigil.logs import get_logger
from pgvigil.web.security import LiveSecurity, Security

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

log = get_logger(__name__)


class Shield:
    """ASGI middleware: adds headers to every response, and turns a crash into a short one.

    The headers are `HEADERS` and those of the web configuration. Strict-Transport-Security is none of ours: a
    browser then asks every port of this name over TLS, also those of others.
    """

    def __init__(self, app: ASGIApp, security: LiveSecurity | None = None) -> None:
        self._app = app
        self._security = security or LiveSecurity(Security())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = False

        async def send_shielded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._add_headers(MutableHeaders(scope=message))
            await send(message)

        try:
            await self._app(scope, receive, send_shielded)
        except Exception:
            log.exception("request crashed", path=scope["path"])
            if started:
                raise
            sorry = PlainTextResponse("pgvigil could not make this page; its log says why\n", status_code=500)
            await sorry(scope, receive, send_shielded)

    def _add_headers(self, headers: MutableHeaders) -> None:
        asked = dict(self._security.now.headers)
        # Beside ours, not instead: a browser obeys both.
        policy = asked.pop("Content-Security-Policy", "")
        for name, value in (HEADERS | {name: value for name, value in asked.items() if value}).items():
            headers.setdefault(name, value)
        if policy:
            headers.append("Content-Security-Policy", policy)
