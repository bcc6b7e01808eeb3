"""The unit is sound, lets out little, and the daemon lives within it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.cli.command import PROGRAM
from tests.deploy import unit, world
from tests.servers import required

if TYPE_CHECKING:
    from pathlib import Path

MOST_EXPOSURE = "15"  # of 100; what remains is that it has a network
PAGE = world.ROOT / "docs/howto/deploy-systemd.md"


@pytest.fixture
def analyze() -> str:
    """The program that judges units."""
    if shutil.which("systemd-analyze") is None and not required():
        pytest.skip("systemd-analyze is not installed")
    return "systemd-analyze"


@pytest.fixture
def own_world() -> None:
    """What it takes to put the unit's restrictions in force without systemd."""
    if (lacking := world.lacking()) and not required():
        pytest.skip(f"this needs {lacking}")


def analyzed(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_systemd_understands_every_line(analyze: str, tmp_path: Path) -> None:
    installed = tmp_path / unit.FILE.name
    text = unit.FILE.read_text(encoding="utf-8")
    installed.write_text(text.replace("/opt/pgvigil/bin/pgvigil", str(PROGRAM)), encoding="utf-8")
    answer = analyzed(analyze, "verify", installed)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")

    installed.write_text(text + "[Service]\nProtectEverything=yes\n", encoding="utf-8")
    assert "ProtectEverything" in analyzed(analyze, "verify", installed).stderr


def test_little_is_exposed(analyze: str) -> None:
    answer = analyzed(analyze, "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", unit.FILE)
    assert answer.returncode == 0, answer.stdout


def test_the_daemon_is_told_of_by_signal_and_restarted_within_reason() -> None:
    assert unit.one("Type") == "notify"
    check, signal_it = unit.settings("Service")["ExecReload"]
    assert check == unit.one("ExecStart").replace("run --config", "config check")
    assert signal_it == "/bin/kill -HUP $MAINPID"
    assert unit.one("Restart") == "on-failure"
    assert unit.one("StartLimitBurst", "Unit")
    assert float(unit.one("WatchdogSec").removesuffix("s")) > 0


def test_a_wrong_configuration_is_not_tried_again(tmp_path: Path) -> None:
    wrong = tmp_path / "pgvigil.yaml"
    wrong.write_text("targets: {}\n", encoding="utf-8")
    status = analyzed(PROGRAM, "run", "--config", wrong).returncode
    assert str(status) in unit.one("RestartPreventExitStatus").split()


@pytest.mark.usefixtures("own_world")
def test_the_restrictions_restrict(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    program = [str(world.PYTHON), str(world.HERE / "probe.py"), str(tmp_path / "etc")]
    command = world.confined(tmp_path, "secret", program)
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=world.ENVIRONMENT)
    outcomes = json.loads(answer.stdout)
    assert {name for name, outcome in outcomes.items() if outcome == "done"} == {
        "write its state",
        "read its credential",
        "speak TCP",
        "speak over Unix sockets",
        "resolve localhost",
        "have temporary files",
    }


@pytest.mark.usefixtures("own_world")
def test_a_reload_fails_when_the_configuration_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    file = tmp_path / "etc/pgvigil.yaml"
    command = world.confined(tmp_path, "dbname=games", [str(PROGRAM), "config", "check", str(file)])

    def checked(text: str) -> subprocess.CompletedProcess[str]:
        file.write_text(text, encoding="utf-8")
        return subprocess.run(command, capture_output=True, text=True, check=False, env=world.ENVIRONMENT)

    assert checked(documented()).returncode == 0
    wrong = checked(documented().replace("every:", "evrey:"))
    assert (wrong.returncode, "evrey" in wrong.stderr) == (2, True)


def documented() -> str:
    """Return the configuration that the documentation gives for the service."""
    text = PAGE.read_text(encoding="utf-8")
    (config,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(config)


@pytest.mark.usefixtures("own_world")
def test_the_daemon_watches_within_the_restrictions(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database) as conn:
        conn.execute("CREATE TABLE games (id int PRIMARY KEY)")
    config = documented()
    for written, here in {"127.0.0.1:9925": "127.0.0.1:0", "every: 5m": "every: 1s"}.items():
        assert written in config
        config = config.replace(written, here)
    with world.service(tmp_path, config, database, watchdog_seconds=1) as service:
        service.told("READY")
        # Twice: the sign of life goes on, whatever it examines meanwhile.
        service.told("WATCHDOG")
        service.told("WATCHDOG")
        page = service.until_metrics('pgvigil_subjects{check="tables",state="passed",target="games"} 1.0')
        assert 'pgvigil_target_up{target="games"} 1.0' in page
        assert (tmp_path / "state/pgvigil.db").stat().st_uid == world.UID

        service.process.send_signal(signal.SIGHUP)
        assert int(service.told("RELOADING")["MONOTONIC_USEC"]) > 0
        service.told("READY")

        service.process.terminate()
        service.told("STOPPING")
        assert service.process.wait(30) == 0
