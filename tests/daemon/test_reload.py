"""Reloading: a new configuration is taken into force while the daemon runs, a wrong one changes nothing."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg
import pytest

from pgvigil.embedded import Server
from pgvigil.registry import Registry
from tests.daemon.process import Daemon, daemon, until

Configured = Callable[..., Path]

TOKEN = "a-token-of-the-tests-0123456789"
WITH_TOKEN = f"web: {{listen: '127.0.0.1:0', tokens: {{ci: {{token: {TOKEN}, scope: write}}}}}}\n"
CHECKS = len(Registry.load().types)
LISTEN = "web: {listen: '127.0.0.1:0'}\n"


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def post(running: Daemon, path: str, what: object = None) -> tuple[int, str]:
    request = Request(  # noqa: S310 - our own loopback
        running.address + path,
        data=json.dumps(what).encode(),
        method="POST",
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310 - our own loopback
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def reloads(running: Daemon) -> float:
    return running.total("pgvigil_config_last_reload_success_timestamp_seconds")


def targets(running: Daemon) -> set[str]:
    return {dict(labels)["target"] for labels in running.metrics("pgvigil_interval_seconds")}


def test_sighup_takes_a_new_configuration_into_force(sound: str, broken: str, configured: Configured) -> None:
    file = configured(sound, every="1h")
    with daemon(file) as running:
        until(lambda: len(running.metrics("pgvigil_interval_seconds")), lambda checks: checks == CHECKS)
        until(lambda: running.total("pgvigil_subjects", state="unknown"), lambda unknown: unknown == 0)
        examined = running.total("pgvigil_runs_total", target="shop")
        began = reloads(running)
        file.write_text(file.read_text() + f"  other:\n    dsn: {broken}\n    every: 1h\n")
        running.process.send_signal(signal.SIGHUP)
        until(lambda: running.total("pgvigil_incidents", target="other", state="open"))
        assert reloads(running) > began
        assert running.total("pgvigil_config_last_reload_successful") == 1
        assert running.total("pgvigil_runs_total", target="shop") == examined, "it was not disturbed"

        rewrite(file, f"  other:\n    dsn: {broken}\n    every: 1h\n", "")
        running.process.send_signal(signal.SIGHUP)
        until(lambda: targets(running), lambda found: found == {"shop"})
        assert running.total("pgvigil_incidents") == 0
        assert not [one for one in running.metrics("pgvigil_runs_total") if ("target", "other") in one]
        assert running.terminate() == 0
    assert "configuration taken into force" in running.log.read_text()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("every: 1s", "every: soon", "every"),
        ("targets:", "nonsense: 1\ntargets:", "unknown key"),
        ("targets:", "targets: [", "pgvigil.yaml"),
        ("state: sqlite:///", "state: sqlite:////tmp/other", "cannot change while pgvigil runs"),
        ("127.0.0.1:0", "127.0.0.1:1", "cannot change while pgvigil runs"),
        ("    every", "    checks: {orphan_rows: {relations: [x]}}\n    every", "relations"),
        (LISTEN, "web: {listen: '127.0.0.1:0', config_file: nothing.yml}\n", "nothing.yml"),
    ],
)
def test_a_wrong_configuration_changes_nothing_and_is_told_of(
    sound: str, configured: Configured, old: str, new: str, words: str
) -> None:
    file = configured(sound)
    with daemon(file) as running:
        until(lambda: running.total("pgvigil_subjects", state="passed"))
        began = reloads(running)
        rewrite(file, old, new)
        running.process.send_signal(signal.SIGHUP)
        until(lambda: running.total("pgvigil_config_last_reload_successful"), lambda value: value == 0)
        assert reloads(running) == began
        examined = running.total("pgvigil_runs_total")
        until(lambda: running.total("pgvigil_runs_total"), lambda total: total > examined)
        assert running.get("-/ready")[0] == 200
        rewrite(file, new, old)
        running.process.send_signal(signal.SIGHUP)
        until(lambda: running.total("pgvigil_config_last_reload_successful"), lambda value: value == 1)
        assert running.terminate() == 0
    (line,) = [one for one in running.log.read_text().splitlines() if "configuration not taken" in one]
    assert words in line
    assert "Traceback" not in running.log.read_text()


def test_a_reload_over_http_answers_with_what_is_wrong(sound: str, configured: Configured) -> None:
    file = configured(sound)
    rewrite(file, LISTEN, WITH_TOKEN)
    with daemon(file) as running:
        assert post(running, "-/reload") == (200, "configuration taken into force\n")
        rewrite(file, "every: 1s", "every: soon")
        status, text = post(running, "-/reload")
        assert status == 500
        assert text.startswith("the last good configuration stays in force\n")
        assert f"{file}:" in text
        rewrite(file, "every: soon", "every: 2s")
        assert post(running, "-/reload")[0] == 200
        intervals = set(running.metrics("pgvigil_interval_seconds").values())
        until(lambda: set(running.metrics("pgvigil_interval_seconds").values()), lambda one: one == {2.0})
        assert intervals <= {1.0, 2.0}


def test_a_token_that_is_taken_away_is_refused_from_then_on(sound: str, configured: Configured) -> None:
    file = configured(sound)
    rewrite(file, LISTEN, WITH_TOKEN)
    with daemon(file) as running:
        rewrite(file, WITH_TOKEN, LISTEN)
        assert post(running, "-/reload")[0] == 200
        assert post(running, "-/reload")[0] == 403


def test_a_deployment_is_told_examined_and_shown(sound: str, configured: Configured) -> None:
    file = configured(sound, every="1h")
    rewrite(file, LISTEN, WITH_TOKEN)
    with daemon(file) as running:
        until(lambda: running.total("pgvigil_subjects", state="passed"))
        examined = running.total("pgvigil_runs_total")
        status, text = post(running, "api/v1/deployments", {"version": "2031.5"})
        assert status == 201
        assert "shop/orphan_rows" in json.loads(text)["examining"]
        until(lambda: running.total("pgvigil_runs_total"), lambda total: total > examined)
        deployed = running.metrics("pgvigil_deployment_timestamp_seconds")
        assert list(deployed) == [frozenset({("target", "shop"), ("version", "2031.5")})]
        assert running.total("pgvigil_new_incidents") == 0


def test_the_configuration_is_shown_without_what_came_from_outside(
    sound: str, configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_DSN", f"{sound}?application_name=tell-nobody")
    file = configured(sound)
    rewrite(file, f"dsn: {sound}", "dsn: !env SECRET_DSN")
    with daemon(file) as running:
        shown = json.loads(running.get("api/v1/config")[1])
        assert shown["targets"]["shop"]["dsn"] == "!env SECRET_DSN"
        assert shown["targets"]["shop"]["every"] == "1s"
        assert shown["state"] == "**********"
        assert set(shown["targets"]["shop"]["checks"]) >= {"orphan_rows", "table_drift"}
        assert "tell-nobody" not in json.dumps(shown)


def test_systemd_is_told_when_the_daemon_is_ready_reloads_lives_and_stops(
    sound: str, configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "1500000")
        with daemon(configured(sound)) as running:

            def told(state: str) -> str:
                while state not in (text := systemd.recv(4096).decode()):
                    assert text == "WATCHDOG=1" or "READY=1" in text
                return text

            assert running.address in told("READY=1")
            told("WATCHDOG=1")
            running.process.send_signal(signal.SIGHUP)
            assert "MONOTONIC_USEC=" in told("RELOADING=1")
            assert "READY=1" in told("READY=1")
            running.process.terminate()
            told("STOPPING=1")
            assert running.process.wait(30) == 0


def test_a_target_that_is_taken_away_in_mid_sweep_leaves_nothing_behind(
    sound: str, own_server: Server, configured: Configured
) -> None:
    with psycopg.connect(own_server.dsn(), autocommit=True) as conn:
        conn.execute("CREATE TABLE p (id int PRIMARY KEY)")
        for number in range(150):
            conn.execute(f"CREATE TABLE c{number} (id int REFERENCES p)")
        conn.execute("SET session_replication_role = replica")
        for number in range(150):
            conn.execute(f"INSERT INTO c{number} VALUES (1)")
    file = configured(sound)
    kept = file.read_text()
    file.write_text(
        kept + f"  other:\n    dsn: {own_server.dsn()}\n    every: 1h\n    budget: {{duty_cycle: 0.2}}\n"
    )
    with daemon(file) as running:
        until(
            lambda: running.total("pgvigil_incidents", target="other", state="open"), lambda many: many > 20
        )
        file.write_text(kept)
        running.process.send_signal(signal.SIGHUP)
        until(lambda: targets(running), lambda found: found == {"shop"})
        examined = running.total("pgvigil_runs_total")
        until(lambda: running.total("pgvigil_runs_total"), lambda total: total > examined + 20)
        assert targets(running) == {"shop"}
        assert running.total("pgvigil_incidents") == 0
        open_ones = json.loads(running.get("api/v1/incidents?state=open&limit=1000")[1])
        assert open_ones == []


def test_another_database_is_not_green_before_somebody_looked(
    sound: str, broken: str, configured: Configured
) -> None:
    file = configured(sound, every="6h")
    with daemon(file) as running:
        until(lambda: len(running.metrics("pgvigil_interval_seconds")), lambda checks: checks == CHECKS)
        until(lambda: running.total("pgvigil_subjects", state="unknown"), lambda unknown: unknown == 0)
        rewrite(file, f"dsn: {sound}", f"dsn: {broken}")
        running.process.send_signal(signal.SIGHUP)
        until(lambda: running.total("pgvigil_incidents", state="open"))
        assert running.terminate() == 0
    rewrite(file, f"dsn: {broken}", f"dsn: {sound.rpartition('/')[0]}/nothing_there")
    with daemon(file) as running:
        # Before anything was examined there, and after a start, too.
        assert running.total("pgvigil_subjects", state="passed") == 0
