"""The files of a SQLite store, when somebody takes them away under a running daemon."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from pgvigil.errors import StoreError
from pgvigil.store import Store
from tests.incident.life import finding, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOST = "the store's file was removed or replaced"


def test_a_file_that_was_removed_takes_no_more_results(sqlite_url: str, tmp_path: Path) -> None:
    with Store.open(sqlite_url) as store:
        store.lead()
        store.record(run(finding()))
        (tmp_path / "pgvigil.db").unlink()
        with pytest.raises(StoreError, match=LOST):
            store.record(run(finding(), minutes=5))
        with pytest.raises(StoreError, match=LOST):
            store.lead()
        with pytest.raises(StoreError, match=LOST):
            assert store.leading
        with pytest.raises(StoreError, match=LOST):
            store.incidents()
        assert len(store.view().incidents) == 1, "a scrape goes on"
        assert not (tmp_path / "pgvigil.db").exists(), "nor is an empty one put in its place"


def test_a_file_that_was_replaced_takes_no_results_until_it_is_put_back(
    sqlite_url: str, tmp_path: Path
) -> None:
    file, aside = tmp_path / "pgvigil.db", tmp_path / "aside.db"
    Store.open(f"sqlite:///{tmp_path}/backup.db").close()
    with Store.open(sqlite_url) as store:
        store.lead()
        file.rename(aside)
        (tmp_path / "backup.db").rename(file)
        with pytest.raises(StoreError, match=LOST):
            store.record(run(finding()))
        aside.rename(file)
        assert store.leading
        assert store.record(run(finding())).run_id == 1


def test_a_leader_without_its_lock_file_leads_no_more_and_does_not_come_back(
    sqlite_url: str, tmp_path: Path
) -> None:
    with Store.open(sqlite_url) as first, Store.open(sqlite_url) as second:
        first.lead()
        (tmp_path / "pgvigil.db.lock").unlink()
        assert not first.leading
        assert second.lead()
        with pytest.raises(StoreError, match=f"process {os.getpid()}"):
            first.lead()
        assert second.leading
        assert second.record(run(finding())).run_id == 1


def test_a_leader_whose_lock_file_was_deleted_takes_a_new_one_when_nobody_else_has(
    sqlite_url: str, tmp_path: Path
) -> None:
    with Store.open(sqlite_url) as first, Store.open(sqlite_url) as second:
        first.lead()
        (tmp_path / "pgvigil.db.lock").unlink()
        assert first.lead()
        assert first.leading
        with pytest.raises(StoreError, match=f"process {os.getpid()}"):
            second.lead()


def test_whoever_would_lead_is_refused_at_once_whatever_goes_on_in_the_file(sqlite_url: str) -> None:
    with Store.open(sqlite_url, to_lead=True) as first:
        assert first.lead()
        with written_to(sqlite_url):
            began = time.monotonic()
            with pytest.raises(StoreError, match="another pgvigil"):
                Store.open(sqlite_url, to_lead=True)
            assert time.monotonic() - began < 5
            Store.open(sqlite_url).close()
    # Nobody leads any more, nor whoever failed to open it.
    with Store.open(sqlite_url, to_lead=True) as second:
        assert second.lead()


def test_a_store_that_somebody_writes_to_is_waited_for_with_a_word(sqlite_url: str, tmp_path: Path) -> None:
    with (
        Store.open(sqlite_url, wait_seconds=1.5) as store,
        written_to(sqlite_url),
        capture_logs() as logs,
        pytest.raises(StoreError, match="locked"),
    ):
        store.record(run(finding()))
    assert logs == [
        {
            "event": "waiting for the state store",
            "log_level": "warning",
            "file": str(tmp_path / "pgvigil.db"),
            "reason": "another process writes to it",
            "most": 1.5,
        }
    ]


@contextmanager
def written_to(url: str) -> Iterator[None]:
    """Write to the store's file for the block, as another process would."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as writer:
        writer.execute("BEGIN IMMEDIATE")
        yield
        writer.rollback()
