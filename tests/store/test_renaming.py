"""Subjects that are called otherwise from one discovery to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pgvigil.check import fingerprint
from pgvigil.store import Store
from tests.incident.life import at, finding, run
from tests.store.test_recording import shown_is_stored

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = ("games", "orphan_rows")


def made_of(*oids: int) -> str:
    return "\n".join(f"table {oid} public.t{oid}" for oid in oids)


def sync(store: Store, minutes: float, **subjects: int) -> Mapping[str, str]:
    """Discover subjects, each made of the table of its number; return what was renamed."""
    found = {name: made_of(oid) for name, oid in subjects.items()}
    return store.sync_subjects(*KEY, found, at(minutes), 60, why=lambda text: f"{text} is gone").renamed


def live(store: Store) -> set[tuple[str, str]]:
    return {(one.subject, one.state.value) for one in store.view().incidents.values()}


@pytest.mark.every_pg
def test_a_subject_keeps_all_that_it_has_under_its_new_name(store: Store) -> None:
    sync(store, 0, old=1)
    store.record(run(finding("healed"), subject="old", minutes=1))
    store.record(run(finding(), subject="old", minutes=2))
    assert sync(store, 3, new=1) == {"old": "new"}
    assert shown_is_stored(store)
    assert [one.run.subject for one in store.runs()] == ["new", "new"]
    over, goes_on = sorted(store.incidents(), key=lambda one: one.live)
    assert (over.subject, goes_on.subject) == ("new", "new")
    assert goes_on.fingerprint == fingerprint("orphan_rows", "new", "orphans")
    told, told_before = store.incident(goes_on.id), store.incident(over.id)
    assert told is not None
    assert told_before is not None
    assert [(event.kind, event.text) for event in told.events][1:] == [("renamed", "the subject was old")]
    assert [event.kind for event in told_before.events] == ["opened", "resolved"]
    # The same incident goes on, and ends.
    store.record(run(finding(), subject="new", minutes=4))
    assert live(store) == {("new", "open")}
    store.record(run(subject="new", minutes=5))
    assert live(store) == set()


def test_two_subjects_swap_their_names(store: Store) -> None:
    sync(store, 0, a=1, b=2)
    store.record(run(finding(rows=1), subject="a", minutes=1))
    store.record(run(finding(rows=2), subject="b", minutes=1))
    assert sync(store, 3, a=2, b=1) == {"a": "b", "b": "a"}
    assert shown_is_stored(store)
    assert {(one.subject, one.count) for one in store.view().incidents.values()} == {("b", 1), ("a", 2)}


def test_a_new_table_takes_the_name_of_one_that_was_renamed(store: Store) -> None:
    sync(store, 0, games=1)
    store.record(run(finding(), subject="games", minutes=1))
    assert sync(store, 3, games=2, games_old=1) == {"games": "games_old"}
    assert shown_is_stored(store)
    assert live(store) == {("games_old", "open")}
    assert {key[2]: one.state for key, one in store.view().subjects.items()} == {
        "games": "unknown",
        "games_old": "failed",
    }


def test_a_renamed_table_takes_the_name_of_one_that_was_dropped(store: Store) -> None:
    sync(store, 0, games=1, games_new=2)
    store.record(run(finding(rows=1), subject="games", minutes=1))
    store.record(run(finding(rows=2), subject="games_new", minutes=1))
    assert sync(store, 3, games=2) == {"games_new": "games"}
    assert shown_is_stored(store)
    assert {(one.subject, one.count, one.state) for one in store.incidents()} == {
        ("games", 2, "open"),
        ("games", 1, "resolved"),
    }


def test_where_two_subjects_are_made_of_the_same_nobody_is_renamed(store: Store) -> None:
    sync(store, 0, a=1, b=1)
    assert sync(store, 3, c=1, d=1) == {}
    assert {key[2] for key in store.view().subjects} == {"c", "d"}


def test_what_is_dropped_and_made_anew_under_its_name_is_the_same(store: Store) -> None:
    sync(store, 0, a=1)
    store.record(run(finding(), subject="a", minutes=1))
    assert sync(store, 2, a=7) == {}
    assert live(store) == {("a", "open")}
    assert sync(store, 3, b=7) == {"a": "b"}


def test_at_another_address_the_same_numbers_are_of_other_tables(store: Store) -> None:
    store.reach("games", "here")
    sync(store, 0, a=1)
    store.reach("games", "there")
    assert sync(store, 2, b=1) == {}


def test_the_history_tells_why_a_subject_is_gone(store: Store) -> None:
    sync(store, 0, a=1)
    store.record(run(finding(), subject="a", minutes=1))
    sync(store, 2)
    (incident,) = store.incidents()
    history = store.incident(incident.id)
    assert history is not None
    assert [event.text for event in history.events if event.kind == "vanished"] == [f"{made_of(1)} is gone"]
