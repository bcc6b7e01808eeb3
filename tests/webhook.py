"""A receiver of Alertmanager's webhooks that remembers what came, in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any


@dataclass(frozen=True)
class Notification:
    """One request that came: when (UTC), to which path, and its JSON."""

    at: datetime
    path: str
    body: dict[str, Any]

    @property
    def receiver(self) -> str:
        """The name of the receiver in Alertmanager's configuration."""
        return str(self.body["receiver"])

    @property
    def status(self) -> str:
        """Whether anything of the group is `firing`, or all is `resolved`."""
        return str(self.body["status"])

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """The alerts of the group, each with status, labels, annotations, startsAt, endsAt."""
        return list(self.body["alerts"])

    def names(self, status: str = "firing") -> list[str]:
        """Return the names of the alerts in this status, sorted, one entry an alert."""
        return sorted(one["labels"]["alertname"] for one in self.alerts if one["status"] == status)


@dataclass
class Webhook:
    """A running receiver. `refuse` makes it answer 503, as a receiver that is down."""

    port: int
    refuse: bool = False
    _came: list[Notification] = field(default_factory=list)
    _news: Condition = field(default_factory=Condition)

    def url(self, path: str = "") -> str:
        """Return the address of a path; any path does."""
        return f"http://127.0.0.1:{self.port}/{path}"

    @property
    def notifications(self) -> list[Notification]:
        """What has come so far."""
        with self._news:
            return list(self._came)

    def clear(self) -> None:
        """Forget what has come."""
        with self._news:
            self._came.clear()

    def to(self, path: str) -> list[Notification]:
        """Return what has come to this path."""
        return [one for one in self.notifications if one.path == f"/{path}"]

    def wait_for(self, wanted: Callable[[Notification], bool], seconds: float = 60) -> Notification:
        """Return the first notification that is wanted, also if it came before; fail when none comes."""
        with self._news:
            found = self._news.wait_for(lambda: next(filter(wanted, self._came), None), seconds)
            came = [(one.path, one.body.get("status"), one.body.get("groupLabels")) for one in self._came]
            assert found is not None, f"did not come in {seconds} s; came: {came}"
            return found

    def take(self, path: str, body: dict[str, Any]) -> None:
        """Remember a request."""
        with self._news:
            self._came.append(Notification(datetime.now(UTC), path, body))
            self._news.notify_all()


@contextmanager
def receiving() -> Iterator[Webhook]:
    """Run a receiver on a free loopback port for the time of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not webhook.refuse:
                webhook.take(self.path, json.loads(body))
            self.send_response(503 if webhook.refuse else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        webhook = Webhook(server.server_address[1])
        thread = Thread(target=server.serve_forever, name="webhook", daemon=True, args=[0.05])
        thread.start()
        try:
            yield webhook
        finally:
            server.shutdown()
            thread.join()
