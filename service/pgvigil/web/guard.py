"""Middleware that stands before the app: who asks is known and allowed before anything is answered.

A handler finds the caller as `request.state.caller`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pgvigil.config import one_line
from pgvigil.logs import get_logger
from pgvigil.web.access import PROBES, SAFE_METHODS, Caller, Refused, Rules
from pgvigil.web.bucket import Bucket
from pgvigil.web.passwords import Passwords
from pgvigil.web.security import LiveSecurity
from pgvigil.web.shield import Shield

_MOST_REQUESTS = 128
_LARGEST_BODY = 1_000_000
_LONGEST_NAME = 64
# What keeps a monitor in sight is never turned away for the load of others.
_NEVER_BUSY = PROBES | {"/metrics"}

log = get_logger(__name__)


def protection(security: LiveSecurity) -> Sequence[Middleware]:
    """Return the middleware of an app, the outermost first."""
    return [Middleware(Shield, security=security), Middleware(Guard, security=security)]


class Guard:
    """ASGI middleware: lets in who may, and answers the others. Belongs to one event loop."""

    def __init__(self, app: ASGIApp, security: LiveSecurity, passwords: Passwords | None = None) -> None:
        self._app = app
        self._security = security
        self._passwords = passwords or Passwords()
        self._lines = Bucket(interval=1.0, burst=10)
        self._unlogged = 0
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._requests += 1
        try:
            caller = await self._admit(scope)
        except Refused as refused:
            await _answer(refused, scope)(scope, receive, send)
        else:
            scope.setdefault("state", {})["caller"] = caller
            await self._app(scope, receive, send)
        finally:
            self._requests -= 1

    async def _admit(self, scope: Scope) -> Caller:
        """Return who asks; raises Refused."""
        security, headers, path = self._security.now, Headers(scope=scope), scope["path"]
        rules = security.rules
        rules.check_host(headers.get("host"))
        if security.limit is not None and not security.limit.take():
            raise Refused(429, "more requests than rate_limit allows", [("Retry-After", "1")])
        if self._requests > _MOST_REQUESTS and path not in _NEVER_BUSY:
            raise Refused(503, "too many requests at a time", [("Retry-After", "1")])
        caller = await self._caller(rules, scope, headers)
        rules.check(caller, scope["method"], path)
        if scope["method"] not in SAFE_METHODS:
            _check_body(headers)
        return caller

    async def _caller(self, rules: Rules, scope: Scope, headers: Headers) -> Caller:
        given = headers.getlist("authorization")
        # Where nobody can be told from anybody, a proxy's credentials are as good as none.
        if not given or not rules.anybody:
            return rules.anonymous
        kind, _, value = given[0].strip().partition(" ")
        address = scope["client"][0] if scope.get("client") else ""
        caller, name = None, ""
        if len(given) == 1 and kind.lower() == "bearer":
            caller = rules.bearer(value.strip().encode("latin-1"))
        elif len(given) == 1 and kind.lower() == "basic":
            if scope["method"] not in SAFE_METHODS:
                rules.check_origin(headers)
            name, password = _basic(value)
            if rules.users and await self._passwords.right(name, password, rules.users, address):
                caller = Caller(name, "write")
        if caller is None:
            self._log_failure(name, address)
            raise rules.unauthorized("these credentials are not valid")
        return caller

    def _log_failure(self, name: str, address: str) -> None:
        """Log it, but not faster than anybody reads."""
        if self._lines.take():
            user = one_line(name)[:_LONGEST_NAME] or None
            log.warning("login refused", user=user, address=address, unlogged=self._unlogged)
            self._unlogged = 0
        else:
            self._unlogged += 1


def _basic(value: str) -> tuple[str, bytes]:
    """Return user and password; a value that holds none is that of no user."""
    try:
        user, colon, password = base64.b64decode(value.strip(), validate=True).partition(b":")
    except binascii.Error:
        return "", b""
    return (user.decode("utf-8", "replace"), password) if colon else ("", b"")


def _check_body(headers: Headers) -> None:
    """Refuse a body that is too large to hold, or does not say how large it is."""
    if "transfer-encoding" in headers:
        raise Refused(411, "the body needs a Content-Length")
    if int(headers.get("content-length", "0")) > _LARGEST_BODY:
        raise Refused(413, f"a body may have {_LARGEST_BODY} bytes at the most")


def _answer(refused: Refused, scope: Scope) -> Response:
    if scope["path"].startswith("/api/"):
        answer: Response = JSONResponse({"error": refused.reason}, refused.status)
    else:
        answer = PlainTextResponse(f"{refused.reason}\n", refused.status)
    for name, value in refused.headers:
        answer.headers.append(name, value)
    return answer
