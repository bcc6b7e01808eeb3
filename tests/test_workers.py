"""Threads that are used again: each call has one for itself, and none stays behind for long."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

import pytest

from pgvigil.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def begin(workers: Workers, work: Callable[[], T], name: str = "test worker") -> Future[T]:
    future: Future[T] = Future()
    workers.do(name, future, work)
    return future


def test_calls_one_after_the_other_are_made_on_one_thread_under_their_own_names() -> None:
    workers = Workers()
    names = [
        begin(workers, lambda: (threading.get_ident(), threading.current_thread().name), name).result(10)
        for name in ("a", "b", "c")
    ]
    assert len({thread for thread, _ in names}) == 1
    assert [name for _, name in names] == ["a", "b", "c"]


def test_a_call_that_does_not_return_holds_up_no_other() -> None:
    workers, go_on = Workers(), threading.Event()
    hanging = [begin(workers, lambda: go_on.wait(60)) for _ in range(3)]
    assert begin(workers, lambda: 7).result(10) == 7
    go_on.set()
    assert all(future.result(10) for future in hanging)


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyboardInterrupt()])
def test_whatever_a_call_raises_is_told_and_ends_no_thread(error: BaseException) -> None:
    workers = Workers()

    def work() -> int:
        raise error

    assert begin(workers, work).exception(10) is error
    assert begin(workers, lambda: 7).result(10) == 7


def test_many_callers_get_their_own_answers() -> None:
    workers = Workers()
    wrong: list[tuple[int, int]] = []

    def call(number: int) -> None:
        answers = [begin(workers, lambda turn=turn: (number, turn)).result(10) for turn in range(200)]
        wrong.extend(one for turn, one in enumerate(answers) if one != (number, turn))

    callers = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert wrong == []


def test_a_thread_without_work_ends() -> None:
    workers = Workers()
    begin(workers, lambda: None, "soon to end").result(10)
    deadline = time.monotonic() + 10
    while any(thread.name == "soon to end" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert begin(workers, lambda: 7).result(10) == 7
