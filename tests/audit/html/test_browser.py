"""The page in a real browser: it asks nobody for anything, and the map moves, finds, filters and tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.audit import Audit, Origin
from pgvigil.audit.html import render
from pgvigil.catalog import TableName
from tests.audit.html.synthetic import audit, crisis, large, relation, table
from tests.audit.html.test_page import HOSTILE
from tests.web.test_browser import CONTRAST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

SHOWN = ".node:not(.off)"
LINES = ".edge:not(.off)"


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """`open_report(audit, **settings)`: its page. Any request, and any complaint, fails the test."""
    troubles: list[str] = []
    opened = []

    def opening(of: Audit, **settings: object) -> Page:
        file = tmp_path / "audit.html"
        file.write_text(render(of), encoding="utf-8")
        context = browser.new_context(viewport={"width": 1440, "height": 900}, **settings)  # type: ignore[arg-type]
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text))
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        page.on("request", lambda request: request.url == file.as_uri() or troubles.append(request.url))
        page.goto(file.as_uri())
        return page

    yield opening
    for context in opened:
        context.close()
    assert troubles == []


def viewed(page: Page) -> list[float]:
    return [float(each) for each in str(page.locator("#drawing").get_attribute("viewBox")).split()]


def small() -> Audit:
    games, scores, users, logs = (
        TableName(*each.split(".")) for each in ("app.games", "app.scores", "auth.users", "ops.logs")
    )
    tables = (
        table(games, 10),
        table(scores, 3_000, ("id", "game_id", "user_id")),
        table(users, 200),
        table(logs, None),
    )
    return audit(
        tables,
        (
            relation(scores, games, broken="is marked NOT VALID"),
            relation(scores, users, Origin.INFERRED, probability=0.9),
        ),
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("build", [crisis, large], ids=["106", "400"])
def test_every_table_and_line_is_drawn(build, scheme: str, open_report) -> None:
    found: Audit = build()
    page = open_report(found, color_scheme=scheme)
    assert page.locator(SHOWN).count() == len(found.inventory.tables)
    assert page.locator(LINES).count() == len(found.relations)
    # Drawn where the frame shows them, not only there in the document.
    frame, box = page.locator("#drawing").bounding_box(), page.locator(".nodes").bounding_box()
    assert frame["x"] <= box["x"]
    assert box["x"] + box["width"] <= frame["x"] + frame["width"]
    assert frame["y"] <= box["y"]
    assert box["y"] + box["height"] <= frame["y"] + frame["height"]


def test_names_stay_within_their_boxes(open_report) -> None:
    page = open_report(crisis())
    wider = page.eval_on_selector_all(
        ".node",
        "all => all.map(n => ['text', 'rect'].map(tag => n.querySelector(tag).getBBox().width))"
        ".filter(([text, box]) => text > box)",
    )
    assert wider == []


def test_a_name_is_never_run(open_report) -> None:
    names = [TableName(name, name) for name in HOSTILE]
    tables = tuple(table(name, columns=("id", name.name)) for name in names)
    broken = (relation(child, names[0], key=child.name, broken=child.name) for child in names)
    page = open_report(audit(tables, tuple(broken), unknown=HOSTILE))
    assert page.locator(SHOWN).count() == len(HOSTILE)
    for box in page.locator(".node").all():
        box.dispatch_event("click")
        assert page.locator("#told h3").inner_text() == box.get_attribute("data-name")
        page.fill("#search", str(box.get_attribute("data-name")))
        page.press("#search", "Enter")
        assert page.locator(".node.hit").count() > 0


def test_a_table_tells_its_columns_and_relations(open_report) -> None:
    page = open_report(small())
    page.locator('.node[data-name="app.scores"]').click()
    panel = page.locator("#panel")
    assert panel.locator("h3").inner_text() == "app.scores"
    assert panel.locator(".columns tbody tr").count() == 3
    assert "is marked NOT VALID" in panel.inner_text()
    assert "proposed 90%" in panel.inner_text()
    # What it has nothing to do with steps back.
    assert page.locator(".node.lit").count() == 3
    page.keyboard.press("Tab")
    page.locator("#close").click()
    assert panel.is_hidden()


def test_only_the_neighbours_of_a_table(open_report) -> None:
    page = open_report(small())
    page.locator('.node[data-name="app.games"]').click()
    page.locator("#around").click()
    assert page.locator(SHOWN).count() == 2
    assert page.locator(LINES).count() == 1
    # What refers to it stands on its left, under its full name.
    child, parent = (page.locator(f'.node[data-name="{name}"]') for name in ("app.scores", "app.games"))
    assert child.locator("text").text_content() == "app.scores"
    assert child.bounding_box()["x"] < parent.bounding_box()["x"]
    page.locator("#around").click()
    assert page.locator(SHOWN).count() == 4
    assert child.locator("text").text_content() == "scores"


def test_the_map_is_as_before_when_neighbours_were_looked_at(open_report) -> None:
    page = open_report(crisis())
    shapes = "() => [...document.querySelectorAll('.node *, .edge *')].map(each => each.outerHTML).join('')"
    before = page.evaluate(shapes)
    for _ in range(2):
        page.locator(".node:not(.alone)").first.dispatch_event("click")
        page.locator("#around").click()
        assert page.evaluate(shapes) != before
        page.locator("#close").click()
        assert page.evaluate(shapes) == before


def test_a_line_tells_why_it_is_broken(open_report) -> None:
    page = open_report(small())
    page.locator(".edge.broken").dispatch_event("click")
    assert "is marked NOT VALID" in page.locator("#told").inner_text()
    assert "app.scores(game_id) → app.games(id)" in page.locator("#told h3").inner_text()


def test_search_finds_tables_by_their_names_and_columns(open_report) -> None:
    page = open_report(small())
    page.fill("#search", "USER_id")
    assert page.locator(".node.hit").evaluate_all("all => all.map(n => n.dataset.name)") == ["app.scores"]
    assert page.locator("#found").inner_text() == "1 of 4 tables"
    page.fill("#search", "logs")
    assert page.locator("#tables tbody tr:visible").count() == 1
    before = viewed(page)
    page.press("#search", "Enter")
    assert page.locator("#told h3").inner_text() == "ops.logs"
    assert viewed(page) != before
    page.fill("#search", "")
    assert page.locator("#tables tbody tr:visible").count() == 4


def test_filters_by_schema_and_by_origin(open_report) -> None:
    page = open_report(small())
    page.locator(".choice summary").click()
    page.locator('input[name="schema"][value="auth"]').uncheck()
    assert page.locator(SHOWN).count() == 3
    assert page.locator(LINES).count() == 1
    assert page.locator("#relations tbody tr:visible").count() == 1
    page.locator('[data-none="schema"]').click()
    assert page.locator(SHOWN).count() == 0
    page.locator('[data-all="schema"]').click()
    page.locator('input[name="origin"][value="declared"]').uncheck()
    assert page.locator(LINES).get_attribute("data-origin") == "inferred"
    assert page.locator(SHOWN).count() == 4


def test_the_map_moves_with_the_keyboard_and_the_mouse(open_report) -> None:
    page = open_report(crisis())
    drawing = page.locator("#drawing")
    whole = viewed(page)
    drawing.focus()
    page.keyboard.press("+")
    assert viewed(page)[2] < whole[2]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("0")
    assert viewed(page) == whole
    box = drawing.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    page.wait_for_function(
        "whole => +document.getElementById('drawing').getAttribute('viewBox').split(' ')[2] < whole",
        arg=whole[2],
    )
    near = viewed(page)
    page.mouse.down()
    page.mouse.move(box["x"] + 230, box["y"] + 130, steps=4)
    page.mouse.up()
    assert viewed(page)[0] < near[0]
    assert viewed(page)[1] < near[1]
    assert viewed(page)[2] == pytest.approx(near[2], abs=0.2)
    # Moving is not clicking.
    assert page.locator("#panel").is_hidden()


def test_the_wheel_alone_moves_the_page(open_report) -> None:
    page = open_report(crisis())
    whole = viewed(page)
    page.mouse.move(700, 500)
    page.mouse.wheel(0, 400)
    page.wait_for_function("scrollY > 0")
    assert viewed(page) == whole


def test_tables_are_sorted_by_any_column(open_report) -> None:
    page = open_report(small())
    names = page.locator("#tables tbody th .name")
    by_rows = page.locator("#tables thead button", has_text="rows")
    by_rows.click()
    assert names.all_inner_texts() == ["app.scores", "auth.users", "app.games", "ops.logs"]
    by_rows.click()
    assert names.all_inner_texts() == ["ops.logs", "app.games", "auth.users", "app.scores"]
    page.locator("#tables thead button", has_text="table").click()
    assert names.all_inner_texts() == ["app.games", "app.scores", "auth.users", "ops.logs"]


def test_light_and_dark_by_the_system_and_by_choice(open_report) -> None:
    page = open_report(small(), color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(14, 16, 20)"
    page.locator("#theme").click()
    assert page.evaluate(ground) == "rgb(244, 245, 247)"
    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_can_be_told_from_its_ground(scheme: str, open_report) -> None:
    page = open_report(crisis(), color_scheme=scheme)
    page.locator(".edge.broken").first.dispatch_event("click")
    contrast, text = page.evaluate(CONTRAST)
    assert contrast >= 4.5, text


def test_the_keyboard_is_soon_past_the_map(open_report) -> None:
    page = open_report(crisis())
    page.locator("#drawing").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('section').id") == "broken"


def test_without_scripts_the_map_and_all_tables_are_there(open_report) -> None:
    page = open_report(crisis(), java_script_enabled=False)
    assert page.locator("#drawing .node:visible").count() == 106
    assert page.locator("#tables tbody tr:visible").count() == 106
    assert page.locator(".tools").is_hidden()
    page.locator(".facts a").first.click()
    assert page.url.endswith("#schemas")


def test_on_a_narrow_screen_the_map_fills_its_frame_and_no_schema_hides_its_tables(open_report) -> None:
    page = open_report(crisis())
    page.set_viewport_size({"width": 500, "height": 900})
    frame = page.locator("#drawing").bounding_box()
    assert frame["height"] < frame["width"]
    largest = max(
        page.evaluate(
            "[...document.querySelectorAll('.afar text')].map(text => text.getAttribute('font-size') * 1)"
        )
    )
    assert largest * frame["width"] / viewed(page)[2] < 24


def test_on_paper_a_header_that_is_repeated_has_its_words(open_report) -> None:
    page = open_report(crisis())
    page.emulate_media(media="print")
    # The browser paints no buttons in it.
    shown = page.evaluate(
        "[...document.querySelectorAll('thead button')].map(b => getComputedStyle(b).display)"
    )
    assert set(shown) == {"contents"}


def test_on_paper_the_whole_map_is_there_and_no_buttons(open_report) -> None:
    page = open_report(crisis())
    page.locator("#drawing").focus()
    page.keyboard.press("+")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("#theme:visible, .tools:visible, #panel:visible").count() == 0
    assert viewed(page)[2] > 1_000
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
