"""`pgvigil check` that is interrupted: what it has seen by then is told, and nothing of it goes on."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import psycopg
import pytest

from tests.cli.command import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Whoever started the tests may have had them ignore SIGINT, as shells do with what is in the background.
RESTORED = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.{}); os.execv(sys.argv[1], sys.argv[1:])"
)
# Sweeps go check by check: the keys, then the relations with this one last, then the tables.
SLOW = "CREATE VIEW shop.slow AS SELECT 1::bigint AS id FROM pg_sleep(600)"
SLEEPING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
JUDGED, KNOWN = 4, 8
FILE = """
targets:
  shop:
    dsn: {dsn}
    budget: {{connections: 1, statement_timeout: 20m}}
    checks:
      orphan_rows: {{relations: ['shop.slow(id) -> shop.customers(id)']}}
"""


@contextmanager
def checking(*arguments: object, sigint: str = "SIG_DFL") -> Iterator[subprocess.Popen[str]]:
    """Run `pgvigil check` for the time of the block."""
    command = [sys.executable, "-c", RESTORED.format(sigint), str(PROGRAM), "check", *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def slow(sound: str, tmp_path: Path) -> Iterator[tuple[Path, Callable[[], bool]]]:
    """A configuration of which one subject takes minutes, and what tells whether that goes on."""
    file = tmp_path / "pgvigil.yaml"
    file.write_text(FILE.format(dsn=sound))
    with psycopg.connect(sound, autocommit=True) as conn:
        conn.execute(SLOW)

        def sleeping() -> bool:
            return conn.execute(SLEEPING).fetchone() is not None

        yield file, sleeping


def interrupted(
    slow: tuple[Path, Callable[[], bool]], by: signal.Signals, output: str
) -> tuple[int, str, str]:
    """Interrupt a check amid the slow subject; nothing goes on when it has ended."""
    file, sleeping = slow
    with checking("--config", file, "--format", output) as process:
        until(sleeping)
        process.send_signal(by)
        out, err = process.communicate(timeout=60)
        assert not sleeping()
    return process.returncode, out, err


LINE = "interrupted by {}: " + f"{JUDGED} of {KNOWN} subjects were judged"


@pytest.mark.parametrize(("by", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_what_was_judged_by_then_is_told_as_a_part(
    slow: tuple[Path, Callable[[], bool]], by: signal.Signals, status: int
) -> None:
    ended, out, err = interrupted(slow, by, "json")
    line = LINE.format(by.name)
    assert (ended, err) == (status, f"pgvigil: {line}\n")
    report = json.loads(out)
    assert report["error"] == line
    assert report["coverage"] == {"known": KNOWN, "passed": JUDGED, "failed": 0, "unknown": KNOWN - JUDGED}
    outcomes = [run["outcome"] for run in report["runs"]]
    assert outcomes == ["pass"] * JUDGED + ["skipped"] * (KNOWN - JUDGED)


def test_people_read_it_in_the_last_line(slow: tuple[Path, Callable[[], bool]]) -> None:
    status, out, err = interrupted(slow, signal.SIGINT, "text")
    assert (status, err) == (130, f"pgvigil: {LINE.format('SIGINT')}\n")
    assert LINE.format("SIGINT") in out.splitlines()[-1]
    assert "all clean" not in out
    assert "stopped before" not in out


def test_programs_that_read_junit_see_errors(slow: tuple[Path, Callable[[], bool]]) -> None:
    _, out, _ = interrupted(slow, signal.SIGTERM, "junit")
    suites = ET.fromstring(out)  # noqa: S314 - our own
    assert len(list(suites.iter("testcase"))) == KNOWN
    assert {error.get("message") for error in suites.iter("error")} == {
        "the sweep was stopped before this subject"
    }
    assert len(list(suites.iter("error"))) == KNOWN - JUDGED


def test_before_there_is_anything_to_tell_of_programs_can_read_that() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with checking("--dsn", f"host=127.0.0.1 port={port} dbname=x", "--format", "json") as process:
            silent.settimeout(60)
            with silent.accept()[0]:
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=60)
    line = "interrupted by SIGINT: no subject was known yet"
    assert (process.returncode, err) == (130, f"pgvigil: {line}\n")
    assert json.loads(out)["error"] == line


def test_what_is_to_ignore_ctrl_c_ignores_it(slow: tuple[Path, Callable[[], bool]]) -> None:
    file, sleeping = slow
    with checking("--config", file, "--format", "json", sigint="SIG_IGN") as process:
        until(sleeping)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "interrupted by SIGTERM" in json.loads(out)["error"]


def test_ctrl_c_while_the_command_line_is_loaded_shows_no_traceback() -> None:
    interrupting = """if True:
        import sys

        class Interrupting:
            def find_spec(self, name, *_):
                if name == "typer":
                    raise KeyboardInterrupt

        sys.meta_path.insert(0, Interrupting())
        from pgvigil.cli import main
    """
    done = subprocess.run([sys.executable, "-c", interrupting], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
