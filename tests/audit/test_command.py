"""`pgvigil audit` as a person or a script calls it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.cli.command import PROGRAM, pgvigil, refused
from tests.cli.conftest import broken as broken  # noqa: PLC0414 - a fixture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_an_audit_is_made_whatever_it_tells(broken: str) -> None:
    answer = pgvigil("audit", "--dsn", broken)
    assert (answer.status, answer.err) == (0, "")
    assert "shop.orders(customer_id) -> shop.customers(id)" in answer.out
    assert "2 rows of shop.orders without a parent in shop.customers" in answer.out
    assert "1 schema, 3 tables, 2 foreign keys, 1 broken" in answer.out


def test_json_is_one_document_and_nothing_else(broken: str) -> None:
    document = pgvigil("audit", "--dsn", broken, "--format", "json").json
    assert document["inventory"]["broken_foreign_keys"] == 1
    assert document["sampled"] is True


def test_without_sampling_no_rows_are_judged(broken: str) -> None:
    document = pgvigil("audit", "--dsn", broken, "--format", "json", "--no-sampling").json
    assert document["inventory"]["broken_foreign_keys"] == 0
    assert "which relations have rows without a parent: no rows were read" in document["unknown"]


@pytest.mark.parametrize("output", ["mermaid", "dot"])
def test_the_map_alone_is_compared_with_nothing(tmp_path: Path, output: str) -> None:
    old = tmp_path / "old.json"
    old.write_text("{}")
    answer = pgvigil("audit", "--dsn", "dbname=none", "--compare", old, "--format", output)
    refused(answer, 2, f"--compare: {output} is the map alone, and tells of no changes")


@pytest.mark.parametrize(
    ("output", "begins"),
    [
        ("text", "database"),
        ("markdown", "# Audit of"),
        ("html", "<!doctype html>"),
        ("json", "{"),
        ("mermaid", "erDiagram"),
        ("dot", "digraph"),
    ],
)
def test_each_format_can_go_to_a_file(broken: str, tmp_path: Path, output: str, begins: str) -> None:
    file = tmp_path / "audit"
    answer = pgvigil("audit", "--dsn", broken, "--format", output, "--output", file, "--no-sampling")
    assert (answer.status, answer.out, answer.err) == (0, "", "")
    text = file.read_text(encoding="utf-8")
    assert begins.lower() in text[:300].lower()
    assert text.endswith("\n")
    assert "\x1b" not in text


def test_what_changed_since_an_earlier_audit_is_told(broken: str, tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    assert pgvigil("audit", "--dsn", broken, "--format", "json", "--output", old, "--no-sampling").status == 0
    again = pgvigil("audit", "--dsn", broken, "--no-sampling", "--compare", old)
    assert "Changed since" in again.out
    assert "nothing" in again.out
    with psycopg.connect(broken, autocommit=True) as conn:
        conn.execute("""
            ALTER TABLE shop.orders ADD COLUMN note text;
            ALTER TABLE shop.lines DROP CONSTRAINT lines_pkey, ALTER COLUMN n TYPE bigint;
            CREATE TABLE shop.gifts (id int);
        """)
    document = pgvigil("audit", "--dsn", broken, "--no-sampling", "--compare", old, "--format", "json").json
    told = {one["words"] for one in document["changes"]}
    assert {
        "column shop.orders.note added: text",
        "type of shop.lines.n was integer, is bigint",
        "table shop.gifts added",
    } <= told
    assert any(one["loses"] and one["part"] == "constraint" for one in document["changes"])
    assert document["compared_with"] is not None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no json", "is no JSON"),
        ("[]", "is no audit"),
        ('{"version": 2, "inventory": {}}', "version 2"),
        ('{"version": 1, "inventory": {}, "taken_at": "2031-01-01T00:00:00Z"}', "state of a schema"),
    ],
)
def test_what_is_no_audit_is_refused(broken: str, tmp_path: Path, content: str, words: str) -> None:
    old = tmp_path / "old.json"
    old.write_text(content, encoding="utf-8")
    refused(pgvigil("audit", "--dsn", broken, "--no-sampling", "--compare", old), 2, "old.json", words)


def test_files_that_cannot_be_read_or_written_are_told_in_one_line(broken: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "file"
    refused(pgvigil("audit", "--dsn", broken, "--compare", missing), 2, "--compare", "No such file")
    refused(pgvigil("audit", "--dsn", broken, "--output", missing), 2, "--output", "No such file")


def test_a_target_that_cannot_be_reached_is_told_in_one_line() -> None:
    refused(pgvigil("audit", "--dsn", "host=127.0.0.1 port=1 dbname=games"), 3, "games", "refused")
    refused(pgvigil("audit"), 2, "nothing to watch")


@pytest.fixture
def limited(broken: str) -> Iterator[str]:
    """The DSN of a role that may read the customers, and of the orders their numbers."""
    with psycopg.connect(broken, autocommit=True) as conn:
        role = f"limited_{conn.info.backend_pid}"
        name = sql.Identifier(role)
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'secret'").format(name))
        conn.execute(sql.SQL("GRANT USAGE ON SCHEMA shop TO {}").format(name))
        conn.execute(sql.SQL("GRANT SELECT ON shop.customers TO {}").format(name))
        conn.execute(sql.SQL("GRANT SELECT (id) ON shop.orders TO {}").format(name))
        yield make_conninfo(broken, user=role, password="secret")
        conn.execute(sql.SQL("DROP OWNED BY {}").format(name))
        conn.execute(sql.SQL("DROP ROLE {}").format(name))


def test_what_the_role_may_not_read_is_listed_as_unknown(limited: str) -> None:
    answer = pgvigil("audit", "--dsn", limited, "--format", "json")
    assert answer.status == 0
    unknown = answer.json["unknown"]
    assert "shop.lines: the role may not read its rows" in unknown
    assert "shop.orders: the role may not read customer_id" in unknown
    assert any(
        line.startswith("shop.orders(customer_id) -> shop.customers(id): orphan_rows") for line in unknown
    )
    readable = {one["table"]: one["readable"] for one in answer.json["inventory"]["per_table"]}
    assert readable == {"shop.customers": True, "shop.lines": False, "shop.orders": False}


def test_a_disabled_check_leaves_unknown_what_it_would_tell(broken: str, tmp_path: Path) -> None:
    file = tmp_path / "pgvigil.yaml"
    checks = "{foreign_keys: {enabled: false}, orphan_rows: {enabled: false}}"
    file.write_text(f"targets: {{shop: {{dsn: '{broken}', checks: {checks}}}}}\n", encoding="utf-8")
    document = pgvigil("audit", "--config", file, "--format", "json").json
    assert "which foreign keys do not protect: the check foreign_keys is disabled" in document["unknown"]
    assert (
        "which relations have rows without a parent: the check orphan_rows is disabled" in document["unknown"]
    )


def test_an_interrupted_audit_says_so_and_reports_nothing(broken: str, tmp_path: Path) -> None:
    file = tmp_path / "pgvigil.yaml"
    budget = "{lock_timeout: 60s, statement_timeout: 60s}"
    file.write_text(f"targets: {{shop: {{dsn: '{broken}', budget: {budget}}}}}\n", encoding="utf-8")
    with psycopg.connect(broken) as holder, psycopg.connect(broken, autocommit=True) as watcher:
        holder.execute("LOCK TABLE shop.customers IN ACCESS EXCLUSIVE MODE")
        command = [str(PROGRAM), "audit", "--config", str(file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            waiting = (
                "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            while watcher.execute(waiting).fetchone() is None:
                assert process.poll() is None
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err == "pgvigil: interrupted by SIGINT: the audit was not finished\n"


def test_a_table_that_somebody_holds_is_unknown_and_the_rest_is_told(broken: str) -> None:
    with psycopg.connect(broken) as holder:
        holder.execute("LOCK TABLE shop.customers IN ACCESS EXCLUSIVE MODE")
        answer = pgvigil("audit", "--dsn", broken, "--format", "json")
    assert answer.status == 0
    assert len(answer.json["inventory"]["per_table"]) == 3
    unknown = [line for line in answer.json["unknown"] if line.startswith("shop.orders(customer_id)")]
    assert len(unknown) == 1


def test_an_audit_loads_nothing_that_it_may_do_without() -> None:
    """Most of the time of a small one goes to loading modules."""
    heavy = (
        "{'alembic', 'prometheus_client', 'rich', 'sqlalchemy', 'starlette', 'structlog', 'urllib3', 'yaml'}"
    )
    program = f"import sys, pgvigil.cli.audit, pgvigil_checks; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
