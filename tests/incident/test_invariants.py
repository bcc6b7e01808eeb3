"""The incident step over arbitrary sequences of runs, held to what on-call people rely on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from pgvigil.check import Finding, Outcome, Severity, fingerprint
from pgvigil.incident import Mark, State, acknowledge, mute, unmute, vanished
from tests.incident.life import Book, at, finding, run

if TYPE_CHECKING:
    from pgvigil.incident import Incident
    from pgvigil.run import Run

# A busy machine is no fault of the step's.
unhurried = settings(deadline=None)

CODES = ("orphans", "partial_nulls", "not_valid")

# As the runner makes them: no two findings of a run have one code.
findings = st.dictionaries(
    st.sampled_from(CODES), st.tuples(st.integers(1, 9), st.sampled_from(list(Severity)))
).map(lambda faults: [finding(code, rows, severity) for code, (rows, severity) in faults.items()])


def ended(found: list[Finding], outcome: Outcome, minutes: int, confirm: int) -> Run:
    if outcome.completed:
        return run(*found, minutes=minutes, confirm=confirm)
    return run(*found, outcome=outcome, minutes=minutes, confirm=confirm, error="lock timeout")


# The minutes are in no order: the clock jumps.
runs = st.builds(ended, findings, st.sampled_from(list(Outcome)), st.integers(-5000, 5000), st.integers(1, 4))
histories = st.lists(runs, max_size=25)


def fingerprints(one: Run) -> set[str]:
    return {fingerprint(one.check, one.subject, each.code) for each in one.findings}


def live(book: Book) -> dict[str, Incident]:
    assert len({one.fingerprint for one in book.live}) == len(book.live)
    return {one.fingerprint: one for one in book.live}


@unhurried
@given(histories)
def test_the_live_incidents_are_the_faults_of_the_last_completed_run(history: list[Run]) -> None:
    book = Book()
    for one in history:
        book.see(one)
    completed = [one for one in history if one.outcome.completed]
    assert live(book).keys() == (fingerprints(completed[-1]) if completed else set())


@unhurried
@given(histories)
def test_a_run_that_did_not_complete_is_neither_clean_nor_a_sighting(history: list[Run]) -> None:
    """Leaving all such runs out leaves the same incidents, but for what is said about examining them."""
    everything, completed_only = Book(), Book()
    for one in history:
        everything.see(one)
        if one.outcome.completed:
            completed_only.see(one)

    def essence(book: Book) -> list[Incident]:
        return [
            replace(one, unexamined_since=None, unexamined_reason=None) for one in book.incidents.values()
        ]

    assert essence(everything) == essence(completed_only)
    told = [event for event in everything.events if event.kind != "could_not_examine"]
    assert told == completed_only.events


@unhurried
@given(st.lists(runs, max_size=25), st.integers(1, 4))
def test_it_opens_at_exactly_the_sighting_that_confirms(history: list[Run], confirm: int) -> None:
    """An independent count of sightings in a row predicts every opening."""
    book = Book()
    in_a_row: Counter[str] = Counter()
    for given_run in history:
        one = ended(list(given_run.findings), given_run.outcome, 0, confirm)
        opened = {event.incident for event in book.see(one).events if event.kind == "opened"}
        if one.outcome.completed:
            seen = fingerprints(one)
            in_a_row = Counter({name: in_a_row[name] + 1 for name in seen})
            expected = {name for name in seen if in_a_row[name] == confirm}
        else:
            expected = set()
        assert {book.incidents[name].fingerprint for name in opened} == expected
        for name, incident in live(book).items():
            assert incident.consecutive == in_a_row[name]
            assert (incident.state is State.OPEN) == (in_a_row[name] >= confirm)


@unhurried
@given(histories)
def test_what_is_resolved_stays_as_it_was(history: list[Run]) -> None:
    book = Book()
    for one in history:
        resolved = {name: old for name, old in book.incidents.items() if not old.live}
        changed = book.see(one)
        assert resolved.keys().isdisjoint(new.id for new in changed.incidents)
        assert resolved.keys().isdisjoint(event.incident for event in changed.events)


@unhurried
@given(histories)
def test_counts_only_grow_and_times_are_in_order(history: list[Run]) -> None:
    book = Book()
    for one in history:
        before = dict(book.incidents)
        for new in book.see(one).incidents:
            old = before.get(new.id, new)
            assert new.worst_count >= max(old.worst_count, new.count)
            assert 0 <= new.sightings - old.sightings <= 1
            assert new.first_seen <= new.last_seen
            if new.resolved_at is not None:
                assert new.resolved_at >= max(new.last_seen, new.opened_at or new.last_seen)
            assert (new.resolved_at is None) == (new.resolution is None) == new.live
            assert (new.unexamined_since is None) == one.outcome.completed


@unhurried
@given(histories, st.booleans())
def test_the_events_tell_the_whole_story(history: list[Run], gone: bool) -> None:
    """Whoever reads the events alone arrives at the state, severity and sightings of each incident."""
    book = Book()
    for one in history:
        book.see(one)
    if gone:
        book.note(vanished(book.live, at(0)))
    for incident in book.incidents.values():
        kinds = book.kinds(incident.id)
        assert kinds[0] in ("suspected", "opened")
        assert kinds.count("opened") == (incident.opened_at is not None)
        ends = [kind for kind in kinds if kind in ("resolved", "suspect_dropped", "vanished")]
        assert ends == ([] if incident.live else kinds[-1:])
        sightings = [kind for kind in kinds if kind in ("suspected", "opened", "reconfirmed")]
        assert len(sightings) == incident.sightings
        told = [event for event in book.events if event.incident == incident.id]
        changes = [event.text.split(" -> ") for event in told if event.kind in ("escalated", "eased")]
        assert all(before[1] == after[0] for before, after in pairwise(changes))
        if changes:
            assert changes[-1][1] == incident.severity


@unhurried
@given(
    st.lists(st.one_of(runs, st.sampled_from(["acknowledge", "mute", "unmute"])), max_size=25),
    st.integers(0, 10),
)
def test_a_persons_word_does_not_change_what_is_found(story: list[Run | str], pick: int) -> None:
    silent, spoken = Book(), Book()
    apply = {"acknowledge": acknowledge, "mute": mute, "unmute": unmute}
    for item in story:
        if not isinstance(item, str):
            silent.see(item)
            spoken.see(item)
        elif spoken.live:
            chosen = spoken.live[pick % len(spoken.live)]
            spoken.note(apply[item](chosen, Mark("ada", at(0))))

    def found(book: Book) -> list[tuple[object, ...]]:
        return [
            (one.id, one.state, one.finding, one.sightings, one.opened_at, one.resolved_at, one.resolution)
            for one in book.incidents.values()
        ]

    assert found(spoken) == found(silent)
    assert [event for event in spoken.events if event.who is None] == silent.events
