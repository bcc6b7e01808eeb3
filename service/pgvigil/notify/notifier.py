"""The notifier: one thread for each Alertmanager, so that none waits for another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pgvigil.clock import Clock, SystemClock
from pgvigil.config.notifying import Notify
from pgvigil.notify.alerts import Form
from pgvigil.notify.client import Client, name_of
from pgvigil.notify.sender import Address, Counts, Sender
from pgvigil.store import Store

_STOP_SECONDS = 1.0


@dataclass
class _Line:
    """One Alertmanager's thread, and what it works with."""

    name: str
    client: Client
    sender: Sender
    woken: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def run(self) -> None:
        """Let the sender work until it is stopped."""
        while not self.sender.stopped:
            seconds = self.sender.turn()
            if seconds and self.woken.wait(seconds):
                self.woken.clear()
        self.client.close()


class Notifier:
    """Tells the configured Alertmanagers of incidents, between `start` and `stop`, while `leading` says so.

    `url` is where people reach the console. `beside` finds a path that the configuration names. A notifier is
    started once; another configuration takes another one, after this one was stopped. The metrics' names of
    the Alertmanagers are `names`.
    """

    def __init__(
        self,
        store: Store,
        settings: Notify,
        *,
        url: str,
        leading: Callable[[], bool],
        counts: Counts,
        beside: Callable[[Path], Path] = Path,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._keys = [one.url for one in settings.alertmanagers]
        form = Form(url, settings.samples, settings.hold, settings.labels)
        self._lines = []
        for one in settings.alertmanagers:
            client = Client(one, beside(one.ca_file) if one.ca_file else None)
            name = name_of(one.url)
            sender = Sender(
                store,
                Address(one.url, name, client),
                form,
                settings.resend.total_seconds(),
                leading,
                counts,
                clock or SystemClock(),
            )
            self._lines.append(_Line(name, client, sender))

    @property
    def names(self) -> list[str]:
        """What the Alertmanagers are called in metrics and logs."""
        return [line.name for line in self._lines]

    def start(self) -> None:
        """Begin to send; what Alertmanagers were told that are not configured any more is forgotten.

        Raises StoreError when the store cannot be written, or somebody else leads.
        """
        self._store.outbox.keep(self._keys)
        for line in self._lines:
            line.thread = threading.Thread(target=line.run, name=f"notify {line.name}", daemon=True)
            line.thread.start()

    def wake(self) -> None:
        """Look at once: something was committed. Waits for nothing."""
        for line in self._lines:
            line.woken.set()

    def stop(self) -> None:
        """Send nothing more; what is under way gets a second to end, and is left behind then.

        What was not told is in the store, for the next one.
        """
        for line in self._lines:
            line.sender.stopped = True
        self.wake()
        deadline = time.monotonic() + _STOP_SECONDS
        for line in self._lines:
            if line.thread is not None:
                line.thread.join(max(0.0, deadline - time.monotonic()))
