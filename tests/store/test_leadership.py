"""Invariant 6: two replicas never run the same tick twice, and never both page."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import make_url

from pgvigil.errors import NotLeaderError, StoreError
from pgvigil.store import Retention, Store
from tests.bouncer import PgBouncer
from tests.databases import fresh_database
from tests.incident.life import finding, run
from tests.store.conftest import store_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgvigil.embedded import Server
    from tests.store.daemon import Daemon

NOW = datetime(2026, 3, 1, tzinfo=UTC)

LOCK_SESSION = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE locktype = 'advisory' AND granted AND datname = current_database()
"""


def end_the_leaders_session(url: str) -> None:
    """Do what a server does that cannot reach the leader any more."""
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as conn:
        assert conn.execute(LOCK_SESSION).fetchall() == [(True,)]


def test_the_leader_records(store: Store) -> None:
    story = [store.leading, store.lead(), store.lead(), store.leading]
    assert story == [False, True, True, True]
    assert store.record(run(finding())).run_id == 1


def test_a_store_in_memory_is_led_by_whoever_opened_it() -> None:
    with Store.open("sqlite://") as first, Store.open("sqlite://") as second:
        assert first.lead()
        assert second.lead()
        assert first.record(run()).run_id == second.record(run()).run_id == 1


def test_a_second_daemon_on_sqlite_is_refused_and_told_by_whom(
    sqlite_url: str, daemon: Callable[[str], Daemon]
) -> None:
    first, second = daemon(sqlite_url), daemon(sqlite_url)
    assert first.ask("lead") == "True"
    answer = second.ask("lead")
    assert answer.startswith("StoreError: ")
    assert f"process {first.pid}" in answer
    assert "pgvigil.db.lock" in answer
    first.kill()
    assert second.ask("lead") == "True"


def test_one_file_by_two_names_has_one_leader(tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(tmp_path)
    with (
        Store.open(f"sqlite:///{tmp_path}/pgvigil.db") as first,
        Store.open(f"sqlite:///{tmp_path}/other/pgvigil.db") as second,
    ):
        assert first.lead()
        with pytest.raises(StoreError, match=f"process {os.getpid()}"):
            second.lead()


def test_a_former_leader_on_sqlite_commits_nothing_even_when_the_lock_file_was_deleted(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/pgvigil.db"
    with Store.open(url) as first, Store.open(url) as second:
        first.lead()
        (tmp_path / "pgvigil.db.lock").unlink()
        assert second.lead()
        with pytest.raises(NotLeaderError):
            first.record(run(finding()))
        assert not first.leading
        assert second.runs() == []


@pytest.mark.every_pg
def test_a_standby_records_nothing(postgres_url: str) -> None:
    with Store.open(postgres_url) as leader, Store.open(postgres_url) as standby:
        assert leader.lead()
        assert not standby.lead()
        leader.record(run(minutes=5))
        leader.record(run(minutes=10))
        refused: list[Callable[[], object]] = [
            lambda: standby.record(run(finding())),
            lambda: standby.record_target("games", up=True, at=NOW),
            lambda: standby.sync_subjects("games", "orphan_rows", ["public.t"], NOW, 300),
            lambda: standby.retire([], NOW),
            lambda: standby.prune(NOW, Retention(runs_per_subject=1)),
        ]
        for write in refused:
            with pytest.raises(NotLeaderError, match=f"process {os.getpid()} on .* leads"):
                write()
        assert len(leader.runs()) == 2
        assert len(leader.subjects()) == 1


def test_a_persons_word_counts_whichever_replica_hears_it(postgres_url: str) -> None:
    with Store.open(postgres_url) as leader, Store.open(postgres_url) as standby:
        leader.lead()
        standby.lead()
        (incident,) = leader.record(run(finding())).incidents
        standby.acknowledge(incident.id, who="ada", at=NOW)
        assert leader.record(run(finding(), minutes=5)).incidents[0].acknowledged is not None


def test_a_standby_takes_over_when_the_leader_is_killed(
    postgres_url: str, daemon: Callable[[str], Daemon]
) -> None:
    leader, standby = daemon(postgres_url), daemon(postgres_url)
    assert leader.ask("lead") == "True"
    assert leader.ask("record public.t") == "1"
    standby.tell("lead wait")
    leader.kill()
    assert standby.answer() == "True"
    assert standby.ask("record public.t") == "2"


def test_the_new_leader_shows_what_the_old_one_had_committed(postgres_url: str) -> None:
    with Store.open(postgres_url) as leader, Store.open(postgres_url) as standby:
        leader.lead()
        leader.record(run(finding(rows=3)))
        leader.close()
        assert standby.view().incidents == {}
        assert standby.lead()
        assert [one.count for one in standby.view().incidents.values()] == [3]


def test_a_paused_leader_wakes_up_to_find_that_it_leads_no_more(
    postgres_url: str, daemon: Callable[[str], Daemon]
) -> None:
    """It is stopped with a result in hand and cut off; another leads; then it goes on as if nothing was."""
    leader, standby = daemon(postgres_url), daemon(postgres_url)
    assert leader.ask("lead") == "True"
    leader.pause()
    leader.tell("record public.t")
    standby.tell("lead wait")
    end_the_leaders_session(postgres_url)
    assert standby.answer() == "True"
    assert standby.ask("record public.t") == "1"
    leader.resume()
    assert leader.answer().startswith("NotLeaderError: ")
    assert leader.ask("leading") == "False"
    with Store.open(postgres_url) as store:
        assert len(store.runs()) == len(store.incidents()) == 1


def test_a_leader_that_is_paused_in_a_transaction_holds_nobody_up_and_commits_nothing(
    postgres_url: str, daemon: Callable[[str], Daemon]
) -> None:
    leader, standby = daemon(postgres_url), daemon(postgres_url)
    assert leader.ask("lead") == "True"
    assert leader.ask("hold") == "holding"
    leader.pause()
    end_the_leaders_session(postgres_url)
    assert standby.ask("lead") == "True"
    leader.resume()
    leader.tell("go on")
    assert leader.answer().startswith("StoreError: ")
    assert leader.ask("record public.t").startswith("NotLeaderError: ")


@pytest.mark.every_pg
def test_a_leader_that_is_paused_is_replaced_and_finds_out_when_it_goes_on(
    postgres_url: str, daemon: Callable[[str], Daemon]
) -> None:
    leader, standby = daemon(postgres_url), daemon(postgres_url)
    assert leader.ask("lead") == "True"
    leader.pause()
    standby.tell("lead wait")
    assert standby.answer() == "True"
    assert standby.ask("record public.t") == "1"
    leader.resume()
    assert leader.ask("record public.u").startswith("NotLeaderError: ")
    assert leader.ask("leading") == "False"


def test_a_leader_that_has_nothing_to_do_is_not_taken_for_a_paused_one(postgres_url: str) -> None:
    with (
        Store.open(postgres_url, wait_seconds=1.0) as leader,
        Store.open(postgres_url, wait_seconds=1.0) as standby,
    ):
        assert leader.lead()
        patience = 3.0
        end = time.monotonic() + 2 * patience
        while time.monotonic() < end:
            assert not standby.lead()
            time.sleep(patience / 10)
        assert leader.leading


def test_a_leader_sees_that_it_lost_its_lock_and_can_stand_again(postgres_url: str) -> None:
    with Store.open(postgres_url) as store:
        store.lead()
        end_the_leaders_session(postgres_url)
        story = [store.leading, store.lead(), store.leading]
        assert story == [False, True, True]
        assert store.record(run()).run_id == 1


def test_a_leader_that_lost_its_lock_meanwhile_does_not_come_back_with_an_old_epoch(
    postgres_url: str,
) -> None:
    with Store.open(postgres_url) as first, Store.open(postgres_url) as second:
        first.lead()
        end_the_leaders_session(postgres_url)
        second.lead()
        second.close()
        assert first.lead()
        assert first.record(run()).run_id == 1


def test_of_many_that_claim_it_at_once_one_leads(postgres_url: str) -> None:
    stores = [Store.open(postgres_url) for _ in range(6)]
    ready = threading.Barrier(len(stores))
    led: list[bool] = []

    def claim(store: Store) -> None:
        ready.wait()
        led.append(store.lead())

    threads = [threading.Thread(target=claim, args=[store]) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(led) == [False] * 5 + [True]
    assert sum(store.leading for store in stores) == 1
    for store in stores:
        store.close()


def test_closing_the_store_ends_the_wait(postgres_url: str) -> None:
    with Store.open(postgres_url) as leader:
        leader.lead()
        standby = Store.open(postgres_url)
        answer: list[bool] = []
        waiting = threading.Thread(target=lambda: answer.append(standby.lead(wait=True)))
        waiting.start()
        standby.close()
        waiting.join()
        assert answer == [False]


def test_two_stores_in_two_schemas_of_one_database_have_a_leader_each(postgres_url: str) -> None:
    dsn = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA other")
    with (
        Store.open(postgres_url) as first,
        Store.open(f"{postgres_url}?options=-csearch_path%3Dother") as second,
    ):
        assert first.lead()
        assert second.lead()
        first.record(run())
        assert second.runs() == []


def test_a_pooler_cannot_hold_the_lock_and_is_refused(pgbouncer: PgBouncer) -> None:
    with fresh_database(pgbouncer.server) as dsn:
        through = make_url(store_url(dsn)).set(port=pgbouncer.port)
        with (
            Store.open(through.render_as_string(hide_password=False)) as store,
            pytest.raises(StoreError, match="connection pooler"),
        ):
            store.lead()


def test_a_leader_whose_server_restarts_knows_that_its_lock_is_gone(own_server: Server) -> None:
    with Store.open(store_url(own_server.dsn())) as store:
        store.lead()
        own_server.restart()
        assert not store.leading
        assert store.lead()
        assert store.record(run()).run_id == 1
