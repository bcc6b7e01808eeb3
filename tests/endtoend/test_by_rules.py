"""By the shipped rules and routes: from the commit of a fault to whoever is told, and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import eq
from typing import Any

import pytest
import yaml

from tests.alertmanager import Alertmanager, running_alertmanager
from tests.cli.command import pgvigil
from tests.endtoend.shop import lose_parents, relation, restore
from tests.endtoend.told import of, over, pages, stories, told
from tests.endtoend.world import DEPLOY, PATIENCE, RULES, TOKEN, World, shipped_alertmanager, until
from tests.webhook import Notification

Install = Callable[..., World]

FAMILY, MANY = 12, 200


def test_what_runs_is_what_is_shipped(installed: Install, shop: Callable[..., str]) -> None:
    world = installed({"shop": shop()})
    shipped, templates = (
        (DEPLOY / "alertmanager/alertmanager.yml").read_text(),
        shipped_alertmanager(world.webhook)[1],
    )
    with running_alertmanager(shipped, templates) as untouched:
        assert loaded(world.alertmanager, world.webhook.url()) == loaded(untouched, "http://127.0.0.1:9/")
    world.prometheus.wait_for("pgvigil_build_info")
    expected = [
        rule.get("alert") or rule["record"]
        for file in RULES
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]
    rules = until(world.prometheus.rules, lambda found: all(one["health"] != "unknown" for one in found))
    assert sorted(one["name"] for one in rules) == sorted(expected)
    assert {(one["health"], one.get("lastError")) for one in rules} == {("ok", None)}


def loaded(alertmanager: Alertmanager, receivers: str) -> str:
    """Return the configuration that it goes by, but for where it lies and where its receivers are."""
    text = str(alertmanager.ask("/api/v2/status")["config"]["original"])
    return text.replace(str(alertmanager.home.path), "").replace(receivers, "")


def test_a_fault_is_told_once_and_so_is_its_end(installed: Install, shop: Callable[..., str]) -> None:
    """In one relation; of one parent with children in twelve; and one that came with a deployment."""
    targets = {"one": shop(), "family": shop(FAMILY), "deployed": shop()}
    world = installed(targets)
    marked = pgvigil(
        *(
            "deployment",
            "mark",
            "--version",
            "v2",
            "--target",
            "deployed",
            "--url",
            f"http://{world.address}",
        ),
        PGVIGIL_TOKEN=TOKEN,
    )
    assert marked.status == 0, marked.err
    lose_parents(targets["one"], 3, 5, 7)
    lose_parents(targets["family"], 4)
    lose_parents(targets["deployed"], 4)

    check_the_one(world)
    restore(targets["one"])
    world.webhook.wait_for(of("family", "firing", FAMILY), PATIENCE)
    restore(targets["family"])
    check_news(world.webhook.wait_for(lambda one: one.receiver == "pgvigil-deployments", PATIENCE))
    restore(targets["deployed"])

    for target, relations in {"one": 1, "family": FAMILY, "deployed": 1}.items():
        until(partial(told, world, target), partial(eq, over(relations)))
    assert len(pages(world, "one")) == len(pages(world, "deployed")) == 2
    check_together(world, "family")
    assert {one.receiver for one in world.webhook.notifications} == {
        "pgvigil-pager",
        "pgvigil-deadman",
        "pgvigil-deployments",
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_hundred_faults_are_told_together(installed: Install, shop: Callable[..., str]) -> None:
    dsn = shop(MANY)
    world = installed({"many": dsn})
    lose_parents(dsn, 4)
    until(partial(told, world, "many"), lambda found: len(found) == MANY)
    restore(dsn)
    until(partial(told, world, "many"), partial(eq, over(MANY)))
    check_together(world, "many")
    assert {name for name, *_ in stories(pages(world))} == {"PgvigilOrphanRows"}


def check_together(world: World, target: str) -> None:
    """All is one group, which is one page to a pager; some may be told a minute after the rest."""
    told_of = pages(world, target)
    assert len({one.body["groupKey"] for one in told_of}) == 1
    assert len(told_of) <= 8


def check_the_one(world: World) -> None:
    """The metric shows it, the alert fires, whoever is on call hears it with what they need."""
    expected = {
        "target": "one",
        "check": "orphan_rows",
        "subject": relation(),
        "code": "orphans",
        "severity": "critical",
    }
    labels = frozenset((expected | {"state": "open"}).items())
    until(lambda: world.daemon.metrics("pgvigil_incident_violations").get(labels), lambda rows: rows == 3)
    until(lambda: ("PgvigilOrphanRows", "one", relation()) in world.firing("PgvigilOrphanRows"))
    page = world.webhook.wait_for(of("one", "firing"))
    assert (page.receiver, page.path) == ("pgvigil-pager", "/pager")
    (alert,) = page.alerts
    told_of: dict[str, Any] = alert["labels"]
    assert told_of == expected | {"alertname": "PgvigilOrphanRows", "job": "pgvigil"}
    assert f"in {relation()}: 3, first seen" in alert["annotations"]["description"]
    runbook = alert["annotations"]["runbook_url"]
    assert runbook == "https://pgvigil.example.org/runbooks/PgvigilOrphanRows"
    assert world.daemon.get("runbooks/PgvigilOrphanRows")[0] == 200
    incident = alert["annotations"]["incident_url"].removeprefix("https://pgvigil.example.org/")
    status, page_of_it = world.daemon.get(incident)
    assert (status, "shop.child_1" in page_of_it) == (200, True)


def check_news(news: Notification) -> None:
    """Whoever deployed is told, and nobody is paged for that."""
    assert news.names() == ["PgvigilNewViolationsSinceDeployment"]
    assert news.body["groupLabels"] == {"target": "deployed", "version": "v2"}
    assert "first seen since version v2 was deployed: 1." in news.alerts[0]["annotations"]["description"]
