"""What alerting rules and dashboards are made of: a series for each live incident, and for deployments."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pgvigil.check import Outcome, Severity
from pgvigil.metrics import Counters, Exposition, Notifications
from pgvigil.store import Deployment, Store
from tests.incident.life import at, finding, run
from tests.metrics.test_exposition import NOW, SUBJECT, Scrape, StoppedClock, discover, store

__all__ = ["store"]

INCIDENT = {"target": "games", "check": "orphan_rows", "subject": SUBJECT, "code": "orphans"}


def test_an_incident_has_a_series_with_its_count_and_one_with_its_age(store: Store) -> None:
    discover(store)
    store.record(run(finding(rows=3), minutes=1))
    store.record(run(finding(rows=5), minutes=9))
    scrape = Scrape(store)
    labels = {**INCIDENT, "severity": "critical", "state": "open"}
    assert scrape.series("pgvigil_incident_violations") == [labels]
    assert scrape.value("pgvigil_incident_violations") == 5
    assert scrape.value("pgvigil_incident_first_seen_timestamp_seconds", **labels) == at(1).timestamp()


def test_two_faults_of_one_subject_are_two_series(store: Store) -> None:
    store.record(run(finding(rows=3), finding("partial_nulls", rows=2)))
    scrape = Scrape(store)
    assert scrape.value("pgvigil_incident_violations", code="orphans") == 3
    assert scrape.value("pgvigil_incident_violations", code="partial_nulls") == 2


def test_the_state_of_an_incident_is_what_people_said_of_it(store: Store) -> None:
    def states() -> list[str]:
        return [one["state"] for one in Scrape(store).series("pgvigil_incident_violations")]

    store.record(run(finding(), confirm=2))
    assert states() == ["suspect"]
    incident = store.record(run(finding(), confirm=2)).incidents[0]
    assert states() == ["open"]
    store.acknowledge(incident.id, who="anna", at=NOW)
    assert states() == ["acknowledged"]
    store.mute(incident.id, who="anna", at=NOW, until=NOW + timedelta(hours=1))
    assert states() == ["muted"]
    store.record(run())
    assert states() == []


def test_a_mute_ends_by_itself_though_nothing_was_committed(store: Store) -> None:
    clock = StoppedClock()
    exposition = Exposition(Counters(), clock)
    incident = store.record(run(finding())).incidents[0]
    store.mute(incident.id, who="anna", at=NOW, until=NOW + timedelta(hours=1))
    assert b'state="muted"} 1.0' in exposition.text(store.view())
    clock.now = lambda: NOW + timedelta(hours=2)  # type: ignore[method-assign] # time goes on
    assert b'pgvigil_incident_violations{target="games"' in exposition.text(store.view())
    assert b'code="orphans",severity="critical",state="open"} 1.0' in exposition.text(store.view())


def test_what_is_new_is_what_was_first_seen_since_the_last_deployment(store: Store) -> None:
    discover(store)
    store.record(run(finding(), subject="old", minutes=0))
    assert Scrape(store).series("pgvigil_new_incidents") == []
    store.record_deployments([Deployment("games", "v1", at(-60)), Deployment("games", "v2", at(5))])
    store.record(run(finding(), subject="old", minutes=10))
    assert Scrape(store).value("pgvigil_new_incidents", severity="critical") == 0
    store.record(run(finding(), subject="new", minutes=10))
    warning = finding(severity=Severity.WARNING)
    muted = store.record(run(warning, subject="muted", minutes=10)).incidents[0]
    store.record(run(warning, subject="suspect", minutes=10, confirm=2))
    store.mute(muted.id, who="anna", at=NOW)
    scrape = Scrape(store)
    assert scrape.value("pgvigil_new_incidents", severity="critical") == 1
    assert scrape.value("pgvigil_new_incidents", severity="warning") == 0
    assert scrape.value("pgvigil_deployment_timestamp_seconds", version="v2") == at(5).timestamp()
    assert scrape.value("pgvigil_deployment_timestamp_seconds", version="v1") == at(-60).timestamp()


def test_a_version_that_was_deployed_again_has_one_series(store: Store) -> None:
    store.record_deployments([Deployment("games", "v1", at(0)), Deployment("games", "v1", at(9))])
    assert Scrape(store).value("pgvigil_deployment_timestamp_seconds", version="v1") == at(9).timestamp()


@pytest.mark.parametrize("steps", range(6))
def test_what_was_written_before_never_outlives_its_state(store: Store, steps: int) -> None:
    """One exposition that follows every commit says the same as one that begins with the last."""
    following = Exposition(Counters(), StoppedClock())
    changes = [
        lambda: discover(store, SUBJECT, "other"),
        lambda: store.record(run(finding(rows=3))),
        lambda: store.record(run(finding(rows=4), finding("partial_nulls"), subject="other")),
        lambda: store.record(run(outcome=Outcome.ERROR, error="the server is gone")),
        lambda: store.record(run()),
        lambda: discover(store, SUBJECT),
    ]
    for change in changes[: steps + 1]:
        change()
        following.text(store.view())
    fresh = Exposition(Counters(), StoppedClock())
    assert following.text(store.view()) == fresh.text(store.view())


def test_each_alertmanager_begins_at_zero_and_goes_when_it_is_no_longer_told(store: Store) -> None:
    counters = Counters()
    told = counters.notifications
    told.expect(["am-0:9093", "am-1:9093"])
    told.accepted("am-0:9093", 3)
    told.failed("am-1:9093")
    waiting = [7]
    told.pending("am-1:9093", lambda: waiting[0])
    scrape = Scrape(store, counters)
    assert scrape.value("pgvigil_notifications_total", alertmanager="am-0:9093") == 3
    assert scrape.value("pgvigil_notifications_total", alertmanager="am-1:9093") == 0
    assert scrape.value("pgvigil_notifications_failed_total", alertmanager="am-1:9093") == 1
    assert scrape.value("pgvigil_notifications_pending", alertmanager="am-1:9093") == 7
    waiting[0] = 8
    assert Scrape(store, counters).value("pgvigil_notifications_pending", alertmanager="am-1:9093") == 8
    told.expect(["am-0:9093"])
    assert len(Scrape(store, counters).series("pgvigil_notifications_total")) == 1
    assert list(Notifications().collect())


def test_counters_of_what_is_no_longer_configured_are_forgotten(store: Store) -> None:
    counters = Counters()
    counters.observe(run())
    counters.expect([("shop", "orphan_rows")])
    counters.keep([("shop", "orphan_rows")])
    assert {one["target"] for one in Scrape(store, counters).series("pgvigil_runs_total")} == {"shop"}
    counters.observe(run())
    assert Scrape(store, counters).value("pgvigil_rows_examined_total", target="games") == 0


def test_runs_that_do_not_complete_are_counted_in_a_row(store: Store) -> None:
    discover(store)
    store.record(run())
    assert Scrape(store).series("pgvigil_incomplete_runs") == []
    for count in (1, 2, 3):
        store.record(run(outcome=Outcome.TIMEOUT, error="too slow"))
        assert Scrape(store).value("pgvigil_incomplete_runs", subject=SUBJECT) == count
    store.record(run(finding()))
    assert Scrape(store).series("pgvigil_incomplete_runs") == []
