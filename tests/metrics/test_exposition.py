"""Metrics as the contract has them, of real committed states."""

from __future__ import annotations

import shutil
import subprocess
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pgvigil import __version__
from pgvigil.check import Outcome, Severity
from pgvigil.health import Duty
from pgvigil.metrics import MISSED, Counters, Exposition
from pgvigil.store import Store
from pgvigil.usage import Usage
from tests.incident.life import finding, run

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CHECK = {"target": "games", "check": "orphan_rows"}
SUBJECT = "public.child(id) -> public.parent(id)"


class StoppedClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


class Scrape:
    """What Prometheus would read."""

    def __init__(self, store: Store, counters: Counters | None = None) -> None:
        self.text = Exposition(counters or Counters(), StoppedClock()).text(store.view())
        self.families = {one.name: one for one in text_string_to_metric_families(self.text.decode())}

    def series(self, name: str) -> list[dict[str, str]]:
        return [each.labels for one in self.families.values() for each in one.samples if each.name == name]

    def value(self, name: str, **labels: str) -> float | None:
        """Return the value of the one series of these labels; None when there is none."""
        found = [
            each.value
            for one in self.families.values()
            for each in one.samples
            if each.name == name and labels.items() <= each.labels.items()
        ]
        assert len(found) <= 1, found
        return found[0] if found else None


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open("sqlite://") as store:
        yield store


def discover(store: Store, *subjects: str, check: str = "orphan_rows") -> None:
    store.sync_subjects("games", check, subjects or [SUBJECT], NOW, 300.0)


def test_it_has_the_metrics_of_the_contract_and_no_others(store: Store) -> None:
    scrape = Scrape(store)
    assert {name: family.type for name, family in scrape.families.items()} == {
        "pgvigil_store_up": "gauge",
        "pgvigil_target_up": "gauge",
        "pgvigil_violations": "gauge",
        "pgvigil_subjects": "gauge",
        "pgvigil_incidents": "gauge",
        "pgvigil_run_success": "gauge",
        "pgvigil_last_completed_timestamp_seconds": "gauge",
        "pgvigil_incomplete_runs": "gauge",
        "pgvigil_interval_seconds": "gauge",
        "pgvigil_runs": "counter",
        "pgvigil_run_duration_seconds": "histogram",
        "pgvigil_rows_examined": "counter",
        "pgvigil_runs_spared": "counter",
        "pgvigil_sweeps_broken_off": "counter",
        "pgvigil_last_sweep_timestamp_seconds": "gauge",
        "pgvigil_oldest_full_look_timestamp_seconds": "gauge",
        "pgvigil_full_every_seconds": "gauge",
        "pgvigil_changes_in_force": "gauge",
        "pgvigil_changes_as_configured": "gauge",
        "pgvigil_slot_retained_bytes": "gauge",
        "pgvigil_slot_retention_bytes": "gauge",
        "pgvigil_drift_rows": "gauge",
        "pgvigil_drift_budget_rows": "gauge",
        "pgvigil_incident_violations": "gauge",
        "pgvigil_incident_first_seen_timestamp_seconds": "gauge",
        "pgvigil_new_incidents": "gauge",
        "pgvigil_deployment_timestamp_seconds": "gauge",
        "pgvigil_target_busy_seconds": "counter",
        "pgvigil_budget_connections": "gauge",
        "pgvigil_budget_duty_cycle": "gauge",
        "pgvigil_run_progress_ratio": "gauge",
        "pgvigil_target_paused": "gauge",
        "pgvigil_target_paused_seconds": "counter",
        "pgvigil_target_pause_visible": "gauge",
        "pgvigil_target_pauses_overruled": "counter",
        "pgvigil_slots_dropped": "counter",
        "pgvigil_target_standby_usable": "gauge",
        "pgvigil_target_standby_lag_seconds": "gauge",
        "pgvigil_target_standby_unread_seconds": "gauge",
        "pgvigil_target_reads": "counter",
        "pgvigil_leader": "gauge",
        "pgvigil_config_last_reload_successful": "gauge",
        "pgvigil_config_last_reload_success_timestamp_seconds": "gauge",
        "pgvigil_notifications": "counter",
        "pgvigil_notifications_failed": "counter",
        "pgvigil_notifications_pending": "gauge",
        "pgvigil_ticks_missed": "counter",
        "pgvigil_recovery_conflicts": "counter",
        "pgvigil_store_errors": "counter",
        "pgvigil_build_info": "gauge",
    }
    assert scrape.value("pgvigil_build_info", version=__version__) == 1


def test_promtool_finds_nothing_to_complain_about(store: Store) -> None:
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing: install the prometheus package"
    discover(store)
    discover(store, "curated.a <> curated.b", check="table_drift")
    store.record_target("games", up=True, at=NOW)
    store.record(run(finding(rows=3)))
    drifted = run(subject="curated.a <> curated.b")
    store.record(
        replace(drifted, check="table_drift", measures={"left_only": 1, "right_only": 0, "changed": 2})
    )
    counters = Counters()
    counters.observe(run())
    counters.tick_missed("games", "orphan_rows", "late")
    counters.store_failed(Duty.RECORD, NOW, "disk full")
    text = Scrape(store, counters).text
    lint = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (lint.returncode, lint.stdout, lint.stderr) == (0, b"", b"")


def test_a_subject_that_was_never_examined_is_unknown_and_not_clean(store: Store) -> None:
    discover(store)
    scrape = Scrape(store)
    assert scrape.value("pgvigil_subjects", state="unknown", **CHECK) == 1
    assert scrape.value("pgvigil_subjects", state="passed", **CHECK) == 0
    assert scrape.value("pgvigil_run_success", subject=SUBJECT) == 0
    assert scrape.series("pgvigil_violations") == []
    assert scrape.series("pgvigil_last_completed_timestamp_seconds") == []


def test_a_fault_shows_with_its_exact_count(store: Store) -> None:
    discover(store)
    store.record(run(finding(rows=3), finding("partial_nulls", 4, Severity.WARNING), finding("not_valid", 5)))
    scrape = Scrape(store)
    assert scrape.value("pgvigil_violations", subject=SUBJECT, severity="critical", **CHECK) == 8
    assert scrape.value("pgvigil_violations", subject=SUBJECT, severity="warning", **CHECK) == 4
    assert scrape.value("pgvigil_subjects", state="failed", **CHECK) == 1
    assert scrape.value("pgvigil_run_success", subject=SUBJECT, **CHECK) == 1
    assert scrape.value("pgvigil_incidents", severity="critical", state="open", **CHECK) == 2
    assert scrape.value("pgvigil_interval_seconds", **CHECK) == 300


def test_a_healed_fault_shows_zero_and_not_nothing(store: Store) -> None:
    discover(store)
    store.record(run(finding(rows=3, severity=Severity.WARNING)))
    store.record(run(minutes=5))
    scrape = Scrape(store)
    assert scrape.value("pgvigil_violations", severity="warning") == 0
    assert scrape.value("pgvigil_violations", severity="critical") == 0
    assert scrape.value("pgvigil_incidents", severity="warning", state="open") == 0
    completed = scrape.value("pgvigil_last_completed_timestamp_seconds", subject=SUBJECT)
    assert completed == (NOW + timedelta(minutes=5)).timestamp()


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.TIMEOUT, Outcome.SKIPPED])
def test_a_run_that_did_not_complete_hides_no_fault_and_is_no_success(store: Store, outcome: Outcome) -> None:
    discover(store)
    store.record(run(finding(rows=3)))
    store.record(run(outcome=outcome, minutes=5, error="lock timeout"))
    scrape = Scrape(store)
    assert scrape.value("pgvigil_violations", severity="critical") == 3
    assert scrape.value("pgvigil_subjects", state="failed") == 1
    assert scrape.value("pgvigil_incidents", severity="critical", state="open") == 1
    assert scrape.value("pgvigil_run_success", subject=SUBJECT) == 0
    assert scrape.value("pgvigil_last_completed_timestamp_seconds") == NOW.timestamp()


def test_each_live_incident_counts_in_one_state(store: Store) -> None:
    codes = ("a", "b", "c", "d")
    names = [one.id for one in store.record(run(*(finding(code) for code in codes))).incidents]
    store.record(run(finding(), subject="suspect", confirm=2))
    store.acknowledge(names[0], who="ada", at=NOW)
    store.acknowledge(names[1], who="ada", at=NOW)
    store.mute(names[1], who="ada", at=NOW, until=NOW + timedelta(minutes=1))
    store.mute(names[2], who="ada", at=NOW - timedelta(hours=2), until=NOW)
    scrape = Scrape(store)
    counts = {
        state: scrape.value("pgvigil_incidents", severity="critical", state=state)
        for state in ("suspect", "open", "acknowledged", "muted")
    }
    assert counts == {"suspect": 1, "open": 2, "acknowledged": 1, "muted": 1}


def test_series_go_with_their_subject_and_their_check(store: Store) -> None:
    discover(store, SUBJECT, "public.gone")
    store.record(run(finding(), subject="public.gone"))
    discover(store)
    assert b"public.gone" not in Scrape(store).text
    store.retire([("movies", "orphan_rows")], NOW)
    assert b"games" not in Scrape(store).text


def test_the_drift_of_a_pair_shows_by_kind_also_when_there_is_none(store: Store) -> None:
    drift = {"left_only": 2, "right_only": 0, "changed": 1, "left_rows": 9}
    pair = replace(run(subject="curated.a <> curated.b", minutes=1), check="table_drift")
    discover(store, "curated.a <> curated.b", check="table_drift")
    assert Scrape(store).series("pgvigil_drift_rows") == []
    store.record(replace(pair, measures=drift))
    store.record(replace(pair, outcome=Outcome.TIMEOUT, error="statement timeout"))
    scrape = Scrape(store)
    kinds = ("left_only", "right_only", "changed")
    assert [scrape.value("pgvigil_drift_rows", kind=kind) for kind in kinds] == [2, 0, 1]
    assert scrape.series("pgvigil_drift_rows") == [
        {"target": "games", "subject": "curated.a <> curated.b", "kind": kind} for kind in kinds
    ]


def test_counters_begin_at_zero_as_soon_as_the_check_is_known(store: Store) -> None:
    discover(store)
    scrape = Scrape(store)
    for outcome in Outcome:
        assert scrape.value("pgvigil_runs_total", outcome=outcome.value, **CHECK) == 0
    for reason in MISSED:
        assert scrape.value("pgvigil_ticks_missed_total", reason=reason, **CHECK) == 0
    assert scrape.value("pgvigil_rows_examined_total", **CHECK) == 0
    assert scrape.value("pgvigil_run_duration_seconds_count", **CHECK) == 0
    assert scrape.value("pgvigil_store_errors_total") == 0


def test_counters_count_from_many_threads(store: Store) -> None:
    counters = Counters()
    one = replace(run(finding()), rows_examined=7, duration_seconds=0.2)

    def work() -> None:
        for _ in range(200):
            counters.observe(one)
            counters.tick_missed("games", "orphan_rows", "overrun")
            counters.store_failed(Duty.RECORD, NOW, "disk full")

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counters.watch("games", lambda: Usage(2, 0.2, 1.5, recovery_conflicts=3))
    scrape = Scrape(store, counters)
    assert scrape.value("pgvigil_runs_total", outcome="fail", **CHECK) == 1000
    assert scrape.value("pgvigil_rows_examined_total", **CHECK) == 7000
    assert scrape.value("pgvigil_run_duration_seconds_bucket", le="0.1", **CHECK) == 0
    assert scrape.value("pgvigil_run_duration_seconds_bucket", le="0.25", **CHECK) == 1000
    assert scrape.value("pgvigil_ticks_missed_total", reason="overrun", **CHECK) == 1000
    assert scrape.value("pgvigil_store_errors_total") == 1000
    assert scrape.value("pgvigil_recovery_conflicts_total", target="games") == 3


def test_when_a_counter_began_is_no_series_of_its_own(store: Store) -> None:
    counters = Counters()
    counters.observe(run())
    assert b"_created" not in Scrape(store, counters).text


@pytest.mark.parametrize(
    "name",
    ['quo"ted."ta ble"', "back\\slash.n", "new\nline.t", "public.таблица", "schema.{a=b},c", "x" * 500],
)
def test_any_name_of_a_subject_survives_the_scrape(store: Store, name: str) -> None:
    discover(store, name)
    store.record(run(finding(), subject=name))
    assert Scrape(store).value("pgvigil_violations", subject=name, severity="critical") == 1


def test_a_name_that_no_scrape_can_carry_costs_only_its_odd_character() -> None:
    counters = Counters()
    counters.tick_missed("games\0\ud800", "orphan_rows", "late")
    with Store.open("sqlite://") as store:
        scrape = Scrape(store, counters)
    assert scrape.value("pgvigil_ticks_missed_total", reason="late", target="games\ufffd?") == 1


def test_a_target_that_does_not_answer_is_down(store: Store) -> None:
    store.record_target("games", up=True, at=NOW)
    assert Scrape(store).value("pgvigil_target_up", target="games") == 1
    store.record_target("games", up=False, at=NOW, error="connection refused to 10.0.0.1")
    scrape = Scrape(store)
    assert scrape.value("pgvigil_target_up", target="games") == 0
    assert b"refused" not in scrape.text


def test_a_store_that_does_not_do_its_work_is_down_until_it_does_again(store: Store) -> None:
    counters = Counters()
    assert Scrape(store, counters).value("pgvigil_store_up") == 1
    for _ in range(2):
        counters.store_failed(Duty.RECORD, NOW, "disk full")
    counters.store_failed(Duty.KEEP_HOUSE, NOW, "disk full")
    assert Scrape(store, counters).value("pgvigil_store_up") == 0
    counters.health.works(Duty.KEEP_HOUSE)
    assert Scrape(store, counters).value("pgvigil_store_up") == 0
    counters.health.works(Duty.RECORD)
    assert Scrape(store, counters).value("pgvigil_store_up") == 1


def test_a_scrape_waits_for_no_writer(store: Store) -> None:
    """Somebody who writes for as long as they like holds no scrape up."""
    discover(store)
    with store._writing():
        assert Scrape(store).value("pgvigil_subjects", state="unknown") == 1
