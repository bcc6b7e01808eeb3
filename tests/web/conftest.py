from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection, HTTPMessage
from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.errors import ConfigError, TargetUnreachableError
from pgvigil.metrics import Counters, Exposition, Guest
from pgvigil.store import Store
from pgvigil.underway import Underway
from pgvigil.web.app import create_app
from pgvigil.web.security import LiveSecurity, Security
from pgvigil.web.server import WebServer
from pgvigil.window import Window
from tests.web.world import FixedClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pgvigil.catalog import RelationName


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
class Daemon:
    """What the web side asks, as a test has it."""

    exposition: Callable[[], bytes]
    not_ready: str = ""
    due: dict[str, datetime] = field(default_factory=dict)
    watched: dict[str, list[str]] = field(default_factory=lambda: {"games": ["orphan_rows", "table_drift"]})
    leads: bool = True
    hurried: list[str] = field(default_factory=list)
    broken: str = ""
    going_on: list[Underway] = field(default_factory=list)
    guests: dict[str, Guest] = field(default_factory=dict)
    lacking: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    hours: dict[str, Window] = field(default_factory=dict)

    def trouble(self) -> str:
        return self.not_ready

    def next_due(self) -> dict[str, datetime]:
        return self.due

    def underway(self) -> list[Underway]:
        return self.going_on

    def guest(self, target: str) -> Guest | None:
        return self.guests.get(target)

    def windows(self) -> dict[str, Window]:
        return self.hours

    def targets(self) -> list[str]:
        return list(self.watched)

    def examine(self, target: str, check: str | None) -> list[str]:
        checks = self.watched.get(target, []) if self.leads else []
        ticks = [f"{target}/{name}" for name in checks if check in (None, name)]
        self.hurried += ticks
        return ticks

    def stands_by(self) -> bool:
        return not self.leads

    def misfits(self, target: str, relations: Iterable[RelationName]) -> dict[RelationName, str]:
        if target in self.silent:
            raise TargetUnreachableError(f"target {target}: does not answer")
        return {one: f"there is no table {one.child}" for one in relations if str(one.child) in self.lacking}

    def settings(self) -> dict[str, Any]:
        return {"targets": {name: {"dsn": "**********"} for name in self.watched}}

    def reload(self) -> None:
        if self.broken:
            raise ConfigError(self.broken, file="pgvigil.yaml", line=3)


@dataclass
class Site:
    """A running web server on a real store, and all that a test may turn."""

    store: Store
    clock: FixedClock = field(default_factory=FixedClock)
    security: Security = field(default_factory=Security)
    control: Daemon = field(init=False)
    live: LiveSecurity = field(init=False)
    web: WebServer = field(init=False)

    def __post_init__(self) -> None:
        exposition = Exposition(Counters(), self.clock)
        self.control = Daemon(lambda: exposition.text(self.store.view()))
        self.live = LiveSecurity(self.security)
        app = create_app(self.store, self.control, self.live, self.clock)
        self.web = WebServer(app, "127.0.0.1", 0, self.live)

    def ask(
        self,
        path: str,
        method: str = "GET",
        timeout: float = 60,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.web.port, timeout=timeout)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def url(self, path: str = "/") -> str:
        return self.web.url.rstrip("/") + path


@pytest.fixture
def serve() -> Iterator[Callable[..., Site]]:
    """`serve(store, security)`: a site on a free port, stopped at the end."""
    with ExitStack() as stack:

        def serving(store: Store, security: Security | None = None) -> Site:
            site = Site(store, security=security or Security())
            site.web.start()
            stack.callback(site.web.stop)
            return site

        yield serving


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/state.db") as opened:
        yield opened


@pytest.fixture
def site(store: Store, serve: Callable[..., Site]) -> Site:
    """A site on an empty store."""
    return serve(store)
