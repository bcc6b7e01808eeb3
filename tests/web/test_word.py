"""People say their word on an incident where they see it, in a real browser, under their own name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import bcrypt
import pytest

from pgvigil.web.access import Rules
from pgvigil.web.security import Security
from tests.web.test_browser import CONTRAST
from tests.web.world import RELATION, discovered, failed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from pgvigil.store import Store
    from tests.web.conftest import Site

PASSWORD = "correct horse"
USERS = Rules(users={"anna": bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4))}, anonymous_reads=False)


@pytest.fixture
def incident(store: Store) -> str:
    discovered(store, RELATION.format(1))
    return store.record(failed(RELATION.format(1))).incidents[0].id


@contextmanager
def opened(browser: Browser, site: Site, path: str, **settings: object) -> Iterator[Page]:
    complaints: list[str] = []
    context = browser.new_context(**settings)  # type: ignore[arg-type]
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(site.url(path))
    yield page
    context.close()
    assert complaints == []


def anna(browser: Browser, site: Site, incident: str, **settings: object) -> contextmanager[Page]:  # type: ignore[type-arg]
    credentials = {"username": "anna", "password": PASSWORD}
    return opened(browser, site, f"/incidents/{incident}", http_credentials=credentials, **settings)


def test_an_incident_is_acknowledged_muted_and_unmuted(
    store: Store, serve: Callable[..., Site], browser: Browser, incident: str
) -> None:
    site = serve(store, Security(USERS))
    with anna(browser, site, incident) as page:
        page.get_by_label("Note").fill("restoring the games")
        page.get_by_role("button", name="Acknowledge").click()
        page.wait_for_selector('[data-state="acknowledged"]')
        assert "by anna: restoring the games" in page.locator("main").inner_text()
        page.get_by_label("Mute for").select_option("4 hours")
        page.get_by_role("button", name="Mute", exact=True).click()
        page.wait_for_selector('[data-state="muted"]')
        page.get_by_role("button", name="Unmute").click()
        page.wait_for_selector('[data-state="acknowledged"]')
    history = store.incident(incident)
    assert history is not None
    said = [(event.kind.value, event.who) for event in history.events if event.who]
    assert said == [("acknowledged", "anna"), ("muted", "anna"), ("unmuted", "anna")]


def test_what_is_being_written_is_not_taken_away_by_a_refresh(
    store: Store, serve: Callable[..., Site], browser: Browser, incident: str
) -> None:
    site = serve(store, Security(USERS))
    with anna(browser, site, incident) as page:
        page.clock.install()
        page.reload()
        page.get_by_label("Note").fill("half a sentence")
        page.clock.fast_forward(25_000)
        page.wait_for_timeout(500)
        assert page.get_by_label("Note").input_value() == "half a sentence"


def test_a_refusal_is_shown(
    store: Store, serve: Callable[..., Site], browser: Browser, incident: str
) -> None:
    site = serve(store, Security(USERS))
    with anna(browser, site, incident) as page:
        store.mute(incident, who="béla", at=site.clock.now())
        store.sync_subjects("games", "orphan_rows", [], site.clock.now(), 300)
        page.get_by_role("button", name="Acknowledge").click()
        page.wait_for_selector("[data-result]:not(:empty)")
        assert "is resolved" in page.locator("[data-result]").inner_text()


def test_who_may_only_read_is_offered_nothing(
    store: Store, serve: Callable[..., Site], browser: Browser, incident: str
) -> None:
    with opened(browser, serve(store), f"/incidents/{incident}") as page:
        assert page.locator("[data-word]").count() == 0
        assert page.get_by_role("button").count() == 0


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_is_legible_and_fits(
    store: Store,
    serve: Callable[..., Site],
    browser: Browser,
    incident: str,
    width: int,
    scheme: str,
) -> None:
    site = serve(store, Security(USERS))
    viewport = {"width": width, "height": 900}
    with anna(browser, site, incident, viewport=viewport, color_scheme=scheme) as page:
        contrast, text = page.evaluate(CONTRAST)
        assert contrast >= 4.5, text
        assert page.evaluate("document.documentElement.scrollWidth") <= width
