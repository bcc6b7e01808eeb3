"""The change gate: what need not be looked at again, as nothing was written since it was.

The target's position is read before anything else of a tick. A verdict that was reached at the same position
still stands: no transaction was committed on the whole server in between.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib import metadata
from typing import Any

from pydantic import SecretBytes, SecretStr

from pgvigil import __version__
from pgvigil.asked import Asked
from pgvigil.check import Check, Subject
from pgvigil.incident import State
from pgvigil.metrics import Changes, GateState
from pgvigil.position import read_position
from pgvigil.reads import by_wal_alone
from pgvigil.sight import Sight
from pgvigil.store import CoverageState, Note, View
from pgvigil.watch import Watch

_SEVERAL = "the DSN has several hosts, and each look may go to another one"
_APART = "two sessions of the DSN led to two servers, or the server was restarted between them"
_UNTOLD = "the server does not tell its position in the WAL"


class ChangeGate:
    """Lets through what has to be looked at, on one target; safe for several threads."""

    def __init__(self, watch: Watch) -> None:
        self._target = watch.target.name
        # With several servers in one DSN a run may see another one than that whose position was read.
        gated = watch.full_every is not None and not watch.target.has_several_hosts
        self._full = timedelta(seconds=watch.full_every or 0) if gated else None
        self._full_every = watch.full_every
        self._changes = watch.changes
        self._several_hosts = _SEVERAL if watch.target.has_several_hosts else ""
        self._settings = {name: _settings(watch, check) for name, check in watch.checks.items()}
        self._asked = Asked()
        self._last: Sight | None = None
        self._apart = ""

    def state(self) -> GateState:
        """Return what spares runs at the moment; waits for nobody."""
        changes, last = self._changes, self._last
        configured: Changes = "logical" if changes else "none" if self._full_every is None else "position"
        why = self._several_hosts or ("" if last is None or last.position else self._apart or _UNTOLD)
        in_force: Changes = "none" if why or self._full is None else "position"
        if changes is not None:
            in_force = "logical" if changes.known else in_force
            why = "" if changes.known else changes.obstacle or why
        return GateState(
            configured,
            None if last is None else in_force,
            why=why if configured != "none" else "",
            full_every=self._full_every,
            retained=changes.retained if changes else None,
            retention=changes.retention if changes else None,
        )

    def ask(self, check: str) -> None:
        """Let the next tick of a check look at everything: somebody wants to know."""
        self._asked.ask(check)

    def asked(self, check: str) -> bool:
        """Tell, once, whether somebody wants to know."""
        return self._asked.take(check)

    def look(self, watch: Watch, *, anew: bool = False) -> Sight:
        """Read where the target is, and its catalog, unless that is known from there; raises TargetError."""
        position = read_position(watch.target)
        last = self._last
        trusted = self._full is not None and position is not None
        if trusted and not anew and last is not None and position == last.position:
            return last
        catalog = watch.target.read_catalog(watch.scope)
        apart = position is not None and catalog.server != position.started
        self._apart = _APART if apart else ""
        sight = Sight(catalog, None if apart else position)
        self._last = sight
        return sight

    def key(self, check: str, sight: Sight) -> str:
        """Return what stands for a target's position and all else that decides a verdict; else empty."""
        if self._full is None or sight.position is None:
            return ""
        return _digest(self._settings[check], sight.position.text)

    def definition(self, check: str, subject: Subject, sight: Sight) -> str:
        """Return what stands for the tables of a subject for as long as they are the same files; else empty.

        A scan that was broken off can go on for as long as it stays the same: with another collation of a
        column its rows would come in another order.
        """
        if not (subject.reads or subject.walks) or sight.position is None:
            return ""
        tables = [
            table.shape
            for one in subject.reads or subject.walks
            for table in sight.catalog.with_all_below(one)
        ]
        return _digest(self._settings[check], sight.position.server, subject.name, repr(tables))

    def standing(
        self,
        check: str,
        subjects: Iterable[Subject],
        sight: Sight,
        notes: Mapping[str, Note],
        view: View,
        now: datetime,
    ) -> Iterator[str]:
        """Yield the names of the subjects whose last verdict still stands."""
        key = self.key(check, sight)
        if not key or self._full is None:
            return
        ours = self._target, check
        suspects = _suspects(view, ours)
        for subject in subjects:
            note, status = notes.get(subject.name), view.subjects.get((*ours, subject.name))
            if note is None or note.position != key or note.examined_at is None or status is None:
                continue
            # A clock that was set back makes nothing young.
            young = timedelta(0) <= now - note.examined_at < self._full
            completed = status.outcome is not None and status.outcome.completed
            known = completed and status.state is not CoverageState.UNKNOWN
            if young and known and subject.name not in suspects and by_wal_alone(subject, sight.catalog):
                yield subject.name


def _suspects(view: View, key: tuple[str, str]) -> set[str]:
    """Return the subjects that wait for the run that confirms or drops a suspect."""
    return {
        one.subject
        for one in view.incidents.values()
        if (one.target, one.check) == key and one.state is State.SUSPECT
    }


def _settings(watch: Watch, check: Check[Any]) -> str:
    """Return all that decides what a check finds beside the database."""
    kind = type(check)
    params = check.params.model_dump(mode="python")
    return repr(
        (
            __version__,
            _distributions(kind.__module__.partition(".")[0]),
            f"{kind.__module__}.{kind.__qualname__}",
            json.dumps(params, default=_plain, sort_keys=True),
            watch.scope,
            watch.runner.limits.sample,
            watch.target.address,
            watch.target.standby.address if watch.target.standby else "",
        )
    )


def _plain(value: object) -> str:
    """Return what JSON has no word for; of a secret its content, as nobody is shown what is digested."""
    if isinstance(value, SecretStr | SecretBytes):
        return str(value.get_secret_value())
    return repr(value)


@cache
def _distributions(package: str) -> tuple[str, ...]:
    """Return the installed versions of what a package of checks comes from."""
    names = metadata.packages_distributions().get(package, ())
    return tuple(sorted(f"{name} {metadata.version(name)}" for name in set(names)))


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()
