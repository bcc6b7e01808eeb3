"""The routes: console pages for people, `/metrics` and the probes for machines. All of them only look.

`/`, `/incidents`, `/metrics` and the probes answer from memory and wait for nothing; the other pages, and
what is resolved, ask the state store, on threads of their own, so that a slow store never holds up a scrape.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pgvigil import __version__
from pgvigil.clock import Clock, SystemClock
from pgvigil.errors import StoreError
from pgvigil.incident import State
from pgvigil.metrics import CONTENT_TYPE
from pgvigil.store import Store
from pgvigil.web.pages import Pages
from pgvigil.web.shield import Shield

_MOST_STORE_READERS = 8


def create_app(
    store: Store,
    exposition: Callable[[], bytes],
    ready: Callable[[], bool | str],
    next_due: Callable[[], Mapping[str, datetime]],
    clock: Clock | None = None,
    version: str = __version__,
) -> Starlette:
    """Make the ASGI app.

    `exposition` returns the metrics as Prometheus text. `ready` returns true or an empty text when the daemon
    does its work, else false or the reason why not. `next_due` returns the next tick by `target/check`.
    """

    def not_ready() -> str:
        answer = ready()
        return answer if isinstance(answer, str) else "" if answer else "not ready"

    pages = Pages(store, next_due, not_ready, clock or SystemClock(), version)
    readers = CapacityLimiter(_MOST_STORE_READERS)

    def in_thread(
        page: Callable[[Request], Response], limiter: CapacityLimiter | None = None
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return await to_thread.run_sync(page, request, limiter=limiter)

        return endpoint

    live, resolved = in_thread(pages.incidents), in_thread(pages.resolved, readers)

    async def incidents(request: Request) -> Response:
        # Memory holds those that go on, only the store those that are over.
        state = request.query_params.get("state")
        if state not in {None, State.RESOLVED}:
            raise HTTPException(400, f"The state is {State.RESOLVED}, or left out for what goes on.")
        return await (live if state is None else resolved)(request)

    def metrics(_: Request) -> Response:
        return Response(exposition(), headers={"content-type": CONTENT_TYPE})

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("healthy\n")

    async def readiness(_: Request) -> Response:
        reason = not_ready()
        return PlainTextResponse(f"{reason or 'ready'}\n", status_code=503 if reason else 200)

    return Starlette(
        routes=[
            Route("/", in_thread(pages.console)),
            Route("/incidents", incidents),
            Route("/incidents/{id}", in_thread(pages.incident, readers)),
            Route("/targets/{name:path}", in_thread(pages.target, readers)),
            Route("/metrics", in_thread(metrics)),
            Route("/-/healthy", healthy),
            Route("/-/ready", readiness),
            Mount("/static", StaticFiles(directory=Path(__file__).with_name("static"))),
        ],
        middleware=[Middleware(Shield)],
        exception_handlers={HTTPException: pages.missing, StoreError: pages.store_failed},
    )
