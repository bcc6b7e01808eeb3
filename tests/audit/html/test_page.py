"""The page without a browser: whole, escaped, and the same without scripts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import pgvigil.web
from pgvigil.audit import Audit, Origin
from pgvigil.audit.html import render
from pgvigil.audit.jsons import to_json
from pgvigil.audit.markdown import to_markdown
from pgvigil.audit.words import seen
from pgvigil.catalog import TableName
from pgvigil.check import Severity
from pgvigil.cli.audit_text import print_text
from tests.audit.html.synthetic import audit, crisis, large, relation, table

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "</style></script></title><!--",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp;",
    "javascript:alert(1)",
    "tab\tline\nbell\x07\u202egnol",
    "a b.c, d",
    "имя 名前 🐘",
)
VOID = {"meta", "input", "br", "img", "link"}


class Page(HTMLParser):
    """What a parser sees: the elements with their attributes, and whether all of them are closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]

    def with_class(self, word: str) -> list[dict[str, str]]:
        return [each for _, each in self.found if word in each.get("class", "").split()]


def skeleton(page: Page) -> list[tuple[str, frozenset[str]]]:
    """Return which elements there are and which attributes they have, whatever these hold."""
    return [(tag, frozenset(attributes)) for tag, attributes in page.found]


def of_names(schema: str, name: str) -> Audit:
    child, parent = TableName(schema, name), TableName(schema, f"{name}2")
    found = relation(child, parent, Origin.INFERRED, key=name, broken=name, probability=0.9)
    found = replace(found, evidence=(name,), condition=(name, name))
    columns = ("id", name)
    tables = (table(child, columns=columns), table(parent, columns=columns))
    return audit(tables, (found,), target=name, database=name, unknown=(name,))


@pytest.mark.parametrize("build", [crisis, large, lambda: audit(())], ids=["106", "400", "empty"])
def test_the_page_is_whole(build) -> None:
    page = Page(render(build()))
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {each["href"] for each in page.of("a")}
    assert links <= {f"#{each}" for each in ids}


@pytest.mark.parametrize("build", [crisis, large], ids=["106", "400"])
def test_every_table_and_relation_is_on_the_map_and_below_it(build) -> None:
    found: Audit = build()
    page = Page(render(found))
    assert {each["data-name"] for each in page.with_class("node")} >= {
        str(each.name) for each in found.inventory.tables
    }
    lines = page.with_class("edge")
    assert len(lines) == len(found.relations)
    assert sum("broken" in each["class"].split() for each in lines) == sum(
        one.broken is not None for one in found.relations
    )
    for origin in Origin:
        expected = sum(one.origin is origin for one in found.relations)
        assert sum(each["data-origin"] == origin for each in lines) == expected
    rows = {each.get("id") for each in page.of("tr")}
    assert {each["data-relation"] for each in lines} <= rows


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_text_wherever_it_stands(name: str) -> None:
    page, plain = Page(render(of_names(name, name))), Page(render(of_names("plain", "plain")))
    assert skeleton(page) == skeleton(plain)
    assert seen(name) in "".join(page.text)
    assert not any(attribute.startswith("on") for _, each in page.found for attribute in each)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=63))
def test_no_name_spoils_the_page(name: str) -> None:
    page = Page(render(of_names(name, name)))
    assert page.open == []
    assert len(page.with_class("node")) == 2


def test_nothing_comes_from_elsewhere() -> None:
    text = render(crisis())
    page = Page(text)
    (policy,) = (each["content"] for each in page.of("meta") if "http-equiv" in each)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert not [name for name in ("link", "img", "iframe", "object", "base") if page.of(name)]
    assert not [each for each in page.of("script") if each]
    assert all(each["href"].startswith("#") for each in page.of("a"))
    assert not re.search(r"@import|url\((?!#)|https?://", text)
    assert not [each for _, each in page.found if "style" in each]


def test_what_is_broken_is_red_and_says_why() -> None:
    page = Page(render(crisis()))
    assert page.with_class("headline")[0]["class"] == "headline critical"
    text = re.sub(r"\s+", " ", "".join(page.text))
    assert "6 broken relations" in text
    assert "6 of 28 foreign keys" in text
    broken = next(one for one in crisis().relations if one.broken)
    assert f"BROKEN: {broken.broken}" in text


def test_a_proposal_is_never_red() -> None:
    tables = (table(TableName("app", "games")), table(TableName("app", "scores")))
    proposal = relation(tables[1].name, tables[0].name, Origin.INFERRED, probability=0.99)
    page = Page(render(audit(tables, (proposal,))))
    assert page.with_class("headline")[0]["class"] == "headline attended"
    assert not [each for each in page.with_class("edge") if "broken" in each["class"]]
    assert "proposed 99%" in "".join(page.text)


def test_no_proposal_is_written_as_certain_in_any_format() -> None:
    tables = (table(TableName("app", "games")), table(TableName("app", "scores")))
    proposal = relation(tables[1].name, tables[0].name, Origin.INFERRED, probability=0.99999)
    proposed = audit(tables, (proposal,))
    console = Console(width=120)
    with console.capture() as terminal:
        print_text(proposed, console)
    for text in ("".join(Page(render(proposed)).text), to_markdown(proposed), terminal.get()):
        assert ">99%" in unescape(text)
        assert "100%" not in text
    assert json.loads(to_json(proposed))["relations"][0]["probability"] == 0.9999


def test_the_worst_gives_the_headline_its_colour() -> None:
    tables = (table(TableName("app", "games")), table(TableName("app", "scores")))
    warned = replace(
        relation(tables[1].name, tables[0].name, broken="points elsewhere"), impact=Severity.WARNING
    )
    assert 'class="headline warning"' in render(audit(tables, (warned,)))


def test_unknown_is_never_green() -> None:
    secret = table(TableName("app", "secrets"), readable=False)
    page = Page(render(audit((secret,), unknown=("app.secrets: permission denied",))))
    assert page.with_class("headline")[0]["class"] == "headline unknown"
    assert "unknown" in page.with_class("node")[0]["class"].split()
    assert "app.secrets: permission denied" in "".join(page.text)


def test_what_is_not_known_is_no_zero() -> None:
    text = render(audit((table(TableName("app", "games"), rows=None),)))
    assert "about ? rows" in text


def test_a_table_that_is_not_watched_is_on_the_map_too() -> None:
    inside, outside = TableName("app", "scores"), TableName("other", "games")
    page = Page(render(audit((table(inside),), (relation(inside, outside),))))
    (box,) = page.with_class("unwatched")
    assert box["data-name"] == "other.games"
    assert len(page.with_class("edge")) == 1


def test_the_colours_are_those_of_the_console() -> None:
    console = (Path(pgvigil.web.__file__).parent / "static" / "console.css").read_text()
    light, dark = console.split("@media (prefers-color-scheme: dark)")[:2]
    report = files("pgvigil.audit.html").joinpath("report.css").read_text()
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\);", report)
    assert len(pairs) > 10
    for name, in_light, in_dark in pairs:
        assert f"--{name}: {in_light};" in light
        assert f"--{name}: {in_dark};" in dark
