"""People decide: over the API, and with a click in a real browser."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.proposal import Kind, Offer
from pgvigil.store import Store
from pgvigil.web.security import Security
from tests.web.test_api import READER, TOKENS, get, post, refusal
from tests.web.test_word import PASSWORD, USERS, opened
from tests.web.world import HOSTILE, NOW, discovered, failed, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from tests.web.conftest import Site

SALES = "shop.sales(game_id) -> shop.games(id)"
PAIR = "shop.games <> old.games"


@pytest.fixture
def site(store: Store, serve: Callable[..., Site]) -> Site:
    return serve(store, TOKENS)


def propose(store: Store) -> str:
    """Propose a relation and a pair; return the relation's id."""
    relation = Offer(
        kind=Kind.RELATION, subject=SALES, settings=SALES, probability=0.97, evidence=(HOSTILE, "the name")
    )
    pair = Offer(kind=Kind.PAIR, subject=PAIR, settings={"left": "shop.games", "right": "old.games"})
    store.proposals.propose("games", [relation, pair], source="inference", at=NOW)
    return store.proposals.all()[0].id


def drift(store: Store, check: str = "schema_drift") -> str:
    """Let a schema differ from what is accepted; return the incident's id."""
    discovered(store, "shop", check=check)
    store.record(replace(run("shop", failed("shop").outcome, check=check), seen={"n": 1}))
    found = replace(failed("shop"), check=check, seen={"n": 2})
    return store.record(found).incidents[0].id


def test_proposals_are_listed_adopted_and_rejected(site: Site) -> None:
    relation = propose(site.store)
    listed = get(site, "proposals?target=games&state=proposed")
    assert [(one["subject"], one["probability"]) for one in listed] == [(SALES, 0.97), (PAIR, 1.0)]
    assert listed[0]["evidence"] == [HOSTILE, "the name"]
    answer = post(site, f"proposals/{relation}/adopt", {"who": "anna", "note": "of course"})
    assert answer.status == 200
    adopted = json.loads(answer.body)
    assert (adopted["state"], adopted["decided_by"], adopted["why"]) == (
        "adopted",
        "anna (by ci)",
        "of course",
    )
    assert post(site, f"proposals/{listed[1]['id']}/reject", {}).status == 200
    assert get(site, "proposals?state=proposed") == []
    assert {one["state"] for one in get(site, "proposals")} == {"adopted", "rejected"}


def test_nobody_decides_without_leave_or_on_what_is_not_there(site: Site) -> None:
    relation = propose(site.store)
    assert post(site, f"proposals/{relation}/adopt", {}, token=READER).status == 403
    assert post(site, f"proposals/{relation}/adopt", {}, token="").status == 401
    assert post(site, "proposals/none/adopt", {}).status == 404
    assert post(site, f"proposals/{relation}/adopt", {}).status == 200
    twice = post(site, f"proposals/{relation}/adopt", {})
    assert (twice.status, refusal(twice)) == (409, f"proposal {relation} is adopted already, by ci")
    assert post(site, "acceptances", {}, token=READER).status == 403
    assert [one.state for one in site.store.proposals.all()] == ["adopted", "proposed"]


def test_relations_that_are_written_elsewhere_are_adopted_at_once(site: Site) -> None:
    relation = propose(site.store)
    site.store.proposals.reject(relation, who="anna", at=NOW)
    brought = [SALES, "shop.notes(sale_id) -> shop.sales(id)"]
    answer = post(site, "proposals", {"source": "dbt manifest.json", "relations": brought})
    assert (answer.status, json.loads(answer.body)) == (
        201,
        {
            "target": "games",
            "offered": 2,
            "added": 1,
            "adopted": 1,
            "adopted_before": 0,
            "rejected": 1,
            "left_out": [],
        },
    )
    states = {one.subject: (one.state.value, one.source) for one in site.store.proposals.all()}
    # What was rejected stays so.
    assert states == {
        SALES: ("rejected", "inference"),
        brought[1]: ("adopted", "dbt manifest.json"),
        PAIR: ("proposed", "inference"),
    }
    wrong = post(site, "proposals", {"source": "x", "relations": ["shop.sales"]})
    assert (wrong.status, refusal(wrong)[:11]) == (422, "relations: ")


def test_relations_of_another_database_are_not_adopted(site: Site) -> None:
    site.control.lacking = {"legacy.parts", "legacy.kits"}
    brought = [SALES, "legacy.parts(kit_id) -> legacy.kits(id)", SALES]
    answer = post(site, "proposals", {"source": "x", "relations": brought})
    assert (answer.status, json.loads(answer.body)) == (
        201,
        {
            "target": "games",
            "offered": 2,
            "added": 1,
            "adopted": 1,
            "adopted_before": 0,
            "rejected": 0,
            "left_out": [f"{brought[1]}: there is no table legacy.parts"],
        },
    )
    none = post(site, "proposals", {"source": "x", "relations": brought[1:2]})
    assert (none.status, refusal(none)) == (
        422,
        f"relations: target games has none of them; {brought[1]}: there is no table legacy.parts",
    )
    assert [one.subject for one in site.store.proposals.all()] == [SALES]


def test_relations_are_not_adopted_unseen(site: Site) -> None:
    site.control.silent = {"games"}
    assert post(site, "proposals", {"source": "x", "relations": [SALES]}).status == 503
    site.control.leads = False
    answer = post(site, "proposals", {"source": "x", "relations": [SALES]})
    assert (answer.status, refusal(answer)) == (409, "this replica stands by: ask the one that leads")
    assert site.store.proposals.all() == []


def test_what_is_there_is_accepted(site: Site) -> None:
    drift(site.store)
    (listed,) = get(site, "acceptances?check=schema_drift")
    assert (listed["subject"], listed["accepted_by"], listed["differs"]) == ("shop", None, True)
    stale = post(site, "acceptances", {"subject": "shop", "seen": "something else"})
    assert (stale.status, "has changed again" in refusal(stale)) == (409, True)
    site.control.watched["games"].append("schema_drift")
    answer = post(site, "acceptances", {"target": "games", "who": "anna"})
    assert answer.status == 201
    told = json.loads(answer.body)
    assert [(one["subject"], one["accepted_by"]) for one in told["accepted"]] == [("shop", "anna (by ci)")]
    assert told["examining"] == ["games/schema_drift"]
    again = post(site, "acceptances", {})
    assert (again.status, json.loads(again.body)) == (201, {"accepted": [], "examining": []})
    twice = post(site, "acceptances", {"subject": "shop"})
    assert (twice.status, refusal(twice)) == (409, "shop is as it was accepted: there is nothing to accept")
    assert post(site, "acceptances", {"subject": "nowhere"}).status == 404
    assert post(site, "acceptances", {"target": "nowhere"}).status == 404


def test_what_was_decided_on_a_target_that_is_left_out_is_kept_but_not_shown(site: Site) -> None:
    site.store.proposals.reject(propose(site.store), who="anna", at=NOW)
    drift(site.store)
    del site.control.watched["games"]
    site.control.watched["shop"] = []
    assert get(site, "proposals") == []
    assert get(site, "acceptances") == []
    assert "anna</bdi>" not in site.ask("/proposals?state=rejected").text
    site.control.watched["games"] = []
    assert [one["state"] for one in get(site, "proposals")] == ["rejected", "proposed"]
    assert [one["subject"] for one in get(site, "acceptances")] == ["shop"]
    assert "anna</bdi>" in site.ask("/proposals?state=rejected").text


def test_several_targets_need_a_name(site: Site) -> None:
    site.control.watched["shop"] = []
    answer = post(site, "acceptances", {})
    assert (answer.status, refusal(answer)) == (422, "target: there are several, games, shop")


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("acceptances", {"colour": "red"}),
        ("proposals", {"relations": []}),
        ("proposals/x/adopt", {"until": "1h"}),
    ],
)
def test_what_is_not_understood_is_refused(site: Site, path: str, what: Any) -> None:
    assert post(site, path, what).status == 422


def test_a_proposal_is_adopted_with_one_click_and_rejected_with_another(
    store: Store, serve: Callable[..., Site], browser: Browser
) -> None:
    relation = propose(store)
    credentials = {"username": "anna", "password": PASSWORD}
    site = serve(store, Security(USERS))
    with opened(browser, site, "/proposals", http_credentials=credentials) as page:
        assert HOSTILE in page.locator("main").inner_text()
        row = page.locator(f'[data-proposal="{relation}"]')
        row.get_by_role("button", name="Adopt").click()
        row.wait_for(state="detached")
        page.get_by_role("link", name="Adopted").click()
        assert "adopted by anna" in row.inner_text()
        row.get_by_role("button", name="Reject").click()
        row.wait_for(state="detached")
    assert {one.subject: one.state.value for one in store.proposals.all()} == {
        SALES: "rejected",
        PAIR: "proposed",
    }


def test_what_was_refused_is_shown(store: Store, serve: Callable[..., Site], browser: Browser) -> None:
    relation = propose(store)
    site = serve(store, Security(USERS))
    credentials = {"username": "anna", "password": PASSWORD}
    with opened(browser, site, "/proposals", http_credentials=credentials) as page:
        store.proposals.adopt(relation, who="bob", at=NOW)
        row = page.locator(f'[data-proposal="{relation}"]')
        row.get_by_role("button", name="Adopt").click()
        page.get_by_text(f"proposal {relation} is adopted already, by bob").wait_for()


def test_a_schema_is_accepted_with_one_click(
    store: Store, serve: Callable[..., Site], browser: Browser
) -> None:
    incident = drift(store)
    site = serve(store, Security(USERS))
    credentials = {"username": "anna", "password": PASSWORD}
    with opened(browser, site, f"/incidents/{incident}", http_credentials=credentials) as page:
        assert "the first look saw" in page.locator("main").inner_text()
        page.get_by_role("button", name="Accept what is there now").click()
        page.wait_for_selector('[data-event="accepted"]')
        assert page.get_by_role("button", name="Accept what is there now").count() == 0
        assert "anna accepted" in page.locator("main").inner_text()
    (accepted,) = store.acceptances.all()
    assert (accepted.accepted_by, accepted.differs) == ("anna", False)


def test_no_proposal_is_shown_as_certain(store: Store, serve: Callable[..., Site]) -> None:
    offer = Offer(kind=Kind.RELATION, subject=SALES, settings=SALES, probability=0.9999)
    store.proposals.propose("games", [offer], source="inference", at=NOW)
    page = serve(store).ask("/proposals").text
    assert '<td class="figure">&gt;99%</td>' in page
    assert "100%" not in page


def test_the_buttons_are_within_a_narrow_screen(
    store: Store, serve: Callable[..., Site], browser: Browser
) -> None:
    relation = propose(store)
    site = serve(store, Security(USERS))
    credentials = {"username": "anna", "password": PASSWORD}
    with opened(browser, site, "/proposals", http_credentials=credentials) as page:
        page.set_viewport_size({"width": 390, "height": 800})
        row = page.locator(f'[data-proposal="{relation}"]')
        for name in ("Adopt", "Reject"):
            box = row.get_by_role("button", name=name).bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= 390
        arrow = row.locator(".arrow").evaluate("arrow => arrow.getClientRects().length")
        assert arrow == 1


def test_who_may_only_read_sees_no_button(store: Store, serve: Callable[..., Site]) -> None:
    propose(store)
    site = serve(store)
    page = site.ask("/proposals")
    assert page.status == 200
    assert "<button" not in page.text
    assert "<script>document" not in page.text
    assert site.ask("/proposals?state=adopted").status == 200
    assert site.ask("/proposals?state=odd").status == 400
    assert "<button" not in site.ask(f"/incidents/{drift(store)}").text
