"""`pgvigil config check`: what is doubtful in the file, and what cannot work on the servers that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import make_conninfo

from tests.changes.conftest import bound
from tests.cli.command import pgvigil, refused
from tests.cli.test_slot import execute, make_slot, without_replication
from tests.databases import fresh_database
from tests.servers import private_server, standby_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pgvigil.embedded import Server

pytestmark = [pytest.mark.contrib]


@pytest.fixture(scope="module")
def server(pg_version: int) -> Iterator[Server]:
    """A server that is fit for slots, and whose settings these tests may change."""
    with private_server(pg_version) as running:
        bound(running)
        yield running


def written(tmp_path: Path, dsn: str, *settings: str) -> Path:
    file = tmp_path / "pgvigil.yaml"
    file.write_text(f"targets:\n  shop:\n    dsn: {dsn}\n" + "".join(f"    {line}\n" for line in settings))
    return file


def test_a_doubtful_setting_is_a_warning_with_line_and_path(tmp_path: Path) -> None:
    file = written(tmp_path, "dbname=shop", "cron: 0 12 * * *", "budget: {window: '22:00-06:00', chunk: 1m}")
    answer = pgvigil("config", "check", file)
    assert answer.status == 0
    assert answer.out.endswith(f"{file}: ok\n")
    cron, chunk = answer.err.splitlines()
    assert cron == (
        f"pgvigil: warning: {file}:4: targets.shop.cron: no time of '0 12 * * *' is within the window "
        "22:00-06:00: ticks wait until it begins"
    )
    assert chunk.startswith(
        f"pgvigil: warning: {file}:5: targets.shop.budget.chunk: a chunk of 1m is cut off"
    )


def test_what_is_fit_is_ok_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    with fresh_database(server) as dsn:
        answer = pgvigil(
            "config",
            "check",
            "--connect",
            written(tmp_path, dsn, "changes: logical", "slot_retention: 500MB"),
        )
    assert (answer.status, answer.err) == (0, "")


def test_every_target_is_looked_at_whatever_is_the_matter_with_another(
    server: Server, tmp_path: Path
) -> None:
    with fresh_database(server) as dsn:
        file = written(tmp_path, make_conninfo(dsn, dbname="nowhere"))
        relation = "checks: {orphan_rows: {relations: ['public.a(b) -> public.c(d)']}}"
        file.write_text(
            f"{file.read_text()}  misfit:\n    dsn: {dsn}\n    {relation}\n  fine:\n    dsn: {dsn}\n"
            f"  away:\n    dsn: {make_conninfo(dsn, dbname='elsewhere')}\n"
        )
        answer = pgvigil("config", "check", "--connect", file)
        assert (answer.status, answer.out) == (2, "")
        shop, away, misfit = answer.err.splitlines()
        assert "target shop" in shop
        assert "target away" in away
        assert "targets.misfit.checks.orphan_rows.relations[0]" in misfit
        alone = pgvigil(
            "config", "check", "--connect", written(tmp_path, make_conninfo(dsn, dbname="nowhere"))
        )
        assert (alone.status, len(alone.err.splitlines())) == (3, 1)


def test_a_server_that_does_not_fit_changes_logical_is_no_ok(server: Server, tmp_path: Path) -> None:
    with fresh_database(server) as dsn:
        file = written(tmp_path, without_replication(dsn), "changes: logical")
        refused(
            pgvigil("config", "check", "--connect", file),
            2,
            f"{file}:4: targets.shop.changes: logical cannot work: ",
            "ALTER ROLE plain REPLICATION",
        )


def test_more_connections_left_than_there_are_would_pause_for_ever(server: Server, tmp_path: Path) -> None:
    with fresh_database(server) as dsn:
        file = written(tmp_path, dsn, "budget: {pause: {connections_left: 90000}}")
        answer = pgvigil("config", "check", "--connect", file)
        refused(answer, 2, f"{file}:4: targets.shop.budget.pause.connections_left: is 90000", "in all")


def test_what_works_otherwise_than_one_may_think_is_a_warning(server: Server, tmp_path: Path) -> None:
    with fresh_database(server) as dsn:
        execute(dsn, "DROP ROLE IF EXISTS blind", "CREATE ROLE blind LOGIN REPLICATION PASSWORD 'blind'")
        left = make_slot(dsn, "old")
        file = written(
            tmp_path,
            make_conninfo(dsn, user="blind", password="blind"),
            "changes: logical",
            "slot_retention: 2GB",
            "budget: {pause: {active_sessions: 5}}",
        )
        answer = pgvigil("config", "check", "--connect", file)
        assert answer.status == 0
        sessions, retention, leftover = answer.err.splitlines()
        assert f"{file}:6: targets.shop.budget.pause.active_sessions: pauses nothing" in sessions
        assert "GRANT pg_read_all_stats TO blind" in sessions
        assert f"{file}:5: targets.shop.slot_retention: is 2,048.0 MB" in retention
        assert f"pgvigil slot drop --config {file} --target shop --slot {left}" in leftover
        execute(dsn, f"SELECT pg_drop_replication_slot('{left}')")


def test_schemas_that_are_nowhere_are_a_warning(server: Server, tmp_path: Path) -> None:
    with fresh_database(server) as dsn:
        execute(dsn, "CREATE SCHEMA raw", "CREATE SCHEMA old_shop")
        file = written(
            tmp_path, dsn, "zones: [raw, curatd]", "schemas: {exclude: [tmp_*], deprecated: ['old_*', legcy]}"
        )
        answer = pgvigil("config", "check", "--connect", file)
        assert answer.status == 0
        excluded, deprecated, zone = answer.err.splitlines()
        assert excluded.startswith(f"pgvigil: warning: {file}:5: targets.shop.schemas.exclude[0]: no schema")
        assert deprecated.endswith(f"{file}:5: targets.shop.schemas.deprecated[1]: no schema matches 'legcy'")
        assert zone.endswith(f"{file}:4: targets.shop.zones[1]: no schema matches 'curatd'")


def test_a_slot_that_is_left_over_is_told_of_once_for_all_targets_on_its_server(
    server: Server, tmp_path: Path
) -> None:
    with fresh_database(server) as dsn, fresh_database(server) as second:
        left = make_slot(dsn, "old")
        file = written(tmp_path, dsn)
        file.write_text(f"{file.read_text()}  other: {{dsn: '{second}'}}\n")
        answer = pgvigil("config", "check", "--connect", file)
        assert answer.status == 0
        [line] = [line for line in answer.err.splitlines() if left in line]
        assert f"pgvigil slot drop --config {file} --target shop --slot {left}" in line
        execute(dsn, f"SELECT pg_drop_replication_slot('{left}')")


def test_a_standby_that_fits_is_told_and_one_that_does_not_is_an_error(
    server: Server, tmp_path: Path
) -> None:
    with standby_of(server, {}) as standby, fresh_database(server) as dsn:
        file = written(tmp_path, dsn, f"standby: {{dsn: '{make_conninfo(dsn, port=standby.port)}'}}")
        answer = pgvigil("config", "check", "--connect", file)
        assert (answer.status, answer.err) == (0, "")
        assert "its standby too" in answer.out
        file = written(tmp_path, dsn, f"standby: {{dsn: '{dsn}'}}")
        refused(
            pgvigil("config", "check", "--connect", file),
            2,
            f"{file}:4: targets.shop.standby: standby of shop: it is not in recovery",
        )


def test_a_server_without_the_usual_functions_may_be_watched_nevertheless(
    own_server: Server, tmp_path: Path
) -> None:
    """As of what speaks the protocol and is not PostgreSQL itself."""
    execute(
        own_server.dsn(),
        "CREATE ROLE guest LOGIN PASSWORD 'guest'",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_postmaster_start_time() FROM PUBLIC",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_stat_get_wal_senders() FROM PUBLIC",
    )
    dsn = make_conninfo(own_server.dsn(), user="guest", password="guest")
    answer = pgvigil("config", "check", "--connect", written(tmp_path, dsn))
    assert answer.status == 0
    assert "pause.lock_waits: pauses nothing: the server does not show it" in answer.err
