"""What one Alertmanager holds: a small entry of each incident in memory, the labels in the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pgvigil.check import Severity
from pgvigil.notify.alerts import Form, Moment, severity_told
from pgvigil.notify.message import Message, compose
from pgvigil.store import Delivery, LiveIncident, Store


class _Unknown:
    """What was told by an earlier process: it differs from everything."""


_UNKNOWN = _Unknown()


class Holdings:
    """Knows what an Alertmanager, by its `key` in the store, holds, and what is to be said to it therefore.

    What it may hold is committed before it is told, what it holds when it has accepted. Methods that touch
    the store raise StoreError, and NotLeaderError when somebody else leads.
    """

    def __init__(self, store: Store, key: str, form: Form) -> None:
        self._store = store
        self._key = key
        self._form = form
        # The severity under which an incident is firing there.
        self._told: dict[str, Severity | _Unknown] = dict.fromkeys(store.outbox.delivered(key), _UNKNOWN)
        # What it surely has not heard, although the store has to allow for it.
        self._unheard: set[str] = set()

    def changed(self, live: Mapping[str, LiveIncident], at: datetime) -> list[str]:
        """Return the incidents of which it holds something else than is so, the news first.

        For any thread: what another one is told of meanwhile is seen or not.
        """
        told = self._told
        names = [
            name for name, one in live.items() if told.get(name) is not severity_told(one, one.severity, at)
        ]
        names += [name for name in list(told) if name not in live]
        return sorted(names, key=lambda name: told.get(name) is _UNKNOWN)

    def firing(self) -> list[str]:
        """Return the incidents that it was told of as firing."""
        return [name for name, what in self._told.items() if what is not _UNKNOWN]

    def messages(self, names: Sequence[str], moment: Moment) -> list[Message]:
        """Return what to say about these incidents; it is allowed for that it is heard."""
        found = self._store.outbox.deliveries(self._key, names)
        over = [one.incident for one in found if one.labels and not one.incident.live]
        again = self._store.outbox.recurrences(self._key, over) if over else []
        messages = [
            compose(
                one,
                [other for other in again if _same_fault(one, other)],
                self._form,
                moment,
                heard=one.incident.id not in self._unheard,
            )
            for one in found
        ]
        pairs = list(zip(found, messages, strict=True))
        changed = {new.incident: new.before for old, new in pairs if new.before != old.labels}
        if changed:
            self._store.outbox.deliver(self._key, changed, moment.ours)
        for old, new in pairs:
            if new.before and not old.labels:
                self._unheard.add(new.incident)
                self._told.setdefault(new.incident, _UNKNOWN)
        for name in set(names) - {message.incident for message in messages}:
            self._hold(name, None)
        self.settle([message for message in messages if not message.alerts], moment.ours)
        return [message for message in messages if message.alerts]

    def heard(self, names: Iterable[str]) -> None:
        """Note that it may have been told of these incidents."""
        self._unheard.difference_update(names)

    def settle(self, messages: Iterable[Message], now: datetime) -> None:
        """Commit what it holds now that it has accepted the messages."""
        settled = list(messages)
        changed = {one.incident: one.after for one in settled if one.after != one.before}
        if changed:
            self._store.outbox.deliver(self._key, changed, now)
        for one in settled:
            self._hold(one.incident, one.severity or (_UNKNOWN if one.after else None))

    def _hold(self, name: str, what: Severity | _Unknown | None) -> None:
        if what is None:
            self._told.pop(name, None)
            self._unheard.discard(name)
        else:
            self._told[name] = what


def _same_fault(one: Delivery, other: Delivery) -> bool:
    return (one.incident.target, one.incident.fingerprint) == (
        other.incident.target,
        other.incident.fingerprint,
    )
