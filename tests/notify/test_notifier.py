"""The notifier's threads: they begin, are woken, and end whatever an Alertmanager does."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pgvigil.config.notifying import Notify
from pgvigil.errors import NotLeaderError
from pgvigil.notify import Notifier
from pgvigil.store import Store
from tests.incident.life import START, finding, run
from tests.notify.model import Counted
from tests.notify.test_client import serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open("sqlite://") as store:
        yield store


def notifier(store: Store, *urls: str, counts: Counted | None = None, **settings: Any) -> Notifier:
    return Notifier(
        store,
        Notify.model_validate({"alertmanagers": [{"url": url} for url in urls], **settings}),
        url="https://pgvigil.example.org",
        leading=lambda: True,
        counts=counts or Counted(),
    )


class Announced(Counted):
    """Counts, and lets others wait for what is accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.news = threading.Condition()

    def accepted(self, alertmanager: str, alerts: int) -> None:
        with self.news:
            super().accepted(alertmanager, alerts)
            self.news.notify_all()

    def wait_for(self, alertmanager: str, alerts: int) -> None:
        with self.news:
            assert self.news.wait_for(lambda: self.accepted_alerts[alertmanager] >= alerts, 60)


@contextmanager
def silent() -> Iterator[tuple[str, threading.Event]]:
    """Listen, and never answer; the event tells that somebody has asked."""
    asked = threading.Event()
    lines = []

    def listen(listener: socket.socket) -> None:
        line, _ = listener.accept()
        lines.append(line)
        line.recv(10)
        asked.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, args=[listener], daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        for line in lines:
            line.close()


def test_an_alertmanager_that_never_answers_holds_up_neither_the_others_nor_the_end(store: Store) -> None:
    counts = Announced()
    (incident,) = store.record(run(finding())).incidents
    with silent() as (url, asked), serving() as server:
        notifies = notifier(store, url, server.url, counts=counts)
        notifies.start()
        counts.wait_for(server.url.removeprefix("http://"), 1)
        assert asked.wait(60)
        notifies.stop()
        assert store.outbox.delivered(url) == [incident.id], "the next one knows that it may have been heard"


def test_what_waits_is_known_while_an_alertmanager_does_not_answer(store: Store) -> None:
    counts = Counted()
    store.record(run(finding(), subject="a"))
    with silent() as (url, asked):
        notifies = notifier(store, url, counts=counts)
        notifies.start()
        assert asked.wait(60)
        store.record(run(finding(), subject="b"))
        assert counts.waiting == {url.removeprefix("http://"): 2}
        notifies.stop()


def test_it_is_woken_by_a_commit(store: Store) -> None:
    counts = Announced()
    with serving() as server:
        notifies = notifier(store, server.url, counts=counts)
        notifies.start()
        for number in range(5):
            store.record(run(finding(), subject=f"public.t{number}"))
            notifies.wake()
            counts.wait_for(server.url.removeprefix("http://"), number + 1)
        notifies.stop()


def test_its_threads_end_with_it(store: Store) -> None:
    with serving() as server:
        notifies = notifier(store, server.url)
        notifies.start()
        names = {f"notify {name}" for name in notifies.names}
        assert names <= {thread.name for thread in threading.enumerate()}
        notifies.stop()
        assert names.isdisjoint(thread.name for thread in threading.enumerate())


def test_it_may_be_stopped_before_it_was_started(store: Store) -> None:
    notifies = notifier(store, "http://one:9093")
    notifies.wake()
    notifies.stop()


def test_without_alertmanagers_it_forgets_what_others_were_told(store: Store) -> None:
    (incident,) = store.record(run(finding())).incidents
    store.outbox.deliver("http://one:9093", {incident.id: [{"alertname": "x"}]}, START)
    notifies = notifier(store)
    notifies.start()
    notifies.stop()
    assert (notifies.names, store.outbox.delivered("http://one:9093")) == ([], [])


def test_who_does_not_lead_cannot_start_it(store: Store) -> None:
    store.lead()
    store._leadership.release()
    with pytest.raises(NotLeaderError):
        notifier(store, "http://one:9093").start()
