"""`pgvigil slot`: shows what slots keep and why there can be none, and drops them."""

from __future__ import annotations

import re
import shlex
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgvigil.changes import Slot, slot_name
from tests import bouncer
from tests.changes.conftest import bound, drop_slots
from tests.cli.command import Answer, pgvigil, refused
from tests.databases import fresh_database
from tests.servers import private_server, required, standby_of

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


@pytest.fixture
def shop(server: Server) -> Iterator[str]:
    """A database on it."""
    with fresh_database(server) as dsn:
        yield dsn
        drop_slots(server)


def file_of(tmp_path: Path, **targets: str) -> Path:
    """Write a configuration of targets that are watched by their changes, from the DSN of each."""
    file = tmp_path / "pgvigil.yaml"
    lines = (f"  {name}: {{dsn: '{dsn}', changes: logical}}\n" for name, dsn in targets.items())
    file.write_text("targets:\n" + "".join(lines))
    return file


def by_position(file: Path) -> Path:
    file.write_text(file.read_text().replace("logical", "position"))
    return file


def make_slot(dsn: str, target: str) -> str:
    with closing(Slot(target, dsn, statement_timeout=30)) as slot:
        name = slot.state().name
        slot.create()
    return name


def slots(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as conn:
        return [row[0] for row in conn.execute("SELECT slot_name FROM pg_replication_slots ORDER BY 1")]


def show(file: Path, target: str = "main") -> Answer:
    return pgvigil("slot", "show", "--config", file, "--target", target)


def execute(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        for statement in statements:
            conn.execute(statement)


def database_of(dsn: str) -> str:
    return str(conninfo_to_dict(dsn)["dbname"])


def without_replication(dsn: str) -> str:
    execute(dsn, "DROP ROLE IF EXISTS plain", "CREATE ROLE plain LOGIN PASSWORD 'plain'")
    return make_conninfo(dsn, user="plain", password="plain")


def test_a_slot_is_shown_and_dropped(shop: str, tmp_path: Path) -> None:
    file = file_of(tmp_path, main=shop)
    before = show(file)
    assert before.status == 0
    assert (
        before.out
        == f"main: no slot yet: the daemon makes {slot_name('main', database_of(shop))} at its next tick\n"
    )
    assert slots(shop) == []
    name = make_slot(shop, "main")
    shown = show(file)
    assert shown.status == 0
    kept = "(nothing yet|[0-9,]+ bytes of WAL)"
    assert re.fullmatch(f"main: slot {name} keeps {kept}; pgvigil drops it above 1,024.0 MB\n", shown.out)
    execute(shop, "SELECT pg_logical_emit_message(false, '', repeat('x', 3000000))")
    assert f"{name} keeps 2.9 MB of WAL; pgvigil drops it above" in show(file).out
    dropped = pgvigil("slot", "drop", "--config", file)
    assert (dropped.status, dropped.out) == (0, f"main: {name} was dropped\n")
    assert slots(shop) == []
    again = pgvigil("slot", "drop", "--config", file)
    assert (again.status, again.out) == (0, f"main: {name} does not exist\n")


def test_what_is_in_the_way_of_a_slot_is_shown_with_a_remedy_each(server: Server, tmp_path: Path) -> None:
    with fresh_database(server) as dsn:
        file = file_of(tmp_path, main=without_replication(dsn))
        execute(dsn, "ALTER SYSTEM SET max_slot_wal_keep_size = -1", "SELECT pg_reload_conf()")
        try:
            shown = show(file)
        finally:
            bound(server)
    assert shown.status == 2
    first, bound_of_slots, role = shown.out.splitlines()
    assert first == "main: no slot yet"
    assert bound_of_slots.startswith("main: there can be no slot: max_slot_wal_keep_size is not set")
    assert bound_of_slots.endswith("set it to 10GB, say, and reload the server")
    assert role == (
        "main: there can be no slot: the role lacks the attribute REPLICATION: ALTER ROLE plain REPLICATION"
    )


def test_without_a_configuration_no_slot_is_asked_for(shop: str, database: str) -> None:
    shown = pgvigil("slot", "show", "--dsn", shop)
    none = "no slot, and none is asked for: without a configuration nothing sets `changes: logical`"
    assert (shown.status, shown.out) == (0, f"{database_of(shop)}: {none}\n")
    left = make_slot(shop, "somebodys")
    # Nobody is told to drop what another one's configuration may ask for.
    [_, found] = pgvigil("slot", "show", "--dsn", shop).out.splitlines()
    assert found.startswith(f"{database_of(shop)}: slot {left} of database {database_of(shop)} keeps ")
    assert found.endswith(": whether a target needs it tells pgvigil slot show --config FILE")
    # The servers that all tests share bound no slot.
    shown = pgvigil("slot", "show", "--dsn", database)
    assert shown.status == 0
    assert "there could be none: max_slot_wal_keep_size is not set" in shown.out


def test_a_target_that_asks_for_no_slot_needs_none(database: str, tmp_path: Path) -> None:
    shown = show(by_position(file_of(tmp_path, main=database)))
    assert shown.status == 0
    assert shown.out.startswith("main: no slot, and none is asked for: `changes` is position\n")


def test_a_standby_is_told_in_one_line_and_is_wrong_only_where_a_slot_is_asked_for(
    server: Server, tmp_path: Path
) -> None:
    told = "the server is a standby, and pgvigil's slot lives on the primary: let the DSN lead there"
    with standby_of(server, {}) as standby:
        file = file_of(tmp_path, main=standby.dsn())
        logical, position = show(file), show(by_position(file))
        alone = pgvigil("slot", "show", "--dsn", standby.dsn())
    assert (logical.status, logical.out) == (2, f"main: {told}\n")
    assert (position.status, position.out) == (0, f"main: {told}\n")
    assert (alone.status, alone.out) == (0, f"postgres: {told}\n")


def test_a_slot_that_a_server_had_before_it_became_a_standby_is_listed(
    tmp_path: Path, pg_version: int
) -> None:
    with private_server(pg_version) as primary:
        bound(primary)
        name = make_slot(primary.dsn(), "main")
        # Slots do not go along with a base backup; a primary that is made a standby has its own.
        primary.stop()
        (primary.data_dir / "standby.signal").touch()
        primary.start()
        file = file_of(tmp_path, main=primary.dsn())
        [_, left] = show(file).out.splitlines()
        assert f"slot {name} of database postgres belongs to no target here (keeps " in left
        assert pgvigil("slot", "drop", "--config", file, "--target", "main", "--slot", name).status == 0
        assert slots(primary.dsn()) == []


def test_a_server_without_a_free_slot_is_told(server: Server, shop: str, tmp_path: Path) -> None:
    with psycopg.connect(shop) as conn:
        most = int(conn.execute("SHOW max_replication_slots").fetchone()[0])  # type: ignore[index]
    execute(shop, *(f"SELECT pg_create_physical_replication_slot('taken_{n}')" for n in range(most)))
    shown = show(file_of(tmp_path, main=shop))
    assert shown.status == 2
    assert f"no replication slot is free (max_replication_slots is {most})" in shown.out


@pytest.mark.parametrize(
    ("made_by", "whose"),
    [
        ("pg_create_physical_replication_slot('{name}')", "a physical slot"),
        ("pg_create_logical_replication_slot('{name}', 'pgoutput')", "with the output plugin pgoutput"),
    ],
)
def test_a_slot_of_somebody_elses_is_told_and_left_alone(
    shop: str, tmp_path: Path, made_by: str, whose: str
) -> None:
    file, name = file_of(tmp_path, main=shop), slot_name("main", database_of(shop))
    execute(shop, f"SELECT {made_by.format(name=name)}")
    shown = show(file)
    assert shown.status == 2
    assert whose in shown.out
    refused(pgvigil("slot", "drop", "--config", file), 3, "target main", name, "left alone")
    assert slots(shop) == [name]


def test_a_slot_of_that_name_in_another_database_is_told(shop: str, server: Server, tmp_path: Path) -> None:
    name = slot_name("main", database_of(shop))
    execute(server.dsn(), f"SELECT pg_create_logical_replication_slot('{name}', 'test_decoding')")
    shown = show(file_of(tmp_path, main=shop))
    assert shown.status == 2
    assert "a slot of the database postgres has the name" in shown.out


def test_a_slot_works_through_a_pooler(server: Server, shop: str, tmp_path: Path) -> None:
    if bouncer.program() is None and not required():
        pytest.skip("PgBouncer is not installed")
    with bouncer.in_front_of(server) as pooler:
        shown = show(file_of(tmp_path, main=pooler.through(shop)))
        # What was tried is gone, although the pooler keeps the session that tried it.
        assert slots(shop) == []
    assert shown.status == 0


def test_what_a_renamed_target_left_behind_is_shown_and_dropped_by_name(shop: str, tmp_path: Path) -> None:
    left = make_slot(shop, "old")
    own, other = make_slot(shop, "main"), make_slot(shop, "other")
    file = file_of(tmp_path, main=shop, other=shop)
    shown = show(file)
    assert shown.status == 0
    [line] = shown.out.splitlines()[1:]
    assert line.startswith(
        f"main: slot {left} of database {database_of(shop)} belongs to no target here (keeps "
    )
    assert line.endswith(
        f"if no other pgvigil needs it, pgvigil slot drop --config {file} --target main --slot {left}"
    )
    drop = ("slot", "drop", "--config", file, "--target", "main", "--slot")
    instead = f"pgvigil slot drop --config {file} --target other --slot {other}"
    refused(pgvigil(*drop, other), 2, f"is the slot of target other: {instead}")
    refused(pgvigil(*drop, "somebodys"), 2, "target main", "somebodys", "pgvigil slot show")
    dropped = pgvigil(*drop, left)
    assert (dropped.status, dropped.out) == (0, f"main: {left} was dropped\n")
    assert slots(shop) == sorted([own, other])


def test_a_slot_that_does_not_exist_cannot_be_dropped_by_its_name(shop: str, tmp_path: Path) -> None:
    file = file_of(tmp_path, main=shop)
    answer = pgvigil("slot", "drop", "--config", file, "--slot", "other")
    refused(answer, 2, "target main: its server has no slot other of pgvigil's", "pgvigil slot show --config")


def test_what_is_told_to_be_pasted_works_as_it_is(shop: str, tmp_path: Path) -> None:
    (home := tmp_path / "my files").mkdir()
    file = file_of(home, main=shop)
    make_slot(shop, "main")
    told = show(by_position(file)).out
    assert "`changes` is position, so drop it: pgvigil slot drop --config " in told
    _, *arguments = shlex.split(told.partition("so drop it: ")[2])
    assert pgvigil(*arguments).status == 0
    assert slots(shop) == []
    make_slot(shop, "main")
    # A DSN may hold a password.
    told = pgvigil("slot", "show", "--config", file, "--dsn", shop).out
    assert told.endswith(f"pgvigil slot drop --config '{file}' --target main --dsn DSN\n")


def test_a_target_that_moved_to_another_database_left_its_slot_behind(
    server: Server, shop: str, tmp_path: Path
) -> None:
    left = make_slot(server.dsn(), "main")
    file = file_of(tmp_path, main=shop, other=shop)
    assert left not in show(file, "other").out
    assert f"slot {left} of database postgres belongs to no target here" in show(file).out
    assert pgvigil("slot", "drop", "--config", file, "--target", "main", "--slot", left).status == 0
    assert slots(shop) == []


def test_a_slot_that_cannot_be_dropped_says_by_whom_it_can(shop: str, tmp_path: Path) -> None:
    name = make_slot(shop, "main")
    answer = pgvigil("slot", "drop", "--config", file_of(tmp_path, main=without_replication(shop)))
    refused(answer, 3, "target main", name, f"SELECT pg_drop_replication_slot('{name}')")
    with closing(reading(shop, name)):
        answer = pgvigil("slot", "drop", "--config", file_of(tmp_path, main=shop))
    refused(answer, 3, "target main", name, "is in use", "stop the pgvigil that reads it")
    assert slots(shop) == [name]


def reading(dsn: str, name: str) -> psycopg.Connection:
    """Keep a slot in use until the connection is closed: by a walsender."""
    conn = psycopg.connect(dsn, replication="database", autocommit=True)
    conn.pgconn.send_query(f"START_REPLICATION SLOT {name} LOGICAL 0/0".encode())
    while conn.pgconn.is_busy():
        conn.pgconn.consume_input()
    return conn


def test_a_target_that_does_not_answer_is_an_error() -> None:
    for command in ("show", "drop"):
        refused(pgvigil("slot", command, "--dsn", "host=127.0.0.1 port=9 dbname=x"), 3, "cannot connect")


def test_the_grants_of_a_target_that_is_watched_by_its_changes_have_replication(
    shop: str, tmp_path: Path
) -> None:
    file = file_of(tmp_path, main=shop)
    assert "\nALTER ROLE pgvigil REPLICATION;\n" in pgvigil("grants", "--config", file).out
    assert "REPLICATION" not in pgvigil("grants", "--config", by_position(file)).out
