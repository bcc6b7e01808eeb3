"""What the runs of a subject leave for the next one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pgvigil.check import Outcome
from pgvigil.errors import SupersededError
from pgvigil.store import Note, Store
from tests.incident.life import at, finding, run
from tests.store.test_recording import shown_is_stored

KEY = ("games", "orphan_rows")
INCOMPLETE = [Outcome.ERROR, Outcome.TIMEOUT, Outcome.SKIPPED]


@pytest.mark.every_pg
def test_a_completed_run_leaves_its_memory_and_where_the_target_was(store: Store) -> None:
    memory = {"seconds": 1.5, "plan": ["gap", None], "naïve 🦊": True}
    store.record(
        replace(run(subject="a", minutes=3), memory=memory, position="0/16B3748", explain="few holes")
    )
    store.record(replace(run(finding(), subject="b", minutes=4), position="0/2"))
    assert store.notes(*KEY) == {
        "a": Note(memory=memory, position="0/16B3748", examined_at=at(2)),
        "b": Note(position="0/2", examined_at=at(3)),
    }
    assert [stored.run.explain for stored in store.runs()] == ["", "few holes"]
    assert store.notes("games", "table_drift") == {}
    store.record(run(subject="a", minutes=5))
    assert store.notes(*KEY)["a"] == Note(examined_at=at(4))


@pytest.mark.parametrize("outcome", INCOMPLETE)
def test_a_run_that_did_not_complete_keeps_the_memory_but_nothing_stands_any_more(
    store: Store, outcome: Outcome
) -> None:
    store.record(replace(run(subject="a"), memory={"plan": "gap"}, position="0/1"))
    failed = replace(
        run(subject="a", outcome=outcome, error="no", minutes=5), memory={"x": 1}, position="0/2"
    )
    store.record(failed)
    assert store.notes(*KEY) == {"a": Note(memory={"plan": "gap"}, examined_at=at(-1))}
    store.record(replace(failed, subject="never examined"))
    assert list(store.notes(*KEY)) == ["a"]


def test_how_far_a_run_came_is_kept_until_one_completes(store: Store) -> None:
    store.sync_subjects(*KEY, ["a", "b"], at(0), 60)
    store.record(replace(run(subject="a"), memory={"plan": "gap"}, position="0/1"))
    for done in (0.25, 0.5):
        store.save_progress((*KEY, "a"), {"block": 10}, done, at(9))
    store.save_progress((*KEY, "b"), {}, 0.75, at(9))
    assert store.notes(*KEY) == {
        "a": Note(
            memory={"plan": "gap"},
            position="0/1",
            examined_at=at(-1),
            resumed={"block": 10},
            done=0.5,
            saved_at=at(9),
        ),
        "b": Note(resumed={}, done=0.75, saved_at=at(9)),
    }
    store.record(run(subject="a", outcome=Outcome.TIMEOUT, error="no", minutes=10))
    assert store.notes(*KEY)["a"].resumed == {"block": 10}
    store.record(run(subject="a", minutes=11))
    assert store.notes(*KEY)["a"] == Note(examined_at=at(10))


def test_of_a_subject_that_is_gone_nothing_is_kept(store: Store) -> None:
    store.record(replace(run(subject="a"), position="0/1"))
    store.sync_subjects(*KEY, ["b"], at(1), 60)
    store.save_progress((*KEY, "a"), {}, 0.5, at(1))
    assert store.notes(*KEY) == {}


def test_at_another_address_nothing_is_remembered(store: Store) -> None:
    store.reach("games", "here")
    store.record(replace(run(subject="a"), position="0/1"))
    store.record(replace(run(subject="a"), target="movies", position="0/1"))
    store.reach("games", "here")
    assert list(store.notes(*KEY)) == ["a"]
    store.reach("games", "elsewhere")
    assert store.notes(*KEY) == {}
    assert list(store.notes("movies", "orphan_rows")) == ["a"]


@pytest.mark.every_pg
def test_what_still_stands_is_as_fresh_as_if_it_had_been_examined(store: Store) -> None:
    faulty = replace(run(finding(rows=3), subject="faulty"), measures={"left_only": 3}, position="0/1")
    store.record(faulty)
    for subject in ("sound", "left alone"):
        store.record(replace(run(subject=subject), position="0/1"))
    before = store.notes(*KEY)
    store.confirm(*KEY, ["sound", "faulty", "never heard of"], at(60))
    shown = {one.name: (one.state, one.outcome, one.completed_at) for one in store.subjects()}
    assert shown == {
        "faulty": ("failed", "fail", at(60)),
        "left alone": ("passed", "pass", at(0)),
        "sound": ("passed", "pass", at(60)),
    }
    assert {(one.started_at, one.finished_at) for one in store.subjects() if one.name != "left alone"} == {
        (at(60), at(60))
    }
    (incident,) = store.incidents()
    assert (incident.state, incident.first_seen, incident.last_seen) == ("open", at(0), at(60))
    assert (incident.count, incident.sightings) == (3, 1)
    assert len(store.runs()) == 3
    assert store.notes(*KEY) == before
    assert shown_is_stored(store)


def test_a_clock_that_was_set_back_unsees_nothing(store: Store) -> None:
    store.record(run(finding(), subject="a", minutes=10))
    store.confirm(*KEY, ["a"], at(5))
    assert store.incidents()[0].last_seen == at(10)
    assert store.subjects()[0].completed_at == at(5)
    assert shown_is_stored(store)


def test_thousands_stand_at_once(store: Store) -> None:
    names = [f"public.t{number}" for number in range(2500)]
    store.sync_subjects(*KEY, names, at(0), 300)
    store.confirm(*KEY, names, at(1))
    assert {one.completed_at for one in store.view().subjects.values()} == {at(1)}
    assert shown_is_stored(store)


def test_of_a_configuration_of_the_past_nothing_stands(store: Store) -> None:
    store.record(run(subject="a"))
    with pytest.raises(SupersededError):
        store.confirm(*KEY, ["a"], at(60), still=lambda: False)
    with pytest.raises(SupersededError):
        store.save_progress((*KEY, "a"), {}, 0.5, at(60), still=lambda: False)
    assert store.subjects()[0].completed_at == at(0)
    assert store.notes(*KEY)["a"].done is None
