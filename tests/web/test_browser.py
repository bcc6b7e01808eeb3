"""The console in a real browser: its figures are those of /metrics and of the store; anybody can read it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pgvigil.check import Outcome, Severity
from pgvigil.store import Filter
from tests.web.world import HOSTILE, NOW, RELATION, crowded, discovered, ended, failed, run, sound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from pgvigil.store import Store
    from tests.web.conftest import Site

WIDTHS = (390, 1440)
SCHEMES = ("light", "dark")
DRIFTING = Filter(check="table_drift")

# The least contrast of any visible text with the nearest background that is not see-through, as WCAG has it.
CONTRAST = """
() => {
  const rgba = text => { const n = text.match(/[0-9.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const color = rgba(getComputedStyle(e).backgroundColor);
      if (color[3] === 1) return color;
    }
    return [255, 255, 255, 1];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(ground(element))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), texts.currentNode.data.trim()]);
  }
  return found.sort((a, b) => a[0] - b[0])[0];
}
"""


# The short words of an element that are broken over lines.
BROKEN = """
selector => [...document.querySelectorAll(selector)].flatMap(element => {
  const found = [];
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const match of texts.currentNode.data.matchAll(/\\S+/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, match.index);
      range.setEnd(texts.currentNode, match.index + match[0].length);
      if (match[0].length <= 30 && range.getClientRects().length > 1) found.push(match[0]);
    }
  }
  return found;
})
"""


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """`open_page(path, **settings)`: a page of the site; whatever its console complains of fails the test."""
    complaints: list[str] = []
    opened = []

    def opening(path: str = "/", **settings: object) -> Page:
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(site.url(path))
        return page

    yield opening
    for context in opened:
        context.close()
    assert complaints == []


def figures(page: Page, selector: str) -> dict[str, int]:
    """Return the figures of a row by their `data-count`; what is written is what the attribute says."""
    cells = page.locator(f"{selector} [data-count]")
    found = {}
    for cell in cells.all():
        value = cell.get_attribute("data-value")
        assert cell.inner_text().replace(",", "") == value
        found[str(cell.get_attribute("data-count"))] = int(value or "")
    return found


def headline(page: Page) -> dict[str, int]:
    parts = page.locator(".headline [data-part]").all()
    for part in parts:
        assert part.inner_text().split()[0] == part.get_attribute("data-value")
    return {
        str(part.get_attribute("data-part")): int(part.get_attribute("data-value") or "") for part in parts
    }


def scraped(site: Site, name: str, *labels: str) -> Counter[tuple[str, ...]]:
    """Return a gauge of /metrics, summed over all labels but those named."""
    sums: Counter[tuple[str, ...]] = Counter()
    for family in text_string_to_metric_families(site.ask("/metrics").text):
        for sample in family.samples:
            if sample.name == name:
                sums[tuple(sample.labels[label] for label in labels)] += int(sample.value)
    return sums


def test_the_figures_are_those_of_the_metrics_and_of_the_store(
    site: Site, open_page: Callable[..., Page]
) -> None:
    crowded(site.store)
    page = open_page()

    by_state = scraped(site, "pgvigil_subjects", "target", "check", "state")
    coverage = site.store.coverage()
    assert page.locator("[data-coverage]").count() == len(coverage) == 3
    for row in coverage:
        shown = figures(page, f'[data-coverage][data-target="{row.target}"][data-check="{row.check}"]')
        assert shown == {
            "known": row.known,
            "passed": row.passed,
            "failed": row.failed,
            "unknown": row.unknown,
        }
        for state in ("passed", "failed", "unknown"):
            assert shown[state] == by_state[row.target, row.check, state]

    up = scraped(site, "pgvigil_target_up", "target")
    for target in site.store.targets():
        selector = f'[data-target-row="{target.name}"]'
        assert page.locator(selector).get_attribute("data-up") == str(up[(target.name,)])
        assert figures(page, selector)["failed"] == sum(
            row.failed for row in coverage if row.target == target.name
        )

    incidents = site.store.incidents(Filter(states=["suspect", "open"]))
    rows = page.locator("[data-incident]").all()
    shown_incidents = {
        row.get_attribute("data-incident"): (
            row.get_attribute("data-severity"),
            int(row.get_attribute("data-value") or ""),
        )
        for row in rows
    }
    assert shown_incidents == {one.id: (one.severity.value, one.count) for one in incidents}
    assert Counter(
        (str(row.get_attribute("data-severity")), str(row.get_attribute("data-state"))) for row in rows
    ) == +scraped(site, "pgvigil_incidents", "severity", "state")


def test_the_headline_counts_what_the_metrics_count(site: Site, open_page: Callable[..., Page]) -> None:
    crowded(site.store)
    incidents = scraped(site, "pgvigil_incidents", "severity", "state")
    expected = {
        "down": sum(not up for up in scraped(site, "pgvigil_target_up", "target").values()),
        "critical": incidents["critical", "open"],
        "warning": incidents["warning", "open"],
        "info": incidents["info", "open"],
        "unknown": scraped(site, "pgvigil_subjects", "state")[("unknown",)],
    } | {
        standing: sum(count for (_, state), count in incidents.items() if state == standing)
        for standing in ("suspect", "acknowledged", "muted")
    }
    page = open_page()
    assert headline(page) == expected
    assert all(expected.values())
    assert page.title().startswith(f"1 target down · {expected['critical']} critical · ")


def test_the_console_needs_no_script(site: Site, open_page: Callable[..., Page]) -> None:
    crowded(site.store)
    assert headline(open_page(java_script_enabled=False)) == headline(open_page())


def test_names_and_values_of_others_run_nowhere(site: Site, open_page: Callable[..., Page]) -> None:
    crowded(site.store)
    (incident,) = site.store.incidents(Filter(subject=HOSTILE))
    page = open_page()
    for path in ("/", f"/incidents/{incident.id}", "/targets/games?state=failed"):
        page.goto(site.url(path))
        assert page.title() != "owned"
        assert HOSTILE in page.locator("main").inner_text()
        assert page.locator("main script").count() == 0


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_legible(site: Site, open_page: Callable[..., Page], width: int, scheme: str) -> None:
    crowded(site.store)
    ended(site.store)
    shown = [site.store.incidents(narrowed)[0].id for narrowed in (Filter(target="kasse-ü"), DRIFTING)]
    paths = (
        "/",
        "/incidents",
        "/incidents?state=resolved",
        *(f"/incidents/{incident}" for incident in shown),
        "/targets/games",
        "/targets/kasse-%C3%BC",
    )
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    for path in paths:
        page.goto(site.url(path))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        contrast, text = page.evaluate(CONTRAST)
        assert contrast >= 4.5, (path, text)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_short_word_of_a_sample_is_broken(site: Site, open_page: Callable[..., Page], width: int) -> None:
    crowded(site.store)
    page = open_page(
        f"/incidents/{site.store.incidents(DRIFTING)[0].id}", viewport={"width": width, "height": 900}
    )
    assert "release_title" in page.locator(".sample").inner_text()
    assert page.evaluate(BROKEN, ".sample") == []


@pytest.mark.parametrize("width", WIDTHS)
def test_how_long_nobody_could_look_stands_on_one_line(
    site: Site, open_page: Callable[..., Page], width: int
) -> None:
    crowded(site.store)
    note = open_page(viewport={"width": width, "height": 900}).locator("[data-unexamined]")
    assert note.inner_text() == "not examined since 1 min ago"
    assert note.evaluate("note => note.clientHeight < 2 * parseFloat(getComputedStyle(note).lineHeight)")


def test_spaces_at_the_end_of_a_value_can_be_seen(site: Site, open_page: Callable[..., Page]) -> None:
    crowded(site.store)
    page = open_page(f"/incidents/{site.store.incidents(DRIFTING)[0].id}")
    sides = page.locator(".sample tr:has-text('release_title') [data-side] .value")
    left, right = sides.evaluate_all("sides => sides.map(side => side.clientWidth)")
    assert left < right


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("level", "feed"),
    [
        ("clean", sound),
        ("unknown", lambda store: discovered(store, "a")),
        ("warning", lambda store: store.record(failed("a", Severity.WARNING))),
        ("attended", lambda store: store.record(failed("a", confirm=2))),
    ],
)
def test_every_headline_is_legible(
    site: Site, open_page: Callable[..., Page], level: str, feed: Callable[[Store], object], scheme: str
) -> None:
    site.store.record_target("games", up=True, at=NOW)
    feed(site.store)
    page = open_page(color_scheme=scheme)
    assert page.locator(".headline").get_attribute("data-level") == level
    contrast, text = page.evaluate(CONTRAST)
    assert contrast >= 4.5, text


def test_pages_have_one_heading_each_and_captions(site: Site, open_page: Callable[..., Page]) -> None:
    crowded(site.store)
    page = open_page()
    ended(site.store)
    incident = site.store.incidents(DRIFTING)[0].id
    for path in (
        "/",
        "/incidents",
        "/incidents?state=resolved",
        f"/incidents/{incident}",
        "/targets/games",
    ):
        page.goto(site.url(path))
        assert page.locator("h1").count() == 1
        assert page.locator("table").count() == page.locator("table > caption").count() > 0
        assert page.locator("th:not([scope])").count() == 0


def test_the_page_follows_the_store_by_itself(site: Site, open_page: Callable[..., Page]) -> None:
    sound(site.store)
    page = open_page()
    page.clock.install()
    page.reload()
    assert headline(page) == {}
    site.store.record(failed(RELATION.format(1)))
    site.store.record(run(RELATION.format(0), Outcome.TIMEOUT, error="too slow"))
    page.clock.fast_forward(11_000)
    page.wait_for_selector('[data-part="critical"]')
    assert headline(page) == {"critical": 1, "unknown": 1}
    assert page.title() == "1 critical · 1 unknown - pgvigil"


def test_a_page_that_was_left_alone_does_not_go_on_saying_that_all_is_clean(
    site: Site, browser: Browser
) -> None:
    sound(site.store)
    page = browser.new_page()
    page.clock.install()
    page.goto(site.url())
    assert page.title() == "All clean - pgvigil"
    site.web.stop()
    page.clock.fast_forward(11_000)
    page.wait_for_selector("#lost:not([hidden])")
    said = "pgvigil does not answer. What you see is of 2031-05-06 03:00:00 UTC."
    assert page.locator("#lost").inner_text() == said
    assert page.title().startswith("? ")
    page.close()
