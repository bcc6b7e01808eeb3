"""The store stays bounded, and what somebody still needs stays in it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pgvigil.check import Outcome
from pgvigil.store import Filter, Retention, Store
from tests.incident.life import finding, run

if TYPE_CHECKING:
    from pathlib import Path

    from pgvigil.run import Run

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EVERY = Filter(limit=10_000)


def days_ago(days: float, one: Run) -> Run:
    moment = NOW - timedelta(days=days)
    return replace(one, started_at=moment, finished_at=moment)


def test_old_runs_go_but_never_the_last_of_a_subject(store: Store) -> None:
    for days in (50, 40, 20):
        store.record(days_ago(days, run(subject="busy")))
    store.record(days_ago(300, run(finding(), subject="abandoned")))
    pruned = store.prune(NOW, Retention(run_days=30))
    assert pruned.runs == 2
    assert [one.run.subject for one in store.runs()] == ["abandoned", "busy"]
    assert store.incidents()[0].subject == "abandoned"


def test_each_subject_keeps_its_newest_runs(store: Store) -> None:
    for minutes in range(10):
        store.record(run(subject="busy", minutes=minutes))
    store.record(run(subject="quiet"))
    assert store.prune(NOW, Retention(runs_per_subject=3)).runs == 7
    ids = [stored.id for stored in store.runs(Filter(subject="busy"))]
    assert ids == [10, 9, 8]
    assert len(store.runs(Filter(subject="quiet"))) == 1


def test_the_history_of_incidents_goes_by_its_own_age_and_live_ones_stay(store: Store) -> None:
    store.record(days_ago(500, run(finding(), subject="live for ever")))
    for days in (450, 100):
        store.record(days_ago(days + 1, run(finding(), subject="healed")))
        store.record(days_ago(days, run(subject="healed")))
    pruned = store.prune(NOW, Retention(incident_days=400))
    assert pruned.incidents == 1
    assert [(one.subject, one.state) for one in store.incidents()] == [
        ("live for ever", "open"),
        ("healed", "resolved"),
    ]


def test_an_incident_that_cannot_be_examined_for_a_year_does_not_fill_the_store(store: Store) -> None:
    for days in range(40, 0, -1):
        store.record(days_ago(days, run(finding())))
        store.record(days_ago(days - 0.5, run(outcome=Outcome.ERROR, error="no")))
    assert store.prune(NOW, Retention(run_days=10)).events > 20
    (incident,) = store.incidents()
    history = store.incident(incident.id)
    assert history is not None
    assert len(history.events) < 15
    assert history.events[0].kind == "opened"


def bulky(number: int, *, heals: bool) -> list[Run]:
    """Return runs that take some space, also compressed; with `heals` they leave resolved incidents."""
    key = random.Random(number).randbytes(1000).hex()
    fault = replace(finding(), sample=({"key": key},))
    one = run(fault, subject=f"t{number % 5}", minutes=number)
    return [one, run(subject=f"t{number % 5}", minutes=number + 0.5)] if heals else [one]


@pytest.mark.parametrize("heals", [False, True], ids=["runs", "incidents"])
def test_the_size_is_bounded_whatever_the_other_bounds_say(store: Store, heals: bool) -> None:
    for number in range(120):
        for one in bulky(number, heals=heals):
            store.record(one)
    last = {one.run.subject: one for one in reversed(store.runs(EVERY))}
    generous = Retention(max_bytes=200_000)
    pruned = store.prune(NOW, generous)
    assert pruned.runs > 0
    assert pruned.incidents > 0 if heals else pruned.incidents == 0
    assert used(store) <= 200_000
    left = store.runs(EVERY)
    assert {one.run.subject: one for one in reversed(left)} == last
    assert [one.id for one in left] == sorted((one.id for one in left), reverse=True)
    if not heals:
        assert left[-1].id > pruned.runs - 5, "the oldest went first, but for the last of a subject"
        assert sum(one.live for one in store.incidents()) == 5


def test_live_incidents_and_last_runs_stay_above_every_bound(store: Store) -> None:
    for number in range(20):
        store.record(bulky(number, heals=False)[0])
    store.prune(NOW, Retention(max_bytes=1, runs_per_subject=0, run_days=0, incident_days=0))
    assert len(store.runs(EVERY)) == 5
    assert len(store.incidents(EVERY)) == 5


def test_space_goes_back_to_the_disk(sqlite_url: str, tmp_path: Path) -> None:
    with Store.open(sqlite_url) as store:
        for number in range(150):
            store.record(bulky(number, heals=False)[0])
        store.prune(NOW, Retention())
        before = (tmp_path / "pgvigil.db").stat().st_size
        store.prune(NOW, Retention(runs_per_subject=5))
        after = sum(file.stat().st_size for file in tmp_path.glob("pgvigil.db*"))
        assert after < before / 2


def test_numbers_of_pruned_runs_are_never_given_again(store: Store) -> None:
    for minutes in range(5):
        store.record(run(minutes=minutes))
    store.sync_subjects("games", "orphan_rows", [], NOW, 300)
    assert store.runs() == []
    assert store.record(run()).run_id == 6


def test_a_clock_that_was_set_forward_and_back_leaves_what_is_live(store: Store) -> None:
    store.record(run(finding(), subject="broken"))
    store.record(run(subject="sound"))
    store.prune(NOW + timedelta(days=36_500), Retention())
    store.record(run(finding(), subject="broken", minutes=5))
    assert {one.name: one.state for one in store.subjects()} == {"broken": "failed", "sound": "passed"}
    assert store.incidents()[0].sightings == 2
    assert len(store.runs()) == 3


def used(store: Store) -> int:
    """Return the bytes that the data takes, as the retention reckons."""
    from pgvigil.store.retention import _used_bytes  # noqa: PLC0415

    with store._database.reading() as connection:
        return _used_bytes(store._database, connection)
