"""`/api/v1`: what pgvigil knows as JSON, and what people and pipelines may tell it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pgvigil.clock import Clock
from pgvigil.errors import PgvigilError, StoreError, TargetError, UsageError
from pgvigil.store import Store
from pgvigil.web.api.answers import Error
from pgvigil.web.api.deciding import deciding, decisions
from pgvigil.web.api.named import remembered, watched
from pgvigil.web.api.reading import current, past
from pgvigil.web.api.telling import events, words
from pgvigil.web.control import Control


def create_api(store: Store, control: Control, clock: Clock, version: str) -> FastAPI:
    """Make the app that is mounted at `/api/v1`."""
    api = FastAPI(
        title="pgvigil",
        version=version,
        summary="Is your data still whole?",
        description="Reading is open unless the configuration says otherwise; everything else needs the "
        "scope write: a user of the web configuration, or a bearer token.",
        openapi_url="/openapi.json",
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        servers=[{"url": "/api/v1"}],
        responses={status: {"model": Error} for status in (401, 404, 422, 503)},
    )
    for router in (current(store, control), decisions(store, control)):
        api.include_router(router, dependencies=[watched(store, control)])
    api.include_router(past(store, clock), dependencies=[remembered(store, control)])
    for router in (events(store, control, clock), words(store, clock), deciding(store, control, clock)):
        api.include_router(router)
    for kind, handler in _HANDLERS.items():
        api.add_exception_handler(kind, handler)
    return api


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 -- registered for no other
    return JSONResponse({"error": str(error.detail)}, error.status_code, headers=error.headers)


async def _misunderstood(_: Request, error: Exception) -> JSONResponse:
    """Answer in one line what is wrong with a request; what was sent is not repeated."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 -- registered for no other
    told = "; ".join(_complaint(one["loc"][1:], one["msg"]) for one in error.errors())
    return JSONResponse({"error": told}, 422)


def _complaint(where: Sequence[str | int], message: str) -> str:
    if not where and message == "Field required":
        return "a JSON body is required, {} at the least"
    if message == "JSON decode error":
        return "the body is no JSON"
    return ": ".join(filter(None, (".".join(map(str, where)), message.removeprefix("Value error, "))))


async def _failed(_: Request, error: Exception) -> JSONResponse:
    passing = isinstance(error, StoreError | TargetError)
    status = 409 if isinstance(error, UsageError) else 503 if passing else 500
    return JSONResponse({"error": str(error)}, status)


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Any]] = {
    HTTPException: _refused,
    RequestValidationError: _misunderstood,
    PgvigilError: _failed,
}
