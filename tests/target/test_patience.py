"""What takes too long is told of, once; what does not, never, however many there are."""

from __future__ import annotations

import threading
import time

from pgvigil.target.patience import Patience


def test_a_block_that_takes_too_long_expires_once_while_it_lasts() -> None:
    patience, expired = Patience(), []
    with (
        patience.bound(0.05, lambda: expired.append("long")),
        patience.bound(60, lambda: expired.append("no")),
    ):
        deadline = time.monotonic() + 10
        while not expired and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.3)
    assert expired == ["long"]


def test_a_block_that_has_ended_expires_no_more() -> None:
    patience, expired = Patience(), []
    for _ in range(1000):
        with patience.bound(0.2, lambda: expired.append("ended")):
            pass
    time.sleep(0.5)
    assert expired == []


def test_one_that_fails_costs_no_other_its_end() -> None:
    patience, expired = Patience(), threading.Event()
    with patience.bound(0.01, lambda: 1 / 0), patience.bound(0.02, expired.set):  # type: ignore[arg-type]
        assert expired.wait(10)
    again = threading.Event()
    with patience.bound(0.01, again.set):
        assert again.wait(10)
