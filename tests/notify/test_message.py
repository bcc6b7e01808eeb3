"""What has to be said, from what is so and what an Alertmanager may hold."""

from __future__ import annotations

from dataclasses import replace

from pgvigil.check import Severity
from pgvigil.incident import Incident, Mark
from pgvigil.notify.alerts import Form, Moment, labels_of
from pgvigil.notify.message import Message, compose
from pgvigil.store import Delivery
from tests.incident.life import Book, at, finding, run

FORM = Form("https://pgvigil.example.org")
NOW = Moment(at(60), at(60))


def recurring() -> tuple[Incident, Incident]:
    """Return an incident that is over, and the one of the same fault that came after it."""
    book = Book()
    for minutes, found in enumerate([[finding()], [], [finding()]]):
        book.see(run(*found, minutes=minutes))
    over, again = book.incidents.values()
    return over, again


def held(incident: Incident, *severities: Severity) -> Delivery:
    """Return what is held of an incident, under these severities."""
    labels = labels_of(incident, FORM)
    return Delivery(incident, tuple(labels | {"severity": str(severity)} for severity in severities))


def said(message: Message) -> list[str]:
    over = [f"{alert['labels']['severity']} over" for alert in message.ends]
    return over + [f"{alert['labels']['severity']} firing" for alert in message.fires]


def test_what_may_be_held_is_known_before_it_is_said_and_what_is_held_after() -> None:
    _, one = recurring()
    message = compose(held(one, Severity.WARNING, Severity.INFO), [], FORM, NOW)
    assert said(message) == ["warning over", "info over", "critical firing"]
    assert [labels["severity"] for labels in message.before] == ["warning", "info", "critical"]
    assert [labels["severity"] for labels in message.after] == ["critical"]


def test_an_end_leaves_nothing() -> None:
    over, _ = recurring()
    message = compose(held(over, Severity.CRITICAL), [], FORM, NOW)
    assert (said(message), message.after, message.severity) == (["critical over"], (), None)


def test_nothing_ends_that_fires_for_another_incident_which_takes_it_over() -> None:
    over, again = recurring()
    message = compose(held(over, Severity.CRITICAL), [held(again, Severity.CRITICAL)], FORM, NOW)
    assert (said(message), message.after) == ([], ())


def test_it_is_kept_as_long_as_the_other_one_is_not_known_to_have_it() -> None:
    """Were the other one over before it was told, nobody would end it."""
    over, again = recurring()
    delivery = held(over, Severity.CRITICAL)
    message = compose(delivery, [held(again)], FORM, NOW)
    assert (said(message), message.after) == ([], delivery.labels)


def test_what_the_other_one_has_under_another_severity_ends() -> None:
    over, again = recurring()
    delivery = held(over, Severity.WARNING, Severity.CRITICAL)
    message = compose(delivery, [held(again, Severity.CRITICAL)], FORM, NOW)
    assert (said(message), message.after) == (["warning over"], ())


def test_it_ends_when_the_other_one_is_muted() -> None:
    over, again = recurring()
    muted = replace(again, muted=Mark("ada", at(5)))
    assert said(compose(held(over, Severity.CRITICAL), [held(muted)], FORM, NOW)) == ["critical over"]


def test_what_was_surely_never_heard_is_not_said_to_be_over() -> None:
    over, _ = recurring()
    message = compose(held(over, Severity.CRITICAL), [], FORM, NOW, heard=False)
    assert (said(message), message.before, message.after) == ([], (), ())
