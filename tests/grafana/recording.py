"""What Prometheus answers to a dashboard's queries, and what Grafana's components draw of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Browser, Page, Route

from tests.grafana.boards import board, filled_in
from tests.prometheus import Prometheus

PAGE = Path(__file__).parents[2] / "grafana" / "build" / "page"
_ADDRESS = "http://grafana.test/"
_POINTS = 300
# Where others work as well, a browser may need half a minute for a page.
_PATIENCE_MILLISECONDS = 120_000
# What the variables are called when everything is chosen.
SHOWN = {
    "datasource": "Prometheus",
    "job": "All",
    "target": "All",
    "instance": "All",
    "pair": "All",
    "console": "https://pgvigil.example.org",
}
_KINDS = {
    "html": "text/html",
    "js": "text/javascript",
    "css": "text/css",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Span:
    """The time that is shown, in Unix seconds."""

    start: float
    end: float

    @property
    def step(self) -> float:
        """Seconds between two points."""
        return max(1.0, round((self.end - self.start) / _POINTS))


def answer(prometheus: Prometheus, target: Mapping[str, Any], span: Span) -> list[dict[str, Any]]:
    """Ask one query of a panel as Grafana does; return Prometheus' series."""
    query = filled_in(target["expr"])
    if target["instant"]:
        path = f"/api/v1/query?{urlencode({'query': query, 'time': span.end})}"
    else:
        times = {"query": query, "start": span.start, "end": span.end, "step": span.step}
        path = f"/api/v1/query_range?{urlencode(times)}"
    series: list[dict[str, Any]] = prometheus.ask(path)["data"]["result"]
    return series


def recorded(prometheus: Prometheus, uid: str, span: Span, variables: Mapping[str, str]) -> dict[str, Any]:
    """Ask all queries of a dashboard."""
    document = board(uid)
    [annotation] = document["annotations"]["list"]
    marks = answer(prometheus, {"expr": annotation["expr"], "instant": False}, span)
    return {
        "dashboard": document,
        "from": span.start * 1000,
        "to": span.end * 1000,
        "variables": dict(variables),
        "answers": {
            panel["id"]: {one["refId"]: answer(prometheus, one, span) for one in panel["targets"]}
            for panel in document["panels"]
        },
        "deployments": [
            {"at": float(one["values"][-1][1]), "title": one["metric"]["version"]} for one in marks
        ],
    }


@contextmanager
def drawn(browser: Browser, recording: Mapping[str, Any], width: int = 1600) -> Iterator[Page]:
    """Draw a recorded dashboard; yield its page when everything is on it. Nothing leaves this process."""
    page = browser.new_page(viewport={"width": width, "height": 2400}, timezone_id="UTC")
    try:
        page.set_default_timeout(_PATIENCE_MILLISECONDS)
        page.route("**/*", _serve)
        page.add_init_script(f"window.recording = {json.dumps(recording)};")
        page.goto(_ADDRESS + "index.html")
        page.wait_for_function("window.drawn !== undefined")
        yield page
    finally:
        page.close()


def _serve(route: Route) -> None:
    file = PAGE / urlsplit(route.request.url).path.lstrip("/")
    if file.is_file():
        route.fulfill(body=file.read_bytes(), content_type=_KINDS.get(file.suffix[1:], "text/plain"))
    else:
        route.fulfill(status=404)
