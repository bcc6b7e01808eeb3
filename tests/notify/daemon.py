"""A process that records a run and notifies, and is killed in the middle: what a daemon may come to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from pgvigil.config.notifying import Notify
from pgvigil.notify import Notifier
from pgvigil.notify.client import Client
from pgvigil.store import Store
from tests.incident.life import finding, run
from tests.notify.model import Counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pgvigil.notify.alerts import Alert
    from pgvigil.notify.client import Answer


def run_until_killed(store_url: str, alertmanager: str, when: str) -> int:
    """Run such a process, and return its exit status; `when` is a word of `main`."""
    command = [sys.executable, "-m", "tests.notify.daemon", store_url, alertmanager, when]
    return subprocess.run(command, check=False, timeout=60).returncode


def main(store_url: str, alertmanager: str, when: str) -> None:
    """Record a fault, and die between the commit and the request, or between the request and its answer."""
    with Store.open(store_url) as store:
        assert store.lead()
        if when == "before":
            Client.__call__ = _die_before  # type: ignore[method-assign]
        elif when == "after":
            Client.__call__ = _die_after  # type: ignore[method-assign]
        settings = Notify.model_validate({"alertmanagers": [{"url": alertmanager}]})
        notifier = Notifier(
            store, settings, url="http://console", leading=lambda: store.leading, counts=Counted()
        )
        notifier.start()
        store.record(run(finding()))
        if when == "commit":
            die()
        notifier.wake()
        threading.Event().wait(50)


_call = Client.__call__


def _die_before(_: Client, alerts: Sequence[Alert]) -> Answer:
    die()
    raise AssertionError(alerts)


def _die_after(client: Client, alerts: Sequence[Alert]) -> Answer:
    _call(client, alerts)
    die()
    raise AssertionError(alerts)


def die() -> None:
    """End as a power cut would: at once, and with nothing put in order."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
