"""The commands around the watch: checks, config, init, grants, version, demo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil import __version__
from pgvigil.check import DOC_SECTIONS
from pgvigil.embedded import Server
from tests.cli.command import PROGRAM, pgvigil, refused


def test_version() -> None:
    assert pgvigil("version").out == pgvigil("--version").out == f"pgvigil {__version__}\n"


def test_help_names_every_command() -> None:
    text = pgvigil("--help").out
    for command in ("run", "check", "demo", "checks", "config", "init", "grants", "version"):
        assert f"\n  {command} " in text


@pytest.mark.parametrize("group", [(), ("config",), ("deployment",), ("proposals",), ("schema",), ("slot",)])
def test_no_summary_in_a_help_is_cut(group: tuple[str, ...]) -> None:
    _, commands = pgvigil(*group, "--help", COLUMNS="80").out.split("\nCommands:\n")
    assert "..." not in commands


def test_checks_lists_what_is_installed_and_explains_one() -> None:
    listed = pgvigil("checks", "--format", "json").json
    one = pgvigil("checks", "orphan_rows", "--format", "json").json
    text = pgvigil("checks", "orphan_rows").out
    assert [check["name"] for check in listed] == [
        "foreign_keys",
        "orphan_rows",
        "table_drift",
        "tables",
        "schema_drift",
    ]
    assert one in listed
    assert "relations" in one["settings"]["properties"]
    assert all(f"\n{section}\n" in text for section in DOC_SECTIONS)
    refused(pgvigil("checks", "orphan_row"), 2, "orphan_rows")


def test_the_schema_is_one_json_document() -> None:
    schema = pgvigil("config", "schema").json
    assert schema["properties"]["targets"]


def test_init_writes_a_file_that_can_be_used_as_it_is(sound: str, tmp_path: Path) -> None:
    file = tmp_path / "pgvigil.yaml"
    assert pgvigil("init", "--dsn", sound, "--output", file).status == 0
    assert pgvigil("config", "check", "--connect", file, PGVIGIL_DSN=sound).status == 0
    assert pgvigil("check", "--config", file, PGVIGIL_DSN=sound).status == 0
    refused(pgvigil("init", "--dsn", sound, "--output", file), 2, "exists")


def test_the_role_of_grants_may_examine_everything_and_write_nothing(sound: str, pg_server: Server) -> None:
    sql = pgvigil("grants", "--dsn", sound, "--role", "cli_guard").out
    with psycopg.connect(sound, autocommit=True) as conn:
        conn.execute(sql.encode())
        conn.execute("ALTER ROLE cli_guard LOGIN PASSWORD 'secret'")
    try:
        dsn = make_conninfo(sound, user="cli_guard", password="secret")
        answer = pgvigil("check", "--dsn", dsn, "--format", "json")
        assert (answer.status, answer.json["coverage"]["unknown"]) == (0, 0)
    finally:
        with psycopg.connect(sound, autocommit=True) as conn:
            conn.execute("DROP OWNED BY cli_guard")
            conn.execute("DROP ROLE cli_guard")


def test_grants_see_the_sessions_of_others_where_a_pause_needs_it(sound: str, tmp_path: Path) -> None:
    file, grant = tmp_path / "pgvigil.yaml", "GRANT pg_read_all_stats TO pgvigil;"
    for limits, granted in (("lock_waits: 3", False), ("active_sessions: 9, oldest_snapshot: 1h", True)):
        file.write_text(f"targets:\n  shop:\n    dsn: {sound}\n    budget: {{pause: {{{limits}}}}}\n")
        script = pgvigil("grants", "--config", file).out
        assert (grant in script.splitlines(), f"-- {grant}" in script.splitlines()) == (granted, not granted)
    assert "-- For `budget.pause.active_sessions`, `budget.pause.oldest_snapshot`: " in script


def test_the_demo_finds_each_planted_fault_and_no_other() -> None:
    answer = pgvigil("demo", "--once")
    assert answer.status == 0, answer
    assert "11 schemas, 106 tables, 28 foreign keys" in answer.out
    assert "missed" not in answer.out
    assert answer.out.count("\nfound ") == 20
    assert "planted faults were found with their exact counts, and no other" in answer.out


def test_ctrl_c_ends_the_demo_and_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [PROGRAM, "demo", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        address = next(line for line in demo.stdout if line.startswith("Console"))
        assert "http://127.0.0.1:" in address
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0
    deadline = time.monotonic() + 20
    while (left := list(tmp_path.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{PROGRAM} config schema | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)  # noqa: S602
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_no_command_but_the_daemon_waits_for_the_framework_of_its_pages() -> None:
    code = "import sys, pgvigil.cli.configuration; sys.exit('fastapi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
