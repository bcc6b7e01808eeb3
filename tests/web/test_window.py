"""Outside of a target's window the console says that its checks rest, until when, and what is shown."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pgvigil.web.picture import Level, console
from pgvigil.window import Window
from tests.web.test_browser import CONTRAST, SCHEMES, WIDTHS, headline, open_page
from tests.web.world import NOW, crowded, sound

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from pgvigil.store import Store
    from tests.web.conftest import Site

__all__ = ["open_page"]

# It is three o'clock.
CLOSED, OPEN = Window.parse("22:00-02:00"), Window.parse("22:00-03:01")
SAID = (
    "Outside of <code>budget.window</code> (22:00-02:00 UTC): its checks rest until 2031-05-06 22:00:00 UTC, "
)


@pytest.mark.parametrize("path", ["/", "/targets/games"])
def test_a_page_says_that_checks_rest_until_when_and_what_is_shown(site: Site, path: str) -> None:
    sound(site.store)
    site.control.hours = {"games": CLOSED, "other": CLOSED}
    page = site.ask(path).text
    assert page.count(SAID) == 1
    told = page.partition(SAID)[2].partition("</p>")[0]
    assert ">in 19 h</time>. Shown is what they found last." in told
    for hours in ({"games": OPEN}, {"other": CLOSED}, {}):
        site.control.hours = hours
        assert "data-rests" not in site.ask(path).text


def test_it_says_so_before_anything_was_examined(site: Site) -> None:
    site.control.due = {"games/orphan_rows": NOW + timedelta(hours=19)}
    site.control.hours = {"games": CLOSED}
    assert SAID in site.ask("/").text
    assert SAID in site.ask("/targets/games").text


def test_a_rest_can_wait_and_makes_nothing_clean_or_urgent(store: Store) -> None:
    sound(store)
    for hours, resting in (({"games": OPEN}, []), ({"games": CLOSED}, ["1 target rests"])):
        picture = console(store.view(), {}, NOW, windows=hours)
        assert picture.headline.level is Level.CLEAN
        assert [f"{part.count} {part.word}" for part in picture.headline.asides] == resting
    # Three intervals later the results are old, whatever the hour.
    picture = console(store.view(), {}, NOW + timedelta(minutes=16), windows={"games": CLOSED})
    assert picture.headline.level is Level.UNKNOWN


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["/", "/targets/games"])
def test_it_is_legible(
    site: Site, open_page: Callable[..., Page], path: str, width: int, scheme: str
) -> None:
    crowded(site.store)
    site.control.hours = {"games": CLOSED}
    page = open_page(path, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.locator("[data-rests]").inner_text().startswith("Outside of budget.window (22:00-02:00 UTC)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    contrast, text = page.evaluate(CONTRAST)
    assert contrast >= 4.5, text
    if path == "/":
        assert headline(page)["resting"] == 1
