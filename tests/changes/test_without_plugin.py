"""A server on which the output plugin is not installed: nothing is known, and nothing fails."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pgvigil.changes import Slot

if TYPE_CHECKING:
    from tests.changes.conftest import World

pytestmark = [pytest.mark.pg(">= 16"), pytest.mark.every_pg]


def test_without_the_plugin_everything_is_looked_at(world: World) -> None:
    world.execute("CREATE TABLE t (id int PRIMARY KEY)")
    run = world.run("public.t")
    for _ in range(2):
        assert world.tick(run) is None
        assert "test_decoding is missing: install PostgreSQL's contrib modules" in world.changes.obstacle
    with closing(Slot("main", world.dsn, statement_timeout=20)) as slot:
        [reason] = slot.obstacles()
    assert reason == world.changes.obstacle
