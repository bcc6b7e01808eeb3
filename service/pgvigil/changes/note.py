"""What one run learns of changes, and what it leaves so that the next one can."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pgvigil.catalog import Table
from pgvigil.changes.history import gather
from pgvigil.changes.lines import Change, Kind, Values
from pgvigil.changes.look import Fetch, Look, look
from pgvigil.check import JsonValue, Touched

if TYPE_CHECKING:
    from pgvigil.changes.changes import Changes

MEMORY = "pgvigil.changes"
"""Where the note of a run is kept in its memory: both are committed together, or neither is."""


@dataclass(frozen=True, slots=True)
class Note:
    """Up to where a completed run knew all.

    Every transaction that committed up to `lsn` was visible to it, on that `server`; `tables` holds the
    fingerprints of what it looked at, by oid. Transactions below `floor` may have begun before these were
    so, and written under another name. `full_at` is when everything was looked at last (Unix time).
    `of` stands for all else that its verdict depends on: settings, versions.
    """

    of: str
    server: str
    lsn: int
    full_at: float
    floor: int = 0
    tables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, memory: Mapping[str, JsonValue]) -> Note | None:
        """Return the note in a memory; None when there is none that can be read."""
        kept: Any = memory.get(MEMORY)
        try:
            tables = {str(oid): str(text) for oid, text in kept["tables"].items()}
            of, server = str(kept["of"]), str(kept["server"])
            return cls(of, server, int(kept["lsn"]), float(kept["full_at"]), int(kept["floor"]), tables)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def write(self) -> dict[str, JsonValue]:
        """Return what `read` reads."""
        kept: dict[str, JsonValue] = {
            "of": self.of,
            "server": self.server,
            "lsn": self.lsn,
            "full_at": self.full_at,
            "floor": self.floor,
            "tables": dict(self.tables),
        }
        return {MEMORY: kept}


class Asking:
    """One run's questions about changes, and the note that it leaves. Safe for the threads of a plugin.

    `before` is the note of the last completed run, `now` is Unix time; with `full` nothing is told, so that
    everything is looked at. `of` is as a note has it.
    """

    def __init__(
        self, changes: Changes, before: Note | None, *, of: str, now: float, full: bool = False
    ) -> None:
        self._changes = changes
        self._of = of
        self._before = before if before is not None and before.of == of else None
        self._full = full
        self._guard = threading.Lock()
        self._tables: dict[str, str] = {}
        self._server = ""
        self._lsn: int | None = None
        self._floor = 0
        self._spoilt = False
        self._full_at = now
        self._gated = True

    def touched(self, fetch: Fetch, table: Table) -> Touched | None:
        """Tell what was written to a table since the last completed run; None when that is not known.

        To be asked before any row of the table is read: the next run's answer begins where this one ends.
        """
        with self._guard:
            if not self._changes.known:
                self._spoilt = True
                return None
            touched = self._touched(look(fetch, table.oid), str(table.oid))
            self._gated = self._gated and touched is not None
            return touched

    def spoil(self) -> None:
        """Leave no note: what the run judges it has in part from before its first question."""
        self._spoilt = True

    def note(self) -> Note | None:
        """Return what the next run has to know; None when it could not rely on anything."""
        if self._spoilt or self._lsn is None or not self._tables:
            return None
        full_at = self._before.full_at if self._gated and self._before else self._full_at
        return Note(self._of, self._server, self._lsn, full_at, self._floor, self._tables)

    def _touched(self, seen: Look, table: str) -> Touched | None:
        with self._changes.covering(seen) as history:
            if history is None:
                self._spoilt = True
                return None
            before = self._before
            chained = before is not None and before.server == seen.server and before.lsn >= history.start
            # Else somebody who committed before the history begins may be invisible for a while still.
            self._spoilt = self._spoilt or not (chained or seen.oldest >= history.floor)
            unseen = [commit.lsn for commit in history.commits if not seen.sees(commit.xid)]
            self._remember(seen, table, min([history.end, *(lsn - 1 for lsn in unseen)]))
            if before is None or not chained or self._full or before.lsn > history.end:
                return None
            if before.tables.get(table) != seen.fingerprint or not seen.logged:
                return None
            since = [one for one in history.commits if one.lsn > before.lsn and seen.sees(one.xid)]
            if any(commit.xid < before.floor for commit in since):
                return None
            # A schema that was renamed while a transaction ran: its lines go under the old name.
            if any(name[0] not in seen.schemas for commit in since for name in commit.entries):
                return None
            changes = gather(since, seen.parts)
        return None if changes is None else _as_touched(changes, seen)

    def _remember(self, seen: Look, table: str, lsn: int) -> None:
        before = self._before
        same = before is not None and before.tables.get(table) == seen.fingerprint
        self._floor = max(self._floor, before.floor if before is not None and same else seen.next)
        self._tables.setdefault(table, seen.fingerprint)
        self._spoilt = self._spoilt or self._server not in ("", seen.server)
        self._server = seen.server
        self._lsn = lsn if self._lsn is None else min(lsn, self._lsn)


def _as_touched(changes: Sequence[Change], seen: Look) -> Touched | None:
    """Return changes as the contract has them; None when it is not told which row was changed."""
    identity = seen.identity
    new: list[Values] = []
    old: list[Values] = []
    for change in changes:
        if change.new is not None:
            new.append({name: text for name, text in change.new.items() if name not in seen.generated})
        if change.old is not None:
            # NULLs are left out of it.
            old.append({name: change.old.get(name) for name in identity})
        elif change.kind is Kind.DELETE:
            old.append({})
    return Touched(new=tuple(new), old=tuple(old), identity=identity)
