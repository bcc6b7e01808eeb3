"""Lines of text kept joined, by blocks of records: a scrape joins again only the blocks that have changed.

What is summed up over the records is counted by blocks too, so that neither needs a walk over all of them.
Each line is held twice, by itself and within its block, and nothing is held of what is out of sight.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import is_not
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")
G = TypeVar("G")

Lines = tuple[str, ...]
"""What is written of one record: a piece of text for each metric, in the metrics' order."""

# A sweep changes one record after the other: much larger blocks would be joined for the sake of a few lines,
# much smaller ones leave many pieces for a scrape.
BLOCK_RECORDS = 256


@dataclass(frozen=True, slots=True)
class _Block(Generic[G]):
    """The text of each metric, and how many of the records count as what."""

    texts: tuple[bytes, ...]
    counts: Counter[G]


class Blocks(Generic[K, T, G]):
    """What was written of the records of the last view. Not for several threads at a time.

    `write` returns the lines of a record, `group` as what it counts. `rewrite` does what `write` does, with
    the help of the record and the lines of before: what is the very same piece of text is not joined again.
    """

    def __init__(
        self,
        write: Callable[[T], Lines],
        group: Callable[[T], G],
        rewrite: Callable[[T, T, Lines], Lines] | None = None,
    ) -> None:
        self._write = write
        self._group = group
        self._rewrite = rewrite or (lambda record, _before, _lines: write(record))
        self._keys: list[K] = []
        self._records: Sequence[T | None] = ()
        self._lines: list[Lines] = []
        self._blocks: list[_Block[G] | None] = []

    def update(self, of: Mapping[K, T]) -> None:
        """Take these records for those of before; only what is new or different is written."""
        keys, records = list(of), list(of.values())
        if keys != self._keys:
            self._rearrange(keys)
        stale: defaultdict[int, set[int]] = defaultdict(set)
        # Records never change, and most are the very ones of the view before.
        for number in compress(range(len(keys)), map(is_not, records, self._records)):
            metrics = self._written(number, records[number])
            if metrics is None:
                self._blocks[number // BLOCK_RECORDS] = None
            else:
                stale[number // BLOCK_RECORDS].update(metrics)
        self._records = records
        for number, block in enumerate(self._blocks):
            place = slice(number * BLOCK_RECORDS, (number + 1) * BLOCK_RECORDS)
            if block is None:
                self._blocks[number] = self._joined(records[place], self._lines[place])
            elif stale.get(number):
                self._blocks[number] = _rejoined(block, stale[number], self._lines[place])

    def texts(self, metric: int) -> Iterable[bytes]:
        """Return the text of a metric, by its number, in pieces."""
        return [block.texts[metric] for block in self._blocks if block is not None]

    def counts(self) -> Counter[G]:
        """Return how many of the records count as what."""
        counts: Counter[G] = Counter()
        for block in self._blocks:
            counts.update(block.counts if block is not None else ())
        return counts

    def _rearrange(self, keys: list[K]) -> None:
        """Put what is known in the new order of the keys, and let every block be joined anew."""
        known = dict(zip(self._keys, zip(self._records, self._lines, strict=True), strict=True))
        unknown: tuple[T | None, Lines] = None, ()
        self._keys = keys
        self._records = [known.get(key, unknown)[0] for key in keys]
        self._lines = [known.get(key, unknown)[1] for key in keys]
        self._blocks = [None] * -(-len(keys) // BLOCK_RECORDS)

    def _written(self, number: int, record: T) -> Iterable[int] | None:
        """Write a record; return the metrics whose text is another one, None where it counts as another."""
        before, lines = self._records[number], self._lines[number]
        if before is None or not lines:
            self._lines[number] = self._write(record)
            return None
        self._lines[number] = again = self._rewrite(record, before, lines)
        if self._group(record) != self._group(before):
            return None
        return compress(range(len(lines)), map(is_not, again, lines))

    def _joined(self, records: list[T], lines: list[Lines]) -> _Block[G]:
        texts = tuple("".join(column).encode() for column in zip(*lines, strict=True))
        return _Block(texts, Counter(map(self._group, records)))


def _rejoined(block: _Block[G], metrics: set[int], lines: list[Lines]) -> _Block[G]:
    """Join the text of these metrics anew."""
    texts = list(block.texts)
    for metric in metrics:
        texts[metric] = "".join([one[metric] for one in lines]).encode()
    return _Block(tuple(texts), block.counts)
