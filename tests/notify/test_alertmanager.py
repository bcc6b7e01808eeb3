"""The notifier, a real Alertmanager behind it, and whoever is paged behind that."""

from __future__ import annotations

import signal
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from pgvigil.check import Severity
from pgvigil.clock import SystemClock
from pgvigil.config.notifying import Notify
from pgvigil.notify import Notifier
from pgvigil.store import Store
from tests.alertmanager import running_alertmanager
from tests.incident.life import finding, run
from tests.notify.daemon import run_until_killed
from tests.notify.model import Counted
from tests.webhook import receiving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pgvigil.check import Finding
    from pgvigil.incident import Incident
    from tests.alertmanager import Alertmanager
    from tests.webhook import Notification, Webhook

# Every alert is a group of its own, so that notifications can be counted.
CONFIG = """
route: {{receiver: hook, group_by: ["..."], group_wait: 100ms, group_interval: 1s, repeat_interval: 4h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}", send_resolved: true}}]}}]
"""
URL = "https://pgvigil.example.org"


class Site:
    """A store and those who are notified of what is in it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.counts = Counted()
        self.notifier: Notifier | None = None

    def see(self, *found: Finding, subject: str = "public.t") -> list[Incident]:
        """Commit a run that ends now, and say so."""
        now = SystemClock().now()
        one = replace(run(*found, subject=subject), started_at=now, finished_at=now)
        incidents = list(self.store.record(one).incidents)
        self.wake()
        return incidents

    def wake(self) -> None:
        if self.notifier:
            self.notifier.wake()

    @contextmanager
    def notifying(self, *urls: str, **settings: Any) -> Iterator[Notifier]:
        settings = {"alertmanagers": [{"url": url} for url in urls], "resend": "1s", **settings}
        leading = lambda: True  # noqa: E731 - nobody else is there
        self.notifier = Notifier(
            self.store, Notify.model_validate(settings), url=URL, leading=leading, counts=self.counts
        )
        self.notifier.start()
        try:
            yield self.notifier
        finally:
            self.notifier.stop()
            self.notifier = None


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/pgvigil.db"


@pytest.fixture
def site(store_url: str) -> Iterator[Site]:
    with Store.open(store_url) as store:
        yield Site(store)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with receiving() as webhook:
        yield webhook


@pytest.fixture
def alertmanager(webhook: Webhook) -> Iterator[Alertmanager]:
    with running_alertmanager(CONFIG.format(url=webhook.url("pager"))) as running:
        yield running


def about(subject: str, status: str = "firing") -> Callable[[Notification], bool]:
    return lambda one: any(
        alert["labels"]["subject"] == subject and alert["status"] == status for alert in one.alerts
    )


def told(webhook: Webhook, path: str = "pager") -> Counter[tuple[str, str]]:
    """Return how often somebody was told what of each subject."""
    return Counter(
        (alert["labels"]["subject"], alert["status"]) for one in webhook.to(path) for alert in one.alerts
    )


def until(happened: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something has happened that nobody announces."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def notified(alertmanager: Alertmanager) -> int:
    """Return how many notifications it has sent and written down; those it has not, it would repeat."""
    name = 'alertmanager_notification_requests_total{integration="webhook"}'
    lines = str(alertmanager.ask("/metrics")).splitlines()
    return sum(int(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def sent_again(site: Site, alertmanager: Alertmanager, times: int) -> Callable[[], bool]:
    name = alertmanager.url.removeprefix("http://")
    wanted = site.counts.accepted_alerts[name] + times
    return lambda: site.counts.accepted_alerts[name] >= wanted


def test_one_page_when_it_opens_none_while_it_stays_one_word_when_it_is_over(
    site: Site, alertmanager: Alertmanager, webhook: Webhook
) -> None:
    with site.notifying(alertmanager.url):
        (incident,) = site.see(finding(rows=3))
        paged = webhook.wait_for(about("public.t"))
        (alert,) = paged.alerts
        assert alert["generatorURL"] == f"{URL}/incidents/{incident.id}"
        assert "Count 3" in alert["annotations"]["description"]
        until(sent_again(site, alertmanager, 4))
        assert told(webhook) == {("public.t", "firing"): 1}
        site.see()
        webhook.wait_for(about("public.t", "resolved"))
        # Said again to the Alertmanager, not to people.
        until(sent_again(site, alertmanager, 3))
        assert told(webhook) == {("public.t", "firing"): 1, ("public.t", "resolved"): 1}


def test_one_with_a_path_prefix_is_told_there_and_nowhere_else(site: Site, webhook: Webhook) -> None:
    config = CONFIG.format(url=webhook.url("pager"))
    with running_alertmanager(config, prefix="/team/a") as alertmanager:
        above = alertmanager.url.removesuffix("/a")
        with site.notifying(alertmanager.url, above):
            site.see(finding())
            webhook.wait_for(about("public.t"))
            until(sent_again(site, alertmanager, 2))
            until(lambda: site.counts.failures[above.removeprefix("http://")] >= 2)
    assert site.counts.failures.keys() == {above.removeprefix("http://")}
    assert told(webhook) == {("public.t", "firing"): 1}


def test_a_fault_that_comes_back_is_a_new_page(
    site: Site, alertmanager: Alertmanager, webhook: Webhook
) -> None:
    with site.notifying(alertmanager.url):
        for _ in range(2):
            webhook.clear()
            site.see(finding())
            webhook.wait_for(about("public.t"))
            site.see()
            webhook.wait_for(about("public.t", "resolved"))


def test_a_mute_ends_the_page_and_its_lifting_is_a_new_one(
    site: Site, alertmanager: Alertmanager, webhook: Webhook
) -> None:
    with site.notifying(alertmanager.url):
        (incident,) = site.see(finding())
        webhook.wait_for(about("public.t"))
        site.store.mute(incident.id, who="ada", at=SystemClock().now(), reason="known")
        site.wake()
        over = webhook.wait_for(about("public.t", "resolved"))
        assert "Muted by ada: known" in over.alerts[0]["annotations"]["description"]
        webhook.clear()
        site.store.unmute(incident.id, who="ada", at=SystemClock().now())
        site.wake()
        webhook.wait_for(about("public.t"))


def test_another_severity_is_another_alert_in_place_of_the_first(
    site: Site, alertmanager: Alertmanager, webhook: Webhook
) -> None:
    with site.notifying(alertmanager.url):
        site.see(finding(severity=Severity.WARNING))
        webhook.wait_for(about("public.t"))
        webhook.clear()
        site.see(finding(severity=Severity.CRITICAL))
        paged = webhook.wait_for(about("public.t"))
        over = webhook.wait_for(about("public.t", "resolved"))
        severities = [one.alerts[0]["labels"]["severity"] for one in (paged, over)]
        assert severities == ["critical", "warning"]


def test_nothing_is_lost_and_nothing_doubled_while_alertmanager_is_down(
    site: Site, alertmanager: Alertmanager, webhook: Webhook
) -> None:
    name = alertmanager.url.removeprefix("http://")
    with site.notifying(alertmanager.url):
        for subject in ("stays", "ends"):
            site.see(finding(), subject=subject)
            webhook.wait_for(about(subject))
        until(lambda: notified(alertmanager) == 2)
        alertmanager.stop()
        site.see(subject="ends")
        site.see(finding(), subject="begins")
        site.see(finding(), subject="comes and goes")
        failures = site.counts.failures[name]
        until(lambda: site.counts.failures[name] >= failures + 3)
        assert site.counts.waiting[name] == 3
        site.see(subject="comes and goes")
        alertmanager.start()
        webhook.wait_for(about("begins"))
        webhook.wait_for(about("ends", "resolved"))
        until(sent_again(site, alertmanager, 6))
        assert told(webhook) == {
            ("stays", "firing"): 1,
            ("ends", "firing"): 1,
            ("ends", "resolved"): 1,
            ("begins", "firing"): 1,
        }
        assert site.counts.waiting[name] == 0


def test_an_alertmanager_that_is_killed_before_it_could_tell_of_an_end_is_told_of_it_again(
    site: Site, webhook: Webhook
) -> None:
    slow = CONFIG.format(url=webhook.url("pager")).replace("group_interval: 1s", "group_interval: 1h")
    with running_alertmanager(slow) as alertmanager, site.notifying(alertmanager.url):
        site.see(finding())
        webhook.wait_for(about("public.t"))
        site.see()
        until(lambda: alertmanager.alerts() == [])
        until(lambda: notified(alertmanager) == 1)
        # It ends in order, with its log of notifications, and has forgotten the alert that it had yet to end.
        alertmanager.stop()
        alertmanager.start()
        webhook.wait_for(about("public.t", "resolved"))
        assert told(webhook) == {("public.t", "firing"): 1, ("public.t", "resolved"): 1}


def test_two_alertmanagers_get_everything_and_neither_waits_for_the_other(
    site: Site, webhook: Webhook
) -> None:
    with ExitStack() as stack:
        one, two = (
            stack.enter_context(running_alertmanager(CONFIG.format(url=webhook.url(path))))
            for path in ("one", "two")
        )
        stack.enter_context(site.notifying(one.url, two.url))
        site.see(finding(), subject="a")
        until(lambda: told(webhook, "one") == told(webhook, "two") == {("a", "firing"): 1})
        one.kill()
        site.see(finding(), subject="b")
        webhook.wait_for(lambda got: got.path == "/two" and about("b")(got))
        one.start()
        webhook.wait_for(lambda got: got.path == "/one" and about("b")(got))


@pytest.mark.parametrize("when", ["commit", "before", "after"])
def test_a_daemon_killed_between_commit_and_answer_pages_once(
    store_url: str, alertmanager: Alertmanager, webhook: Webhook, when: str
) -> None:
    """It is killed after the commit; after it, when it is about to send; and before the answer arrives."""
    assert run_until_killed(store_url, alertmanager.url, when) == -signal.SIGKILL
    assert len(alertmanager.alerts()) == (when == "after")
    with Store.open(store_url) as store:
        site = Site(store)
        subject = run().subject
        with site.notifying(alertmanager.url):
            webhook.wait_for(about(subject))
            until(sent_again(site, alertmanager, 2))
            site.see(subject=subject)
            webhook.wait_for(about(subject, "resolved"))
        assert told(webhook) == {(subject, "firing"): 1, (subject, "resolved"): 1}


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_healed_while_the_killed_daemon_was_away_is_firing_nowhere(
    store_url: str, alertmanager: Alertmanager, when: str
) -> None:
    assert run_until_killed(store_url, alertmanager.url, when) == -signal.SIGKILL
    with Store.open(store_url) as store:
        site = Site(store)
        site.see(subject=run().subject)
        with site.notifying(alertmanager.url):
            until(lambda: store.outbox.delivered(alertmanager.url) == [])
        assert alertmanager.alerts() == []


def test_what_an_alertmanager_was_told_before_a_restart_ends_after_it(
    site: Site, alertmanager: Alertmanager, webhook: Webhook
) -> None:
    with site.notifying(alertmanager.url):
        site.see(finding())
        webhook.wait_for(about("public.t"))
    site.see()
    with site.notifying(alertmanager.url):
        webhook.wait_for(about("public.t", "resolved"))


HOSTILE = {
    "html": "<script>alert(1)</script> & \"quotes\" '{{ template }}' {{ .Labels }}",
    "control": "\0\x01\x1b[31m\x7f\r\n\t\u202e\ufeff",
    "surrogate": "\ud800 and \udfff",
    "astral": "🦊 здравствуй" * 50,
    "huge": "x" * 1_000_000,
}


def test_whatever_a_finding_says_a_real_alertmanager_takes_it(
    site: Site, alertmanager: Alertmanager, webhook: Webhook
) -> None:
    with site.notifying(alertmanager.url, samples=100):
        for name, text in HOSTILE.items():
            hostile = replace(
                finding(),
                title=text,
                remedy=text,
                evidence_sql=text,
                sample=({text: text, "id": [text]},) * 3,
            )
            site.see(hostile, subject=name)
            webhook.wait_for(about(name))
        subject = HOSTILE["html"] + "\x1b\n🦊" + "s" * 9000
        site.see(finding(), subject=subject)
        webhook.wait_for(about(subject))
        site.see(subject=subject)
        webhook.wait_for(about(subject, "resolved"))
    assert site.counts.failures == {}


@contextmanager
def limit(alertmanager: Alertmanager, most_bytes: int) -> Iterator[str]:
    """Stand before an Alertmanager as a proxy does that takes no large requests."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = 413 if len(body) > most_bytes else self._forwarded(body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _forwarded(self, body: bytes) -> int:
            request = Request(  # noqa: S310 - our own loopback
                alertmanager.url + self.path, body, {"Content-Type": self.headers["Content-Type"]}
            )
            try:
                with urlopen(request) as answer:  # noqa: S310
                    return int(answer.status)
            except HTTPError as error:
                with error:
                    return error.code

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=[0.02], daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_an_alert_that_is_refused_holds_up_no_other(
    site: Site, alertmanager: Alertmanager, webhook: Webhook
) -> None:
    for number in range(20):
        site.see(finding(), subject="s" * 100_000 if number == 7 else f"t{number}")
    with limit(alertmanager, 60_000) as url, site.notifying(url):
        until(lambda: len(alertmanager.alerts()) == 19)
        site.see(finding(), subject="after")
        webhook.wait_for(about("after"))
        assert site.counts.waiting[url.removeprefix("http://")] == 1
