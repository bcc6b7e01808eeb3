"""The routes: console pages for people, `/metrics` and the probes for machines, the API for both.

`/`, `/incidents`, `/metrics` and the probes answer from memory and wait for nothing; the other pages, and
what is resolved, ask the state store, on threads of their own, so that a slow store never holds up a scrape.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pgvigil import __version__
from pgvigil.clock import Clock, SystemClock
from pgvigil.errors import PgvigilError, StoreError
from pgvigil.incident import State
from pgvigil.metrics import CONTENT_TYPE
from pgvigil.store import Store
from pgvigil.web.api import create_api
from pgvigil.web.control import Control
from pgvigil.web.guard import protection
from pgvigil.web.pages import Pages
from pgvigil.web.security import LiveSecurity, Security

_MOST_STORE_READERS = 8
# Apart from the threads of the API, which may all wait for the store.
_MOST_MEMORY_READERS = 16

Page = Callable[[Request], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(
    store: Store,
    control: Control,
    security: LiveSecurity | None = None,
    clock: Clock | None = None,
    version: str = __version__,
) -> Starlette:
    """Make the ASGI app; without `security` anybody may read and nobody may change anything."""
    clock = clock or SystemClock()
    pages = Pages(store, control, clock, version)
    readers, memory = CapacityLimiter(_MOST_STORE_READERS), CapacityLimiter(_MOST_MEMORY_READERS)

    def in_thread(page: Page, limiter: CapacityLimiter = memory) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await to_thread.run_sync(page, request, limiter=limiter)

        return endpoint

    return Starlette(
        routes=[
            Route("/", in_thread(pages.console)),
            Route("/incidents", _incidents(in_thread(pages.incidents), in_thread(pages.resolved, readers))),
            Route("/incidents/{id}", in_thread(pages.incident, readers)),
            Route("/proposals", in_thread(pages.proposals, readers)),
            Route("/targets/{name:path}", in_thread(pages.target, readers)),
            Route("/runbooks", in_thread(pages.runbooks)),
            Route("/runbooks/{name}", in_thread(pages.runbook)),
            *_for_machines(control, in_thread, lambda page: in_thread(page, CapacityLimiter(1))),
            Mount("/api/v1", create_api(store, control, clock, version)),
            Mount("/static", StaticFiles(directory=Path(__file__).with_name("static"))),
        ],
        middleware=protection(security or LiveSecurity(Security())),
        exception_handlers={HTTPException: pages.missing, StoreError: pages.store_failed},
    )


def _incidents(live: Endpoint, resolved: Endpoint) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        # Memory holds those that go on, only the store those that are over.
        state = request.query_params.get("state")
        if state not in {None, State.RESOLVED}:
            raise HTTPException(400, f"The state is {State.RESOLVED}, or left out for what goes on.")
        return await (live if state is None else resolved)(request)

    return endpoint


def _for_machines(
    control: Control, in_thread: Callable[[Page], Endpoint], alone: Callable[[Page], Endpoint]
) -> list[Route]:
    def metrics(_: Request) -> Response:
        return Response(control.exposition(), headers={"content-type": CONTENT_TYPE})

    def reload(_: Request) -> Response:
        try:
            control.reload()
        except PgvigilError as error:
            return PlainTextResponse(
                f"the last good configuration stays in force\n{error}\n", status_code=500
            )
        return PlainTextResponse("configuration taken into force\n")

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("healthy\n")

    async def readiness(request: Request) -> Response:
        trouble = control.trouble()
        # The reason names the store; who may not read gets none.
        told = trouble if request.state.caller.may_read else "not ready"
        return PlainTextResponse(f"{told if trouble else 'ready'}\n", status_code=503 if trouble else 200)

    return [
        Route("/metrics", in_thread(metrics)),
        Route("/-/healthy", healthy),
        Route("/-/ready", readiness),
        Route("/-/reload", alone(reload), methods=["POST"]),
    ]
