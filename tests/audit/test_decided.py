"""`pgvigil audit --url`: what people decided in a running pgvigil."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pgvigil.proposal import Kind, Offer
from tests.cli.command import pgvigil, refused
from tests.cli.test_deployment import serve, site
from tests.web.world import NOW

if TYPE_CHECKING:
    from tests.web.conftest import Site

__all__ = ["serve", "site"]

GIVEN = """
    CREATE TABLE pages (id int PRIMARY KEY); INSERT INTO pages SELECT generate_series(1, 100);
    CREATE TABLE visits (id int PRIMARY KEY, page_id int);
    INSERT INTO visits SELECT i, i FROM generate_series(1, 100) AS i; INSERT INTO visits VALUES (101, 777);
    CREATE TABLE likes (id int PRIMARY KEY, page_id int);
    INSERT INTO likes SELECT i, i FROM generate_series(1, 100) AS i;
"""
VISITS = "public.visits(page_id) -> public.pages(id)"
LIKES = "public.likes(page_id) -> public.pages(id)"
GONE = "public.gone(page_id) -> public.pages(id)"


@pytest.fixture
def given(database: str) -> str:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(GIVEN)
        conn.execute("ANALYZE")
    return database


def decide(site: Site, subject: str, *, adopt: bool, target: str = "games") -> str:
    offer = Offer(kind=Kind.RELATION, subject=subject, settings=subject)
    site.store.proposals.propose(target, [offer], source="somebody", at=NOW, known=None)
    said = site.store.proposals.adopt if adopt else site.store.proposals.reject
    return said(offer.id_on(target), who="ann", at=NOW, why="seen to hold").id


def test_what_was_adopted_is_configured_and_what_was_rejected_is_gone(given: str, site: Site) -> None:
    before = pgvigil("audit", "--dsn", given, "--format", "json").json
    assert {one["subject"]: one["origin"] for one in before["relations"]} == {
        VISITS: "inferred",
        LIKES: "inferred",
    }
    decide(site, VISITS, adopt=True)
    decide(site, LIKES, adopt=False)
    (visits,) = pgvigil("audit", "--dsn", given, "--format", "json", "--url", site.url()).json["relations"]
    assert (visits["subject"], visits["origin"]) == (VISITS, "configured")
    assert visits["evidence"] == [f"adopted by ann on {NOW:%Y-%m-%d}: seen to hold"]
    assert "1 row of public.visits without a parent in public.pages" in visits["broken"]


def test_one_of_several_targets_is_named(given: str, site: Site) -> None:
    site.control.watched["shop"] = []
    decide(site, VISITS, adopt=True)
    asked = ("audit", "--dsn", given, "--format", "json", "--url", site.url())
    # Also while nothing was decided on the other one, whose database this may be.
    refused(pgvigil(*asked), 2, "has several targets (games, shop): choose one with --target")
    decide(site, LIKES, adopt=True, target="shop")
    found = pgvigil(*asked, "--target", "shop").json["relations"]
    assert {one["subject"]: one["origin"] for one in found} == {VISITS: "inferred", LIKES: "configured"}


def test_what_was_adopted_and_does_not_fit_any_more_is_told_with_its_id(given: str, site: Site) -> None:
    gone = decide(site, GONE, adopt=True)
    answer = pgvigil("audit", "--dsn", given, "--url", site.url())
    refused(answer, 2, f"adopted {GONE}:")
    assert f"pgvigil proposals reject {gone}" in answer.err


def test_a_pgvigil_that_does_not_answer_is_no_audit(given: str) -> None:
    refused(pgvigil("audit", "--dsn", given, "--url", "http://127.0.0.1:1"), 3, "is pgvigil running there?")
