"""Deployments: what was deployed, to which target and when, as people and pipelines said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pgvigil.store import Deployment, Filter, Retention, Store
from pgvigil.store.view import DEPLOYMENTS_SHOWN
from tests.incident.life import finding, run

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def deployed(version: str, *, minutes: float = 0, target: str = "games", by: str = "ci") -> Deployment:
    return Deployment(target, version, NOW - timedelta(minutes=minutes), by)


def test_a_deployment_is_shown_at_once_and_after_a_restart(url: str) -> None:
    with Store.open(url) as store:
        store.record_deployments([deployed("v1", minutes=10), deployed("v2"), deployed("x", target="shop")])
        shown = store.view().deployments
        assert [one.version for one in shown["games"]] == ["v2", "v1"]
    with Store.open(url) as store:
        assert store.view().deployments == shown
        assert store.deployments(Filter(target="shop")) == [deployed("x", target="shop")]


def test_a_deployment_that_is_told_twice_is_one(store: Store) -> None:
    store.record_deployments([deployed("v1")])
    store.record_deployments([deployed("v1", by="somebody else")])
    assert store.deployments() == [deployed("v1")]
    assert len(store.view().deployments["games"]) == 1


def test_the_same_version_may_be_deployed_again(store: Store) -> None:
    store.record_deployments([deployed("v1", minutes=60), deployed("v2", minutes=30), deployed("v1")])
    assert [one.version for one in store.deployments()] == ["v1", "v2", "v1"]


def test_the_last_ones_are_at_hand_and_all_are_kept(url: str) -> None:
    with Store.open(url) as store:
        for minutes in range(DEPLOYMENTS_SHOWN + 5):
            store.record_deployments([deployed(f"v{minutes}", minutes=minutes)])
        newest = [f"v{minutes}" for minutes in range(DEPLOYMENTS_SHOWN)]
        assert [one.version for one in store.view().deployments["games"]] == newest
        assert len(store.deployments()) == DEPLOYMENTS_SHOWN + 5
    with Store.open(url) as store:
        assert [one.version for one in store.view().deployments["games"]] == newest


def test_what_is_no_longer_watched_has_no_deployments(store: Store) -> None:
    store.record_deployments([deployed("v1"), deployed("v1", target="shop")])
    store.retire([("games", "orphan_rows")], NOW)
    assert list(store.view().deployments) == ["games"]
    assert [one.target for one in store.deployments()] == ["games"]


def test_deployments_go_with_the_incidents_of_their_time(store: Store) -> None:
    store.record_deployments([deployed("old", minutes=60 * 24 * 500), deployed("new")])
    store.prune(NOW, Retention(incident_days=400))
    assert [one.version for one in store.deployments()] == ["new"]


def test_a_leader_follows_what_another_replica_was_told(postgres_url: str) -> None:
    with Store.open(postgres_url) as leader, Store.open(postgres_url) as standby:
        assert leader.lead()
        incident = leader.record(run(finding(rows=3))).incidents[0]
        standby.record_deployments([deployed("v2")])
        standby.mute(incident.id, who="anna", at=NOW)
        assert not leader.view().deployments
        assert leader.catch_up() == [deployed("v2")]
        assert leader.catch_up() == []
        assert [one.version for one in leader.view().deployments["games"]] == ["v2"]
        assert leader.view().incidents[incident.id].muted is not None
