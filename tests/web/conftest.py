from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection, HTTPMessage
from typing import TYPE_CHECKING

import pytest

from pgvigil.metrics import Counters, Exposition
from pgvigil.store import Store
from pgvigil.web import WebServer, create_app
from tests.web.world import FixedClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Site:
    """A running web server on a real store, and all that a test may turn."""

    store: Store
    clock: FixedClock = field(default_factory=FixedClock)
    ready: bool | str = ""
    due: dict[str, datetime] = field(default_factory=dict)
    web: WebServer = field(init=False)

    def __post_init__(self) -> None:
        exposition = Exposition(Counters(), self.clock)
        app = create_app(
            self.store,
            lambda: exposition.text(self.store.view()),
            lambda: self.ready,
            lambda: self.due,
            self.clock,
        )
        self.web = WebServer(app, "127.0.0.1", 0)

    def ask(self, path: str, method: str = "GET", timeout: float = 60) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.web.port, timeout=timeout)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def url(self, path: str = "/") -> str:
        return self.web.url.rstrip("/") + path


@pytest.fixture
def serve() -> Iterator[Callable[[Store], Site]]:
    """`serve(store)`: a site on a free port, stopped at the end."""
    with ExitStack() as stack:

        def serving(store: Store) -> Site:
            site = Site(store)
            site.web.start()
            stack.callback(site.web.stop)
            return site

        yield serving


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/state.db") as opened:
        yield opened


@pytest.fixture
def site(store: Store, serve: Callable[[Store], Site]) -> Site:
    """A site on an empty store."""
    return serve(store)
