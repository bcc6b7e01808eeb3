"""A store that says nothing any more: every call ends with an error, and closing it ends at once."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pgvigil.errors import StoreError
from pgvigil.store import Store
from tests.incident.life import finding, run
from tests.store.conftest import store_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pgvigil.embedded import Server

# Far longer than closing takes, and shorter than what the store would wait by itself.
JOIN_SECONDS = 20.0
FOR_EVER = 600.0


@pytest.fixture
def silenced(own_server: Server) -> Iterator[Callable[[], None]]:
    """`silenced()` stops the server with its sessions, as a frozen machine does, until the test's end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(stopped(own_server))


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    processes = [server.pid, *children(server.pid)]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


def in_background(work: Callable[[], object]) -> tuple[threading.Thread, list[StoreError]]:
    """Do work that may fail on a thread, and return what it fails with."""
    errors: list[StoreError] = []

    def do() -> None:
        try:
            work()
        except StoreError as error:
            errors.append(error)

    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    return thread, errors


def test_a_server_that_stands_still_costs_an_error_and_nothing_hangs(
    own_server: Server, silenced: Callable[[], None]
) -> None:
    with Store.open(store_url(own_server.dsn()), wait_seconds=0.5) as store:
        store.lead()
        store.record(run(finding()))
        silenced()
        with pytest.raises(StoreError, match="check that its server runs"):
            store.record(run(finding(), minutes=5))
        assert not store.leading
        with pytest.raises(StoreError, match="check that its server runs"):
            store.lead()
        with pytest.raises(StoreError, match="check that its server runs"):
            store.incidents()
        assert len(store.view().incidents) == 1, "a scrape goes on"


def test_a_server_that_stood_still_is_used_again(own_server: Server) -> None:
    with Store.open(store_url(own_server.dsn()), wait_seconds=0.5) as store:
        store.lead()
        with stopped(own_server), pytest.raises(StoreError):
            store.record(run(finding()))
        assert store.leading or store.lead()
        assert store.record(run(finding(), minutes=5)).incidents


def test_closing_a_store_ends_what_waits_for_a_silent_server(
    own_server: Server, silenced: Callable[[], None]
) -> None:
    store = Store.open(store_url(own_server.dsn()), wait_seconds=FOR_EVER)
    store.lead()
    store.record(run())
    silenced()
    writers = [in_background(lambda: store.record(run())) for _ in range(3)]
    asking, _ = in_background(lambda: store.leading)
    closing, _ = in_background(store.close)
    closing.join(JOIN_SECONDS)
    assert not closing.is_alive()
    asking.join(JOIN_SECONDS)
    assert not asking.is_alive()
    for writer, errors in writers:
        writer.join(JOIN_SECONDS)
        assert len(errors) == 1


def test_closing_a_store_ends_the_wait_for_a_locked_file(sqlite_url: str, tmp_path: Path) -> None:
    store = Store.open(sqlite_url, wait_seconds=FOR_EVER)
    other = sqlite3.connect(tmp_path / "pgvigil.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writers = [in_background(lambda: store.record(run())) for _ in range(3)]
    closing, _ = in_background(store.close)
    closing.join(JOIN_SECONDS)
    assert not closing.is_alive()
    for writer, errors in writers:
        writer.join(JOIN_SECONDS)
        assert len(errors) == 1
    other.close()
