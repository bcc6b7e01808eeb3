"""Writers that change a database while it is examined."""

from __future__ import annotations

import threading
from random import Random
from typing import TYPE_CHECKING, Self

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

WRITERS = 3


class Writers:
    """Threads that change the database, each its own share of the keys below `keys`, until the block ends.

    `write(connection, random, key)` makes one change. `commits` counts them by thread.
    """

    def __init__(
        self, database: str, write: Callable[[psycopg.Connection, Random, int], None], keys: int
    ) -> None:
        self.commits = [0] * WRITERS
        self._database = database
        self._write = write
        self._keys = keys
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._go, args=[n]) for n in range(WRITERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _go(self, number: int) -> None:
        random = Random(number)
        with psycopg.connect(self._database, autocommit=True) as conn:
            while not self._stopping.is_set():
                self._write(conn, random, random.randrange(number, self._keys, WRITERS))
                self.commits[number] += 1
                # Leave the runs some of the processor: they are what is tested.
                self._stopping.wait(0.002)
