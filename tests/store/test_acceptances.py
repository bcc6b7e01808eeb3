"""What is accepted as right of a subject."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pgvigil.check import Outcome
from pgvigil.errors import UsageError
from pgvigil.store import Store
from tests.incident.life import at, finding, run

if TYPE_CHECKING:
    from pgvigil.check import State
    from pgvigil.run import Run

KEY = ("games", "orphan_rows", "shop")
CHECK = KEY[:2]


def saw(seen: State | None, minutes: float = 0, *findings: object) -> Run:
    return replace(run(*findings, subject="shop", minutes=minutes), seen=seen)  # type: ignore[arg-type]


@pytest.mark.every_pg
def test_what_the_first_look_saw_is_accepted_until_a_person_accepts_something_else(store: Store) -> None:
    store.record(saw({"tables": ["a"], "naïve 🦊": None}))
    (first,) = store.acceptances.all()
    assert (first.accepted_by, first.accepted_at, first.differs) == (None, at(0), False)
    assert store.acceptances.accepted(*CHECK) == {"shop": {"tables": ["a"], "naïve 🦊": None}}
    store.record(saw({"tables": []}, 5, finding()))
    assert store.acceptances.accepted(*CHECK)["shop"]["tables"] == ["a"]
    assert store.acceptances.all("games", "orphan_rows")[0].differs
    accepted = store.acceptances.accept(KEY, who="anna", at=at(6))
    assert store.acceptances.find(KEY) == accepted
    assert (accepted.accepted_by, accepted.accepted_at, accepted.differs) == ("anna", at(6), False)
    assert store.acceptances.accepted(*CHECK) == {"shop": {"tables": []}}


def test_the_history_of_an_incident_tells_who_accepted_it(store: Store) -> None:
    store.record(saw({"tables": ["a"]}))
    store.record(saw({"tables": []}, 5, finding()))
    (incident,) = store.incidents()
    store.acceptances.accept(KEY, who="anna", at=at(6))
    store.record(saw({"tables": []}, 7))
    history = store.incident(incident.id)
    assert history is not None
    assert [(event.kind, event.who) for event in history.events][1:] == [
        ("accepted", "anna"),
        ("resolved", None),
    ]


def test_what_was_not_seen_cannot_be_accepted(store: Store) -> None:
    with pytest.raises(UsageError, match="nothing is known of shop"):
        store.acceptances.accept(KEY, who="anna", at=at(1))
    store.record(saw({"tables": ["a"]}))
    with pytest.raises(UsageError, match="there is nothing to accept"):
        store.acceptances.accept(KEY, who="anna", at=at(1))
    store.record(saw({"tables": []}, 5))
    looked = store.acceptances.find(KEY)
    assert looked is not None
    store.record(saw({"tables": ["b"]}, 6))
    with pytest.raises(UsageError, match="has changed again"):
        store.acceptances.accept(KEY, who="anna", at=at(7), seen=looked.seen)
    assert store.acceptances.accepted(*CHECK) == {"shop": {"tables": ["a"]}}


def test_what_goes_back_to_what_was_accepted_differs_no_more(store: Store) -> None:
    for minutes, tables in enumerate((["a"], [], ["a"])):
        store.record(saw({"tables": tables}, minutes))
    (one,) = store.acceptances.all()
    assert not one.differs


def test_what_is_written_otherwise_differs_only_where_the_run_found_a_fault(store: Store) -> None:
    store.record(saw({"tables": ["a"], "oid": 1}))
    store.record(saw({"tables": ["a"], "oid": 2}, 1))
    assert not store.acceptances.all()[0].differs
    store.record(saw({"tables": ["a"], "oid": 2}, 2, finding()))
    assert store.acceptances.all()[0].differs
    store.acceptances.accept(KEY, who="anna", at=at(3))
    assert not store.acceptances.all()[0].differs


def test_to_accept_an_end_takes_out_what_is_gone(store: Store) -> None:
    store.record(saw({"all": ["a"]}))
    other = replace(saw({"tables": ["a"]}), subject="naïve 🦊")
    store.record(other)
    store.record(replace(saw({"gone": ["naïve 🦊"]}, 1, finding()), gone=("naïve 🦊",)))
    assert [(one.subject, one.gone, one.differs) for one in store.acceptances.all()] == [
        ("naïve 🦊", True, False),
        ("shop", False, True),
    ]
    gone = store.acceptances.find((*CHECK, "naïve 🦊"))
    assert gone is not None
    assert gone.gone
    with pytest.raises(UsageError, match="is gone: to take it out, accept shop"):
        store.acceptances.accept((*CHECK, "naïve 🦊"), who="anna", at=at(2))
    # It is back before anybody accepted its end.
    store.record(saw({"all": ["a"]}, 3))
    assert not any(one.gone for one in store.acceptances.all())
    store.record(replace(saw({"gone": ["naïve 🦊"]}, 4, finding()), gone=("naïve 🦊",)))
    store.acceptances.accept(KEY, who="anna", at=at(5))
    assert [(one.subject, one.differs) for one in store.acceptances.all()] == [("shop", False)]


def test_a_run_that_did_not_complete_has_seen_nothing(store: Store) -> None:
    store.record(replace(saw({"tables": ["a"]}), outcome=Outcome.TIMEOUT, error="no"))
    store.record(saw(None))
    assert store.acceptances.all() == []


def test_it_outlives_the_subject_its_check_and_its_target(store: Store) -> None:
    store.record(saw({"tables": ["a"]}))
    store.sync_subjects(*CHECK, [], at(1), 60)
    assert store.acceptances.accepted(*CHECK) == {"shop": {"tables": ["a"]}}
    store.retire([CHECK], at(2))
    assert len(store.acceptances.all()) == 1
    store.retire([("other", "tables")], at(3))
    assert store.acceptances.accepted(*CHECK) == {"shop": {"tables": ["a"]}}


def test_a_subject_that_no_database_can_hold_is_unknown(store: Store) -> None:
    assert store.acceptances.find(("games\0", "x", "y\ud800")) is None
    assert store.acceptances.all("\0") == []
