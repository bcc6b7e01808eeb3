"""`pgvigil check`: what scripts and pipelines may rely on."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil.embedded import Server
from tests.cli.command import pgvigil

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
        "check", "subject", "outcome", "rows_examined", "duration_seconds", "strategy", "error",
    }  # fmt: skip


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
