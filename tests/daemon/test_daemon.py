"""The daemon end to end: what it shows, what it keeps, and how it ends."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser

from pgvigil.embedded import Server
from pgvigil.store import Store
from tests.cli.command import pgvigil, refused
from tests.daemon.process import Daemon, daemon, until
from tests.databases import fresh_database

Configured = Callable[..., Path]

SUBJECTS = 10
"""Of `sound` and `broken`: seven of tables and keys; two schemas, and what stands for all schemas."""


def subjects(running: Daemon) -> dict[str, float]:
    """Return the coverage over all checks by state."""
    states = ("passed", "failed", "unknown")
    return {state: running.total("pgvigil_subjects", state=state) for state in states}


def examined(running: Daemon) -> bool:
    """Tell whether all five checks have found their subjects and looked at them."""
    found = subjects(running)
    checks = len(running.metrics("pgvigil_interval_seconds"))
    return checks == 5 and found["unknown"] == 0 and sum(found.values()) == SUBJECTS


def sessions_of_pgvigil(dsn: str) -> int:
    query = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' "
        "AND application_name <> 'test'"
    )
    with psycopg.connect(dsn, application_name="test") as conn:
        count: int = conn.execute(query).fetchall()[0][0]
        return count


def test_console_metrics_and_store_show_the_same(
    broken: str, configured: Configured, browser: Browser, tmp_path: Path
) -> None:
    with daemon(configured(broken, every="1h")) as running:
        until(lambda: examined(running))
        page = browser.new_page()
        page.goto(running.address)
        shown = {
            state: sum(
                int(cell.get_attribute("data-value") or "")
                for cell in page.locator(f"section[aria-labelledby=coverage] [data-count='{state}']").all()
            )
            for state in ("passed", "failed", "unknown")
        }
        on_page = int(page.locator("[data-total='incidents']").get_attribute("data-value") or "")
        counted, incidents = subjects(running), running.total("pgvigil_incidents")
        assert running.terminate() == 0
    with Store.open(f"sqlite:///{tmp_path}/state.db") as store:
        stored = Counter(str(one.state) for one in store.subjects())
        live = len([one for one in store.incidents() if one.live])
    assert shown == counted == {"passed": SUBJECTS - 1, "failed": 1, "unknown": 0}
    assert counted == {state: stored[state] for state in counted}
    assert on_page == incidents == live == 1


def test_what_was_shown_before_kill_9_is_shown_again_before_anything_is_examined(
    broken: str, configured: Configured
) -> None:
    config = configured(broken, every="1h")
    gauges = ("pgvigil_violations", "pgvigil_subjects", "pgvigil_incidents", "pgvigil_run_success")
    with daemon(config) as running:
        until(lambda: examined(running))
        before = {name: running.metrics(name) for name in gauges}
        running.kill()
    with daemon(config) as running:
        after = {name: running.metrics(name) for name in gauges}
        assert running.total("pgvigil_runs_total") == 0
    assert after == before
    assert sum(before["pgvigil_violations"].values()) == 2


def test_an_incident_opens_and_is_resolved_when_the_fault_is_mended(
    broken: str, configured: Configured, tmp_path: Path
) -> None:
    with daemon(configured(broken)) as running:
        until(lambda: running.total("pgvigil_incidents", state="open"))
        with psycopg.connect(broken, autocommit=True) as conn:
            conn.execute("INSERT INTO shop.customers VALUES (3), (7)")
        until(lambda: running.total("pgvigil_incidents"), lambda live: live == 0)
        assert subjects(running) == {"passed": SUBJECTS, "failed": 0, "unknown": 0}
        running.terminate()
    with Store.open(f"sqlite:///{tmp_path}/state.db") as store:
        (incident,) = store.incidents()
    assert str(incident.state) == "resolved"


def test_a_target_that_is_down_is_unknown_and_is_examined_when_it_is_back(
    own_server: Server, configured: Configured
) -> None:
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        conn.execute("CREATE TABLE a (id int PRIMARY KEY, other int REFERENCES a)")
    # The table, its key and what refers by it; its schema, and all schemas.
    with daemon(configured(own_server.dsn())) as running:
        until(lambda: subjects(running), lambda found: found["passed"] == 5)
        own_server.stop("immediate")
        until(lambda: subjects(running), lambda found: found["unknown"] >= 5 and found["passed"] == 0)
        assert running.total("pgvigil_target_up") == 0
        assert running.get("-/healthy")[0] == running.get("-/ready")[0] == 200
        own_server.start()
        until(lambda: subjects(running), lambda found: found["passed"] == 5)
        assert running.total("pgvigil_target_up") == 1


def test_a_target_that_never_answered_is_unknown_and_not_silent(configured: Configured) -> None:
    with daemon(configured("host=127.0.0.1 port=1")) as running:
        until(lambda: subjects(running)["unknown"])
        assert subjects(running)["passed"] == 0
        assert "127.0.0.1" in running.get("")[1]


def test_while_results_are_lost_nothing_is_clean_and_the_daemon_is_not_ready(
    sound: str, configured: Configured, tmp_path: Path
) -> None:
    lost = "results are not being recorded since 20"
    with (
        daemon(configured(sound)) as running,
        closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as conn,
    ):
        until(lambda: "All clean" in running.get("")[1])
        conn.execute(
            "CREATE TRIGGER full BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
        _, reason = until(lambda: running.get("-/ready"), lambda answer: answer[0] == 503)
        assert lost in reason
        assert "disk is full" in reason
        page = running.get("")[1]
        assert lost in page
        assert "All clean" not in page
        assert running.total("pgvigil_store_up") == 0
        conn.execute("DROP TRIGGER full")
        until(lambda: running.get("-/ready"), lambda answer: answer == (200, "ready\n"))
        assert running.total("pgvigil_store_up") == 1


def test_sighup_does_not_end_the_daemon(sound: str, configured: Configured) -> None:
    with daemon(configured(sound)) as running:
        running.process.send_signal(signal.SIGHUP)
        until(lambda: running.total("pgvigil_runs_total"))
        assert running.get("-/ready")[0] == 200
        assert running.terminate() == 0
        assert "stopped" in running.log.read_text()


def test_the_log_tells_what_an_operator_has_to_know_and_no_row(
    own_server: Server, configured: Configured
) -> None:
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        conn.execute("CREATE TABLE a (id int PRIMARY KEY, other int REFERENCES a)")
        conn.execute("SET session_replication_role = replica")
        conn.execute("INSERT INTO a VALUES (1, 987654321)")
        with daemon(configured(own_server.dsn())) as running:
            until(lambda: '"severity": "critical"' in running.log.read_text())
            conn.execute("DELETE FROM a")
            until(lambda: '"event": "incident resolved"' in running.log.read_text())
            own_server.stop("immediate")
            until(lambda: '"event": "target is down"' in running.log.read_text())
            own_server.start()
            until(lambda: '"event": "target is back"' in running.log.read_text())
            assert running.terminate() == 0
            lines = [json.loads(line) for line in running.log.read_text().splitlines() if line[0] == "{"]
    opened = [line for line in lines if line["event"] == "incident opened"]
    told = {(line["target"], line["check"], line["severity"], line["count"]) for line in opened}
    assert ("shop", "orphan_rows", "critical", 1) in told
    assert [line["event"] for line in lines].count("target is down") == 1
    assert lines[-1]["event"] == "stopped"
    assert "987654321" not in str(lines)
    assert "maximum number of running instances" not in str(lines)


def test_a_setting_that_does_not_fit_is_unknown_with_its_line_and_the_rest_is_watched(
    sound: str, configured: Configured
) -> None:
    more = (
        "    checks:\n      orphan_rows:\n        relations: ['shop.orders(client) -> shop.customers(id)']\n"
    )
    with daemon(configured(sound, more=more)) as running:
        until(lambda: subjects(running), lambda found: found["passed"] == SUBJECTS and found["unknown"] == 1)
        page = running.get("targets/shop?state=unknown")[1]
    assert "pgvigil.yaml:10" in page
    assert "client" in page


def test_sigterm_ends_a_daemon_that_waits_for_a_lock(sound: str, configured: Configured) -> None:
    with (
        daemon(configured(sound, more="    # nothing\n")) as running,
        psycopg.connect(sound, application_name="test") as conn,
    ):
        conn.execute("LOCK TABLE shop.customers IN ACCESS EXCLUSIVE MODE")
        until(lambda: running.total("pgvigil_runs_total", outcome="timeout"))
        assert running.terminate() == 0
        until(lambda: sessions_of_pgvigil(sound), lambda left: left == 0)


def test_a_second_daemon_on_the_same_file_is_refused(sound: str, configured: Configured) -> None:
    config = configured(sound)
    with daemon(config) as running:
        refused(pgvigil("run", "--config", config), 3, str(running.process.pid), "state.db")


def test_a_port_that_is_taken(sound: str, configured: Configured, tmp_path: Path) -> None:
    with daemon(configured(sound)) as running:
        address = running.address.removeprefix("http://").rstrip("/")
        other = f"sqlite:///{tmp_path}/other.db"
        answer = pgvigil("run", "--dsn", sound, "--listen", address, "--state", other)
        refused(answer, 3, address)


@pytest.fixture
def state_url(pg_server: Server) -> Iterator[str]:
    """A state store on PostgreSQL."""
    with fresh_database(pg_server) as dsn:
        yield dsn.replace("postgresql://", "postgresql+psycopg://")


def test_of_two_replicas_one_leads_and_the_other_takes_over(
    broken: str, configured: Configured, state_url: str
) -> None:
    config = configured(broken, state=state_url)
    with daemon(config) as first, daemon(config) as second:
        until(lambda: examined(first))
        until(lambda: subjects(second), lambda found: found == subjects(first))
        assert second.total("pgvigil_runs_total") == 0
        assert second.get("-/ready")[0] == 200
        first.kill()
        until(lambda: second.total("pgvigil_runs_total", outcome="fail"))
        assert second.total("pgvigil_incidents", state="open") == 1
