"""When a run that reads two targets is given up: by the patience of both, and not for their pauses."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pgvigil.check import Subject
from pgvigil.governor import Governor
from pgvigil.pressure import Pauses
from tests.databases import fresh_database
from tests.engine.world import World, watch_of
from tests.runner.plugins import CLEAN, Plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.check import Context, Examined
    from pgvigil.embedded import Server


class Held:
    """The pressure of others, for a while."""

    def hold(self, stopping: threading.Event) -> None:
        stopping.wait(2.5)

    def pauses(self) -> Pauses:
        return Pauses()


@pytest.fixture
def other_database(pg_server: Server) -> Iterator[str]:
    with fresh_database(pg_server) as dsn:
        yield dsn


def renewing(context: Context, _: Subject) -> Examined:
    peer = context.peer("other")
    peer.fetch("SELECT 1")
    peer.renew()
    return CLEAN


def sleeping(context: Context, _: Subject) -> Examined:
    context.peer("other").fetch("SELECT pg_sleep(2.5)::text")
    return CLEAN


def hanging(context: Context, _: Subject) -> Examined:
    context.peer("other")
    threading.Event().wait(10)
    return CLEAN


@pytest.mark.parametrize(
    ("run", "patience", "held", "outcome"),
    [
        (renewing, 1.0, True, "pass"),
        (sleeping, 60.0, False, "pass"),
        (sleeping, 1.0, False, "timeout"),
        (hanging, 1.5, False, "timeout"),
    ],
)
def test_a_run_is_given_up_by_the_patience_of_both_targets(
    world_of: Callable[..., World],
    database: str,
    other_database: str,
    run: Callable[[Context, Subject], Examined],
    patience: float,
    *,
    held: bool,
    outcome: str,
) -> None:
    other = watch_of(other_database, Plugin(), name="other", run_timeout=patience)
    if held:
        other = replace(other, governor=Governor(2, 1.0, Held()))  # type: ignore[arg-type]
    world = world_of(watch_of(database, Plugin(run), run_timeout=1.0), other)
    world.tick()
    assert world.outcomes() == {"one": outcome}
    if outcome == "timeout":
        error = world.store.view().subjects["main", "plugin", "one"].error
        assert error == f"check plugin did not return within {patience:g} s and was given up"
