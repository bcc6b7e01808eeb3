"""The files of a SQLite store, when somebody takes them away under a running daemon."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pgvigil.errors import StoreError
from pgvigil.store import Store
from tests.incident.life import finding, run

if TYPE_CHECKING:
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
