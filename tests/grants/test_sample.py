"""Under the role every built-in check finds on the sample what a superuser's would, or says what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from tests.grants.sample import configured, in_crisis, judged, make_role

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# What a role may be called is another test's.
pytestmark = pytest.mark.parametrize("role", ["pgvigil_{}"], indirect=True, ids=["plain"])

BUILT_IN = {"foreign_keys", "orphan_rows", "table_drift", "tables"}


@pytest.fixture
def database(database_from: Callable[[str, Callable[[str], None]], str]) -> str:
    """The sample in its crisis."""
    return database_from("grants_sample", in_crisis)


@pytest.mark.every_pg
@pytest.mark.parametrize("whole_cluster", [False, True], ids=["what is watched", "whole cluster"])
def test_every_check_finds_what_it_finds_as_a_superuser(
    database: str, role: str, login: Callable[[str], str], tmp_path: Path, whole_cluster: bool
) -> None:
    file = configured(tmp_path, database)
    make_role(file, database, role, whole_cluster=whole_cluster)
    as_role, as_superuser = judged(file, login(role)), judged(file, database)
    assert as_role == as_superuser
    assert as_role["coverage"]["unknown"] == 0
    assert {run["check"] for run in as_role["runs"]} == BUILT_IN
    assert {finding["check"] for finding in as_role["findings"]} >= BUILT_IN - {"tables"}


def test_what_is_missing_is_said_and_never_passes(
    admin_conn: psycopg.Connection, database: str, role: str, login: Callable[[str], str], tmp_path: Path
) -> None:
    file = configured(tmp_path, database)
    make_role(file, database, role)
    missing = ("curated.enhanced_games", "billing.accounts")
    for table in missing:
        revoke = sql.SQL("REVOKE SELECT ON {} FROM {}")
        admin_conn.execute(revoke.format(sql.Identifier(*table.split(".")), sql.Identifier(role)))
    hidden = sql.SQL("REVOKE USAGE ON SCHEMA ml FROM {}")
    admin_conn.execute(hidden.format(sql.Identifier(role)))

    runs = judged(file, login(role))["runs"]
    for check in BUILT_IN - {"foreign_keys"}:  # which reads the catalog alone
        of_check = [run for run in runs if run["check"] == check]
        touched = [run for run in of_check if any(name in run["subject"] for name in (*missing, "ml."))]
        assert touched
        for run in touched:
            reason = run["error"] or ""
            assert run["outcome"] != "pass", run
            assert run["outcome"] == "fail" or "permission denied" in reason, run
        others = [run for run in of_check if run not in touched]
        assert all(run["outcome"] in ("pass", "fail") for run in others)
