"""What was committed lately, as far as it is remembered."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pgvigil.catalog import REPLACED
from pgvigil.changes.lines import Change, Kind, Line, Name
from pgvigil.check import Row
from pgvigil.errors import QueryFailedError

_COMMIT, _TABLE = "COMMIT ", "table "


@dataclass(slots=True)
class _Entry:
    """A line, and what it says once somebody wanted to know."""

    line: Line
    change: Change | None = None

    def read(self) -> Change:
        if self.change is None:
            self.change = self.line.change()
        return self.change


@dataclass(frozen=True, slots=True)
class Commit:
    """A committed transaction: the end of its commit record, its full id, and what it wrote by table."""

    lsn: int
    xid: int
    entries: dict[Name, list[_Entry]]
    lines: int
    size: int

    def changes(self, names: frozenset[Name]) -> Iterator[Change]:
        """Yield what happened to tables of these names; raises QueryFailedError when it can't be read."""
        for name in names & self.entries.keys():
            for entry in self.entries[name]:
                yield entry.read()


def read_commits(rows: Iterable[Row], reference: int, known: int = 0) -> Iterator[Commit]:
    """Yield the transactions that a slot's lines tell of; raises QueryFailedError when a line can't be read.

    `reference` is a full transaction id of about the same time: a slot tells the lower half only. Those that
    ended up to `known` are passed over.
    """
    lines: list[Row] = []
    for row in rows:
        text: str = row["data"]
        if text.startswith(_TABLE):
            lines.append(row)
        elif text.startswith(_COMMIT):
            if row["lsn"] > known:
                yield _commit(row["lsn"], _full_xid(row["xid"], reference), lines)
            lines = []


def _commit(lsn: int, xid: int, rows: Sequence[Row]) -> Commit:
    entries: dict[Name, list[_Entry]] = {}
    for row in rows:
        entry = _entry(row["data"], row["bytes"])
        for name in entry.line.tables:
            entries.setdefault(name, []).append(entry)
    return Commit(lsn, xid, entries, len(rows), sum(len(row["data"]) for row in rows))


def _entry(text: str, written: str | None) -> _Entry:
    line = Line.read(text)
    if REPLACED not in text or _is_text(written):
        return _Entry(line)
    if any(REPLACED in part for name in line.tables for part in name):
        raise QueryFailedError("what was written is about a table whose name is not valid in its encoding")
    # It would be compared with something else: as little is known of the table as when it was truncated.
    return _Entry(line, Change(Kind.TRUNCATE))


def _is_text(written: str | None) -> bool:
    """Whether bytes, in hex, are valid UTF-8."""
    try:
        return written is not None and bool(bytes.fromhex(written).decode())
    except UnicodeDecodeError:
        return False


def _full_xid(xid: int, reference: int) -> int:
    """Return the full id that is nearest to another one."""
    return reference + (xid - reference + (1 << 31)) % (1 << 32) - (1 << 31)


@dataclass
class History:
    """All transactions that committed behind `start` and up to `end`, unless they wrote nothing.

    A snapshot sees every transaction that committed up to `start` if all below `floor` have ended for it.
    `covered` is what a snapshot sees (`Look.visible`) that sees nothing which committed behind `end`.
    """

    start: int
    end: int
    floor: int
    commits: deque[Commit] = field(default_factory=deque)
    covered: tuple[object, ...] = ()

    def extend(self, commits: Iterable[Commit], end: int) -> None:
        """Take in what was committed behind the end so far, and up to another one."""
        for commit in commits:
            self.commits.append(commit)
            end = max(end, commit.lsn)
        self.end = max(end, self.end)

    def forget(self, upto: int) -> None:
        """Forget what was committed up to a position."""
        while self.commits and self.commits[0].lsn <= upto:
            self._forget_first()
        self.start = max(self.start, min(upto, self.end))

    def shrink(self, most_lines: int, most_bytes: int) -> None:
        """Forget the oldest transactions, until so much is left at the most."""
        lines = sum(commit.lines for commit in self.commits)
        size = sum(commit.size for commit in self.commits)
        while self.commits and (lines > most_lines or size > most_bytes):
            lines -= self.commits[0].lines
            size -= self.commits[0].size
            self._forget_first()

    def _forget_first(self) -> None:
        commit = self.commits.popleft()
        self.start = max(self.start, commit.lsn)
        self.floor = max(self.floor, commit.xid + 1)


def gather(commits: Iterable[Commit], names: frozenset[Name]) -> list[Change] | None:
    """Return what happened to tables of these names; None when one was truncated or a line can't be read."""
    try:
        changes = [change for commit in commits for change in commit.changes(names)]
    except QueryFailedError:
        return None
    return None if any(change.kind is Kind.TRUNCATE for change in changes) else changes
