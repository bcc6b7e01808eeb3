"""What people decide reaches a running daemon, and outlives it."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import psycopg

from tests.cli.command import pgvigil
from tests.daemon.process import Daemon, daemon, until
from tests.daemon.test_reload import LISTEN, TOKEN, WITH_TOKEN, rewrite, targets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SUBJECT = "public.visits(page_id) -> public.pages(id)"
GIVEN = """
    CREATE TABLE pages (id int PRIMARY KEY); INSERT INTO pages VALUES (1);
    CREATE TABLE visits (id int PRIMARY KEY, page_id int); INSERT INTO visits VALUES (1, 1), (2, 7);
"""
DBT = """
version: 2
models:
  - name: visits
    columns: [{name: page_id, tests: [{relationships: {to: ref('pages'), field: id}}]}]
"""


def told(running: Daemon, *arguments: str) -> str:
    answer = pgvigil(*arguments, "--url", running.address, PGVIGIL_TOKEN=TOKEN)
    assert answer.status == 0, answer.err
    return answer.out


def incidents(running: Daemon, state: str = "open") -> dict[str, str]:
    listed = json.loads(running.get(f"api/v1/incidents?state={state}&limit=1000")[1])
    return {one["subject"]: one["id"] for one in listed}


def test_what_is_imported_is_examined_and_survives_a_kill(
    database: str, configured: Callable[..., Path], tmp_path: Path
) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(GIVEN)
    file, dbt = configured(database), tmp_path / "schema.yml"
    rewrite(file, LISTEN, WITH_TOKEN)
    dbt.write_text(DBT)
    with daemon(file) as running:
        until(lambda: running.total("pgvigil_subjects", check="tables", state="passed") == 2)
        out = told(running, "proposals", "import", "dbt", str(dbt), "--dsn", database)
        assert out == "shop: 1 relation: 1 adopted\n"
        until(lambda: SUBJECT in incidents(running))
        running.kill()
    with daemon(file) as running:
        line, *_ = told(running, "proposals", "list", "--state", "adopted").splitlines()
        assert SUBJECT in line
        assert running.total("pgvigil_violations", subject=SUBJECT) == 1
        told(running, "proposals", "reject", line.split()[0])
        until(lambda: not running.metrics("pgvigil_violations") or not incidents(running))
        assert SUBJECT in until(lambda: incidents(running, "resolved"))
        assert running.terminate() == 0


def test_a_pipeline_changes_a_schema_and_accepts_it(database: str, configured: Callable[..., Path]) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(GIVEN)
        file = configured(database)
        rewrite(file, LISTEN, WITH_TOKEN)
        with daemon(file) as running:
            until(lambda: running.total("pgvigil_subjects", check="schema_drift", state="passed") == 2)
            conn.execute("DROP TABLE visits")
            lost = until(lambda: incidents(running))["public"]
            with psycopg.connect(database) as other:
                other.execute("LOCK pg_constraint IN ACCESS EXCLUSIVE MODE")
                arguments = ("schema", "accept", "--look", "--url", running.address)
                answer = pgvigil(*arguments, PGVIGIL_TOKEN=TOKEN)
                assert (answer.status, "schema_drift could not look at" in answer.err) == (3, True), answer
            shown = told(running, "schema", "accept", "--look")
            assert "    table public.visits removed\n" in shown
            assert shown.endswith("accepted public on shop\n")
            until(lambda: not incidents(running))
            history = json.loads(running.get(f"api/v1/incidents/{lost}")[1])
            assert [(one["kind"], one["who"]) for one in history["events"]][-2:] == [
                ("accepted", "ci"),
                ("resolved", None),
            ]
            assert running.terminate() == 0


def test_what_was_decided_outlives_a_target_that_is_left_out_for_a_while(
    database: str, configured: Callable[..., Path], tmp_path: Path
) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(GIVEN)
        file, dbt = configured(database), tmp_path / "schema.yml"
        rewrite(file, LISTEN, WITH_TOKEN)
        dbt.write_text(DBT)
        with_shop = file.read_text()
        without = with_shop.replace("  shop:", "  other:")
        with daemon(file) as running:
            until(lambda: running.total("pgvigil_subjects", check="schema_drift", state="passed") == 2)
            told(running, "proposals", "import", "dbt", str(dbt), "--dsn", database)
            conn.execute("DROP TABLE pages")
            lost = until(lambda: incidents(running))
            assert "public" in lost
            for text, there in ((without, {"other"}), (with_shop, {"shop"})):
                file.write_text(text)
                running.process.send_signal(signal.SIGHUP)
                until(lambda: targets(running), lambda found, there=there: found == there)
                if there == {"other"}:
                    assert told(running, "proposals", "list", "--state", "all") == "no proposals\n"
            until(lambda: "public" in incidents(running))
            assert "public  differs, as first seen" in told(running, "schema", "list")
            assert SUBJECT in told(running, "proposals", "list", "--state", "adopted")
            assert running.terminate() == 0
