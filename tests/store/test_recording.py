"""What a run leaves behind: its status, its incidents and their history, the same in memory and in store."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

import pytest

from pgvigil.check import Outcome, Severity
from pgvigil.errors import StoreError, SupersededError, UnfitError, UsageError
from pgvigil.run import Run
from pgvigil.store import CoverageState, Filter, Store, recording
from pgvigil.store.schema import metadata
from tests.incident.life import at, finding, run

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EVERY = Filter(limit=10_000)
KEY = ("games", "orphan_rows")
INCOMPLETE = [Outcome.ERROR, Outcome.TIMEOUT, Outcome.SKIPPED]


def shown_is_stored(store: Store) -> bool:
    """Tell whether what is in memory is what a restart would show."""
    shown = store.view()
    store.reload()
    return store.view() == shown


@pytest.mark.every_pg
def test_a_run_is_given_back_as_it_was(store: Store) -> None:
    odd = 'The quick "brown" fox\n\\ ← здравствуй 🦊'
    fault = replace(
        finding(rows=2**40),
        title=odd,
        sample=({"id": None, "name": odd}, {"id": 1.5, "name": [1, True, None]}),
        details={"by_column": {"title": 3}, odd: [odd]},
        evidence_sql='SELECT "a" FROM t -- ✓',
    )
    one = replace(
        run(fault, finding("partial_nulls", severity=Severity.WARNING), subject=odd, confirm=3),
        rows_examined=2**60,
        strategy="anti join",
        duration_seconds=0.25,
        measures={"left_only": 2**40},
    )
    recorded = store.record(one)
    (stored,) = store.runs()
    assert stored.run == one
    assert stored.id == recorded.run_id
    assert [store.incidents(), [recorded.status]] == [
        sorted(recorded.incidents, key=lambda each: -each.severity.rank),
        store.subjects(),
    ]
    assert shown_is_stored(store)


def test_a_name_may_be_longer_than_an_index_entry(store: Store) -> None:
    # What no compression makes short: PostgreSQL's btree takes 2,704 bytes.
    name = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=9000))
    store.sync_subjects("games", "orphan_rows", [name, name + "x"], NOW, 60)
    (incident,) = store.record(run(finding(), subject=name)).incidents
    assert incident.subject == name
    assert {one.name for one in store.subjects() if one.outcome} == {name}
    store.sync_subjects("games", "orphan_rows", [name + "x"], NOW, 60)
    assert [one.name for one in store.subjects()] == [name + "x"]
    assert shown_is_stored(store)


def test_a_history_holds_all_but_the_mere_reconfirmations(store: Store) -> None:
    (incident,) = store.record(run(finding(rows=1))).incidents
    for minutes in range(1, 50):
        store.record(run(finding(rows=1), minutes=minutes))
    store.record(run(outcome=Outcome.TIMEOUT, error="lock timeout", minutes=50))
    store.acknowledge(incident.id, who="ada", at=NOW, note="on it")
    store.record(run(minutes=55))
    history = store.incident(incident.id)
    assert history is not None
    assert [event.kind for event in history.events] == [
        "opened",
        "could_not_examine",
        "acknowledged",
        "resolved",
    ]
    assert (history.incident.sightings, history.incident.state) == (50, "resolved")
    assert store.incident("nothing") is None


@pytest.mark.parametrize("outcome", INCOMPLETE)
def test_unknown_is_never_shown_as_green(store: Store, outcome: Outcome) -> None:
    store.sync_subjects("games", "orphan_rows", ["new", "sound", "broken"], NOW, 300)
    store.record(run(subject="sound"))
    store.record(run(finding(), subject="broken"))
    for subject in ("new", "sound", "broken"):
        store.record(run(subject=subject, outcome=outcome, error="no", minutes=5))
    assert {one.name: one.state for one in store.subjects()} == {
        "new": CoverageState.UNKNOWN,
        "sound": CoverageState.UNKNOWN,
        "broken": CoverageState.FAILED,
    }
    (coverage,) = store.coverage("games")
    assert (coverage.known, coverage.passed, coverage.failed, coverage.unknown) == (3, 0, 1, 2)
    assert store.incidents()[0].state == "open"


def test_the_order_is_that_of_recording_whatever_the_clock_says(store: Store) -> None:
    for minutes in (60, 0, -60):
        store.record(run(finding(rows=100 + minutes), minutes=minutes))
    assert [stored.run.finished_at for stored in store.runs()] == [at(-60), at(0), at(60)]
    assert store.subjects()[0].finished_at == at(-60)
    assert store.incidents()[0].count == 40
    assert store.incidents()[0].sightings == 3


def test_a_sweep_counts_only_when_it_came_to_its_end(store: Store) -> None:
    assert store.last_swept("games", "orphan_rows") is None
    store.sync_subjects("games", "orphan_rows", ["a", "b", "c"], NOW, 300)
    store.record(run(subject="c", minutes=30))
    assert store.last_swept("games", "orphan_rows") is None
    store.record_sweep("games", "orphan_rows", at(29))
    store.sync_subjects("games", "orphan_rows", ["a", "b"], NOW, 300)
    assert store.last_swept("games", "orphan_rows") == at(29)
    assert store.last_swept("games", "table_drift") is None


def test_at_another_address_nothing_passes_before_it_is_examined(url: str) -> None:
    with Store.open(url) as store:
        assert store.reach("games", "here")
        assert not store.reach("games", "here")
        store.record(run(subject="passed"))
        store.record(run(finding(), subject="failed"))
        store.record_sweep("games", "orphan_rows", NOW)
    with Store.open(url) as store:
        assert not store.reach("games", "here")
        assert store.reach("games", "elsewhere")
        states = {one.name: one.state for one in store.view().subjects.values()}
        assert states == {"passed": "unknown", "failed": "failed"}
        assert {one.name: one.state for one in store.subjects()} == states
        assert store.last_swept("games", "orphan_rows") is None
        assert len(store.view().incidents) == 1, "what was red does not fade"


def test_what_no_longer_counts_is_not_written(store: Store) -> None:
    def no() -> bool:
        return False

    store.sync_subjects("games", "orphan_rows", ["a"], NOW, 300)
    before = store.view()
    with pytest.raises(SupersededError):
        store.record(run(finding(), subject="a"), no)
    with pytest.raises(SupersededError):
        store.record_target("games", up=False, at=NOW, still=no)
    with pytest.raises(SupersededError):
        store.sync_subjects("games", "orphan_rows", ["b"], NOW, 300, still=no)
    with pytest.raises(SupersededError):
        store.record_sweep("games", "orphan_rows", NOW, still=no)
    assert store.view() == before
    assert store.runs() == []


def test_a_discovery_keeps_what_is_known_and_ends_what_is_gone(store: Store) -> None:
    first = store.sync_subjects("games", "orphan_rows", ["a", "b"], NOW, 300)
    assert (first.added, dict(first.vanished)) == (("a", "b"), {})
    store.record(run(finding(), subject="a"))
    store.record(run(finding(), subject="b"))
    second = store.sync_subjects("games", "orphan_rows", ["b", "c"], at(5), 60)
    assert (second.added, list(second.vanished)) == (("c",), ["a"])
    assert [event.kind for event in second.events] == ["vanished"]
    assert [(one.name, one.state) for one in store.subjects()] == [("b", "failed"), ("c", "unknown")]
    assert {one.subject: one.state for one in store.incidents()} == {"a": "resolved", "b": "open"}
    assert [stored.run.subject for stored in store.runs()] == ["b"]
    assert store.checks()[0].interval_seconds == 60
    assert shown_is_stored(store)


def test_a_thousand_subjects_are_synced_and_seen(store: Store) -> None:
    names = [f"public.t{number}" for number in range(2500)]
    assert len(store.sync_subjects("games", "orphan_rows", names, NOW, 300).added) == 2500
    assert len(store.sync_subjects("games", "orphan_rows", names[1200:], NOW, 300).vanished) == 1200
    assert len(store.view().subjects) == 1300
    assert shown_is_stored(store)


def test_what_is_no_longer_configured_is_forgotten_but_its_history_is_not(store: Store) -> None:
    store.record_target("games", up=True, at=NOW)
    store.record_target("movies", up=True, at=NOW)
    store.record(run(finding()))
    store.record(replace(run(finding()), target="movies"))
    store.retire([("games", "orphan_rows")], NOW)
    assert [one.name for one in store.targets()] == ["games"]
    assert [(one.target, one.name) for one in store.checks()] == [("games", "orphan_rows")]
    assert {one.target for one in store.subjects()} == {"games"}
    assert {one.target: one.resolution for one in store.incidents()} == {"games": None, "movies": "vanished"}
    assert shown_is_stored(store)


def test_a_target_that_is_down_keeps_what_it_last_said(store: Store) -> None:
    store.record_target("games", up=True, at=at(0), server_version="18.1")
    store.record_target("games", up=False, at=at(5), error="connection refused")
    (target,) = store.targets()
    assert (target.up, target.error, target.server_version) == (False, "connection refused", "18.1")
    assert (target.observed_at, target.last_seen_at) == (at(5), at(0))
    store.record_target("games", up=True, at=at(10))
    assert store.targets()[0].error is None
    assert shown_is_stored(store)


def test_a_persons_word_is_kept(store: Store) -> None:
    (incident,) = store.record(run(finding())).incidents
    until = NOW + timedelta(hours=1)
    store.acknowledge(incident.id, who="ada", at=NOW, until=until, note="on it")
    store.mute(incident.id, who="bob", at=NOW, until=until, reason="known")
    after = store.record(run(finding(), minutes=5)).incidents[0]
    assert after.acknowledged is not None
    assert after.muted is not None
    assert (after.acknowledged.who, after.acknowledged.until, after.acknowledged.why) == (
        "ada",
        until,
        "on it",
    )
    assert (after.muted.who, after.muted.until, after.muted.why) == ("bob", until, "known")
    assert shown_is_stored(store)
    assert store.unmute(incident.id, who="bob", at=NOW).muted is None
    assert shown_is_stored(store)


def test_a_word_on_nothing_is_refused(store: Store) -> None:
    (incident,) = store.record(run(finding())).incidents
    store.record(run(minutes=5))
    with pytest.raises(UsageError, match="is resolved"):
        store.mute(incident.id, who="ada", at=NOW)
    with pytest.raises(UsageError, match="no incident 'x'"):
        store.acknowledge("x", who="ada", at=NOW)


def test_lists_can_be_narrowed_and_paged(store: Store) -> None:
    severities = (Severity.INFO, Severity.CRITICAL, Severity.WARNING)
    for number, severity in enumerate(severities):
        store.record(run(finding(severity=severity), subject=f"t{number}", minutes=number))
    store.record(run(subject="t9", minutes=9))
    assert [one.subject for one in store.incidents()] == ["t1", "t2", "t0"]
    assert [one.subject for one in store.incidents(Filter(severities=["info", "warning"]))] == ["t2", "t0"]
    assert [one.subject for one in store.incidents(Filter(limit=1, offset=1))] == ["t2"]
    assert [one.name for one in store.subjects(Filter(states=["passed"]))] == ["t9"]
    assert [one.run.subject for one in store.runs(Filter(states=["pass"]))] == ["t9"]
    assert [one.run.subject for one in store.runs(Filter(subject="t2", target="games"))] == ["t2"]
    assert store.runs(Filter(check="table_drift")) == []


def test_resolved_incidents_come_last_the_last_resolved_first(store: Store) -> None:
    for number in range(4):
        store.record(run(finding(severity=list(Severity)[number % 3]), subject=f"t{number}", minutes=number))
    for minutes, subject in enumerate(("t2", "t0", "t1"), start=10):
        store.record(run(subject=subject, minutes=minutes))
    assert [one.subject for one in store.incidents()] == ["t3", "t1", "t0", "t2"]


@pytest.mark.parametrize(
    "unfit",
    [
        replace(run(), subject="lone \ud800 surrogate"),
        replace(run(), rows_examined=2**80),
        run(finding(rows=2**80)),
        run(replace(finding(), details={("a", "tuple"): 1})),  # type: ignore[dict-item]
    ],
    ids=["name", "rows", "count", "details"],
)
def test_what_cannot_be_stored_is_refused_whole_and_stops_nothing(store: Store, unfit: object) -> None:
    store.record(run(finding()))
    with pytest.raises(StoreError) as caught:
        store.record(unfit)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert len(store.runs()) == len(store.incidents()) == len(store.subjects()) == 1
    assert store.record(run(finding(), minutes=5)).incidents[0].sightings == 2
    assert shown_is_stored(store)


def test_text_that_no_database_takes_costs_its_odd_characters_only(store: Store) -> None:
    store.record(run(outcome=Outcome.ERROR, error="nul \0 and lone \ud800 surrogate"))
    store.record(run(replace(finding(), title="nul \0 \ud800")))
    assert store.runs()[1].run.error == "nul \ufffd and lone ? surrogate"
    assert store.incidents()[0].finding.title == "nul \0 \ud800"


def test_results_of_many_threads_are_all_kept(store: Store) -> None:
    def work(number: int) -> None:
        for minutes in range(10):
            store.record(run(finding(), subject=f"t{number}", minutes=minutes))
            store.record(run(finding(), subject="shared", minutes=minutes))

    threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.runs(EVERY)) == 120
    assert {one.subject: one.sightings for one in store.incidents()} == {
        **{f"t{number}": 10 for number in range(6)},
        "shared": 60,
    }
    assert shown_is_stored(store)


def test_two_processes_worth_of_writers_agree(url: str) -> None:
    """Two openers (a daemon and a tool, say) see each other's results and keep one incident a fault."""
    with Store.open(url) as first, Store.open(url) as second:
        for minutes in range(10):
            (first, second)[minutes % 2].record(run(finding(), minutes=minutes))
        (incident,) = second.incidents()
        assert incident.sightings == 10
        first.reload()
        second.reload()
        assert first.view() == second.view()


@pytest.mark.parametrize("seed", range(3))
def test_memory_and_store_agree_after_anything(store: Store, seed: int) -> None:
    dice = random.Random(seed)
    names = ["a", "b", "c"]
    for minutes in range(40):
        match dice.randrange(6):
            case 0:
                subjects = dice.sample(names, dice.randint(0, 3))
                store.sync_subjects("games", "orphan_rows", subjects, at(minutes), 300)
            case 1:
                configured = dice.choice([[("games", "orphan_rows")], []])
                store.retire(configured, at(minutes))
            case 2 if live := list(store.view().incidents):
                store.mute(dice.choice(live), who="ada", at=at(minutes))
            case _:
                outcome = dice.choice(list(Outcome))
                faults = [finding(code) for code in dice.sample(["x", "y"], dice.randint(0, 2))]
                subject = dice.choice(names)
                store.record(run(*faults, outcome=outcome, subject=subject, minutes=minutes, confirm=2))
        assert shown_is_stored(store)


def history(dice: random.Random) -> list[Run]:
    """Return runs of a few subjects of two checks, in a random order, with faults that come and go."""
    runs = []
    for second in range(dice.randrange(40, 80)):
        codes = dice.sample(["orphans", "partial_nulls", "not_valid"], dice.randrange(3))
        outcome = dice.choice([None, None, None, *INCOMPLETE])
        faults = [
            replace(
                finding(rows=dice.randrange(1, 5), severity=dice.choice(list(Severity))),
                code=code,
            )
            for code in codes
        ]
        one = run(*faults, subject=f"s{dice.randrange(6)}", confirm=dice.randrange(1, 3))
        if outcome is not None:
            one = replace(one, outcome=outcome, error="for a reason", findings=())
        runs.append(
            replace(
                one,
                check=dice.choice(["orphan_rows", "table_drift"]),
                started_at=at(second),
                finished_at=at(second + dice.randrange(2)),
                memory={"seen": second} if dice.random() < 0.5 else {},
                position=dice.choice(["", "0/1"]),
                measures={"rows": second} if dice.random() < 0.3 else {},
            )
        )
    return runs


@pytest.mark.parametrize("seed", range(5))
def test_many_runs_in_one_transaction_are_what_they_are_one_by_one(
    seed: int, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(seed)
    runs = history(dice)
    ends = sorted({len(runs), *(dice.randrange(1, len(runs)) for _ in range(4))})
    pieces = [runs[begin:end] for begin, end in pairwise([0, *ends])]
    told = []
    for some in ([[one] for one in runs], pieces):
        names = (f"{number:016x}" for number in count())
        monkeypatch.setattr(recording, "new_incident_id", names.__next__)
        with Store.open(url) as store:
            recorded = [one for piece in some for one in store.record_many(piece)]
            incidents = store.incidents(EVERY)
            told.append(
                (
                    [(one.status, one.incidents, one.events) for one in recorded],
                    store.view().subjects,
                    store.view().incidents,
                    store.view().checks,
                    incidents,
                    [store.incident(one.id) for one in incidents],
                    [(one.id - recorded[0].run_id, one.run) for one in store.runs(EVERY)],
                    [store.notes("games", check) for check in ("orphan_rows", "table_drift")],
                )
            )
            assert shown_is_stored(store)
            # The same database once more: nothing of the first time is left.
            with store._database.writing() as connection:
                for table in reversed(metadata.sorted_tables):
                    connection.execute(table.delete())
    assert told[0] == told[1]


def test_one_run_that_does_not_fit_leaves_none_of_the_others(store: Store) -> None:
    before = store.view()
    with pytest.raises(UnfitError):
        store.record_many([run(subject="a"), replace(run(subject="b"), rows_examined=2**70)])
    assert store.view() == before
    assert store.runs() == []
    store.record_many([run(subject="a"), run(subject="c")])
    assert {status.name for status in store.subjects()} == {"a", "c"}


@pytest.mark.every_pg
def test_a_large_batch_leaves_what_each_of_its_runs_would(store: Store) -> None:
    names = [f"s{number}" for number in range(120)]
    for minutes in (1, 2):
        runs = [replace(run(subject=name, minutes=minutes), position=f"0/{minutes}") for name in names]
        # One of them is not like the others.
        runs[7] = replace(run(finding(), subject="s7", minutes=minutes), measures={"rows": 3})
        recorded = store.record_many(runs)
        assert [stored.run for stored in store.runs(Filter(limit=120))][::-1] == [
            replace(one, position="") for one in runs
        ]
        assert [one.run_id for one in recorded] == sorted(one.run_id for one in recorded)
        assert {name: (note.position, note.examined_at) for name, note in store.notes(*KEY).items()} == {
            one.subject: (one.position, one.started_at) for one in runs
        }
        assert {one.name: (one.state, one.completed_at, one.measures) for one in store.subjects(EVERY)} == {
            one.subject: ("failed" if one.findings else "passed", at(minutes), one.measures) for one in runs
        }
        assert [(one.subject, one.sightings) for one in store.incidents()] == [("s7", minutes)]
        assert shown_is_stored(store)
