"""What is kept between scrapes must never show: every scrape is as if it were the first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from pgvigil.check import Outcome, Severity
from pgvigil.incident import Mark, State
from pgvigil.metrics import Counters, Exposition
from pgvigil.metrics.blocks import BLOCK_RECORDS, Blocks
from pgvigil.store import CoverageState, LiveIncident, SubjectStatus, View
from tests.metrics.test_exposition import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

_CHECKS = ("orphan_rows", "table_drift", "tables")


class _Clock:
    """A clock that goes on when it is told."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0


def _subject(random: Random, number: int) -> SubjectStatus:
    outcome = random.choice(list(Outcome))
    return SubjectStatus(
        target=f"games_{number % 2}",
        check=_CHECKS[number % len(_CHECKS)],
        name=f'public."child {number}"',
        state=random.choice(list(CoverageState)),
        outcome=outcome,
        completed_at=random.choice([None, NOW + timedelta(seconds=random.randrange(99))]),
        completed_outcome=random.choice([None, Outcome.PASS, Outcome.FAIL]),
        violations={severity: random.randrange(3) for severity in random.sample(list(Severity), 2)},
        measures={"left_only": random.randrange(3), "budget_rows": 1},
        incomplete=random.randrange(3),
    )


def _incident(random: Random, number: int) -> LiveIncident:
    until = NOW + timedelta(minutes=random.randrange(1, 60))
    mute = Mark("somebody", NOW, until, "known")
    return LiveIncident(
        id=str(number),
        target=f"games_{number % 2}",
        check=_CHECKS[number % len(_CHECKS)],
        subject=f"public.child_{number}",
        code="orphans",
        title="orphans",
        count=random.randrange(1, 9),
        severity=random.choice(list(Severity)),
        state=random.choice([State.OPEN, State.SUSPECT]),
        first_seen=NOW,
        last_seen=NOW,
        opened_at=None,
        unexamined_since=None,
        acknowledged=None,
        muted=random.choice([None, mute]),
    )


class _World:
    """Subjects and incidents that come, change and go."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.clock = _Clock()
        self.subjects: dict[tuple[str, str, str], SubjectStatus] = {}
        self.incidents: dict[str, LiveIncident] = {}
        self.most = random.choice([3, BLOCK_RECORDS - 1, BLOCK_RECORDS, 3 * BLOCK_RECORDS])
        self.steps: list[Callable[[], None]] = [
            self._examine,
            self._examine_many,
            self._pass_again,
            self._vanish,
            self._vanish_many,
            self._read_again,
            self._incident_changes,
            self._time_goes_on,
        ]

    def step(self) -> None:
        self.random.choice(self.steps)()

    def view(self) -> View:
        return View(
            MappingProxyType({}),
            MappingProxyType({}),
            MappingProxyType(self.subjects.copy()),
            MappingProxyType(self.incidents.copy()),
        )

    def _examine(self) -> None:
        one = _subject(self.random, self.random.randrange(self.most))
        self.subjects[one.target, one.check, one.name] = one

    def _examine_many(self) -> None:
        for _ in range(self.most):
            self._examine()

    def _pass_again(self) -> None:
        for key in self.random.sample(list(self.subjects), len(self.subjects) // 3):
            at = NOW + timedelta(seconds=self.random.randrange(99))
            self.subjects[key] = replace(self.subjects[key], completed_at=at, started_at=at)

    def _vanish(self) -> None:
        if self.subjects:
            del self.subjects[self.random.choice(list(self.subjects))]

    def _vanish_many(self) -> None:
        for key in list(self.subjects):
            if self.random.random() < 0.5:
                del self.subjects[key]

    def _read_again(self) -> None:
        """Load from the store what is the same as before, in another order and as other objects."""
        keys = list(self.subjects)
        self.random.shuffle(keys)
        self.subjects = {key: replace(self.subjects[key]) for key in keys}

    def _incident_changes(self) -> None:
        number = self.random.randrange(5)
        if self.random.random() < 0.3:
            self.incidents.pop(str(number), None)
        else:
            self.incidents[str(number)] = _incident(self.random, number)

    def _time_goes_on(self) -> None:
        self.clock.at += timedelta(minutes=self.random.randrange(30))


@pytest.mark.parametrize("seed", range(40))
def test_whatever_was_written_before_a_scrape_is_as_if_it_were_the_first(seed: int) -> None:
    world = _World(Random(seed))
    counters = Counters()
    exposition = Exposition(counters, world.clock)
    for _ in range(12):
        world.step()
        view = world.view()
        assert exposition.text(view) == Exposition(counters, world.clock).text(view)


def test_only_what_changed_is_written() -> None:
    written: list[str] = []

    def write(record: str) -> tuple[str, ...]:
        written.append(record)
        return (record,)

    blocks: Blocks[int, str, str] = Blocks(write, str)
    records = {number: f"record {number}" for number in range(3 * BLOCK_RECORDS)}
    blocks.update(records)
    written.clear()
    blocks.update({**records, 5: "changed"})
    assert written == ["changed"]
    blocks.update({number: record for number, record in reversed(records.items()) if number > 5})
    assert written == ["changed"]
    assert b"".join(blocks.texts(0)).startswith(f"record {3 * BLOCK_RECORDS - 1}".encode())


def test_what_is_gone_is_not_held() -> None:
    blocks: Blocks[int, str, str] = Blocks(lambda record: (record,), str)
    blocks.update(dict.fromkeys(range(BLOCK_RECORDS + 1), "a"))
    blocks.update({1: "a"})
    assert (b"".join(blocks.texts(0)), blocks.counts()) == (b"a", {"a": 1})
    blocks.update({})
    assert (list(blocks.texts(0)), blocks.counts()) == ([], {})
