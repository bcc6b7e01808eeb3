"""`pgvigil proposals` and `pgvigil schema` against a real web server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
import urllib3

from pgvigil.store import Kind, Offer, Store
from tests.cli.command import pgvigil
from tests.cli.test_deployment import READER, WRITER, serve, site
from tests.web.world import NOW, discovered, failed, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.conftest import Site

__all__ = ["serve", "site"]

SALES = "shop.sales(game_id) -> shop.games(id)"
NOTES = "shop.notes(sale_id) -> shop.sales(id)"


def told(site: Site, *arguments: str, token: str = WRITER) -> tuple[int, str, str]:
    said = pgvigil(*arguments, "--url", site.url(), PGVIGIL_TOKEN=token)
    return said.status, said.out, said.err


def propose(store: Store) -> list[str]:
    evidence = ("its name", "\x1b[2J")
    first = Offer(kind=Kind.RELATION, subject=SALES, settings=SALES, probability=0.97, evidence=evidence)
    second = Offer(kind=Kind.RELATION, subject=NOTES, settings=NOTES, probability=0.5)
    store.proposals.propose("games", [first, second], source="inference", at=NOW)
    return [one.id for one in store.proposals.all()]


def test_proposals_are_listed_with_their_evidence(site: Site) -> None:
    assert told(site, "proposals", "list", token="")[:2] == (0, "no proposals are proposed\n")
    first, second = propose(site.store)
    status, out, _ = told(site, "proposals", "list", "--target", "games", token="")
    assert (status, out.splitlines()) == (
        0,
        [
            f"{first}   97%  proposed  games: {SALES}",
            "      its name",
            "      \\x1b[2J",
            f"{second}   50%  proposed  games: {NOTES}",
        ],
    )
    listed = json.loads(told(site, "proposals", "list", "--format", "json")[1])
    assert [one["subject"] for one in listed] == [SALES, NOTES]


def test_a_look_that_failed_is_not_taken_for_one_that_found_nothing(site: Site) -> None:
    site.store.record_target("games", up=True, at=NOW)
    site.store.proposals.looked("games", failure="canceling statement due to lock timeout")
    status, out, err = told(site, "proposals", "list", token="")
    assert (status, out) == (0, "no proposals are proposed\n")
    assert "games: the last look failed, there may be more: canceling statement due to lock timeout" in err
    page = urllib3.request("GET", site.url("/proposals"), headers={"Authorization": f"Bearer {READER}"})
    assert "canceling statement due to lock timeout" in page.data.decode()
    site.store.proposals.looked("games")
    assert told(site, "proposals", "list", token="")[2] == ""


def test_no_proposal_is_listed_as_certain(site: Site) -> None:
    offer = Offer(kind=Kind.RELATION, subject=SALES, settings=SALES, probability=0.9999)
    site.store.proposals.propose("games", [offer], source="inference", at=NOW)
    (line,) = told(site, "proposals", "list", token="")[1].splitlines()
    assert line.endswith(f"  >99%  proposed  games: {SALES}")


def test_proposals_are_adopted_and_rejected(site: Site) -> None:
    first, second = propose(site.store)
    assert told(site, "proposals", "adopt", first, second)[:2] == (0, f"adopted {SALES}\nadopted {NOTES}\n")
    assert told(site, "proposals", "reject", second, "--note", "chance")[:2] == (0, f"rejected {NOTES}\n")
    _, out, _ = told(site, "proposals", "list", "--state", "all")
    assert [line.split("  ")[2].strip() for line in out.splitlines() if "games:" in line] == [
        "adopted, by ci",
        "rejected, by ci",
    ]
    status, _, err = told(site, "proposals", "adopt", first)
    assert (status, f"proposal {first} is adopted already, by ci" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "token", "words"),
    [
        (("proposals", "adopt", "x"), "", "no token: give --token-file FILE or $PGVIGIL_TOKEN"),
        (("proposals", "adopt", "x"), READER, "403: ro has the scope read"),
        (("proposals", "adopt", "x/../../y"), WRITER, "404: "),
        (("schema", "accept", "shop"), WRITER, "404: nothing is known of shop on target games"),
        (("schema", "accept", "--target", "x"), WRITER, "404: there is no target x, only games"),
    ],
)
def test_refusals(site: Site, arguments: tuple[str, ...], token: str, words: str) -> None:
    status, out, err = told(site, *arguments, token=token)
    assert (status, out, words in err) == (2, "", True), err


def test_a_schema_is_accepted(site: Site) -> None:
    assert told(site, "schema", "list")[:2] == (0, "no schema has been looked at yet\n")
    discovered(site.store, "shop", "all schemas", check="schema_drift")
    for name in ("shop", "all schemas"):
        one = replace(run(name, failed("shop").outcome, check="schema_drift"), seen={"n": 1})
        site.store.record(one)
    site.store.record(replace(failed("shop"), check="schema_drift", seen={"n": 2}))
    _, out, _ = told(site, "schema", "list", token="")
    assert [line.partition(" at ")[0] for line in out.splitlines()] == [
        "games  all schemas  the same, as first seen",
        "games  shop  differs, as first seen",
    ]
    assert told(site, "schema", "accept")[:2] == (0, "accepted shop on games\n")
    assert told(site, "schema", "accept")[:2] == (0, "nothing differs from what is accepted\n")
    assert "games  shop  the same, accepted by ci at " in told(site, "schema", "list")[1]
    assert json.loads(told(site, "schema", "list", "-f", "json")[1])[0]["subject"] == "all schemas"


def test_relations_of_dbt_are_imported(site: Site, database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE games (id int PRIMARY KEY); CREATE TABLE sales (game_id int, other int)")
    file = tmp_path / "schema.yml"
    file.write_text("""
version: 2
models:
  - name: sales
    columns:
      - {name: game_id, tests: [{relationships: {to: ref('games'), field: id}}]}
      - {name: other, tests: [{relationships: {to: ref('gamers'), field: id}}]}
""")
    # With a DSN alone, the target is one of the daemon's.
    options = ("--dsn", database, "--target", "games")
    status, out, err = told(site, "proposals", "import", "dbt", str(file), *options)
    assert (status, out) == (0, "games: 1 added, 1 adopted, 0 declared anyway, 1 left out\n")
    assert err == ("pgvigil: models.sales.other: there is no table gamers; did you mean public.games?\n")
    (one,) = site.store.proposals.all()
    assert (one.subject, one.state, one.source) == (
        "public.sales(game_id) -> public.games(id)",
        "adopted",
        "dbt schema.yml",
    )


def test_a_pipeline_accepts_what_is_there_now(site: Site) -> None:
    def looks(target: str, check: str | None) -> list[str]:
        seen = replace(failed("shop", minutes=1), check="schema_drift", seen={"n": 2})
        site.store.record(seen)
        return [f"{target}/{check}"]

    discovered(site.store, "shop", check="schema_drift")
    site.store.record(replace(run("shop", failed("shop").outcome, check="schema_drift"), seen={"n": 1}))
    site.control.examine = looks  # type: ignore[method-assign]
    assert told(site, "schema", "accept", "--look")[:2] == (0, "accepted shop on games\n")
