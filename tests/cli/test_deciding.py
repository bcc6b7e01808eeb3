"""`pgvigil proposals` and `pgvigil schema` against a real web server."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import urllib3

from pgvigil.check import Outcome
from pgvigil.cli import schema
from pgvigil.cli.calling import Daemon
from pgvigil.errors import UsageError
from pgvigil.proposal import Kind, Offer
from pgvigil.run import Run
from pgvigil.store import Store
from tests.cli.command import pgvigil
from tests.cli.test_deployment import READER, WRITER, serve, site
from tests.web.world import NOW, discovered, failed, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.conftest import Site

__all__ = ["serve", "site"]

SALES = "shop.sales(game_id) -> shop.games(id)"
NOTES = "shop.notes(sale_id) -> shop.sales(id)"
SHOWN = "games: rows whose game does not exist\n    and 17 more\n"


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
    assert out.splitlines()[-1] == "      rejected 2031-05-06 03:00 UTC: chance"
    again = told(site, "proposals", "adopt", first)
    assert again == (0, f"proposal {first} is adopted already, by ci\n", "")


def test_one_unknown_proposal_keeps_none_of_the_others_from_being_adopted(site: Site) -> None:
    first, second = propose(site.store)
    status, out, err = told(site, "proposals", "adopt", first, "typo", second)
    assert (status, out) == (2, f"adopted {SALES}\nadopted {NOTES}\n")
    assert err.endswith("/typo/adopt: 404: there is no proposal 'typo'\n")


def test_what_a_pair_is_matched_by_is_listed(site: Site) -> None:
    settings = {
        "left": "billing.customers",
        "right": "crm.clients",
        "key": {"id": "id"},
        "columns": {"tax_no": "taxNo"},
        "tolerance": {"price": 0.01},
    }
    offer = Offer(kind=Kind.PAIR, subject="billing.customers <> crm.clients", settings=settings)
    site.store.proposals.propose("games", [offer], source="inference", at=NOW)
    _, out, _ = told(site, "proposals", "list")
    assert out.splitlines()[1] == "      key id; columns tax_no = taxNo; price within 0.01"
    assert "key id; columns tax_no = taxNo; price within 0.01" in site.ask("/proposals").text


@pytest.mark.parametrize(
    ("arguments", "token", "words"),
    [
        (("proposals", "adopt", "x"), "", "no token: give --token-file FILE or $PGVIGIL_TOKEN"),
        (("proposals", "adopt", "x"), READER, "403: ro has the scope read"),
        (("proposals", "adopt", "x/../../y"), WRITER, "404: "),
        (("schema", "accept", "shop"), WRITER, "nothing is known of shop on target games"),
        (("schema", "accept", "--target", "x"), WRITER, "there is no target x, only games"),
        (("schema", "list", "--target", "x"), WRITER, "there is no target x, only games"),
        (("proposals", "list", "--target", "x"), WRITER, "404: there is no target x, only games"),
        (("init", "--target", "x", "--dsn", "dbname=x"), WRITER, "404: there is no target x, only games"),
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
    assert told(site, "schema", "accept")[:2] == (0, f"{SHOWN}accepted shop on games\n")
    assert told(site, "schema", "accept")[:2] == (0, "nothing differs from what is accepted\n")
    (line,) = (one for one in told(site, "schema", "list")[1].splitlines() if "accepted by ci" in one)
    assert re.fullmatch(r"games  shop  the same, accepted by ci at \d{4}-\d\d-\d\d \d\d:\d\d UTC", line)
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
    assert (status, out) == (0, "games: 2 relations: 1 adopted, 1 left out\n")
    assert err == ("pgvigil: models.sales.other: there is no table gamers; did you mean public.games?\n")
    (one,) = site.store.proposals.all()
    assert (one.subject, one.state, one.source) == (
        "public.sales(game_id) -> public.games(id)",
        "adopted",
        "dbt schema.yml",
    )
    told(site, "proposals", "reject", one.id)
    _, out, _ = told(site, "proposals", "import", "dbt", str(file), "--dsn", database)
    assert out == "games: 2 relations: 1 rejected before, 1 left out\n"
    _, out, _ = told(site, "proposals", "import", "dbt", str(file), "--dsn", database, "--propose")
    assert out == "games: 2 relations: 1 rejected before, 1 left out\n"


def test_relations_of_another_database_are_not_imported(site: Site, database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE games (id int PRIMARY KEY); CREATE TABLE sales (game_id int)")
        conn.execute("CREATE TABLE notes (game_id int)")
    file = tmp_path / "loose.yml"
    file.write_text("""
sales: [{table: games, column: game_id, on_delete: async_delete}]
notes: [{table: games, column: game_id, on_delete: async_delete}]
""")
    site.control.lacking = {"public.sales"}
    arguments = ("proposals", "import", "loose-foreign-keys", str(file), "--dsn", database)
    status, out, err = told(site, *arguments)
    assert (status, out) == (0, "games: 2 relations: 1 adopted, 1 left out\n")
    sales = "public.sales(game_id) -> public.games(id)"
    assert err == f"pgvigil: target games lacks it: {sales}: there is no table public.sales\n"
    site.control.lacking.add("public.notes")
    status, out, err = told(site, *arguments)
    assert (status, out, "422: relations: target games has none of them; " in err) == (2, "", True)


def drifted(n: int, *, minutes: float = 3, lost: str = "table shop.t") -> Run:
    """Return a run of schema_drift that found something gone."""
    one = failed("shop", minutes=minutes)
    found = replace(
        one.findings[0], title="1 part of schema shop is gone", count=1, details={"changes": [lost]}
    )
    return replace(one, check="schema_drift", seen={"n": n}, findings=(found,))


def first_seen(store: Store, *names: str) -> None:
    discovered(store, *names, check="schema_drift")
    store.record_many(
        [replace(run(name, Outcome.PASS, check="schema_drift"), seen={"n": 1}) for name in names]
    )


def looking(site: Site, *sweeps: tuple[Run, datetime]) -> list[str]:
    """Let each look that is asked for be the next of these: what it sees, and when it began."""
    left, asked = list(sweeps), []

    def looks(target: str, check: str | None) -> list[str]:
        asked.append(f"{target}/{check}")
        if left:
            seen, began_at = left.pop(0)
            site.store.record(seen)
            site.store.record_sweep(target, "schema_drift", began_at)
        return asked[-1:]

    site.control.examine = looks  # type: ignore[method-assign]
    return asked


def test_a_pipeline_accepts_what_is_there_now_and_is_told_what(site: Site) -> None:
    first_seen(site.store, "shop")
    looking(site, (drifted(2, minutes=1), NOW))
    status, out, err = told(site, "schema", "accept", "--look")
    assert (status, err) == (0, "")
    assert out == "games: 1 part of schema shop is gone\n    table shop.t\naccepted shop on games\n"
    assert not site.store.acceptances.all()[0].differs


def test_a_look_that_was_under_way_when_it_was_asked_for_is_not_enough(site: Site) -> None:
    first_seen(site.store, "shop")
    early = NOW - timedelta(seconds=1)
    asked = looking(site, (drifted(2, minutes=2), early), (drifted(3, minutes=1, lost="table shop.u"), NOW))
    _, out, _ = told(site, "schema", "accept", "--look")
    assert out.splitlines()[1:] == ["    table shop.u", "accepted shop on games"]
    assert asked == ["games/schema_drift"] * 3, "two looks, and one after what was accepted"
    assert site.store.acceptances.accepted("games", "schema_drift") == {"shop": {"n": 3}}


def test_a_look_that_failed_accepts_nothing(site: Site) -> None:
    names = [f"s{number}" for number in range(1001)]
    first_seen(site.store, *names, "shop")
    site.store.record(drifted(2))
    broken = replace(
        drifted(3), subject="shop", outcome=Outcome.TIMEOUT, error="locked", findings=(), seen=None
    )
    looking(site, (broken, NOW))
    status, out, err = told(site, "schema", "accept", "--look")
    assert (status, out) == (3, "")
    assert "schema_drift could not look at 1 of 1002 subjects; shop: locked" in err
    assert [one.subject for one in site.store.acceptances.all() if one.differs] == ["shop"]


@dataclass(frozen=True, slots=True)
class Meddled(Daemon):
    """A daemon that sees something else as soon as somebody has been shown what differs."""

    store: Store | None = None

    def get(self, path: str, narrowed: Mapping[str, str | None]) -> Any:
        answer = Daemon.get(self, path, narrowed)
        if path.startswith("incidents/") and self.store is not None:
            self.store.record(drifted(3, minutes=1, lost="table shop.u"))
        return answer


def test_what_was_not_shown_is_not_accepted(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PGVIGIL_TOKEN", WRITER)
    first_seen(site.store, "shop")
    site.store.record(drifted(2))
    daemon = Meddled(site.url(), store=site.store)
    with pytest.raises(UsageError, match="has changed again since you looked: see what differs now"):
        schema.accept(daemon, None, ["shop"], look=False, ask=False)
    assert "table shop.t" in capsys.readouterr().out
    assert site.store.acceptances.accepted("games", "schema_drift") == {"shop": {"n": 1}}


@pytest.mark.parametrize(("answer", "accepted"), [("y\n", 2), ("n\n", 1), ("\n", 1)])
def test_a_person_is_asked_before_what_was_shown_is_accepted(
    site: Site, monkeypatch: pytest.MonkeyPatch, answer: str, accepted: int
) -> None:
    monkeypatch.setenv("PGVIGIL_TOKEN", WRITER)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    first_seen(site.store, "shop")
    site.store.record(drifted(2))
    with suppress(UsageError):
        schema.accept(Daemon(site.url()), "games", [], look=False, ask=True)
    assert site.store.acceptances.accepted("games", "schema_drift") == {"shop": {"n": accepted}}


def test_a_schema_may_be_named_without_its_quotes(site: Site) -> None:
    first_seen(site.store, '"Sales"')
    site.store.record(replace(drifted(2), subject='"Sales"'))
    assert told(site, "schema", "accept", "Sales")[1].endswith('accepted "Sales" on games\n')
