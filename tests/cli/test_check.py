"""`pgvigil check`: what scripts and pipelines may rely on."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.embedded import Server
from tests.cli.command import PROGRAM, pgvigil

ORPHANS = "shop.orders(customer_id) -> shop.customers(id)"


@pytest.mark.every_pg
def test_a_sound_database_is_clean_and_all_of_it_was_examined(sound: str) -> None:
    answer = pgvigil("check", "--dsn", sound, "--format", "json")
    with psycopg.connect(sound) as conn:
        declared = conn.execute(
            "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0"
        ).fetchall()[0][0]
        tables = conn.execute(
            "SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
            "WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname IN ('shop', 'public')"
        ).fetchall()[0][0]
    report = answer.json
    runs = report["runs"]
    assert answer.status == 0
    assert answer.err == ""
    assert sum(run["check"] == "foreign_keys" for run in runs) == declared == 2
    assert sum(run["check"] == "orphan_rows" for run in runs) == declared
    assert sum(run["check"] == "tables" for run in runs) == tables == 3
    assert report["coverage"] == {"known": len(runs), "passed": len(runs), "failed": 0, "unknown": 0}
    assert report["findings"] == []
    assert {run["outcome"] for run in runs} == {"pass"}


def test_the_report_has_the_form_of_the_contract(broken: str) -> None:
    answer = pgvigil("check", "--dsn", broken, "--format", "json")
    report = answer.json
    (finding,) = [one for one in report["findings"] if one["severity"] == "critical"]
    assert answer.status == 1
    assert report["version"] == 1
    assert report["target"] == psycopg.conninfo.conninfo_to_dict(broken)["dbname"]
    assert report["server_version"].split(".")[0].isdigit()
    assert report["started_at"].endswith("Z")
    assert report["finished_at"] >= report["started_at"]
    assert (finding["check"], finding["subject"], finding["count"]) == ("orphan_rows", ORPHANS, 2)
    assert [row["customer_id"] for row in finding["sample"]] == [3, 7]
    assert {"title", "evidence_sql", "remedy", "fingerprint", "details"} <= finding.keys()
    with psycopg.connect(broken) as conn:
        assert len(conn.execute(finding["evidence_sql"].encode()).fetchall()) == 2
    assert set(report["runs"][0]) == {
        "check", "subject", "outcome", "rows_examined", "duration_seconds", "strategy", "explain", "error",
    }  # fmt: skip
    assert {run["explain"] for run in report["runs"] if run["check"] == "orphan_rows"} == {
        "hash: the tables were never analysed, or are empty"
    }


def test_how_and_why_is_told_to_whom_asks(broken: str) -> None:
    why = "hash: the tables were never analysed"
    assert why in pgvigil("check", "--dsn", broken, "--explain").out
    assert why not in pgvigil("check", "--dsn", broken).out
    told = pgvigil("check", "--dsn", broken, "--explain", "--check", "foreign_keys", "--check", "tables").out
    assert told.count("there is nothing to choose") == told.count("explain ")
    assert {"catalog:", "first row:"} <= set(re.findall(r"(?:catalog|first row):", told))


def test_how_and_why_is_told_in_junit_as_well(broken: str) -> None:
    def outputs(*more: str) -> list[str | None]:
        junit = pgvigil("check", "--dsn", broken, "--format", "junit", *more)
        return [each.text for each in ET.fromstring(junit.out).iter("system-out")]  # noqa: S314 - our own

    assert outputs() == []
    assert "hash: the tables were never analysed, or are empty" in outputs("--explain")


def test_one_is_one(broken: str) -> None:
    one = ("--check", "tables", "--subject", "shop.customers")
    assert " · 1 run, 1 row examined, " in pgvigil("check", "--dsn", broken, *one).out


def test_a_fingerprint_is_the_same_from_run_to_run(broken: str) -> None:
    first, second = (pgvigil("check", "--dsn", broken, "--format", "json").json for _ in range(2))
    prints = [[finding["fingerprint"] for finding in report["findings"]] for report in (first, second)]
    assert prints[0] == prints[1]
    assert prints[0]


def test_text_says_the_verdict_and_junit_can_be_read_by_programs(broken: str) -> None:
    text = pgvigil("check", "--dsn", broken)
    junit = pgvigil("check", "--dsn", broken, "--format", "junit")
    suites = ET.fromstring(junit.out)  # noqa: S314 - our own
    assert text.status == junit.status == 1
    assert ORPHANS in text.out
    assert "1 critical" in text.out
    assert "SELECT" not in text.out.partition("→")[0]
    assert "\n  | SELECT" in pgvigil("check", "--dsn", broken, "--evidence").out
    assert [case.get("name") for case in suites.iter("testcase") if case.find("failure") is not None] == [
        ORPHANS
    ]


def test_fail_on_decides_what_is_worth_a_failure(broken: str, tmp_path: Path) -> None:
    config = tmp_path / "pgvigil.yaml"
    config.write_text(
        f"targets:\n  shop:\n    dsn: {broken}\n    checks:\n"
        "      orphan_rows: {severity: {'shop.*': warning}}\n"
    )
    assert pgvigil("check", "--config", config, "--fail-on", "critical").status == 0
    assert pgvigil("check", "--config", config, "--fail-on", "warning").status == 1


def test_checks_and_subjects_narrow_the_sweep(broken: str) -> None:
    clean = pgvigil("check", "--dsn", broken, "--check", "foreign_keys", "--format", "json")
    narrow = pgvigil("check", "--dsn", broken, "--subject", "shop.lines*", "--format", "json")
    assert (clean.status, {run["check"] for run in clean.json["runs"]}) == (0, {"foreign_keys"})
    assert narrow.status == 0
    assert {run["subject"] for run in narrow.json["runs"]} == {
        "shop.lines", "shop.lines(order_id) -> shop.orders(id)"
    }  # fmt: skip


def test_what_may_not_be_read_is_unknown_and_no_all_clear(sound: str, pg_server: Server) -> None:
    with psycopg.connect(pg_server.dsn(), autocommit=True) as conn:
        conn.execute("CREATE ROLE cli_blind LOGIN PASSWORD 'secret'")
    try:
        answer = pgvigil(
            "check", "--dsn", make_conninfo(sound, user="cli_blind", password="secret"), "--format", "json"
        )
    finally:
        with psycopg.connect(pg_server.dsn(), autocommit=True) as conn:
            conn.execute("DROP ROLE cli_blind")
    report = answer.json
    assert answer.status == 3
    assert report["coverage"]["unknown"] == 5
    assert all("permission denied" in run["error"] for run in report["runs"] if run["outcome"] == "error")


def test_a_locked_table_is_a_timeout_and_the_rest_is_examined(sound: str) -> None:
    with psycopg.connect(sound) as conn:
        conn.execute("LOCK TABLE shop.customers IN ACCESS EXCLUSIVE MODE")
        answer = pgvigil("check", "--dsn", sound, "--format", "json")
    outcomes = {(run["check"], run["subject"]): run["outcome"] for run in answer.json["runs"]}
    assert answer.status == 3
    assert outcomes["orphan_rows", ORPHANS] == "timeout"
    assert outcomes["orphan_rows", "shop.lines(order_id) -> shop.orders(id)"] == "pass"
    # It took longer for that; who waits learns why, in one line for each check.
    (warning,) = answer.err.splitlines()
    again = "a batch failed, so its subjects were looked at again"
    assert warning.startswith(f"pgvigil: warning: tables: {again}: shop.customers and 2 more: ")
    assert "lock timeout" in warning


def test_nothing_to_examine_is_no_all_clear(database: str, sound: str) -> None:
    for arguments in (("--dsn", database), ("--dsn", sound, "--check", "table_drift")):
        answer = pgvigil("check", *arguments, "--format", "json")
        assert (answer.status, answer.json["coverage"]["known"]) == (3, 0)
        assert "nothing to examine" in answer.err


def test_junit_agrees_with_the_exit_status(broken: str, tmp_path: Path) -> None:
    config = tmp_path / "pgvigil.yaml"
    config.write_text(
        f"targets:\n  shop:\n    dsn: {broken}\n    checks:\n"
        "      orphan_rows: {severity: {'shop.*': warning}}\n"
    )
    for fail_on, failures in (("critical", 0), ("warning", 1)):
        answer = pgvigil("check", "--config", config, "--fail-on", fail_on, "--format", "junit")
        suites = ET.fromstring(answer.out)  # noqa: S314 - our own
        assert answer.status == failures
        assert sum(int(suite.get("failures", "")) for suite in suites) == failures
        assert len(list(suites.iter("failure"))) == failures


def test_the_environment_never_reaches_into_a_configuration(sound: str, broken: str, tmp_path: Path) -> None:
    config = tmp_path / "pgvigil.yaml"
    config.write_text(f"targets:\n  shop: {{dsn: '{broken}'}}\n")
    assert pgvigil("check", "--config", config, PGVIGIL_DSN=sound).status == 1
    assert pgvigil("check", "--dsn", sound, PGVIGIL_CONFIG=str(config)).status == 0
    assert pgvigil("check", PGVIGIL_CONFIG=str(config)).status == 1
    assert pgvigil("check", PGVIGIL_DSN=sound).status == 0
    assert pgvigil("check", "--config", config, "--dsn", sound).status == 0


def test_an_unreachable_database_is_told_on_stdout_too_for_programs() -> None:
    answer = pgvigil("check", "--dsn", "host=127.0.0.1 port=1 dbname=x", "--format", "json")
    assert answer.status == 3
    assert answer.json["coverage"]["known"] == 0
    assert "127.0.0.1" in answer.json["error"]
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize("output", ["text", "json", "junit"])
def test_the_verdict_stands_although_nobody_reads_it(sound: str, broken: str, output: str) -> None:
    for dsn, status in ((sound, 0), (broken, 1)):
        reader, writer = os.pipe()
        os.close(reader)
        command = [PROGRAM, "check", "--dsn", dsn, "--format", output]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
        os.close(writer)
        assert (done.returncode, done.stderr) == (status, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_the_verdict_stands_although_a_stream_is_closed(sound: str, broken: str, closed: str) -> None:
    for dsn, status in ((sound, 0), (broken, 1)):
        command = f"'{PROGRAM}' check --dsn '{dsn}' {closed}"
        done = subprocess.run(command, shell=True, capture_output=True, check=False)  # noqa: S602 - redirects
        assert done.returncode == status


def test_a_report_that_cannot_be_written_is_no_all_clear(sound: str, broken: str) -> None:
    for dsn, status in ((sound, 3), (broken, 1)):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [PROGRAM, "check", "--dsn", dsn, "--format", "json"],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == status
        assert "cannot be written" in done.stderr
        assert "Traceback" not in done.stderr


def test_row_values_cannot_write_on_the_terminal(database: str) -> None:
    wipe = "\x1b[2J\nall clean\u202e"
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute("CREATE TABLE p (id text PRIMARY KEY); CREATE TABLE c (id text REFERENCES p)")
        conn.execute("SET session_replication_role = replica")
        conn.execute("INSERT INTO c VALUES (%s)", [wipe])
    answer = pgvigil("check", "--dsn", database)
    assert answer.status == 1
    assert "\x1b" not in answer.out
    assert "\nall clean" not in answer.out
    assert r"id=\x1b[2J\nall clean\u202e" in answer.out


def test_names_can_be_shown_where_the_terminal_lacks_their_characters(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute('CREATE TABLE "Größe" (id int PRIMARY KEY, other int)')
        conn.execute('ALTER TABLE "Größe" ADD FOREIGN KEY (other) REFERENCES "Größe" NOT VALID')
    answer = pgvigil("check", "--dsn", database, PYTHONIOENCODING="ascii")
    assert answer.status == 1
    assert r"Gr\xf6\xdfe" in answer.out


def test_the_traceback_of_an_error_changes_no_status() -> None:
    answer = pgvigil("check", "--dsn", "host=127.0.0.1 port=1", PGVIGIL_DEBUG="1")
    assert answer.status == 3
    assert "Traceback" in answer.err
