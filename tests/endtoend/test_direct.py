"""By pgvigil itself: from the commit of a fault, which it is asked to look for, to whoever is told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import eq

import psycopg

from tests.endtoend.shop import lose_parents, relation, restore
from tests.endtoend.told import of, on, over, told
from tests.endtoend.world import World, until

Install = Callable[..., World]


def break_and_examine(world: World, target: str, dsn: str) -> str:
    """Lose three parents, let pgvigil look, and return the incident when whoever is on call has heard."""
    lose_parents(dsn, 3, 5, 7)
    world.examine(target)
    until(partial(told, world, target), partial(eq, on()))
    (incident,) = world.incidents(target=target)
    return str(incident["id"])


def test_a_fault_is_told_with_its_evidence(installed: Install, shop: Callable[..., str]) -> None:
    dsn = shop()
    world = installed({"shop": dsn}, direct=True, every="1h")
    incident = break_and_examine(world, "shop", dsn)
    page = world.webhook.wait_for(of("shop", "firing"))
    (alert,) = page.alerts
    assert page.receiver == "pgvigil-pager"
    assert alert["labels"] == {
        "alertname": "PgvigilOrphanRows",
        "severity": "critical",
        "target": "shop",
        "check": "orphan_rows",
        "subject": relation(),
        "code": "orphans",
    }
    said = alert["annotations"]
    assert said["runbook_url"].endswith("/runbooks/PgvigilOrphanRows")
    assert said["incident_url"] == f"http://{world.address}/incidents/{incident}"
    assert world.daemon.get(f"incidents/{incident}")[0] == 200
    assert len(said["sample"].splitlines()) == 3
    with psycopg.connect(dsn) as conn:
        assert len(conn.execute(said["evidence_sql"].encode()).fetchall()) == 3


def test_what_people_say_of_an_incident_and_its_end(installed: Install, shop: Callable[..., str]) -> None:
    """An acknowledgement ends nothing; a mute does, as healing does, and that is told once."""
    targets = {"acknowledged": shop(), "muted": shop(), "healed": shop()}
    world = installed(targets, direct=True, every="1h")
    named = {target: break_and_examine(world, target, dsn) for target, dsn in targets.items()}
    world.post(f"incidents/{named['acknowledged']}/acknowledge", {"note": "on it"})
    world.post(f"incidents/{named['muted']}/mute", {"note": "known"})
    restore(targets["healed"])
    world.examine("healed")
    for target in ("muted", "healed"):
        until(partial(told, world, target), partial(eq, over()))
    # It was told first: by now its end would have been told as well.
    assert told(world, "acknowledged") == on()
    held = [one["labels"]["target"] for one in world.alertmanager.alerts() if "target" in one["labels"]]
    assert held == ["acknowledged"]
    restore(targets["muted"])
    world.examine("muted")
    until(lambda: not world.incidents(target="muted"))
    assert told(world, "muted") == over()
    assert {one.receiver for one in world.webhook.notifications} == {"pgvigil-pager", "pgvigil-deadman"}


def test_what_was_committed_is_told_after_a_crash(installed: Install, shop: Callable[..., str]) -> None:
    dsn = shop()
    world = installed({"shop": dsn}, direct=True, every="1h")
    world.alertmanager.stop()
    lose_parents(dsn, 4)
    world.examine("shop")
    until(lambda: world.incidents(state="open"))
    world.daemon.kill()
    world.alertmanager.start()
    assert not told(world, "shop")
    world.start_pgvigil()
    until(partial(told, world, "shop"), partial(eq, on()))
