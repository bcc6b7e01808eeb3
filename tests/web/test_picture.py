"""What the headline may say. The worst it could do is to say that all is clean when it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgvigil.check import Outcome, Severity
from pgvigil.store import CheckStatus, SubjectStatus, TargetStatus, View
from pgvigil.watch import WHOLE_CHECK
from pgvigil.web.picture import Console, Level, console
from tests.web.world import NOW, RELATION, discovered, failed, finding, run, sound

if TYPE_CHECKING:
    from pgvigil.store import Store

SUBJECT = RELATION.format(0)
DUE = {"games/orphan_rows": NOW + timedelta(minutes=1)}


def see(store: Store, minutes: float = 0) -> Console:
    return console(store.view(), DUE, NOW + timedelta(minutes=minutes))


def parts(picture: Console) -> dict[str, int]:
    return {part.kind: part.count for part in (*picture.headline.parts, *picture.headline.asides)}


def test_all_that_passed_a_moment_ago_is_clean(store: Store) -> None:
    sound(store)
    assert see(store).headline.level is Level.CLEAN
    assert parts(see(store)) == {}


def test_nothing_is_clean_before_it_was_examined(store: Store) -> None:
    before = see(store)
    assert (before.headline.level, before.headline.text) == (Level.UNKNOWN, "Not examined yet")
    assert [(row.check, row.discovered) for row in before.coverage] == [("orphan_rows", False)]
    discovered(store, SUBJECT)
    assert see(store).headline.level is Level.UNKNOWN
    assert parts(see(store)) == {"unknown": 1}


def test_a_check_that_was_never_carried_out_keeps_the_rest_from_being_clean(store: Store) -> None:
    sound(store)
    due = DUE | {"games/table_drift": NOW}
    picture = console(store.view(), due, NOW)
    assert (picture.headline.level, picture.headline.text) == (
        Level.UNKNOWN,
        "Not everything could be examined",
    )
    assert parts(picture) == {"waiting": 1}


def test_no_subjects_are_not_clean(store: Store) -> None:
    discovered(store)
    assert (see(store).headline.level, see(store).headline.text) == (Level.UNKNOWN, "Nothing to examine")


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.TIMEOUT, Outcome.SKIPPED])
def test_a_run_that_did_not_complete_is_not_clean(store: Store, outcome: Outcome) -> None:
    sound(store)
    store.record(run(SUBJECT, outcome, error="no"))
    assert see(store).headline.level is Level.UNKNOWN
    assert parts(see(store)) == {"unknown": 1}


def test_an_old_result_is_not_clean(store: Store) -> None:
    sound(store, subjects=2)
    assert see(store, minutes=11).headline.level is Level.CLEAN
    picture = see(store, minutes=13)  # the runs are 3 minutes older, and due every 5
    assert picture.headline.level is Level.UNKNOWN
    assert parts(picture) == {"stale": 2}


def test_nothing_is_clean_while_pgvigil_is_not_ready(store: Store) -> None:
    sound(store)
    picture = console(store.view(), DUE, NOW, not_ready="results are not being recorded")
    assert (picture.headline.level, picture.headline.text) == (Level.UNKNOWN, "pgvigil is not ready")


@pytest.mark.parametrize("up", [True, False])
def test_a_target_that_says_no_is_not_clean(store: Store, up: bool) -> None:
    sound(store)
    store.record_target("games", up=up, at=NOW, error="permission denied")
    assert see(store).headline.level is Level.UNKNOWN


def test_the_worst_open_incident_gives_the_level(store: Store) -> None:
    sound(store)
    store.record(failed(SUBJECT, Severity.WARNING))
    assert see(store).headline.level is Level.WARNING
    store.record(failed(RELATION.format(1), Severity.CRITICAL))
    assert see(store).headline.level is Level.CRITICAL
    assert parts(see(store)) == {"critical": 1, "warning": 1}


def test_a_note_is_no_fault(store: Store) -> None:
    sound(store)
    store.record(run(SUBJECT, Outcome.PASS, finding(severity=Severity.INFO)))
    assert see(store).headline.level is Level.CLEAN
    assert parts(see(store)) == {"info": 1}


def test_what_somebody_takes_care_of_is_neither_urgent_nor_clean(store: Store) -> None:
    sound(store)
    store.record(failed(SUBJECT))
    (incident,) = store.incidents()
    store.acknowledge(incident.id, who="anna", at=NOW, until=NOW + timedelta(minutes=5))
    assert see(store).headline.level is Level.ATTENDED
    assert parts(see(store)) == {"acknowledged": 1}
    assert see(store, minutes=5).headline.level is Level.CRITICAL


def test_a_suspect_is_neither_urgent_nor_clean(store: Store) -> None:
    sound(store)
    store.record(failed(SUBJECT, confirm=2))
    assert see(store).headline.level is Level.ATTENDED
    assert parts(see(store)) == {"suspect": 1}


def test_what_nobody_takes_care_of_comes_first_then_the_worst(store: Store) -> None:
    discovered(store, *"abcdef")
    store.record(failed("a", confirm=2))
    store.record(failed("b", Severity.WARNING, minutes=9))
    store.record(failed("c", Severity.CRITICAL, minutes=8))
    store.record(failed("d", Severity.CRITICAL, minutes=7))
    store.record(failed("e", Severity.CRITICAL, minutes=6))
    store.record(failed("f", Severity.CRITICAL, minutes=5))
    named = {incident.subject: incident.id for incident in store.incidents()}
    store.mute(named["e"], who="béla", at=NOW)
    store.acknowledge(named["f"], who="anna", at=NOW)
    assert [incident.subject for incident in see(store).incidents] == list("cdbafe")


def test_equally_bad_incidents_are_ordered_by_count_then_by_name(store: Store) -> None:
    discovered(store, *"abcd")
    for minutes, (subject, count) in enumerate([("d", 2), ("a", 2), ("c", 10), ("b", 1)]):
        store.record(run(subject, Outcome.FAIL, finding(count=count), minutes=minutes))
    two = finding("another fault", count=2)
    store.record(run("d", Outcome.FAIL, finding(count=2), replace(two, code="another")))
    assert [(one.count, one.subject, one.title) for one in see(store).incidents] == [
        (10, "c", finding().title),
        (2, "a", finding().title),
        (2, "d", "another fault"),
        (2, "d", finding().title),
        (1, "b", finding().title),
    ]


def test_a_check_whose_subjects_could_not_be_found_says_why(store: Store) -> None:
    sound(store)
    assert [row.unfound for row in see(store).coverage] == [None]
    discovered(store, WHOLE_CHECK)
    store.record(run(WHOLE_CHECK, Outcome.ERROR, error="no such schema"))
    assert [row.unfound for row in see(store).coverage] == ["no such schema"]
    assert see(store).headline.level is Level.UNKNOWN


def test_a_restart_shows_the_same(store: Store) -> None:
    discovered(store, *"ab")
    store.record(failed("a"))
    store.record(run("a", Outcome.ERROR, error="lost", minutes=1))
    store.record(run("b", Outcome.PASS))
    before = see(store)
    store.reload()
    assert see(store) == before


MINUTES = st.integers(0, 20)
SUBJECTS = st.lists(st.lists(st.tuples(st.sampled_from(Outcome), MINUTES), max_size=3), max_size=4)


@given(subjects=SUBJECTS, up=st.booleans(), error=st.sampled_from([None, "no"]), checks=st.integers(1, 2))
def test_clean_is_what_was_examined_to_its_end_lately_and_passed_and_nothing_else(
    subjects: list[list[tuple[Outcome, int]]], up: bool, error: str | None, checks: int
) -> None:
    statuses = {}
    for number, runs in enumerate(subjects):
        status = SubjectStatus(target="games", check="check_0", name=str(number))
        for outcome, minutes in runs:
            status = status.after(run(status.name, outcome, check="check_0", minutes=minutes))
        statuses["games", "check_0", status.name] = status
    view = View(
        targets={"games": TargetStatus("games", up, NOW, error=error)},
        checks={("games", "check_0"): CheckStatus("games", "check_0", 300, NOW)},
        subjects=statuses,
        incidents={},
    )
    picture = console(view, {f"games/check_{number}": NOW for number in range(checks)}, NOW)
    all_passed = all(runs and runs[-1][0] is Outcome.PASS and runs[-1][1] <= 15 for runs in subjects)
    clean = bool(subjects) and all_passed and up and error is None and checks == 1
    assert (picture.headline.level is Level.CLEAN) == clean
