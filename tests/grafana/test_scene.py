"""With a real pgvigil and a real Prometheus every query has an answer, and every panel shows it."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser

from tests.grafana.boards import UIDS, queries
from tests.grafana.recording import SHOWN, Span, drawn, recorded
from tests.grafana.scene import running_scene

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("grafana")]

Recordings = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def recordings() -> Iterator[Recordings]:
    """What Prometheus answers to each dashboard after a deployment that broke much."""
    with running_scene() as scene:
        scene.deploy("2.5.0")
        scene.break_it()
        scene.faults_seen()
        # A point of the lines has to fall behind what was just seen, however far apart they are.
        time.sleep(2 * Span(scene.began, time.time()).step)
        span = Span(scene.began, time.time())
        yield {uid: recorded(scene.prometheus, uid, span, SHOWN) for uid in UIDS}


def test_every_query_has_an_answer(recordings: Recordings) -> None:
    silent = [
        str(query)
        for query in queries()
        if not recordings[query.board]["answers"][query.panel["id"]][query.target["refId"]]
    ]
    assert silent == []


def test_deployments_are_marked(recordings: Recordings) -> None:
    for recording in recordings.values():
        assert {mark["title"] for mark in recording["deployments"]} == {"2.4.0", "2.5.0"}


@pytest.mark.parametrize("uid", UIDS)
def test_every_panel_is_drawn(uid: str, recordings: Recordings, page: Path, browser: Browser) -> None:
    with drawn(browser, recordings[uid]) as shown:
        panels = shown.evaluate("window.drawn")
        canvases = shown.locator("[data-panel] canvas").count()
    titles = [panel["title"] for panel in recordings[uid]["dashboard"]["panels"]]
    assert [panel["title"] for panel in panels] == titles
    for panel in panels:
        assert panel["values"] > 0, panel["title"]
        assert panel["text"].removeprefix(panel["title"]).strip(), panel["title"]
    lines = [panel for panel in recordings[uid]["dashboard"]["panels"] if panel["type"] == "timeseries"]
    assert canvases >= len(lines)


def test_the_overview_says_what_is_wrong_and_what_is_new(
    recordings: Recordings, page: Path, browser: Browser
) -> None:
    with drawn(browser, recordings["pgvigil-overview"]) as shown:
        texts = {panel["title"]: panel["text"] for panel in shown.evaluate("window.drawn")}
    assert "Critical faults" in texts["Is everything all right?"]
    assert "2.5.0" in texts["Last deployment"]
    assert "orphan_rows" in texts["What is wrong now"]
    assert "new" in texts["What is wrong now"]
    assert "1" in texts["Down"]


@pytest.mark.parametrize(
    ("series", "said"),
    [
        ([{"metric": {}, "value": [0, "0"]}], "All clear"),
        ([{"metric": {}, "value": [0, "1"]}], "Something is unknown"),
        ([{"metric": {}, "value": [0, "111"]}], "Critical faults"),
        ([{"metric": {}, "value": [0, "-1"]}], "Nobody is looking"),
        ([], "Nobody is looking"),
    ],
)
def test_the_verdict_is_said_in_words(
    series: list[Any], said: str, recordings: Recordings, page: Path, browser: Browser
) -> None:
    recording = copy.deepcopy(recordings["pgvigil-overview"])
    [verdict] = [
        one for one in recording["dashboard"]["panels"] if one["title"] == "Is everything all right?"
    ]
    recording["answers"][verdict["id"]]["A"] = series
    recording["dashboard"]["panels"] = [verdict]
    with drawn(browser, recording) as shown:
        [panel] = shown.evaluate("window.drawn")
    assert panel["text"].split("\n")[-1] == said


def test_a_row_leads_to_its_incident(recordings: Recordings, page: Path, browser: Browser) -> None:
    with drawn(browser, recordings["pgvigil-relations"]) as shown:
        link = shown.get_by_role("link", name="monitoring.metric_samples(service, metric)").first
        address = urlsplit(link.get_attribute("href") or "")
    assert address.geturl().startswith("https://pgvigil.example.org/incidents?")
    assert parse_qs(address.query) == {
        "target": ["games"],
        "check": ["orphan_rows"],
        "subject": ["monitoring.metric_samples(service, metric) -> ops.metric_definitions(service, metric)"],
    }
