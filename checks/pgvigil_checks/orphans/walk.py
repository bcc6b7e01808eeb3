"""Orphans of a big child, counted in chunks along an index, each judged in a short snapshot of its own.

A row is judged once, where its key puts it, and against the parents of that moment: an orphan that is found
was one. What was an orphan when the walk began, and stays as it is, is found: for it to be passed by, its
reference would have to change (along the referencing column), or its key (along a unique key). So a walk that
finds nothing where something was known before proves nothing yet: all is then looked at in one snapshot. So
it is where a walk is given up, as a place with damaged text in it leads elsewhere when it is sent back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import Any

from psycopg import sql

from pgvigil.catalog import may_be_damaged
from pgvigil.check import Context, JsonValue, Pace, Query, Row, State, load_sql
from pgvigil_checks.orphans.bits import Bits, gathering_pace
from pgvigil_checks.orphans.paths import MOST_LOST, ByKey, Parent, Path, Place
from pgvigil_checks.orphans.sieve import Sieve, added_up
from pgvigil_checks.orphans.strategy import query

_FIRST_ROWS = 2_000
# A walk whose chunks stay that small finds its rows by other means than the index.
_FEWEST_IN_CHUNK = 20
_MOST_SMALL_CHUNKS = 5
_BYTES_A_ROW = 24


@dataclass
class Walked:
    """What a walk found so far of one relation; `last` is where it stands, as text.

    `lost` are keys of orphans, in the path's columns, each of as many rows as `lost_rows` says; `cut` tells
    that there were more than are kept. They are forgotten at the end of a walk if none is an orphan any more.
    `longest` is how long the longest chunk held its snapshot, in seconds.
    """

    rows: int = 0
    orphans: int = 0
    partial: int = 0
    last: Place = ()
    lost: list[Place] = field(default_factory=list)
    lost_rows: list[int] = field(default_factory=list)
    cut: bool = False
    chunks: int = 0
    longest: float = 0.0

    @property
    def figures(self) -> str:
        """What the walk was like, for people."""
        each = self.rows // max(self.chunks, 1)
        longest = f"the longest snapshot {self.longest:.3f} s"
        chunks = "1 chunk" if self.chunks == 1 else f"{self.chunks:,} chunks"
        return f"{chunks} of {each:,} rows, {longest}"

    def add(self, row: Row, seconds: float) -> None:
        """Take in what one chunk found, and how long it took."""
        self.chunks += 1
        self.longest = max(self.longest, seconds)
        self.rows += row["rows"]
        self.orphans += row["orphans"]
        self.partial += row.get("partial", 0)
        self.last = tuple(row["last"])
        lost = [*self.lost, *map(tuple, row["lost"])]
        self.lost, self.cut = lost[:MOST_LOST], self.cut or len(lost) >= MOST_LOST
        self.lost_rows = [*self.lost_rows, *row["lost_rows"]][:MOST_LOST]

    @property
    def damaged(self) -> bool:
        """Whether a place is known by a text that may be another value's when it is sent back."""
        return may_be_damaged(chain(self.last, *self.lost))


def walk(context: Context, paths: Sequence[Path]) -> list[Walked] | None:
    """Walk to the end, and return what was found of each relation; None when the index does not serve.

    There are several paths only where all are the same key of one child: then it is read once for all.
    """
    estimate = max(paths[0].reference.child.rows_estimate or 0.0, 1.0)
    pace = Pace(context.chunk_seconds, _FIRST_ROWS)
    known: dict[Parent, Bits] = {}
    gathering = gathering_pace(context)
    for path in paths:
        path.prepare(context, known, gathering)
    chunks = _Chunks(context, paths)
    which = _which(paths)
    each = _resumed(context, which) or [Walked() for _ in paths]
    small = 0
    passed: Place = ()
    while True:
        # It goes nowhere, or around in a circle: two places are compared with ever more chunks between them.
        if any(found.damaged for found in each) or (each[0].last and each[0].last == passed):
            return None
        if each[0].chunks.bit_count() == 1:
            passed = each[0].last
        rows = chunks.next(each[0].last, max(pace.size, chunks.fewest))
        if rows is None:
            return None
        if not rows:
            for path, found in zip(paths, each, strict=True):
                _look_again(context, path, found)
            return each
        for found, row in zip(each, rows, strict=True):
            found.add(row, chunks.seconds)
        small = small + 1 if max(pace.size, chunks.fewest) < _FEWEST_IN_CHUNK else 0
        if small > _MOST_SMALL_CHUNKS:
            return None
        pace.took(chunks.seconds, rows[0]["rows"])
        context.checkpoint(_state(which, each), min(each[0].rows / estimate, 0.99))


class _Chunks:
    """Judges one chunk after the other, each in one snapshot."""

    def __init__(self, context: Context, paths: Sequence[Path]) -> None:
        self._context = context
        self._paths = paths
        self._by_index = load_sql("pgvigil_checks", "planning_by_index.sql")
        self._useless = paths[0].useless()
        self.fewest = sum(path.bits.size for path in paths if path.bits) // _BYTES_A_ROW
        """So many rows take as long as to send the bits: with fewer of them nothing but bits were sent."""
        self.seconds = 0.0
        """How long the last chunk took."""
        self._sieve = self._made()

    def next(self, last: Place, size: int) -> list[Row] | None:
        """Return what the next rows say of each relation: nothing at the end, None without an index."""
        path, sieve = self._paths[0], self._sieve
        self.seconds = 0.0
        row, useless = self._between(sieve.ranges(last, size)) if sieve else (None, [])
        if row is None:
            first = sieve.next(last, size) if sieve else path.chunk(last, size)
            _, (row,), useless = self._fetch_each([self._by_index, first, self._useless])
        if useless:
            return None
        if not row["rows"]:
            return []
        if not sieve:
            # Without bits of all of them it is one relation: those of several were gathered, or it is over.
            return [row] if len(self._paths) == 1 else None
        sieve.took(last, row)
        lacking = zip(self._paths, row["lacking"], strict=True)
        return [self._sifted(path, rows, last, row) for path, rows in lacking]

    def _made(self) -> Sieve | None:
        """Make a sieve of the bits, where those of all relations were gathered."""
        path = self._paths[0]
        bits = [one.bits for one in self._paths if one.bits]
        sifts = isinstance(path, ByKey) and len(bits) == len(self._paths)
        return Sieve(path, bits) if isinstance(path, ByKey) and sifts else None

    def _between(self, ranges: Sequence[Query]) -> tuple[Row | None, list[Row]]:
        """Return what ranges of the key say together, None where they hold no row; and `useless`."""
        if not ranges:
            return None, []
        fetch = self._context.fetch_each if len(ranges) == 1 else self._context.fetch_split
        *answers, useless = fetch([*ranges, self._useless])
        self.seconds += self._context.last_seconds
        return added_up([row for (row,) in answers]), useless

    def _fetch_each(self, queries: Sequence[Query]) -> list[list[Row]]:
        answers = self._context.fetch_each(queries)
        self.seconds += self._context.last_seconds
        return answers

    def _sifted(self, path: Path, lacking: int, last: Place, row: Row) -> Row:
        """Look up what the bits of one relation hold back."""
        if not lacking:
            return {"rows": row["rows"], "orphans": 0, "lost": [], "lost_rows": [], "last": row["last"]}
        _, (judged,) = self._fetch_each([self._by_index, path.chunk(last, row["rows"])])
        return {**judged, "last": row["last"]}


def _look_again(context: Context, path: Path, found: Walked) -> None:
    """Count only those orphans that still are: what was found an hour ago may have been in flight.

    Of more than are kept, those that are not looked at again count as they were seen.
    """
    if not found.lost:
        return
    again = query("walk_again.sql").format(
        child=path.reference.child_rows, lost=path.at(found.lost), orphan=path.reference.orphan
    )
    still = context.fetch(again)[0]["orphans"]
    found.orphans = still + (found.orphans - sum(found.lost_rows) if found.cut else 0)
    if not still:
        found.lost, found.lost_rows = [], []


def _which(paths: Sequence[Path]) -> dict[str, JsonValue]:
    """Return what makes a walk the same: its way, and what each relation asks of a row, in full."""
    asked = sql.SQL("{} AS c WHERE {} OR {}")
    of = [one.reference for one in paths]
    return {
        "path": paths[0].name,
        "columns": list(paths[0].columns),
        "asked": [asked.format(one.child_rows, one.orphan, one.partial).as_string() for one in of],
    }


def _state(which: State, each: Sequence[Walked]) -> dict[str, JsonValue]:
    """Return all that is needed to go on from here."""
    return {**which, "each": [asdict(found) for found in each]}


def _resumed(context: Context, which: State) -> list[Walked]:
    """Return where the same walk was broken off; nothing if it was another one."""
    state: dict[str, Any] = dict(context.resumed)
    if any(state.get(name) != value for name, value in which.items()):
        return []
    return [
        Walked(**one | {"last": tuple(one["last"]), "lost": [tuple(key) for key in one["lost"]]})
        for one in state["each"]
    ]
