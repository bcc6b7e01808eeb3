"""What becomes of a finding, run by run."""

from __future__ import annotations

import pytest

from pgvigil.check import Outcome, Severity
from pgvigil.incident import Mark, Resolution, State, acknowledge, mute, unmute, vanished
from tests.incident.life import Book, at, finding, run

INCOMPLETE = [Outcome.ERROR, Outcome.TIMEOUT, Outcome.SKIPPED]


def test_what_one_snapshot_proves_opens_at_once() -> None:
    book = Book()
    book.see(run(finding(rows=3)))
    assert (book.only().state, book.only().opened_at, book.only().count) == (State.OPEN, at(0), 3)
    assert book.kinds() == ["opened"]


def test_what_may_be_in_flight_opens_when_it_is_seen_again() -> None:
    book = Book()
    book.see(run(finding(), confirm=2, minutes=0))
    assert book.only().state is State.SUSPECT
    book.see(run(finding(), confirm=2, minutes=5))
    assert (book.only().state, book.only().first_seen, book.only().opened_at) == (State.OPEN, at(0), at(5))
    assert book.kinds() == ["suspected", "opened"]


def test_a_suspect_that_is_gone_never_opens() -> None:
    book = Book()
    book.see(run(finding(), confirm=2))
    book.see(run(minutes=5, confirm=2))
    assert (book.only().state, book.only().resolution) == (State.RESOLVED, Resolution.UNCONFIRMED)
    assert book.only().opened_at is None
    assert book.kinds() == ["suspected", "suspect_dropped"]


def test_a_completed_run_without_the_fault_resolves_it() -> None:
    book = Book()
    book.see(run(finding()))
    book.see(run(minutes=5))
    assert (book.only().state, book.only().resolution) == (State.RESOLVED, Resolution.HEALED)
    assert book.only().resolved_at == at(5)


def test_a_fault_that_comes_back_is_another_incident() -> None:
    book = Book()
    for minutes, rows in ((0, 7), (5, 0), (10, 2)):
        book.see(run(*([finding(rows=rows)] if rows else []), minutes=minutes))
    first, second = book.incidents.values()
    assert (first.state, first.worst_count, second.state, second.worst_count) == ("resolved", 7, "open", 2)
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("outcome", INCOMPLETE)
def test_a_run_that_did_not_complete_leaves_the_incident_open(outcome: Outcome) -> None:
    book = Book()
    book.see(run(finding(rows=3)))
    before = book.only()
    book.see(run(outcome=outcome, error="lock timeout", minutes=5))
    book.see(run(outcome=outcome, error="server is starting up", minutes=10))
    after = book.only()
    assert (after.state, after.count, after.sightings, after.last_seen) == (
        State.OPEN,
        3,
        1,
        before.last_seen,
    )
    assert (after.unexamined_since, after.unexamined_reason) == (at(5), "server is starting up")
    assert book.kinds() == ["opened", "could_not_examine"]


@pytest.mark.parametrize("outcome", INCOMPLETE)
def test_what_an_incomplete_run_claims_to_have_seen_carries_no_weight(outcome: Outcome) -> None:
    book = Book()
    book.see(run(finding(), outcome=outcome))
    assert book.incidents == {}


def test_a_run_that_did_not_complete_neither_breaks_nor_lengthens_the_row() -> None:
    book = Book()
    book.see(run(finding(), confirm=2, minutes=0))
    book.see(run(outcome=Outcome.TIMEOUT, confirm=2, minutes=5))
    assert book.only().state is State.SUSPECT
    book.see(run(finding(), confirm=2, minutes=10))
    assert book.only().state is State.OPEN
    assert book.only().unexamined_since is None


def test_it_remembers_the_worst_and_shows_the_last() -> None:
    book = Book()
    for minutes, rows in enumerate((4, 9, 2)):
        book.see(run(finding(rows=rows), minutes=minutes))
    assert (book.only().count, book.only().worst_count, book.only().sightings) == (2, 9, 3)


def test_a_severity_that_changes_is_told() -> None:
    book = Book()
    for minutes, severity in enumerate(
        (Severity.WARNING, Severity.CRITICAL, Severity.CRITICAL, Severity.INFO)
    ):
        book.see(run(finding(severity=severity), minutes=minutes))
    assert book.kinds() == ["opened", "escalated", "reconfirmed", "reconfirmed", "eased", "reconfirmed"]
    assert [event.text for event in book.events if event.kind in ("escalated", "eased")] == [
        "warning -> critical",
        "critical -> info",
    ]


def test_each_fault_of_a_subject_lives_its_own_life() -> None:
    book = Book()
    book.see(run(finding("orphans"), finding("partial_nulls")))
    book.see(run(finding("partial_nulls"), minutes=5))
    assert {one.finding.code: one.state for one in book.incidents.values()} == {
        "orphans": State.RESOLVED,
        "partial_nulls": State.OPEN,
    }


def test_the_subject_that_vanished_takes_its_incidents_along() -> None:
    book = Book()
    book.see(run(finding("orphans"), finding("partial_nulls")))
    book.see(run(finding("orphans"), minutes=5))
    book.note(vanished(book.incidents.values(), at(10)))
    assert {one.finding.code: one.resolution for one in book.incidents.values()} == {
        "orphans": Resolution.VANISHED,
        "partial_nulls": Resolution.HEALED,
    }
    assert book.kinds()[-1] == "vanished"


def test_a_clock_that_was_set_back_leaves_the_times_in_order() -> None:
    book = Book()
    book.see(run(finding(), minutes=60))
    book.see(run(finding(), minutes=0))
    assert book.only().first_seen <= book.only().last_seen == at(0)
    book.see(run(minutes=-60))
    one = book.only()
    assert one.resolved_at is not None
    assert one.opened_at is not None
    assert one.resolved_at >= one.last_seen
    assert one.resolved_at >= one.opened_at


def test_a_persons_word_is_kept_and_told_and_changes_nothing_else() -> None:
    book = Book()
    book.see(run(finding()))
    before = book.only()
    word = Mark("ada", at(1), at(61), "on it")
    book.note(acknowledge(before, word))
    book.note(mute(book.only(), word))
    assert (book.only().acknowledged, book.only().muted) == (word, word)
    book.note(unmute(book.only(), Mark("bob", at(2))))
    assert (book.only().muted, book.only().state, book.only().sightings) == (
        None,
        before.state,
        before.sightings,
    )
    assert [(event.kind, event.who) for event in book.events[1:]] == [
        ("acknowledged", "ada"),
        ("muted", "ada"),
        ("unmuted", "bob"),
    ]
    assert book.events[1].text == "until 2026-03-01 13:01:00 UTC: on it"


def test_a_mark_holds_until_its_time() -> None:
    assert Mark("ada", at(0)).holds(at(1_000_000))
    assert Mark("ada", at(0), at(10)).holds(at(9))
    assert not Mark("ada", at(0), at(10)).holds(at(10))


def test_nothing_can_be_said_about_a_resolved_incident() -> None:
    book = Book()
    book.see(run(finding()))
    book.see(run(minutes=5))
    with pytest.raises(ValueError, match="is resolved"):
        acknowledge(book.only(), Mark("ada", at(6)))
