"""Alertmanager is down for a while: nothing of what happens meanwhile is lost, and nothing is told twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from operator import eq

import pytest

from tests.endtoend.shop import lose_parents, relation, restore
from tests.endtoend.told import on, over, told
from tests.endtoend.world import World, until

Install = Callable[..., World]

LASTS = [
    pytest.param(0.0, id="for a moment"),
    pytest.param(60.0, id="for a minute", marks=pytest.mark.slow),
]


def found(world: World, target: str) -> bool:
    """Tell whether pgvigil shows a target's fault."""
    return bool(world.daemon.total("pgvigil_incident_violations", target=target))


@pytest.mark.parametrize("direct", [False, True], ids=["rules", "direct"])
@pytest.mark.parametrize("seconds", LASTS)
def test_what_happens_meanwhile_is_told_once(
    installed: Install, shop: Callable[..., str], direct: bool, seconds: float
) -> None:
    targets = {name: shop() for name in ("before", "healed", "meanwhile")}
    world = installed(targets, direct=direct)
    for target in ("before", "healed"):
        lose_parents(targets[target], 4)
        until(partial(told, world, target), partial(eq, on()))
    world.alertmanager.stop()
    lose_parents(targets["meanwhile"], 4)
    restore(targets["healed"])
    until(lambda: found(world, "meanwhile") and not found(world, "healed"))
    if not direct:
        fault = ("PgvigilOrphanRows", "meanwhile", relation())
        until(lambda: fault in world.firing("PgvigilOrphanRows"))
    time.sleep(seconds)
    world.alertmanager.start()
    until(partial(told, world, "meanwhile"), partial(eq, on()))
    until(partial(told, world, "healed"), partial(eq, over()))
    assert told(world, "before") == on()


def test_one_of_two_alertmanagers_is_enough(installed: Install, shop: Callable[..., str]) -> None:
    targets = {"before": shop(), "meanwhile": shop()}
    world = installed(targets, direct=True, alertmanagers=2)
    stays, goes = world.alertmanagers
    lose_parents(targets["before"], 4)
    for one in (stays, goes):
        until(partial(told, world, "before", one), partial(eq, on()))
    goes.stop()
    lose_parents(targets["meanwhile"], 4)
    until(partial(told, world, "meanwhile", stays), partial(eq, on()))
    assert not told(world, "meanwhile", goes)
    goes.start()
    until(partial(told, world, "meanwhile", goes), partial(eq, on()))
    for one in (stays, goes):
        assert told(world, "before", one) == on()
