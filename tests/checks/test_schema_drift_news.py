"""What a deployment announced, as the runs after it remember."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pgvigil.check import Examined
from pgvigil.contract import sound_verdict
from pgvigil_checks.schema_drift_news import News

if TYPE_CHECKING:
    from pgvigil.check import State

HOUR = 3600.0


def look(memory: State, changes: list[str], deployed: float | None = None) -> tuple[bool, State]:
    """Look at the changes with what the look before remembers; return whether all of them were announced."""
    news = News(memory, deployed, HOUR)
    announced = news.announced(changes)
    news.announced([f"changed {one}" for one in changes])
    verdict = sound_verdict(Examined(memory=news.memory), 5)
    assert isinstance(verdict, Examined)
    return announced, json.loads(json.dumps(verdict.memory))


@pytest.mark.parametrize("count", [1, 510, 3000, 20_000])
def test_what_was_announced_stays_so_after_the_window(count: int) -> None:
    changes = [f"column s.t.c{number} removed: integer" for number in range(count)]
    announced, memory = look({}, changes, deployed=1)
    assert announced
    for _ in range(3):
        announced, memory = look(memory, changes, deployed=2 * HOUR)
        assert announced
    assert not look(memory, [*changes, "table s.t removed"], deployed=2 * HOUR)[0]


@pytest.mark.parametrize("count", [1, 510, 3000, 20_000])
def test_a_later_deployment_explains_nothing_that_was_seen_long_before(count: int) -> None:
    changes = [f"column s.t.c{number} removed: integer" for number in range(count)]
    memory: State = {}
    for _ in range(5):
        announced, memory = look(memory, changes)
        assert not announced
    assert not look(memory, changes, deployed=1)[0]


def test_of_many_some_may_be_restored() -> None:
    changes = [f"column s.t.c{number} removed: integer" for number in range(2900)]
    _, memory = look({}, changes, deployed=1)
    assert look(memory, changes[100:], deployed=2 * HOUR)[0]


def test_a_memory_of_another_kind_is_none() -> None:
    assert not look({"0123456789abcdef": 0, "rest": "x"}, ["table s.t removed"])[0]
