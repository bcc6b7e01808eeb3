"""What an Alertmanager is told, when, and what happens when it cannot be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from pgvigil.check import Severity
from pgvigil.errors import StoreError
from pgvigil.notify.sender import BATCH
from tests.incident.life import finding
from tests.notify.model import Killed
from tests.notify.world import RESEND, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pgvigil.notify.alerts import Alert

WARNING = finding(severity=Severity.WARNING)


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


def test_an_incident_that_opens_is_told_at_once(world: World) -> None:
    (incident,) = world.see(finding())
    world.senders["am"].turn()
    (labels,) = world.firing()
    assert labels["subject"] == incident.subject
    assert world.counts.accepted_alerts == {"am:9093": 1}
    assert world.counts.waiting == {"am:9093": 0}


def test_a_suspect_is_not_told(world: World) -> None:
    world.see(finding(), confirm=2)
    world.go_on(2 * RESEND)
    assert world.model.requests == []
    world.see(finding(), confirm=2)
    world.go_on()
    assert len(world.firing()) == 1


def test_what_is_firing_is_sent_again_and_stays_the_same_alert(world: World) -> None:
    world.see(finding())
    world.go_on(10 * RESEND)
    assert len(world.model.requests) in range(10, 12)
    assert set(world.model.began.values()) == {1}


def test_nothing_is_sent_when_nothing_is_open(world: World) -> None:
    world.see()
    world.go_on(10 * RESEND)
    assert world.model.requests == []


def test_an_incident_that_resolves_is_told_so(world: World) -> None:
    world.see(finding())
    world.go_on()
    world.see()
    world.go_on()
    assert world.firing() == []
    assert world.in_step()


def test_an_end_is_said_again_for_a_while_for_alertmanagers_that_restart(world: World) -> None:
    world.see(finding())
    world.go_on()
    world.see()
    world.go_on()
    sent = len(world.model.requests)
    world.go_on(600)
    assert len(world.model.requests) > sent
    world.go_on(600)
    sent = len(world.model.requests)
    world.go_on(600)
    assert len(world.model.requests) == sent


def test_an_end_is_not_said_again_once_the_fault_is_back(world: World) -> None:
    for found in ([finding()], [], [finding()]):
        world.see(*found)
        world.go_on(20)
    world.go_on(900)
    assert len(world.firing()) == 1
    assert set(world.model.began.values()) == {2}


def test_what_was_never_told_is_not_told_to_be_over(world: World) -> None:
    world.model.weather = "down"
    world.see(finding())
    world.go_on()
    world.see()
    world.go_on()
    world.model.weather = "up"
    world.go_on(60)
    assert world.model.requests == []
    assert world.in_step()


def test_after_a_restart_the_end_of_what_may_have_been_told_is_told(world: World) -> None:
    """That nobody heard of it was in memory; an Alertmanager tells nobody of such an end."""
    world.model.weather = "down"
    world.see(finding())
    world.go_on()
    world.see()
    world.restart()
    world.model.weather = "up"
    world.go_on(5)
    assert len(world.model.requests) == 1
    assert world.firing() == []
    assert world.in_step()


def test_a_fault_that_comes_and_goes_while_an_alertmanager_is_down_is_one_alert(world: World) -> None:
    world.see(finding())
    world.go_on()
    world.model.weather = "down"
    for found in ([], [finding()], [], [finding()]):
        world.see(*found)
        world.go_on()
    world.model.weather = "up"
    world.go_on(60)
    assert world.in_step()
    assert set(world.model.began.values()) == {1}


def test_a_change_of_severity_ends_one_alert_and_begins_the_other_in_one_request(world: World) -> None:
    world.see(WARNING)
    world.go_on()
    world.see(finding())
    world.go_on(5)
    assert [labels["severity"] for labels in world.firing()] == ["critical"]
    told = [[alert["labels"]["severity"] for alert in request] for request in world.model.requests]
    assert told == [["warning"], ["warning", "critical"]]
    assert world.in_step()


def test_a_mute_ends_the_alert_and_says_why_and_its_own_end_begins_it_anew(world: World) -> None:
    (incident,) = world.see(finding())
    world.go_on()
    until = world.clock.now() + timedelta(minutes=30)
    world.store.mute(incident.id, who="ada", at=world.clock.now(), until=until, reason="known")
    world.go_on(5)
    assert world.firing() == []
    (end,) = world.model.requests[-1]
    assert "Muted by ada until 2026-03-01 12:30:10 UTC: known" in end["annotations"]["description"]
    world.go_on(29 * 60)
    assert world.firing() == []
    world.go_on(60)
    assert len(world.firing()) == 1


def test_a_mute_that_is_lifted_begins_the_alert_anew(world: World) -> None:
    (incident,) = world.see(finding())
    world.go_on()
    world.store.mute(incident.id, who="ada", at=world.clock.now())
    world.go_on()
    world.store.unmute(incident.id, who="ada", at=world.clock.now())
    world.go_on()
    assert len(world.firing()) == 1


def test_an_acknowledged_incident_goes_on_firing(world: World) -> None:
    (incident,) = world.see(finding())
    world.go_on()
    world.store.acknowledge(incident.id, who="ada", at=world.clock.now())
    world.go_on(2 * RESEND)
    assert set(world.model.began.values()) == {1}
    (alert,) = world.model.requests[-1]
    assert "Acknowledged by ada." in alert["annotations"]["description"]
    assert len(world.firing()) == 1


def test_what_is_not_watched_any_more_ends(world: World) -> None:
    world.store.sync_subjects("games", "orphan_rows", ["public.t"], world.clock.now(), 60)
    world.see(finding())
    world.go_on()
    world.store.retire(set(), world.clock.now())
    world.go_on()
    assert world.firing() == []
    assert world.in_step()


def test_after_a_restart_all_that_is_firing_is_sent_at_once_and_so_is_what_ended(world: World) -> None:
    for subject in ("a", "b"):
        world.see(finding(), subject=subject)
    world.go_on()
    world.see(subject="b")
    world.restart()
    world.model.requests.clear()
    world.go_on(1)
    assert sorted(alert["labels"]["subject"] for alert in world.model.requests[0]) == ["a", "b"]
    assert [labels["subject"] for labels in world.firing()] == ["a"]
    assert set(world.model.began.values()) == {1}


@pytest.mark.parametrize("when", ["killed", "killed_later"])
@pytest.mark.parametrize("healed", [False, True])
def test_a_daemon_that_is_killed_while_it_sends_leaves_nothing_behind(
    world: World, when: str, healed: bool
) -> None:
    world.see(finding())
    world.model.weather = when
    with pytest.raises(Killed):
        world.go_on()
    world.model.weather = "up"
    if healed:
        world.see()
    world.restart()
    world.go_on()
    assert len(world.firing()) == (not healed)
    assert world.in_step()
    assert max(world.model.began.values(), default=1) == 1


@pytest.mark.parametrize("when", ["killed", "killed_later"])
def test_a_daemon_that_is_killed_while_it_tells_of_another_severity_leaves_one_alert(
    world: World, when: str
) -> None:
    world.see(WARNING)
    world.go_on()
    world.model.weather = when
    world.see(finding())
    with pytest.raises(Killed):
        world.go_on()
    world.model.weather = "up"
    world.restart()
    world.go_on()
    assert [labels["severity"] for labels in world.firing()] == ["critical"]
    assert world.in_step()


def test_other_configured_labels_replace_the_alert(world: World) -> None:
    world.see(finding())
    world.go_on()
    world.restart(team="data")
    world.go_on()
    assert [labels["team"] for labels in world.firing()] == ["data"]
    assert world.in_step()


def test_an_alertmanager_that_restarts_gets_everything_again(world: World) -> None:
    world.see(finding())
    world.go_on()
    world.model.restart()
    assert world.firing() == []
    world.go_on(RESEND)
    assert len(world.firing()) == 1


def test_an_alertmanager_that_was_down_gets_everything_as_soon_as_it_is_back(world: World) -> None:
    for subject in ("a", "b"):
        world.see(finding(), subject=subject)
    world.go_on(2)
    world.model.weather = "down"
    world.see(finding(), subject="c")
    world.go_on(20)
    world.model.restart()
    world.model.weather = "up"
    world.go_on(16)
    assert len(world.firing()) == 3


def test_attempts_become_rare_while_an_alertmanager_is_down_and_the_log_says_it_once(world: World) -> None:
    world.see(finding())
    world.model.weather = "down"
    with capture_logs() as logs:
        world.go_on(600)
        world.model.weather = "up"
        world.go_on(60)
    assert world.counts.failures["am:9093"] in range(40, 60)
    assert [(line["log_level"], line["event"]) for line in logs] == [
        ("warning", "an Alertmanager cannot be told of incidents"),
        ("info", "an Alertmanager is told of incidents again"),
    ]
    assert logs[0]["reason"] == "connection refused"


def test_what_waits_is_counted(world: World) -> None:
    world.model.weather = "down"
    for number in range(3):
        world.see(finding(), subject=f"t{number}")
    world.go_on(20)
    assert world.counts.waiting == {"am:9093": 3}
    world.model.weather = "up"
    world.go_on(20)
    assert world.counts.waiting == {"am:9093": 0}


def test_what_waits_is_counted_while_a_request_hangs(world: World) -> None:
    """It is asked from within one: of what was told before, only what goes on is repeated."""
    seen = []
    world.see(finding(), subject="told")
    world.go_on(2)

    def hangs(_: Alert) -> bool:
        for number in range(2):
            world.see(finding(), subject=f"new {number}")
        seen.append(world.counts.waiting["am:9093"])
        return False

    world.model.refuses = hangs
    while not seen:
        world.go_on(1)
    assert seen[0] == 2


def test_what_is_under_way_waits_until_it_is_accepted(world: World) -> None:
    seen = []
    world.model.refuses = lambda _: bool(seen.append(world.counts.waiting["am:9093"]))  # type: ignore[func-returns-value]
    world.see(finding())
    world.go_on(2)
    assert seen[0] == 1
    assert world.counts.waiting == {"am:9093": 0}


def test_what_was_given_up_waits(world: World) -> None:
    world.see(finding())
    world.go_on(2)
    world.model.weather = "unanswered"
    world.see()
    world.go_on(2)
    assert world.counts.waiting == {"am:9093": 1}
    assert world.counts.failures["am:9093"] > 0


def test_who_does_not_lead_has_nothing_waiting(world: World) -> None:
    world.model.weather = "down"
    world.see(finding())
    world.go_on(2)
    world.leads = False
    world.go_on(20)
    assert world.counts.waiting == {"am:9093": 0}


def test_no_alertmanager_waits_for_another() -> None:
    with World("one", "two") as world:
        world.models["one"].weather = "down"
        world.see(finding())
        world.go_on()
        assert [len(world.firing("one")), len(world.firing("two"))] == [0, 1]
        world.models["one"].weather = "up"
        world.go_on(20)
        assert world.in_step()


def test_a_new_alertmanager_gets_all_that_is_open_and_one_that_is_removed_is_forgotten() -> None:
    with World("one") as world:
        world.see(finding())
        world.go_on()
        world.models["two"] = replace(world.models["one"], held={}, requests=[])
        world.restart()
        world.go_on()
        assert world.in_step()
        world.store.outbox.keep(["http://two:9093"])
        assert world.noted("one") == set()
        assert len(world.noted("two")) == 1


def test_many_are_sent_in_batches(world: World) -> None:
    for number in range(3 * BATCH):
        world.see(finding(), subject=f"t{number}")
    world.go_on()
    assert [len(request) for request in world.model.requests] == [BATCH, BATCH, BATCH]


def test_what_is_new_does_not_wait_for_what_is_sent_again(world: World) -> None:
    for number in range(3 * BATCH):
        world.see(finding(), subject=f"t{number}")
    world.go_on()
    world.model.requests.clear()
    while not world.model.requests:
        world.go_on(0.01)
    world.see(finding(), subject="new")
    world.clock.sleep(0.1)
    world.senders["am"].turn()
    assert [alert["labels"]["subject"] for alert in world.model.requests[-1]] == ["new"]


def test_what_is_new_does_not_wait_for_what_was_told_before_a_restart(world: World) -> None:
    for number in range(3 * BATCH):
        world.see(finding(), subject=f"t{number}")
    world.go_on()
    world.restart()
    world.see(finding(), subject="new")
    world.model.requests.clear()
    world.senders["am"].turn()
    assert "new" in [alert["labels"]["subject"] for alert in world.model.requests[0]]


def test_a_refused_alert_costs_only_itself_and_one_line_in_the_log(world: World) -> None:
    for number in range(BATCH):
        world.see(finding(), subject=f"t{number}")
    world.model.refuses = lambda alert: alert["labels"]["subject"] == "t13"
    with capture_logs() as logs:
        world.go_on()
        assert len(world.firing()) == BATCH - 1
        world.go_on(5 * RESEND)
    (line,) = logs
    assert (line["log_level"], line["alertmanager"], line["reason"]) == ("error", "am:9093", "HTTP 400")
    assert world.counts.waiting == {"am:9093": 1}
    world.model.refuses = lambda _: False
    world.go_on(600)
    assert world.in_step()
    assert world.counts.waiting == {"am:9093": 0}


def test_a_refused_alert_whose_incident_is_over_is_forgotten(world: World) -> None:
    world.model.refuses = lambda alert: alert["labels"]["subject"] == "public.t"
    world.see(finding())
    world.go_on()
    world.see()
    world.go_on(700)
    assert world.in_step()
    assert world.counts.waiting == {"am:9093": 0}


def test_whoever_refuses_everything_is_no_alertmanager_and_no_alert_is_to_blame(world: World) -> None:
    world.model.accepts_nothing = True
    for number in range(BATCH):
        world.see(finding(), subject=f"t{number}")
    with capture_logs() as logs:
        world.go_on()
    assert [line["event"] for line in logs] == ["an Alertmanager cannot be told of incidents"]
    world.model.accepts_nothing = False
    world.go_on(20)
    assert world.in_step()


def test_who_does_not_lead_sends_nothing_and_who_leads_again_asks_the_store(world: World) -> None:
    world.see(finding())
    world.go_on()
    world.leads = False
    world.see()
    world.model.requests.clear()
    world.go_on(3 * RESEND)
    assert world.model.requests == []
    world.leads = True
    world.go_on()
    assert world.in_step()


def test_what_was_read_before_a_long_pause_is_not_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Meanwhile another one may have led, and the incident be over."""
    world.see(finding())
    deliver = world.store.outbox.deliver

    def frozen(*args: object) -> None:
        deliver(*args)  # type: ignore[arg-type]
        world.clock.sleep(3600)

    monkeypatch.setattr(world.store.outbox, "deliver", frozen)
    world.senders["am"].turn()
    assert world.model.requests == []
    monkeypatch.undo()
    world.go_on()
    assert world.in_step()


def test_a_store_that_fails_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise StoreError("state store: disk full")

    world.see(finding())
    monkeypatch.setattr(world.store.outbox, "deliver", broken)
    with capture_logs() as logs:
        world.go_on()
    assert world.model.requests == [], "nothing is told that would not be known after a restart"
    assert [line["reason"] for line in logs] == ["state store: disk full"]
    monkeypatch.undo()
    world.go_on(20)
    assert world.in_step()


def test_a_stopped_sender_sends_nothing(world: World) -> None:
    world.see(finding())
    world.senders["am"].stopped = True
    world.go_on()
    assert world.model.requests == []


@pytest.mark.parametrize("skew", [-3600, -90, -0.7, 0.7, 90, 86_400])
def test_an_alertmanager_whose_clock_is_wrong_fires_and_resolves_all_the_same(skew: float) -> None:
    with World(skew=timedelta(seconds=skew)) as world:
        world.see(finding())
        world.go_on(2 * RESEND)
        assert len(world.firing()) == 1
        world.see()
        world.go_on(10)
        assert world.firing() == []
        assert world.in_step()


@pytest.mark.parametrize("jump", [-86_400, 86_400])
def test_a_clock_that_is_set_right_holds_no_alert_up(world: World, jump: float) -> None:
    world.clock.wrong = timedelta(seconds=jump)
    world.see(finding())
    world.go_on(2 * RESEND)
    assert len(world.firing()) == 1
    world.clock.wrong = timedelta()
    world.go_on(2 * RESEND)
    assert len(world.firing()) == 1
    world.see()
    world.go_on(10)
    assert world.firing() == []
    assert world.in_step()


def test_what_comes_back_after_it_was_stopped_counts_for_nothing(world: World) -> None:
    """Another one, of another configuration, may be at work by then."""
    (incident,) = world.see(finding())
    sender = world.senders["am"]
    world.model.refuses = lambda _: setattr(sender, "stopped", True) or False  # type: ignore[func-returns-value]
    with capture_logs() as logs:
        sender.turn()
    assert len(world.model.requests) == 1
    assert world.counts.accepted_alerts == {}
    assert logs == []
    assert world.store.outbox.delivered("http://am:9093") == [incident.id]
