"""The console's page of a target tells how pgvigil behaves there, and why it is not as configured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pgvigil.metrics import Guest
from pgvigil.metrics.gating import GateState
from pgvigil.pressure import Pauses
from pgvigil.sensor import Signal
from pgvigil.usage import StandbyUsage
from tests.web.test_browser import CONTRAST, SCHEMES, WIDTHS, open_page
from tests.web.world import NOW, crowded

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.web.conftest import Site

__all__ = ["open_page"]

DAY = 86_400.0
LOOKED = NOW.timestamp() - 5 * 3600
QUIET = Pauses()
BUSY = Pauses(
    paused={Signal.LOCK_WAITS: True, Signal.CONNECTIONS_LEFT: False, Signal.ACTIVE_SESSIONS: False},
    visible={Signal.LOCK_WAITS: True, Signal.CONNECTIONS_LEFT: True, Signal.ACTIVE_SESSIONS: False},
)
LOGICAL = GateState("logical", "logical", full_every=DAY, retained=12 << 20, retention=1 << 30)
BY_POSITION = GateState("position", "position", full_every=DAY)
FALLEN_BACK = GateState(
    "logical",
    "position",
    why="the role lacks the attribute REPLICATION: ALTER ROLE pgvigil REPLICATION",
    full_every=DAY,
    retention=1 << 30,
)


def words(site: Site, guest: Guest | None) -> str:
    site.control.guests = {"games": guest} if guest else {}
    return site.ask("/targets/games").text


def test_a_target_that_is_watched_as_configured_says_how(site: Site) -> None:
    crowded(site.store)
    told = words(site, Guest(LOGICAL, QUIET, LOOKED))
    assert "told by a slot that keeps 12.0 MB of WAL, of 1,024.0 MB at the most" in told
    assert "5 h ago</time>, of 1d at the most" in told
    for mark in ("data-not-in-force", "data-pausing", "data-blind"):
        assert mark not in told
    assert "when anything was written on the server" in words(site, Guest(BY_POSITION, QUIET, None))
    assert "at everything, at every tick" in words(site, Guest(GateState("none", "none"), QUIET, None))


def test_what_is_not_in_force_says_why_and_what_to_do(site: Site) -> None:
    crowded(site.store)
    told = words(site, Guest(FALLEN_BACK, QUIET, LOOKED))
    assert 'data-changes="position"' in told
    assert "ALTER ROLE pgvigil REPLICATION" in told
    assert 'href="/runbooks/PgvigilChangesNotInForce"' in told


def test_a_pause_says_for_what(site: Site) -> None:
    crowded(site.store)
    told = words(site, Guest(BY_POSITION, BUSY, LOOKED))
    assert "<code>budget.pause.lock_waits</code> is exceeded" in told
    assert "Pauses for nothing of <code>budget.pause.active_sessions</code>" in told


def test_where_rows_are_read_is_told(site: Site) -> None:
    crowded(site.store)
    counts = {"primary": 1, "standby": 7}
    read = Guest(BY_POSITION, QUIET, None, StandbyUsage(True, 0.25, counts))
    assert 'data-standby="read">on the standby, and on the primary where no' in words(site, read)
    assert json.loads(site.ask("/api/v1/targets").text)[0]["standby"] == {
        "usable": True,
        "lag_seconds": 0.25,
        "reads": counts,
        "why": "",
        "fallback": True,
        "unread_seconds": None,
    }
    alone = Guest(BY_POSITION, QUIET, None, StandbyUsage(True, 0.25, counts, fallback=False))
    assert 'data-standby="read">on the standby alone; what no standby can tell is unknown<' in words(
        site, alone
    )
    unknown = Guest(BY_POSITION, QUIET, None, StandbyUsage(None, None, counts))
    assert "data-standby" not in words(site, unknown)


@pytest.mark.parametrize(
    ("fallback", "where"),
    [
        (True, "on the primary, as the standby cannot be read. "),
        (
            False,
            (
                "nowhere, as the standby cannot be read and <code>standby.fallback</code> is "
                "<code>none</code>: what is to be read is unknown. "
            ),
        ),
    ],
)
def test_a_standby_that_cannot_be_read_says_why_and_who_is_read(
    site: Site, where: str, *, fallback: bool
) -> None:
    crowded(site.store)
    usage = StandbyUsage(False, 30.0, {}, "standby of games: it is <behind>", fallback)
    told = words(site, Guest(BY_POSITION, QUIET, None, usage))
    assert f'data-standby="not read">{where}<bdi>standby of games: it is &lt;behind&gt;</bdi>. ' in told
    assert 'href="/runbooks/PgvigilStandbyNotRead"' in told


def test_a_replica_that_stands_by_and_a_target_before_its_first_tick_say_nothing(site: Site) -> None:
    crowded(site.store)
    for guest in (None, Guest(GateState("logical", None, full_every=DAY), QUIET, None)):
        assert "Looks again" not in words(site, guest)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_is_legible(site: Site, open_page: Callable[..., Page], width: int, scheme: str) -> None:
    crowded(site.store)
    site.control.guests = {"games": Guest(FALLEN_BACK, BUSY, LOOKED)}
    page = open_page("/targets/games", viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    contrast, text = page.evaluate(CONTRAST)
    assert contrast >= 4.5, text
