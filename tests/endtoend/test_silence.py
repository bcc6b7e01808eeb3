"""Something that the way to a page needs is gone: that itself pages, once, and no fault is taken to be over.

These take the time that the shipped rules take.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from operator import eq

import pytest

from pgvigil.embedded import Server
from tests.databases import fresh_database
from tests.endtoend.shop import building, lose_parents, relation, restore
from tests.endtoend.told import of, on, over, pages, stories, told
from tests.endtoend.world import PATIENCE, World, until

Install = Callable[..., World]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

LONG = 600.0
ENDED = ["firing", "resolved"]
MARKER = "marker"


def heard(world: World, name: str) -> list[str]:
    """Return what whoever is on call was told of the alert of this name."""
    return next((story for (alert, *_), story in stories(pages(world)).items() if alert == name), [])


def wait_until_heard(world: World, name: str, story: list[str]) -> None:
    until(partial(heard, world, name), partial(eq, story), LONG)


def a_minute_passes(world: World) -> None:
    """Wait until another group has been told of twice, which the routes allow after a minute."""
    target = f"{MARKER}{len(world.webhook.notifications)}"
    labels = {"alertname": "PgvigilOrphanRows", "severity": "critical", "target": target}
    for alerts in (1, 2):
        world.alertmanager.post(labels | {"subject": f"{alerts}"})
        world.webhook.wait_for(of(target, alerts=alerts), PATIENCE)


def deadman(world: World) -> int:
    return len(world.webhook.to("deadman"))


def paged(world: World) -> set[str]:
    """Return the names of all alerts that woke whoever is on call, but for our own markers.

    What was silent is listed among what is over when its group is told so: that wakes nobody.
    """
    told_of = stories(pages(world)).items()
    return {
        name for (name, target, _), story in told_of if "firing" in story and not target.startswith(MARKER)
    }


def ticketed(world: World) -> set[str]:
    """Return the names of all alerts that can wait, but for those that add up what is over."""
    told_of = stories(world.webhook.to("tickets")).items()
    names = {name for (name, *_), story in told_of if "firing" in story}
    return {name for name in names if not name.startswith("PgvigilIntegrityBudgetBurning")}


def test_pgvigil_that_is_gone_pages_and_its_faults_stay(installed: Install, shop: Callable[..., str]) -> None:
    targets = {"before": shop(), "healed": shop(), "meanwhile": shop()}
    world = installed(targets)
    for target in ("before", "healed"):
        lose_parents(targets[target], 4)
        until(partial(told, world, target), partial(eq, on()))
    world.daemon.kill()
    restore(targets["healed"])
    lose_parents(targets["meanwhile"], 4)
    wait_until_heard(world, "PgvigilDown", ["firing"])
    # Nobody knows that one is healed: both go on, and so does the Watchdog.
    faults = {("PgvigilOrphanRows", target, relation()) for target in ("before", "healed")}
    assert world.firing("PgvigilOrphanRows") == faults
    beats = deadman(world)
    until(lambda: deadman(world) > beats + 1)
    assert world.firing("PgvigilOrphanRows") == faults
    assert told(world, "before") == told(world, "healed") == on()
    assert not told(world, "meanwhile")

    world.start_pgvigil()
    until(partial(told, world, "meanwhile"), partial(eq, on()))
    until(partial(told, world, "healed"), partial(eq, over()))
    wait_until_heard(world, "PgvigilDown", ENDED)
    assert told(world, "before") == on()
    assert paged(world) == {"PgvigilOrphanRows", "PgvigilDown"}
    assert not ticketed(world)


def test_prometheus_that_is_gone_is_missed(installed: Install, shop: Callable[..., str]) -> None:
    world = installed({"shop": shop()})
    until(lambda: deadman(world) > 1)
    world.prometheus.stop()
    until(lambda: not world.alertmanager.alerts())
    beats = deadman(world)
    a_minute_passes(world)
    assert deadman(world) == beats
    world.prometheus.start()
    until(lambda: deadman(world) > beats)


def test_a_target_that_is_down_pages_once_and_its_faults_stay(
    installed: Install, shop: Callable[..., str], own_server: Server
) -> None:
    """Until what follows from it fires as well, and is silent: that takes five minutes."""
    with fresh_database(own_server) as gone:
        building(2)(gone)
        world = installed({"gone": gone, "stays": shop()})
        lose_parents(gone, 4)
        until(partial(told, world, "gone"), partial(eq, on(2)))
        own_server.stop("immediate")
        wait_until_heard(world, "PgvigilTargetDown", ["firing"])
        follows = {"PgvigilCheckNotCompleting", "PgvigilCoverageUnknown"}
        until(lambda: {name for name, *_ in world.firing(*follows)} == follows, seconds=LONG)
        a_minute_passes(world)
        assert told(world, "gone") == on(2)
        assert {incident["state"] for incident in world.incidents(target="gone")} == {"open"}

        own_server.start()
        wait_until_heard(world, "PgvigilTargetDown", ENDED)
        assert told(world, "gone") == on(2)
        restore(gone)
        until(partial(told, world, "gone"), partial(eq, over(2)))
        assert not world.firing(*follows)
        a_minute_passes(world)
        assert paged(world) == {"PgvigilOrphanRows", "PgvigilTargetDown"}
        assert not ticketed(world)


def test_a_store_that_cannot_be_written_pages_and_its_faults_stay(
    installed: Install, shop: Callable[..., str]
) -> None:
    targets = {"before": shop(), "meanwhile": shop()}
    world = installed(targets)
    lose_parents(targets["before"], 4)
    until(partial(told, world, "before"), partial(eq, on()))
    # Somebody else holds the file, as a backup that hangs does.
    with closing(sqlite3.connect(world.config.with_name("state.db"), isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        lose_parents(targets["meanwhile"], 4)
        wait_until_heard(world, "PgvigilStoreTrouble", ["firing"])
        assert told(world, "before") == on()
        assert not told(world, "meanwhile")
    until(partial(told, world, "meanwhile"), partial(eq, on()))
    wait_until_heard(world, "PgvigilStoreTrouble", ENDED)
    assert told(world, "before") == on()
    assert paged(world) == {"PgvigilOrphanRows", "PgvigilStoreTrouble"}


def test_a_store_that_is_down_pages_and_its_faults_stay(
    installed: Install, shop: Callable[..., str], own_server: Server
) -> None:
    targets = {"before": shop(), "meanwhile": shop()}
    dsn = own_server.dsn().replace("postgresql://", "postgresql+psycopg://")
    world = installed(targets, state=dsn)
    lose_parents(targets["before"], 4)
    until(partial(told, world, "before"), partial(eq, on()))
    own_server.stop("immediate")
    lose_parents(targets["meanwhile"], 4)
    wait_until_heard(world, "PgvigilStoreTrouble", ["firing"])
    assert told(world, "before") == on()
    assert not told(world, "meanwhile")
    own_server.start()
    until(partial(told, world, "meanwhile"), partial(eq, on()))
    wait_until_heard(world, "PgvigilStoreTrouble", ENDED)
    assert told(world, "before") == on()
    assert paged(world) == {"PgvigilOrphanRows", "PgvigilStoreTrouble"}
