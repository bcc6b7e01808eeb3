"""What Alertmanagers may hold of incidents, as the store keeps it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pgvigil.errors import NotLeaderError
from pgvigil.store import Retention, Store
from tests.incident.life import finding, run
from tests.store.test_leadership import end_the_leaders_session

if TYPE_CHECKING:
    from pgvigil.incident import Incident

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ONE, TWO = "http://one:9093", "http://two:9093"
LABELS = {"alertname": "PgvigilOrphanRows", "subject": 'a "b" ✓', "severity": "critical"}


def opened(store: Store, subject: str = "public.t") -> Incident:
    (incident,) = store.record(run(finding(), subject=subject)).incidents
    return incident


@pytest.mark.every_pg
def test_labels_are_kept_for_each_alertmanager(store: Store) -> None:
    incident, other = opened(store), opened(store, "public.u")
    store.outbox.deliver(ONE, {incident.id: [LABELS], other.id: [LABELS]}, NOW)
    store.outbox.deliver(TWO, {incident.id: [LABELS | {"severity": "warning"}, LABELS]}, NOW)
    assert sorted(store.outbox.delivered(ONE)) == sorted([incident.id, other.id])
    (held,) = store.outbox.deliveries(TWO, [incident.id])
    assert held.incident == incident
    assert held.labels == (LABELS | {"severity": "warning"}, LABELS)


def test_without_labels_nothing_is_held_any_more(store: Store) -> None:
    incident = opened(store)
    store.outbox.deliver(ONE, {incident.id: [LABELS]}, NOW)
    store.outbox.deliver(TWO, {incident.id: [LABELS]}, NOW)
    store.outbox.deliver(ONE, {incident.id: []}, NOW)
    assert [store.outbox.delivered(ONE), store.outbox.delivered(TWO)] == [[], [incident.id]]
    assert [one.labels for one in store.outbox.deliveries(ONE, [incident.id])] == [()]


def test_what_was_told_survives_a_restart(url: str) -> None:
    with Store.open(url) as store:
        incident = opened(store)
        store.outbox.deliver(ONE, {incident.id: [LABELS]}, NOW)
    with Store.open(url) as store:
        assert [one.labels for one in store.outbox.deliveries(ONE, [incident.id])] == [(LABELS,)]


def test_an_incident_that_does_not_exist_is_passed_over(store: Store) -> None:
    incident = opened(store)
    store.outbox.deliver(ONE, {"0123456789abcdef": [LABELS], incident.id: [LABELS]}, NOW)
    assert store.outbox.delivered(ONE) == [incident.id]
    assert store.outbox.deliveries(ONE, ["0123456789abcdef"]) == []


def test_what_was_told_goes_with_its_incident(store: Store) -> None:
    incident = opened(store)
    store.outbox.deliver(ONE, {incident.id: [LABELS]}, NOW)
    store.record(run(minutes=5, subject="public.t"))
    store.prune(NOW + timedelta(days=30), Retention(incident_days=1))
    assert store.outbox.delivered(ONE) == []


def test_an_alertmanager_that_is_not_configured_any_more_is_forgotten(store: Store) -> None:
    incident = opened(store)
    for alertmanager in (ONE, TWO):
        store.outbox.deliver(alertmanager, {incident.id: [LABELS]}, NOW)
    store.outbox.keep([TWO])
    assert [store.outbox.delivered(ONE), store.outbox.delivered(TWO)] == [[], [incident.id]]
    store.outbox.keep([])
    assert store.outbox.delivered(TWO) == []


def test_a_fault_that_came_back_is_found_by_the_incident_that_is_over(store: Store) -> None:
    before = opened(store)
    store.record(run(minutes=5, subject="public.t"))
    (again,) = store.record(run(finding(), minutes=10, subject="public.t")).incidents
    opened(store, "public.u")
    store.outbox.deliver(ONE, {again.id: [LABELS]}, NOW)
    (found,) = store.outbox.recurrences(ONE, [before])
    assert (found.incident, found.labels) == (again, (LABELS,))
    assert [one.labels for one in store.outbox.recurrences(TWO, [before])] == [()]


def test_a_suspect_is_no_recurrence(store: Store) -> None:
    before = opened(store)
    store.record(run(minutes=5, subject="public.t"))
    store.record(run(finding(), minutes=10, subject="public.t", confirm=2))
    assert store.outbox.recurrences(ONE, [before]) == []


def test_a_leader_of_the_past_writes_nothing(postgres_url: str) -> None:
    with Store.open(postgres_url) as past, Store.open(postgres_url) as leader:
        past.lead()
        incident = opened(past)
        end_the_leaders_session(postgres_url)
        leader.lead()
        with pytest.raises(NotLeaderError):
            past.outbox.deliver(ONE, {incident.id: [LABELS]}, NOW)
        with pytest.raises(NotLeaderError):
            past.outbox.keep([])
        assert leader.outbox.delivered(ONE) == []
