"""A request that takes too long is cut, and no other."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from pgvigil.notify.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_request_that_takes_too_long_is_cut(pair: tuple[socket.socket, socket.socket]) -> None:
    deadline = Deadline()
    deadline.connected(pair[0])
    with deadline.within(0.05):
        assert pair[0].recv(1) == b""
    assert deadline.passed


def test_a_connection_that_comes_too_late_is_cut_at_once(pair: tuple[socket.socket, socket.socket]) -> None:
    deadline = Deadline()
    with deadline.within(0.05):
        while not deadline.passed:
            threading.Event().wait(0.01)
        deadline.connected(pair[0])
        assert pair[0].recv(1) == b""
    assert deadline.passed


def test_what_ends_in_time_is_not_cut_afterwards(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    deadline = Deadline()
    deadline.connected(ours)
    with deadline.within(60):
        ours.sendall(b"x")
    deadline._pass(object())  # As a timer does that was about to when it was cancelled.
    assert not deadline.passed
    ours.sendall(b"y")
    assert theirs.recv(2) == b"xy"


def test_no_timer_is_left_behind() -> None:
    deadline = Deadline()
    with deadline.within(3600):
        (timer,) = (
            one
            for one in threading.enumerate()
            if isinstance(one, threading.Timer) and one.function == deadline._pass
        )
    timer.join(60)
    assert not timer.is_alive()
