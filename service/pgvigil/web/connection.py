"""One connection of a client, and how long it may keep us waiting.

A client owes us something most of the time: the head of a request, its body, or to take the answer. Each has
an end, which sending a byte now and then does not put off. While the app works on an answer, nothing is owed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import h11
from starlette.types import Message, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from pgvigil.logs import get_logger
from pgvigil.web.security import LiveSecurity
from pgvigil.web.tls import Tls

PATIENCE = {"head": 15.0, "body": 30.0, "answer": 60.0}
"""Seconds that a client has for what it owes."""

_OWED = {h11.IDLE: "head", h11.SEND_BODY: "body"}

log = get_logger(__name__)

# uvicorn warns of every request that is none; whoever sends such would fill the log.
_faults = logging.getLogger(f"{__name__}.faults")
_faults.setLevel(logging.ERROR)


class Connection(H11Protocol):
    """Speaks HTTP/1.1 with one client, encrypted as `tls` says, and goes when that is no longer in force."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        app_state: dict[str, Any],
        security: LiveSecurity,
        tls: Tls | None,
    ) -> None:
        super().__init__(config=config, server_state=state, app_state=app_state)
        self.logger = _faults
        self._asked = self.app
        self.app = self._answer
        self._security = security
        self._tls = tls
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None
        self.owes: str | None = None
        """What the client owes."""
        self.since = self._made = self.loop.time()
        """Since when, by the event loop's clock."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless the client's certificate is not one of those that are let in."""
        super().connection_made(transport)
        if self._tls is not None and not self._tls.admits(transport.get_extra_info("peercert")):
            log.warning("client certificate refused", address=self.client[0] if self.client else "")
            self.give_up()
        else:
            self._review()
            self.since = self._made

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        self._expect(None)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        super().data_received(data)
        self._review()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._review()

    def pause_writing(self) -> None:
        """Wait until the client takes what was sent."""
        super().pause_writing()
        self._paused = True
        self._review()

    def resume_writing(self) -> None:
        """Go on, as the client took it."""
        super().resume_writing()
        self._paused = False
        self._review()

    def shutdown(self) -> None:
        """End the connection after what is being answered; an idle client is not waited for."""
        super().shutdown()
        if self.transport.is_closing():
            self.give_up()

    def give_up(self) -> None:
        """End the connection without waiting for anything."""
        self._expect(None)
        self.transport.abort()

    def _review(self) -> None:
        untaken = self._paused or self.transport.is_closing()
        self._expect("answer" if untaken else _OWED.get(self.conn.their_state))

    def _expect(self, owed: str | None) -> None:
        if owed == self.owes:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.owes, self.since = owed, self.loop.time()
        if owed is not None:
            self._timer = self.loop.call_later(PATIENCE[owed], self.give_up)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the last one when connections are by now encrypted otherwise."""

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start" and self._security.now.tls is not self._tls:
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self._asked(scope, receive, send_last)
