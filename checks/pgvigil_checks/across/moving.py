"""Keys that differed when they were met, and may have been on their way from one database to the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pgvigil.catalog import may_be_damaged
from pgvigil.check import Row
from pgvigil_checks.across.both import Both
from pgvigil_checks.across.keys import DamagedKeyError, Key
from pgvigil_checks.across.query import Asked
from pgvigil_checks.across.tally import SIDES, Tally, differing
from pgvigil_checks.table_drift_model import ColumnPair, EntityPair

WAITS = (0.5, 1.5)
"""After how many seconds a key is looked at again, and once more."""
MOST_KEYS = 2000
"""How many keys are kept at the most; with more of them the walk waits."""

MOST_HOT = 100
"""How many keys that both sides go on writing are watched more closely, when all else is done."""

_HOT_LOOKS = 40
_HOT_WAITS = (0.03, 0.05, 0.07)
_MOST_WAITING = 20.0
_AT_ONCE = 500
_SEVERAL = "several"


@dataclass(slots=True)
class _Key:
    """What each side was seen to hold under a key: a row's checksum, None for no row, `several`."""

    due: float
    looks: int = 0
    seen: dict[str, dict[str | None, Row | None]] = field(
        default_factory=lambda: {side: {} for side in SIDES}
    )
    met: bool = False
    """Whether one side was seen to hold what the other one held before, or holds: it only was behind."""

    def meet(self, pair: EntityPair, left: Row | None, right: Row | None) -> None:
        for side, other, row in (("left", "right", left), ("right", "left", right)):
            held = _held(row)
            comparable = row if row and _compares(pair, row) else None
            if comparable or held not in self.seen[side]:
                self.seen[side][held] = comparable
                self.met = self.met or self._is_at(pair, other, held, comparable)

    @property
    def hot(self) -> bool:
        """Whether both sides go on writing it."""
        return all(len(seen) > 1 for seen in self.seen.values())

    def _is_at(self, pair: EntityPair, other: str, held: str | None, row: Row | None) -> bool:
        """Tell whether the other side was seen to hold the same, or what is within the tolerances."""
        if held == _SEVERAL:
            return False
        if held in self.seen[other]:
            return True
        if row is None:
            return False
        return any(one and not differing(pair, row, one) for one in self.seen[other].values())


class Moving:
    """Looks again at keys that differed, and counts those that still do after the last look."""

    def __init__(
        self,
        both: Both,
        sides: Mapping[str, Asked],
        tally: Tally,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._both = both
        self._sides = sides
        self._tally = tally
        self._clock = clock
        # What is within a tolerance is told by a look; no need to wait for it.
        self._waits = (0.0, *WAITS) if _tolerant(tally.pair) else WAITS
        self._keys: dict[Key, _Key] = {}
        self._hot: dict[Key, _Key] = {}
        self._waited = 0.0

    @property
    def keys(self) -> list[Key]:
        """The keys that are not decided yet."""
        return [*self._keys, *self._hot]

    def add(self, key: Key, left: Row | None, right: Row | None) -> None:
        """Keep a key that differs; the rows are those of rows.sql, None where a side has none."""
        if len(self._keys) >= MOST_KEYS:
            self._look_at(self._due())
            if len(self._keys) > MOST_KEYS // 2:
                self._decide_all()
        kept = self._keys.setdefault(key, _Key(self._clock() + self._waits[0]))
        kept.meet(self._tally.pair, left, right)

    def take_up(self, keys: Iterable[Key]) -> None:
        """Keep keys of a run that was broken off."""
        for key in keys:
            self._keys[key] = _Key(self._clock())

    def look(self) -> None:
        """Look at the keys that are due, if it is worth the while."""
        due = self._due()
        oldest = min((self._keys[key].due for key in due), default=0.0)
        if due and (len(due) >= _AT_ONCE or self._clock() - oldest > WAITS[-1]):
            self._look_at(due)

    def settle(self) -> None:
        """Wait and look until every key is decided."""
        self._decide_all()
        for n in range(_HOT_LOOKS):
            if not self._hot:
                return
            self._both.wait(_HOT_WAITS[n % len(_HOT_WAITS)])
            self._look_at_hot(last=n == _HOT_LOOKS - 1)

    def _decide_all(self) -> None:
        """Wait and look until no key is left but those that both sides go on writing."""
        while self._keys:
            if not (due := self._due()):
                self._wait(min(kept.due for kept in self._keys.values()) - self._clock())
                due = self._due() or list(self._keys)
            self._look_at(due)

    def _due(self) -> list[Key]:
        now = self._clock()
        return [key for key, kept in self._keys.items() if kept.due <= now]

    def _wait(self, seconds: float) -> None:
        # Where so much differs that waiting for it takes longer than this, little of it is on its way.
        seconds = min(seconds, _MOST_WAITING - self._waited)
        if seconds > 0:
            self._waited += seconds
            self._both.wait(seconds)

    def _look_at(self, keys: list[Key]) -> None:
        for start in range(0, len(keys), _AT_ONCE):
            for key, left, right in self._rows(keys[start : start + _AT_ONCE]):
                self._decide(key, left, right)

    def _look_at_hot(self, *, last: bool) -> None:
        for key, left, right in self._rows(list(self._hot)):
            kept = self._hot[key]
            kept.meet(self._tally.pair, left, right)
            columns = _compared(self._tally.pair, left, right)
            same = left and right and not columns
            if kept.met or same or last:
                del self._hot[key]
            if last and not (kept.met or same):
                self._count(key, left, right, columns)

    def _rows(self, keys: list[Key]) -> Iterator[tuple[Key, Row | None, Row | None]]:
        """Yield what both sides hold under these keys."""
        found = self._both.each({side: asked.look(keys) for side, asked in self._sides.items()})
        left, right = ({key_of(row, len(keys[0])): row for row in found[side]} for side in SIDES)
        for key in keys:
            yield key, left.get(key), right.get(key)

    def _decide(self, key: Key, left: Row | None, right: Row | None) -> None:
        kept = self._keys[key]
        kept.meet(self._tally.pair, left, right)
        kept.looks += 1
        columns = _compared(self._tally.pair, left, right)
        if kept.met or (left and right and not columns):
            del self._keys[key]
        elif kept.looks < len(self._waits) and self._waited < _MOST_WAITING:
            kept.due = self._clock() + self._waits[kept.looks]
        else:
            del self._keys[key]
            if kept.hot and len(self._hot) < MOST_HOT:
                self._hot[key] = kept
            else:
                self._count(key, left, right, columns)

    def _count(self, key: Key, left: Row | None, right: Row | None, columns: list[ColumnPair]) -> None:
        if left and right:
            self._tally.count_changed(key, columns, left, right)
        elif left:
            self._tally.count_alone(key, "left", left["copies"])
        elif right:
            self._tally.count_alone(key, "right", right["copies"])


def _compared(pair: EntityPair, left: Row | None, right: Row | None) -> list[ColumnPair]:
    """Return the columns in which two rows differ; a key that stands there more than once is not compared."""
    return differing(pair, left, right) if left and right and left["copies"] == right["copies"] == 1 else []


def _tolerant(pair: EntityPair) -> bool:
    return any(column.tolerance is not None for column in pair.columns)


def _compares(pair: EntityPair, row: Row) -> bool:
    """Tell whether a row has what tolerances are compared with; those of rows.sql are only checksums."""
    return _tolerant(pair) and row["copies"] == 1 and "c1" in row


def key_of(row: Row, parts: int) -> Key:
    """Return the key of a row; raises DamagedKeyError where several keys may have the same text."""
    key = tuple(row[f"k{n}"] for n in range(1, parts + 1))
    if may_be_damaged(key):
        raise DamagedKeyError
    return key


def _held(row: Row | None) -> str | None:
    if row is None:
        return None
    return _SEVERAL if row["copies"] > 1 else str(row["digest"])
