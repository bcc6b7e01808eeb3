"""Random values that are the same on every machine, Python and PostgreSQL.

Of `random.Random` only `random()` is promised never to change, so every value is made of it with arithmetic
that IEEE 754 defines to the last bit: no `gauss`, no `choice`, no powers, no logarithms.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")

YEAR_START = datetime(2024, 1, 1, tzinfo=UTC)
YEAR_SECONDS = 366 * 86_400


class Dice:
    """A stream of values that depends on a seed and a name, and on nothing else."""

    def __init__(self, seed: int, name: str) -> None:
        digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
        self._next = random.Random(int.from_bytes(digest)).random

    def share(self) -> float:
        """Return a number from 0 up to 1, uniform."""
        return self._next()

    def chance(self, probability: float) -> bool:
        """Say yes that often."""
        return self._next() < probability

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included, uniform."""
        return low + int(self._next() * (high - low + 1))

    def skewed(self, count: int) -> int:
        """Return a whole number from 1 to `count`: a few very often, most hardly ever, like games played."""
        share = self._next()
        return 1 + int(share * share * share * count)

    def pick(self, values: Sequence[T]) -> T:
        """One of the values, uniform."""
        return values[int(self._next() * len(values))]

    def sample(self, values: Sequence[T], count: int) -> list[T]:
        """Pick that many of the values (all of them, when there are fewer), in their order."""
        chosen: list[T] = []
        for seen, value in enumerate(values):
            if self._next() * (len(values) - seen) < count - len(chosen):
                chosen.append(value)
        return chosen

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """Put all values in a random order."""
        order = list(values)
        for last in range(len(order) - 1, 0, -1):
            other = self.between(0, last)
            order[last], order[other] = order[other], order[last]
        return order

    def cents(self, low: int, high: int) -> str:
        """Write an amount of money from `low` to `high` cents with two decimals."""
        return decimal(self.between(low, high), 2)

    def moment(self) -> str:
        """Write a time of the sample's year, to the second."""
        return moment(self.between(0, YEAR_SECONDS - 1))

    def day(self) -> str:
        """Write a day of the sample's year."""
        return day(self.between(0, 365))

    def words(self, vocabulary: Sequence[str], count: int) -> str:
        """Write that many words, with a blank between them."""
        return " ".join(self.pick(vocabulary) for _ in range(count))


def decimal(units: int, places: int) -> str:
    """Write a number given in its smallest units: `decimal(1999, 2)` is `19.99`."""
    text = str(abs(units)).zfill(places + 1)
    return f"{'-' if units < 0 else ''}{text[:-places]}.{text[-places:]}"


def moment(seconds: int) -> str:
    """Write the time that many seconds into the sample's year, with its offset."""
    return (YEAR_START + timedelta(seconds=seconds)).isoformat(" ")


def day(days: int) -> str:
    """Write the day that many days after the first of the sample's year."""
    return (YEAR_START + timedelta(days=days)).date().isoformat()


def scattered(seed: int, kind: str, number: int) -> str:
    """Return the UUID of a numbered thing, the same wherever it is mentioned."""
    digest = hashlib.blake2b(f"{seed}/{kind}/{number}".encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"
